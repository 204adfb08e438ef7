"""Ownership through a write: who loses fields, who gains them, who is in conflict, what is removed.

After merge.Updater of structured-merge-diff. Works on documents without managedFields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from k8srt.apimachinery.fieldset import FieldSet, path_text
from k8srt.apimachinery.structure import Structure
from k8srt.errors import K8srtError
from k8srt.testing.apiserver.ssa_compare import Comparison, compare, same
from k8srt.testing.apiserver.ssa_managers import Manager, Managers, Owned
from k8srt.testing.apiserver.ssa_walk import field_set, merge, remove, with_named_fields

JSON = dict[str, Any]


class Versions(Protocol):
    """How an object looks in another version: managers own fields of the version that they wrote."""

    def convert(self, document: JSON, from_version: str, to_version: str) -> JSON | None:
        """The object in another version; None if that is not served any more. Changes nothing."""

    def structure(self, api_version: str) -> Structure: ...


@dataclass(frozen=True)
class SameVersions:
    """All versions look alike."""

    only: Structure

    def convert(self, document: JSON, from_version: str, to_version: str) -> JSON | None:
        return document

    def structure(self, api_version: str) -> Structure:
        return self.only


class ApplyConflict(K8srtError):
    """An apply would change fields that others own. `conflicts` are (manager, path) pairs; see also `causes`."""

    def __init__(self, conflicts: list[tuple[Manager, tuple[str, ...]]]) -> None:
        super().__init__(_message(conflicts))
        self.conflicts = conflicts

    @cached_property
    def causes(self) -> list[JSON]:
        """The causes as a Status has them."""
        return [
            {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": path_text(path)}
            for manager, path in self.conflicts
        ]

    @property
    def fields(self) -> FieldSet:
        found = FieldSet()
        for _, path in self.conflicts:
            found.insert(path)
        return found


def _message(conflicts: list[tuple[Manager, tuple[str, ...]]]) -> str:
    if len(conflicts) == 1:
        ((manager, path),) = conflicts
        return f"Apply failed with 1 conflict: conflict with {manager}: {path_text(path)}"
    lines: list[str] = []
    for manager in dict.fromkeys(manager for manager, _ in conflicts):
        lines.append(f"conflicts with {manager}:")
        lines.extend(f"- {path_text(path)}" for owner, path in conflicts if owner == manager)
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


@dataclass(frozen=True)
class Updater:
    """Ownership rules for writes in one version. `ignored` are fields this endpoint resets, so nobody owns them."""

    versions: Versions
    api_version: str
    ignored: FieldSet

    @property
    def _structure(self) -> Structure:
        return self.versions.structure(self.api_version)

    def update(self, live: JSON, new: JSON, managers: Managers, writer: Manager) -> None:
        """Note an update: what it changed now belongs to `writer` alone."""
        found = self._transfer(live, new, managers, writer, force=True)
        mine = managers.fields_of(writer).difference(found.removed).union(found.changed)
        managers.entries[writer] = Owned(mine, self.api_version)
        managers.set_fields(writer, mine)

    def apply(self, live: JSON, config: JSON, managers: Managers, writer: Manager, *, force: bool) -> JSON | None:
        """Note an apply and return the merged object; None if it says nothing new. Raises ApplyConflict."""
        merged = _object(merge(live, config, self._structure))
        last = managers.entries.get(writer)
        mine = field_set(config, self._structure).recursive_difference(self.ignored)
        managers.entries[writer] = Owned(mine, self.api_version, last.time if last is not None else None)
        if last is not None and last.fields:
            merged = self._prune(merged, managers, last)
        self._transfer(live, merged, managers, writer, force=force)
        return None if same(live, merged, self._structure) else merged

    # ---- who owns what after a change

    def _transfer(self, live: JSON, new: JSON, managers: Managers, writer: Manager, *, force: bool) -> Comparison:
        """Take what changed from all other managers, what vanished from everybody else. Raises ApplyConflict."""
        found = self._compare(live, new, self.api_version)
        assert found is not None
        seen: dict[str, Comparison | None] = {self.api_version: found}
        conflicts: dict[Manager, FieldSet] = {}
        removed: dict[Manager, FieldSet] = {}
        for manager, owned in managers:
            if manager == writer:
                continue
            if owned.api_version not in seen:
                seen[owned.api_version] = self._compare(live, new, owned.api_version)
            change = seen[owned.api_version]
            if change is None:  # its version is gone
                del managers.entries[manager]
                continue
            if lost := owned.fields.intersection(change.changed):
                conflicts[manager] = lost
            removed[manager] = change.removed
        if conflicts and not force:
            raise ApplyConflict([(key, path) for key in sorted(conflicts) for path in conflicts[key].paths()])
        for manager, gone in removed.items():
            left = managers.fields_of(manager).difference(conflicts.get(manager, FieldSet())).difference(gone)
            managers.set_fields(manager, left)
        if writer in managers.entries:
            managers.set_fields(writer, managers.fields_of(writer))
        return found

    def _compare(self, live: JSON, new: JSON, version: str) -> Comparison | None:
        old, changed = self._in_version(live, version), self._in_version(new, version)
        if old is None or changed is None:
            return None
        structure = self.versions.structure(version)
        return compare(old, changed, structure).without(self.ignored)

    def _in_version(self, document: JSON, version: str) -> JSON | None:
        if version == self.api_version:
            return document
        return self.versions.convert(document, self.api_version, version)

    # ---- what an applier no longer applies

    def _prune(self, merged: JSON, managers: Managers, last: Owned) -> JSON:
        """Remove what the applier applied last time and not now, unless somebody else owns it."""
        old = self._in_version(merged, last.api_version)
        if old is None:
            return merged
        structure = self.versions.structure(last.api_version)
        pruned = _object(remove(old, structure, with_named_fields(last.fields, structure)))
        pruned = self._with_owned(old, pruned, managers, last.api_version)
        pruned = _with_dangling(old, pruned, last.fields, structure)
        if last.api_version == self.api_version:
            return pruned
        return self.versions.convert(pruned, last.api_version, self.api_version) or merged

    def _with_owned(self, merged: JSON, pruned: JSON, managers: Managers, version: str) -> JSON:
        """Add back what any manager, or the new configuration, owns."""
        owned: dict[str, FieldSet] = {version: FieldSet()}
        for _, each in managers:
            owned[each.api_version] = owned.get(each.api_version, FieldSet()).union(each.fields)
        for other, fields in owned.items():
            there = self.versions.convert(merged, version, other) if other != version else merged
            left = self.versions.convert(pruned, version, other) if other != version else pruned
            if there is None or left is None:
                continue
            kept = _with_owned(there, left, fields, self.versions.structure(other))
            pruned = kept if other == version else self.versions.convert(kept, other, version) or pruned
        return pruned


def _with_owned(merged: JSON, pruned: JSON, owned: FieldSet, structure: Structure) -> JSON:
    there, left, kept = (
        with_named_fields(fields, structure)
        for fields in (field_set(merged, structure), field_set(pruned, structure), owned)
    )
    return _object(remove(merged, structure, there.difference(left.union(kept))))


def _with_dangling(merged: JSON, pruned: JSON, last: FieldSet, structure: Structure) -> JSON:
    """Add back what the applier had not applied last time either: nobody owns it, so nobody takes it away."""
    there, left, before = (
        with_named_fields(fields, structure)
        for fields in (field_set(merged, structure), field_set(pruned, structure), last)
    )
    return _object(remove(merged, structure, there.difference(left).intersection(before)))


def _object(value: Any) -> JSON:
    return dict(value) if isinstance(value, Mapping) else {}
