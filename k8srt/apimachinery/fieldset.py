"""Sets of fields, as `metadata.managedFields` keeps them (FieldsV1).

A path is a tuple of elements, each written as in FieldsV1:
    f:name                       the field of an object or map
    k:{"port":80,"protocol":"TCP"}   the item of a list with these keys
    v:"a"                        the value in a set
    i:0                          the item at an index
A set is a tree: which elements belong to it (`members`), and what belongs to it below each (`children`). Its operations
return new sets; trees share branches, so a set that was handed out is not changed any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

Path = tuple[str, ...]

_ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}


def field_element(name: str) -> str:
    return f"f:{name}"


def key_element(keys: Mapping[str, Any]) -> str:
    return "k:" + _json(dict(sorted(keys.items())))


def value_element(value: Any) -> str:
    return "v:" + _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _element_order(element: str) -> tuple[int, str]:
    return _ORDER.get(element[0], 9), element


def path_text(path: Path) -> str:
    """A path as a server prints it: `.spec.ports[port=80,protocol="TCP"].name`."""
    return "".join(map(element_text, path))


def element_text(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        return "[" + ",".join(f"{name}={_json(value)}" for name, value in msgspec.json.decode(rest).items()) + "]"
    return f"[={_json(msgspec.json.decode(rest))}]" if kind == "v" else f"[{rest}]"


class FieldSet:
    """A set of paths. Fill it with `insert` while it is yours; then use the operations."""

    __slots__ = ("children", "members")

    def __init__(self, members: Iterable[str] = (), children: Mapping[str, FieldSet] | None = None) -> None:
        self.members: set[str] = set(members)
        self.children: dict[str, FieldSet] = dict(children or {})

    @classmethod
    def of_names(cls, paths: Iterable[Iterable[str]]) -> FieldSet:
        """A set of plain field paths: `[("metadata", "name")]`."""
        made = cls()
        for names in paths:
            made.insert(tuple(map(field_element, names)))
        return made

    def insert(self, path: Path) -> None:
        """Add a path; the empty path is in no set."""
        if not path:
            return
        node = self
        for element in path[:-1]:
            node = node.children.setdefault(element, FieldSet())
        node.members.add(path[-1])

    def has(self, path: Path) -> bool:
        node: FieldSet | None = self
        for element in path[:-1]:
            node = node.children.get(element) if node is not None else None
        return node is not None and bool(path) and path[-1] in node.members

    @property
    def empty(self) -> bool:
        return not self.members and all(child.empty for child in self.children.values())

    def __bool__(self) -> bool:
        return not self.empty

    def union(self, other: FieldSet) -> FieldSet:
        children = dict(self.children)
        for element, child in other.children.items():
            mine = children.get(element)
            children[element] = child if mine is None else mine.union(child)
        return FieldSet(self.members | other.members, children)

    def intersection(self, other: FieldSet) -> FieldSet:
        both = self.children.keys() & other.children.keys()
        children = {element: self.children[element].intersection(other.children[element]) for element in both}
        return FieldSet(self.members & other.members, _without_empty(children))

    def difference(self, other: FieldSet) -> FieldSet:
        """What is in this set and not in the other; a path taken away leaves those below it."""
        return FieldSet(self.members - other.members, self._children_without(other, self.children))

    def recursive_difference(self, other: FieldSet) -> FieldSet:
        """What is neither in the other set nor below a path that is."""
        kept = {element: child for element, child in self.children.items() if element not in other.members}
        children = {
            element: child.recursive_difference(other.children[element]) if element in other.children else child
            for element, child in kept.items()
        }
        return FieldSet(self.members - other.members, _without_empty(children))

    def _children_without(self, other: FieldSet, children: Mapping[str, FieldSet]) -> dict[str, FieldSet]:
        result = {}
        for element, child in children.items():
            theirs = other.children.get(element)
            result[element] = child if theirs is None else child.difference(theirs)
        return _without_empty(result)

    def paths(self, above: Path = ()) -> Iterator[Path]:
        """Every path: first those of this level in order, then those below each."""
        for element in sorted(self.members, key=_element_order):
            yield (*above, element)
        for element in sorted(self.children, key=_element_order):
            yield from self.children[element].paths((*above, element))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldSet):
            return NotImplemented
        return self.members == other.members and _without_empty(self.children) == _without_empty(other.children)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FieldSet({', '.join(map(path_text, self.paths()))})"


def _without_empty(children: Mapping[str, FieldSet]) -> dict[str, FieldSet]:
    return {element: child for element, child in children.items() if not child.empty}


# ---- FieldsV1 -----------------------------------------------------------------------------------------------------


def to_fields_v1(fields: FieldSet) -> dict[str, Any]:
    """Write a set as the JSON of FieldsV1."""
    result: dict[str, Any] = {}
    children = _without_empty(fields.children)
    for element in sorted(fields.members | children.keys(), key=_element_order):
        below = to_fields_v1(children[element]) if element in children else {}
        result[element] = {".": {}, **below} if below and element in fields.members else below
    return result


def from_fields_v1(document: Any) -> FieldSet:
    """Read the JSON of FieldsV1. Raises ValueError if it is none."""
    if not isinstance(document, Mapping):
        raise ValueError(f"fieldsV1 is an object, not {document!r}")
    result = FieldSet()
    for text, below in document.items():
        if text == ".":
            continue
        element = _parse_element(text)
        if below == {}:
            result.members.add(element)
            continue
        child = from_fields_v1(below)
        if child.empty or "." in below:
            result.members.add(element)
        if not child.empty:
            result.children[element] = child
    return result


@lru_cache(4096)  # the same few keys come again and again
def _parse_element(text: str) -> str:
    kind, separator, rest = text.partition(":")
    if kind == "f" and separator:
        return text
    if kind == "k" and isinstance(keys := msgspec.json.decode(rest), dict):
        return key_element(keys)
    if kind == "v" and separator:
        return value_element(msgspec.json.decode(rest))
    if kind == "i" and rest.lstrip("-").isdigit():
        return text
    raise ValueError(f"{text!r} is no path element of fieldsV1")
