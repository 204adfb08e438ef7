"""What a field manager owns, read from `metadata.managedFields`.

    mine = extract_apply(deployments.get("web"), "my-controller")
    mine.spec.replicas = 5
    deployments.apply(mine, field_manager="my-controller")      # what I set before, and this

A configuration that leaves out a field which was applied before gives that field up. So who wants to change one field
of what they apply starts from all that they have applied: this is what is rebuilt here.

Nothing is sent, no argument is changed. An object from a cache that drops managedFields has no entries to read.
Contract: CLI-11.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from k8srt.apimachinery.documents import structure_for
from k8srt.apimachinery.fieldset import FieldSet, from_fields_v1
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.structure import ANY, Structure

APPLY = "Apply"
UPDATE = "Update"

T = TypeVar("T", bound="Object | Mapping[str, Any]")

JSON = dict[str, Any]


def extract_apply(obj: T, field_manager: str, subresource: str = "", *, structure: Structure | None = None) -> T:
    """Return the apply configuration that `field_manager` applied last, with the values the object has now.

    It is of the same class as `obj` (a dict for a dict), with name, namespace and kind; nothing else if the manager
    has applied nothing through this endpoint: what it wrote by update or patch does not count. Applying it again
    changes nothing. `structure` tells what is owned as a whole, for custom resources whose schema is at hand; without
    it that is worked out from what the managers own. Raises ValueError for entries that cannot be read.
    """
    if not isinstance(obj, (Object, Mapping)):
        raise TypeError(f"extract_apply: expected an API object or a dict, got {type(obj).__name__}")
    document = obj.to_dict() if isinstance(obj, Object) else obj
    entries = entries_of(document)
    found = _bare(document)
    owned = next((fields_of(entry) for entry in entries if is_of(entry, field_manager, APPLY, subresource)), None)
    if owned is not None:
        everyone = FieldSet()
        for entry in entries:
            everyone = everyone.union(fields_of(entry))
        known = structure or structure_for(obj)
        _join(found, _Extraction(everyone).of_map(document, owned, everyone, known))
    return cast("T", type(obj).from_dict(found) if isinstance(obj, Object) else found)


def entries_of(document: Mapping[str, Any]) -> list[JSON]:
    """The entries of a document's managedFields."""
    return (document.get("metadata") or {}).get("managedFields") or []


def fields_of(entry: Mapping[str, Any]) -> FieldSet:
    """The fields in one entry. Raises ValueError if they are not FieldsV1."""
    if entry.get("fieldsType", "FieldsV1") != "FieldsV1":
        raise ValueError(f"managedFields of {entry.get('manager')!r}: fields of type {entry['fieldsType']!r}")
    return from_fields_v1(entry.get("fieldsV1") or {})


def is_of(entry: Mapping[str, Any], manager: str, operation: str, subresource: str) -> bool:
    """Whether an entry is that of a manager, by the way it wrote and through which endpoint."""
    asked = (manager, operation, subresource)
    return (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "") == asked


def _bare(document: Mapping[str, Any]) -> JSON:
    """The identity of an object, and nothing else."""
    meta = document.get("metadata") or {}
    bare: JSON = {key: document[key] for key in ("apiVersion", "kind") if key in document}
    bare["metadata"] = {key: meta[key] for key in ("name", "namespace") if meta.get(key)}
    return bare


def _join(into: JSON, more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _join(into[key], value)
        else:
            into[key] = value


class _Extraction:
    """A walk over a document along the fields of one manager.

    `everyone` holds the fields of all managers. It answers for a map that is owned and whose structure is not known:
    if anybody owns something below, it is owned field by field (so this manager owns it empty), else as a whole.
    """

    def __init__(self, everyone: FieldSet) -> None:
        self._everyone = everyone

    def of_map(self, value: Mapping[str, Any], owned: FieldSet, everyone: FieldSet, structure: Structure) -> JSON:
        result = {}
        for name, item in value.items():
            element = f"f:{name}"
            if element in owned.children or element in owned.members:
                result[name] = self._below(item, element, owned, everyone, structure.child(name) or ANY)
        return result

    def _below(self, value: Any, element: str, owned: FieldSet, everyone: FieldSet, structure: Structure) -> Any:
        """What is owned of the value at an element, which is a member or has something below it."""
        all_below = everyone.children.get(element)
        inner = owned.children.get(element)
        if inner is None:
            return copy.deepcopy(value) if self._is_whole(value, all_below, structure) else type(value)()
        if isinstance(value, Mapping):
            return self.of_map(value, inner, all_below or inner, structure)
        if isinstance(value, list):
            return self._of_list(value, inner, all_below or inner, structure)
        return value

    def _is_whole(self, value: Any, all_below: FieldSet | None, structure: Structure) -> bool:
        if not isinstance(value, (Mapping, list)):
            return True
        if structure.kind == "any":
            return all_below is None or all_below.empty
        return structure.atomic

    def _of_list(self, value: list[Any], owned: FieldSet, everyone: FieldSet, structure: Structure) -> list[Any]:
        items = structure.items or ANY
        elements = {*owned.members, *owned.children}
        tests = [(element, *_test(element)) for element in elements]
        result = []
        for index, item in enumerate(value):
            for element, kind, wanted in tests:
                if not _matches(item, index, kind, wanted, items):
                    continue
                found = self._below(item, element, owned, everyone, items)
                if kind == "k" and isinstance(found, Mapping):
                    found = {**_keys_needed(item, wanted, found, items), **found}
                result.append(found)
                break
        return result


def _test(element: str) -> tuple[str, Any]:
    kind, _, rest = element.partition(":")
    return kind, msgspec.json.decode(rest)


def _matches(item: Any, index: int, kind: str, wanted: Any, items: Structure) -> bool:
    if kind == "k":
        return isinstance(item, Mapping) and all(_key(item, key, items) == value for key, value in wanted.items())
    if kind == "v":
        return type(item) is type(wanted) and bool(item == wanted)
    return kind == "i" and index == wanted


def _keys_needed(item: Mapping[str, Any], keys: Mapping[str, Any], found: Mapping[str, Any], items: Structure) -> JSON:
    """The keys of an item that must be sent though they are not owned: not those that the server fills in.

    One that is not owned was not applied, so that the server has filled it in: sent, it would be owned. Where the
    structure is not known, one owned key shows that the manager sends keys.
    """
    unowned = {key: item[key] for key in keys if key in item and key not in found}
    if items.kind == "any":
        return {} if len(unowned) < len(keys) else unowned
    return {key: value for key, value in unowned.items() if _key({}, key, items) != value}


def _key(item: Mapping[str, Any], key: str, items: Structure) -> Any:
    if key in item:
        return item[key]
    child = items.child(key)
    return child.default if child is not None else None
