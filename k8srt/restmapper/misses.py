"""What is said when nothing fits, or too much: with the group that is not served, or the name that was meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8srt.apimachinery.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionResource,
    parse_resource_arg,
)
from k8srt.errors import NoKindMatch, NoResourceMatch
from k8srt.restmapper.table import Table


def no_resource(table: Table, partial: str | GroupVersionResource | GroupResource) -> NoResourceMatch:
    """The error for a resource that is not served."""
    if isinstance(partial, str):
        full, whole = parse_resource_arg(partial)
        if full is not None and full.group in table.groups:
            name, group, version = full.resource, full.group, full.version
        else:
            name, group, version = whole.resource, whole.group, ""
    else:
        name, group = partial.resource, partial.group
        version = partial.version if isinstance(partial, GroupVersionResource) else ""
    where = _where(group, (version,))
    names = [entry.resource for entry in table.entries if not group or entry.gvk.group == group]
    reason = _reason(table, group, (version,), name, names)
    return NoResourceMatch(f'the server has no resource "{name}"{where}{reason}', partial)


def no_kind(table: Table, kind: GroupKind, versions: Sequence[str]) -> NoKindMatch:
    """The error for a kind that is not served."""
    names = [entry.kind for entry in table.entries if entry.gvk.group == kind.group]
    reason = _reason(table, kind.group, versions, kind.kind, names)
    return NoKindMatch(f'no matches for kind "{kind.kind}"{_where(kind.group, versions)}{reason}', kind)


def several(asked: object, keys: Iterable[GroupVersionResource]) -> str:
    """The message for several that fit equally."""
    return f"{asked} is ambiguous: {'; '.join(map(str, keys))} match it"


def _where(group: str, versions: Sequence[str]) -> str:
    named = [str(GroupVersion(group, version)) for version in versions if version]
    if named:
        return f" in {' or '.join(named)}"
    return f" in the group {group}" if group else ""


def _reason(table: Table, group: str, versions: Sequence[str], name: str, names: Iterable[str]) -> str:
    failures = [f"{version}: {error}" for version, error in table.failed.items() if not group or version.group == group]
    if failures:
        return f"; what these serve could not be found out: {', '.join(sorted(failures))}"
    if group and not any(each.startswith(group) for each in table.groups):
        return ": it does not serve that group"
    served = dict.fromkeys(entry.gvk.version for entry in table.entries if entry.gvk.group == group)
    if any(versions) and served and not set(versions) & set(served):
        return f": it serves that group in {', '.join(served)}"
    import difflib

    close = difflib.get_close_matches(name, dict.fromkeys(names), 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
