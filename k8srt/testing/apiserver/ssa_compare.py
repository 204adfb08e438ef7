"""What differs between two documents, as server-side apply sees it.

After sigs.k8s.io/structured-merge-diff. Pure functions on plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from k8srt.apimachinery.fieldset import FieldSet, Path, field_element
from k8srt.apimachinery.structure import ABSENT, ANY, Structure
from k8srt.testing.apiserver.ssa_typed import Shape, as_list, below, item_elements, shape_of


class Comparison(NamedTuple):
    """What one document has and the other has not, or has otherwise."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    def without(self, ignored: FieldSet) -> Comparison:
        return Comparison(*(fields.recursive_difference(ignored) for fields in self))

    @property
    def changed(self) -> FieldSet:
        return self.modified.union(self.added)


def compare(old: Any, new: Any, structure: Structure) -> Comparison:
    """What changed from one document to the next."""
    walk = _CompareWalk()
    walk.visit(old, new, structure, ())
    return walk.result


class _CompareWalk:
    """Collects differences; a side that has nothing at a place is ABSENT there."""

    def __init__(self) -> None:
        self.result = Comparison(FieldSet(), FieldSet(), FieldSet())

    def visit(self, old: Any, new: Any, structure: Structure, path: Path) -> None:
        if old == new and structure.kind != "any":  # where types are known, none of them equals another
            return
        shapes = dict.fromkeys(shape_of(structure, value) for value in (old, new) if value is not ABSENT)
        for shape in shapes:
            if shape is Shape.LEAF:
                self._leaf(old, new, path)
            elif shape is Shape.MAP:
                self._maps(old, new, structure, path)
            else:
                self._lists(old, new, structure, path)

    def _leaf(self, old: Any, new: Any, path: Path) -> None:
        if old is ABSENT:
            self.result.added.insert(path)
        elif new is ABSENT:
            self.result.removed.insert(path)
        elif not equal(old, new):
            self.result.modified.insert(path)

    def _container(self, old: Any, new: Any, path: Path) -> None:
        """A container that came or went is a change itself, beside what is in it."""
        if old is ABSENT:
            self.result.added.insert(path)
        elif new is ABSENT:
            self.result.removed.insert(path)

    def _maps(self, old: Any, new: Any, structure: Structure, path: Path) -> None:
        one, other = go_map(old, structure), go_map(new, structure)
        if not one and not other:  # so that empty and null stay apart
            return self._leaf(old, new, path)
        for name in {**one, **other}:
            inner = (*path, field_element(name))
            self.visit(one.get(name, ABSENT), other.get(name, ABSENT), below(structure, name), inner)
        return self._container(old, new, path)

    def _lists(self, old: Any, new: Any, structure: Structure, path: Path) -> None:
        one, other = _grouped(structure, old), _grouped(structure, new)
        if not one and not other:
            return self._leaf(old, new, path)
        for element in {**one, **other}:
            self._items(one.get(element, []), other.get(element, []), structure.items or ANY, (*path, element))
        return self._container(old, new, path)

    def _items(self, old: list[Any], new: list[Any], structure: Structure, path: Path) -> None:
        if len(old) <= 1 and len(new) <= 1:
            self.visit(old[0] if old else ABSENT, new[0] if new else ABSENT, structure, path)
        else:  # duplicates
            self._leaf(old or ABSENT, new or ABSENT, path)


def same(one: Any, other: Any, structure: Structure) -> bool:
    """Whether two documents are equal as Go's types have them, the order of lists included."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        left, right = go_map(one, structure), go_map(other, structure)
        return left.keys() == right.keys() and all(
            same(value, right[name], below(structure, name)) for name, value in left.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        items = structure.items or ANY
        return len(one) == len(other) and all(same(*pair, items) for pair in zip(one, other, strict=True))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def go_map(value: Any, structure: Structure) -> Mapping[str, Any]:
    """A map with what Go always has in it, so that it cannot come or go.

    Ownership of `f:strategy` itself (its `.`) is noted only when the struct appears. In Go's types a struct that is
    no pointer never appears, nor does a list that is written even when it is empty. Custom resources are plain maps
    there.
    """
    if not isinstance(value, Mapping):
        return {}
    missing = [(name, empty) for name, empty in structure.always if value.get(name) is None]
    return {**value, **dict(missing)} if missing else value


def _grouped(structure: Structure, value: Any) -> dict[str, list[Any]]:
    items = as_list(value)
    groups: dict[str, list[Any]] = {}
    for element, item in zip(item_elements(structure, items), items, strict=True):
        groups.setdefault(element, []).append(item)
    return groups
