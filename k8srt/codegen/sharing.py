"""Structs that stand at several places of a module are written once.

Definitions are schemas without names for their parts, so a pod template repeats its containers in full wherever it
stands, and a definition of jobs that make clusters repeats those. Parts that agree in every field become one class,
called by its shortest place in the first kind; all other places keep their names as aliases, so that code which uses
them stays right when a later version of the definition lets the places differ, or another definition comes first.
Small ones that are called otherwise (a header and a setting, each of a name and a value) are alike by chance, and stay
apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from k8srt.codegen.tree import Class, Field, Ref, Type

Aliases = tuple[tuple[str, str], ...]

SMALL = 5
"""How many fields, with those of the parts inside, it takes for agreement to be no chance."""


def share(classes: Sequence[Class], module: str) -> tuple[tuple[Class, ...], Aliases]:
    """The classes to write, in their order, and the names of those that others stand for, sorted."""
    chosen = _chosen(classes, module)
    kept = tuple(cls for cls in classes if chosen[cls.name] == cls.name)
    return kept, tuple((name, other) for name, other in sorted(chosen.items()) if name != other)


def _chosen(classes: Sequence[Class], module: str) -> dict[str, str]:
    """The name of each class → that of the one which stands for it: the first kind's shortest."""
    shape = _Shapes(classes, module)
    alike: dict[int, list[tuple[int, int, str]]] = {}
    kinds = 0
    for cls in classes:
        kinds += cls.resource is not None
        alike.setdefault(shape.of(cls.name), []).append((kinds, len(cls.name), cls.name))
    return {name: min(places)[2] for places in alike.values() for _, _, name in places}


class _Shapes:
    """A number for each class: the same for those that agree in all but their names and docstrings.

    What has a name of its own (kinds, components of a document) is like nothing else, and alone may hold itself.
    """

    def __init__(self, classes: Sequence[Class], module: str) -> None:
        self._classes = {cls.name: cls for cls in classes}
        self._module = module
        self._known: dict[str, int] = {}
        self._numbers: dict[Any, int] = {}

    def of(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = self._numbers.setdefault(self._shape(self._classes[name]), len(self._numbers))
        return self._known[name]

    def _shape(self, cls: Class) -> Any:
        if not cls.word:
            return cls.name
        return self._size(cls) < SMALL and cls.word, cls.map_type, tuple(map(self._field, cls.fields))

    def _size(self, cls: Class) -> int:
        """How many fields a class has, with those below; no more are counted than matter."""
        size = len(cls.fields)
        for ref in (ref for field in cls.fields for ref in _refs(field.type) if ref.module == self._module):
            if size >= SMALL:
                break
            size += self._size(self._classes[ref.name]) if self._classes[ref.name].word else 1
        return size

    def _field(self, field: Field) -> Any:
        return field.name, field.wire, self._type(field.type), repr(field.facts), field.doc

    def _type(self, type_: Type) -> Any:
        parts = (self._type(part) if isinstance(part, Type) else self._part(part) for part in type_.parts)
        return type_.shape, tuple(parts)

    def _part(self, part: Any) -> Any:
        if isinstance(part, Ref) and part.module == self._module:
            return self.of(part.name)
        return part if isinstance(part, Ref) else repr(part)


def _refs(type_: Type) -> Iterator[Ref]:
    for part in type_.parts:
        if isinstance(part, Type):
            yield from _refs(part)
        elif isinstance(part, Ref):
            yield part
