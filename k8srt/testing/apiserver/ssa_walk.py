"""Walks over documents for server-side apply: the fields they set, what a merge gives, what to remove.

After sigs.k8s.io/structured-merge-diff. Pure functions on plain JSON; arguments are not changed, results may share
parts with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8srt.apimachinery.fieldset import FieldSet, field_element
from k8srt.apimachinery.structure import ABSENT, ANY, Structure
from k8srt.testing.apiserver.ssa_typed import Shape, as_list, as_map, below, declares, item_elements, shape_of

# ---- the fields a document sets -----------------------------------------------------------------------------------


def field_set(value: Any, structure: Structure) -> FieldSet:
    """The fields that applying this document claims."""
    return _fields(value, structure)[1]


def _fields(value: Any, structure: Structure) -> tuple[bool, FieldSet]:
    """Whether the value itself is claimed, and what is below it."""
    shape = shape_of(structure, value)
    if shape is Shape.LEAF:
        return True, FieldSet()
    if shape is Shape.LIST:
        return False, _item_fields(value or [], structure)
    found = FieldSet()
    for name, item in (value or {}).items():
        own, inner = _fields(item, below(structure, name))
        element = field_element(name)
        if own or item is None or item == {} or not declares(structure, name):
            found.members.add(element)
        if inner:
            found.children[element] = inner
    return False, found


def _item_fields(items: list[Any], structure: Structure) -> FieldSet:
    found = FieldSet()
    for element, item in zip(item_elements(structure, items), items, strict=True):
        if element in found.members:
            found.children.pop(element, None)  # duplicates are owned as one
            continue
        found.members.add(element)
        if inner := _fields(item, structure.items or ANY)[1]:
            found.children[element] = inner
    return found


# ---- what a merge gives -------------------------------------------------------------------------------------------


def merge(live: Any, config: Any, structure: Structure) -> Any:
    """The live document with the applied one laid over it; ABSENT if nothing is left."""
    result: Any = ABSENT
    for shape in dict.fromkeys(shape_of(structure, value) for value in (live, config) if value is not ABSENT):
        if shape is Shape.MAP and (as_map(live) or as_map(config)):
            result = _merged_maps(as_map(live), as_map(config), structure)
        elif shape is Shape.LIST and (as_list(live) or as_list(config)):
            result = merged_lists(as_list(live), as_list(config), structure)
        else:
            result = live if config is ABSENT else config
    return result


def _merged_maps(live: Mapping[str, Any], config: Mapping[str, Any], structure: Structure) -> Any:
    merged = {
        name: merge(live.get(name, ABSENT), config.get(name, ABSENT), below(structure, name))
        for name in {**live, **config}
    }
    return {name: value for name, value in merged.items() if value is not ABSENT} or ABSENT


def merged_lists(live: list[Any], config: list[Any], structure: Structure) -> Any:
    """Merge item by item: the items of the config in its order, those of the live list as near as can be to theirs."""
    left, right = item_elements(structure, live), item_elements(structure, config)
    in_left, in_right = _singles(left, live), dict(zip(right, config, strict=True))
    shared = iter([element for element in right if element in in_left])
    wanted = next(shared, None)
    merged: list[Any] = []
    done: set[str] = set()
    items = structure.items or ANY

    def take_right(element: str) -> None:
        done.add(element)
        merged.append(merge(in_left.get(element, ABSENT), in_right[element], items))

    at, to = 0, 0
    while at < len(left) or to < len(right):
        if at < len(left) and to < len(right):
            if left[at] == right[to]:
                take_right(right[to])
                at, to, wanted = at + 1, to + 1, next(shared, None)
                continue
            if left[at] in in_right and wanted is not None and wanted != left[at]:
                at += 1  # shared, and its turn comes later
                continue
        if at < len(left):
            if left[at] not in in_right:
                merged.append(live[at])
                at += 1
                continue
            if left[at] in done:
                at += 1
        if to < len(right):
            take_right(right[to])
            if wanted == right[to]:
                wanted = next(shared, None)
            to += 1
    return [item for item in merged if item is not ABSENT] or ABSENT


def _singles(elements: list[str], items: list[Any]) -> dict[str, Any]:
    """The items by element; a duplicate cannot be merged with, so it stands as ABSENT."""
    found: dict[str, Any] = {}
    for element, item in zip(elements, items, strict=True):
        found[element] = ABSENT if element in found else item
    return found


# ---- taking fields out --------------------------------------------------------------------------------------------


def remove(value: Any, structure: Structure, unwanted: FieldSet) -> Any:
    """The document without some fields; a container that loses everything becomes null."""
    shape = shape_of(structure, value)
    if shape is Shape.MAP and isinstance(value, Mapping):
        return _remove_fields(value, structure, unwanted)
    if shape is Shape.LIST and isinstance(value, list):
        return _remove_items(value, structure, unwanted)
    return value


def _remove_fields(value: Mapping[str, Any], structure: Structure, unwanted: FieldSet) -> Any:
    kept = {}
    for name, item in value.items():
        element = field_element(name)
        if element in unwanted.members:
            continue
        inner = unwanted.children.get(element)
        kept[name] = remove(item, below(structure, name), inner) if inner else item
    return kept or None


def _remove_items(value: list[Any], structure: Structure, unwanted: FieldSet) -> Any:
    kept = []
    for element, item in zip(item_elements(structure, value), value, strict=True):
        if element in unwanted.members:
            continue
        inner = unwanted.children.get(element)
        kept.append(remove(item, structure.items or ANY, inner) if inner else item)
    return kept or None


def with_named_fields(fields: FieldSet, structure: Structure) -> FieldSet:
    """The set, with every declared field that has something below it in it, too."""
    members = set(fields.members)
    children = {}
    for element, child in fields.children.items():
        inner = ANY
        if element.startswith("f:"):
            name = element[2:]
            inner = below(structure, name)
            if declares(structure, name):
                members.add(element)
        elif element.startswith("k:"):
            inner = structure.items or ANY
        children[element] = with_named_fields(child, inner)
    return FieldSet(members, children)
