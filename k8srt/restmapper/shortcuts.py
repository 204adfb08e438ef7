"""Short names: `po` for pods, `deploy` for deployments. Contract: CLI-27."""

from __future__ import annotations

from collections.abc import Callable

from k8srt.apimachinery.schema import GroupResource, GroupVersionResource
from k8srt.restmapper.table import Table

Warn = Callable[[str], object]


def expand(table: Table, partial: GroupVersionResource, warn: Warn) -> GroupVersionResource:
    """The resource that a short name stands for; anything else as it is.

    Of several that share the short name the server's first is meant; the others are named in a warning each.
    """
    if _is_full_name(table, partial):
        return partial
    candidates = list(
        dict.fromkeys(entry.gvr.group_resource for entry in table.entries if partial.resource in entry.short_names)
    )
    fitting = [each for each in candidates if not partial.group or each.group == partial.group]
    if fitting:
        first, *others = fitting
        for other in others:
            warn(f'short name "{partial.resource}" could also match lower priority resource {other}')
        return _replaced(partial, first)
    for each in candidates:
        if partial.group and each.group.startswith(partial.group):
            return _replaced(partial, each)
    return partial


def _is_full_name(table: Table, partial: GroupVersionResource) -> bool:
    whole = GroupVersionResource(partial.group, "", partial.resource)
    return any(not partial.group or entry.gvk.group == partial.group for entry in table.named(whole))


def _replaced(partial: GroupVersionResource, found: GroupResource) -> GroupVersionResource:
    return GroupVersionResource(found.group, partial.version, found.resource)
