"""The entries of `metadata.managedFields`: read, changed, and written in a server's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from k8srt.apimachinery.fieldset import FieldSet, from_fields_v1, to_fields_v1
from k8srt.apimachinery.wire import format_time

JSON = dict[str, Any]

APPLY = "Apply"
UPDATE = "Update"
MAX_UPDATERS = 10
ANCIENT = "ancient-changes"


class Manager(NamedTuple):
    """Who owns fields. For "Apply" the version is left out: however it applies, it is the same manager."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        """As conflict messages name it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


def manager_of(name: str, operation: str, api_version: str, subresource: str = "") -> Manager:
    return Manager(name or "unknown", operation, "" if operation == APPLY else api_version, subresource)


@dataclass(slots=True)
class Owned:
    """The fields of one manager, in the version it wrote them; the time of its last change, as text, if known."""

    fields: FieldSet
    api_version: str
    time: str | None = None


@dataclass(slots=True)
class Managers:
    """All managers of one object."""

    entries: dict[Manager, Owned] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __iter__(self) -> Iterator[tuple[Manager, Owned]]:
        return iter(list(self.entries.items()))

    def fields_of(self, manager: Manager) -> FieldSet:
        owned = self.entries.get(manager)
        return owned.fields if owned is not None else FieldSet()

    def set_fields(self, manager: Manager, fields: FieldSet) -> None:
        """Change what a known manager owns; who owns nothing is no manager."""
        if fields:
            self.entries[manager].fields = fields
        else:
            del self.entries[manager]

    def copy(self) -> Managers:
        return Managers({key: Owned(each.fields, each.api_version, each.time) for key, each in self.entries.items()})


def read_managers(entries: Any) -> Managers:
    """Read the entries. Raises ValueError if one of them is invalid."""
    managers = Managers()
    for index, entry in enumerate(entries or ()):
        operation, api_version = entry.get("operation"), entry.get("apiVersion")
        if operation not in (APPLY, UPDATE):
            raise ValueError("operation must be `Apply` or `Update`")
        if not api_version:
            raise ValueError("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            raise ValueError(f"invalid fieldsType in managed fields entry {index}")
        manager = manager_of(entry.get("manager", ""), operation, api_version, entry.get("subresource", ""))
        managers.entries[manager] = Owned(from_fields_v1(entry.get("fieldsV1") or {}), api_version, entry.get("time"))
    return managers


def write_managers(managers: Managers) -> list[JSON]:
    """Write the entries: appliers first, then by time, name, version and subresource."""
    listed = [(_entry(manager, owned), manager, owned) for manager, owned in managers]
    listed.sort(key=lambda each: _order(each[1], each[2]))
    return [entry for entry, _, _ in listed]


def _order(manager: Manager, owned: Owned) -> tuple[str, str, str, str, str]:
    return manager.operation, owned.time or "", manager.name, owned.api_version, manager.subresource


def _entry(manager: Manager, owned: Owned) -> JSON:
    entry: JSON = {"manager": manager.name, "operation": manager.operation, "apiVersion": owned.api_version}
    if owned.time:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(owned.fields)}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def moment(now: datetime) -> str:
    return format_time(now)


def managers_of_write(live: Mapping[str, Any] | None, new: Mapping[str, Any], subresource: str) -> Managers:
    """The managers an update starts from.

    Clients may rewrite managedFields, and remove them all with `[{}]`; leaving them out, or sending what cannot be
    read, keeps those of the live object. Through a subresource they cannot be changed.
    """
    stored = _entries(live)
    sent = _entries(new)
    if not subresource:
        if sent == [{}]:
            return Managers()
        try:
            if managers := read_managers(sent):
                return managers
        except (ValueError, AttributeError, TypeError):
            pass
    try:
        return read_managers(stored)
    except (ValueError, AttributeError, TypeError):
        return Managers()


def _entries(document: Mapping[str, Any] | None) -> Any:
    return ((document or {}).get("metadata") or {}).get("managedFields") or []


def live_managers(live: Mapping[str, Any]) -> Managers:
    """The managers of a stored object. Raises ValueError if they cannot be read."""
    return read_managers(_entries(live))


def without_managers(document: Mapping[str, Any]) -> JSON:
    """A copy of an object without managedFields."""
    meta = {key: value for key, value in (document.get("metadata") or {}).items() if key != "managedFields"}
    return {**document, "metadata": meta}


def with_managers(document: Mapping[str, Any], managers: Managers) -> JSON:
    """A copy of an object with these managedFields."""
    result = without_managers(document)
    if managers:
        result["metadata"]["managedFields"] = write_managers(managers)
    return result


def cap_updaters(managers: Managers, limit: int = MAX_UPDATERS) -> None:
    """Fold the oldest updaters of each version into one, so that there are no more than `limit`."""
    updaters = [(owned.time or "", manager) for manager, owned in managers if manager.operation == UPDATE]
    excess = len(updaters) - limit
    first: dict[str, Manager] = {}
    for _, manager in sorted(updaters):
        if excess <= 0:
            return
        owned = managers.entries[manager]
        known = first.setdefault(owned.api_version, manager)
        if known != manager:
            _fold(managers, known, manager)
            excess -= 1


def _fold(managers: Managers, first: Manager, manager: Manager) -> None:
    owned = managers.entries.pop(manager)
    bucket = manager_of(ANCIENT, UPDATE, owned.api_version)
    older = managers.entries.get(bucket) or managers.entries.pop(first)
    managers.entries[bucket] = Owned(older.fields.union(owned.fields), owned.api_version, owned.time)


def field_paths(paths: FieldSet | Iterable[Iterable[str]] | None) -> FieldSet:
    """A set of fields from what is easiest to write: `[("status",), ("metadata", "labels")]`."""
    return paths if isinstance(paths, FieldSet) else FieldSet.of_names(paths or ())
