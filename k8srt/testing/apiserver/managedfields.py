"""Server-side apply and field ownership (`metadata.managedFields`), as a real API server has them.

`apply` merges a configuration into an object; `track_update` notes what any other write changed. Both return new
documents and change none of their arguments. A write comes here after decoding and defaulting and before the kind's
own preparation (addresses, tokens, generation): what the server itself fills in belongs to nobody. Contract: MACH-45.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from k8srt.apimachinery.fieldset import FieldSet
from k8srt.apimachinery.structure import Structure
from k8srt.errors import K8srtError
from k8srt.testing.apiserver import ssa_lastapplied as lastapplied
from k8srt.testing.apiserver.ssa_compare import equal
from k8srt.testing.apiserver.ssa_managers import (
    APPLY,
    UPDATE,
    Manager,
    Managers,
    Owned,
    cap_updaters,
    field_paths,
    live_managers,
    manager_of,
    managers_of_write,
    moment,
    with_managers,
    without_managers,
)
from k8srt.testing.apiserver.ssa_typed import type_errors
from k8srt.testing.apiserver.ssa_updater import ApplyConflict, SameVersions, Updater, Versions

__all__ = ["ApplyConflict", "ApplyError", "Versions", "apply", "keep_times", "track_update"]

JSON = dict[str, Any]
Paths = FieldSet | Iterable[Iterable[str]] | None

BEFORE_FIRST_APPLY = "before-first-apply"
_SELF = Manager("current-operation", UPDATE, "")
_NEVER_OWNED = FieldSet.of_names(
    [
        ("apiVersion",),
        ("kind",),
        ("metadata",),
        *(
            ("metadata", name)
            for name in (
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                "managedFields", "resourceVersion",
            )
        ),
    ]
)  # fmt: skip


class ApplyError(K8srtError, ValueError):
    """A configuration cannot be applied. `code`: 400 for what must not be in one, 500 for what fits no schema."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def track_update(
    live: JSON | None,
    new: JSON,
    structure: Structure,
    manager: str,
    api_version: str,
    now: datetime,
    subresource: str = "",
    *,
    reset_fields: Paths = None,
    versions: Versions | None = None,
) -> JSON:
    """Return `new` with managedFields brought up to date; `live` is None for a create.

    Whatever differs belongs to `manager` then, and to nobody else. An object that lost its managedFields gets none
    until it is applied. `reset_fields` are paths that this endpoint does not change, whatever is sent (`status` on
    the main resource); `versions` converts objects whose managers wrote other versions.
    """
    managers = managers_of_write(live, new, subresource)
    plain, old = without_managers(new), without_managers(live or {})
    if not managers and old["metadata"].get("uid"):
        return plain
    updater = Updater(versions or SameVersions(structure), api_version, field_paths(reset_fields))
    _note_update(updater, old, plain, managers, manager_of(manager, UPDATE, api_version, subresource), now)
    result = with_managers(plain, managers)
    return keep_times(live, result) if live is not None else result


def _note_update(updater: Updater, live: JSON, new: JSON, managers: Managers, writer: Manager, now: datetime) -> None:
    updater.update(live, new, managers, _SELF)
    _strip(managers, _SELF)
    changed = managers.entries.pop(_SELF, None)
    if changed is not None:
        before = managers.fields_of(writer)
        managers.entries[writer] = Owned(changed.fields.union(before), changed.api_version, moment(now))
    cap_updaters(managers)


def apply(
    live: JSON | None,
    config: JSON,
    structure: Structure,
    manager: str,
    force: bool,
    api_version: str,
    now: datetime,
    subresource: str = "",
    *,
    reset_fields: Paths = None,
    versions: Versions | None = None,
) -> JSON:
    """Return the live object (None: there is none yet) with a configuration applied, managedFields included.

    The result is neither defaulted nor decoded: nulls of the configuration are still in it. Raises ApplyConflict
    without `force` if others own what it would change, ApplyError if the configuration cannot be applied.
    """
    _check(config, structure, api_version)
    old = without_managers(live or {})
    updater = Updater(versions or SameVersions(structure), api_version, field_paths(reset_fields))
    managers = _managers_before(updater, live, old, subresource, now)
    writer = manager_of(manager, APPLY, api_version, subresource)
    merged, after = _apply_as(updater, old, config, managers, writer, force=force)
    if merged is not None:
        if writer in after.entries:
            after.entries[writer].time = moment(now)
        merged = lastapplied.refreshed(merged, config) if manager == lastapplied.KUBECTL else merged
    result = with_managers(old if merged is None else merged, after)
    return keep_times(live, result) if live is not None else result


def _check(config: JSON, structure: Structure, api_version: str) -> None:
    if (config.get("metadata") or {}).get("managedFields") is not None:
        raise ApplyError("metadata.managedFields must be nil", 400)
    errors = type_errors(config, structure)
    if errors:
        text = errors[0] if len(errors) == 1 else "errors:" + "".join(f"\n  {error}" for error in errors)
        raise ApplyError(f"failed to create typed patch object ({_about(config, api_version)}): {text}", 500)


def _about(config: JSON, api_version: str) -> str:
    meta = config.get("metadata") or {}
    version = api_version if "/" in api_version else f"/{api_version}"
    return f"{meta.get('namespace', '')}/{meta.get('name', '')}; {version}, Kind={config.get('kind', '')}"


def _managers_before(updater: Updater, live: JSON | None, old: JSON, subresource: str, now: datetime) -> Managers:
    """Who owned what; where nobody is known to, all belongs to those who came before the first apply."""
    managers = live_managers(live or {})
    if live is not None and not managers:
        before = manager_of(BEFORE_FIRST_APPLY, UPDATE, updater.api_version, subresource)
        _note_update(updater, {"metadata": {}}, old, managers, before, now)
    return managers


def _apply_as(
    updater: Updater, old: JSON, config: JSON, managers: Managers, writer: Manager, *, force: bool
) -> tuple[JSON | None, Managers]:
    after = managers.copy()
    try:
        merged = updater.apply(old, config, after, writer, force=force)
    except ApplyConflict as conflict:
        # kubectl moving from client-side to server-side apply takes over what its annotation says it had set
        if writer.name != lastapplied.KUBECTL or not lastapplied.allows(conflict, old, updater):
            raise
        return _apply_as(updater, old, config, managers, writer, force=True)
    _strip(after, writer)
    return merged, after


def _strip(managers: Managers, manager: Manager) -> None:
    if manager in managers.entries:
        managers.set_fields(manager, managers.fields_of(manager).difference(_NEVER_OWNED))


def keep_times(live: JSON, new: JSON) -> JSON:
    """Return `new`; with the times of the live managers if those are all that differs, so that nothing is written.

    Resource versions are not compared. Call it again after preparing an object for storage.
    """
    old, made = (document.get("metadata", {}).get("managedFields") or [] for document in (live, new))
    if old == made or _timeless(old) != _timeless(made) or not _same_but_managers(live, new):
        return new
    meta = {**new["metadata"], "managedFields": old}
    return {**new, "metadata": meta}


def _timeless(entries: list[JSON]) -> list[JSON]:
    stripped = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(
        stripped,
        key=lambda entry: [str(entry.get(key)) for key in ("operation", "manager", "apiVersion", "subresource")],
    )


def _same_but_managers(one: JSON, other: JSON) -> bool:
    ignored = ("managedFields", "resourceVersion")
    plain = [
        {**each, "metadata": {key: value for key, value in each["metadata"].items() if key not in ignored}}
        for each in (one, other)
    ]
    return equal(*plain)
