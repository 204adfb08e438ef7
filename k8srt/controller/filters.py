"""Filters by labels, annotations and fields.

    mgr.controller(Foo, labels={"tier": "web", "legacy": ABSENT}, where=field("spec.replicas", lambda n: n > 1))

A value is matched by an equal one, by `PRESENT` if there is any, by `ABSENT` if there is none, or by a function that
is given it, None if there is none.

Contract: FLT-01, FLT-03.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from k8srt.controller.event import CreateEvent, DeleteEvent, Event, UpdateEvent
from k8srt.controller.predicate import Predicate


class Presence(Enum):
    """Whether there is a value at all."""

    PRESENT = "present"
    ABSENT = "absent"

    def __repr__(self) -> str:
        return self.name


PRESENT = Presence.PRESENT
ABSENT = Presence.ABSENT


class _Anything:
    def __repr__(self) -> str:
        return "anything"


_ANYTHING: Any = _Anything()

Wanted = Any
"""A value, PRESENT, ABSENT, or a function of the value."""


def matches(value: Any, wanted: Wanted) -> bool:
    """Whether a value, None for none, is what is wanted."""
    if wanted is _ANYTHING:
        return True
    if wanted is PRESENT:
        return value is not None
    if wanted is ABSENT:
        return value is None
    if callable(wanted):
        return bool(wanted(value))
    return bool(value == wanted)


class _Map(Predicate):
    """Looks at the object, of an update at the new one. `part` is labels or annotations."""

    def __init__(self, part: str, wanted: Mapping[str, Wanted]) -> None:
        if not isinstance(wanted, Mapping):
            raise TypeError(f"{part}: expected a map of names to values, got {wanted!r}")
        self._part = part
        self._wanted = dict(wanted)

    def accepts(self, event: Event) -> bool:
        found = getattr(event.object.metadata, self._part) or {}
        return all(matches(found.get(name), wanted) for name, wanted in self._wanted.items())

    def __repr__(self) -> str:
        return f"<{self._part} {self._wanted!r}>"


def labels_match(wanted: Mapping[str, Wanted]) -> Predicate:
    """Objects whose labels all match."""
    return _Map("labels", wanted)


def annotations_match(wanted: Mapping[str, Wanted]) -> Predicate:
    """Objects whose annotations all match."""
    return _Map("annotations", wanted)


class _Field(Predicate):
    def __init__(self, path: str, value: Wanted, old: Wanted, new: Wanted) -> None:
        if not path or not all(path.split(".")):
            raise ValueError(f"field: expected a path such as spec.replicas, not {path!r}")
        self._path = path
        self._parts = path.split(".")
        self._value, self._old, self._new = value, old, new
        self._changes = old is not _ANYTHING or new is not _ANYTHING

    def accepts(self, event: Event) -> bool:
        after = find(event.object, self._parts)
        if not matches(after, self._value):
            return False
        if not self._changes or isinstance(event, DeleteEvent):
            return True
        before = find(event.old, self._parts) if isinstance(event, UpdateEvent) else None
        if isinstance(event, UpdateEvent) and before == after:
            return False
        return matches(before, self._old) and matches(after, self._new)

    def __repr__(self) -> str:
        parts = {"": self._value, "old ": self._old, "new ": self._new}
        told = ", ".join(f"{name}{wanted!r}" for name, wanted in parts.items() if wanted is not _ANYTHING)
        return f"<field {self._path}: {told or 'anything'}>"


def field(path: str, value: Wanted = _ANYTHING, *, old: Wanted = _ANYTHING, new: Wanted = _ANYTHING) -> Predicate:
    """Objects whose field matches; with `old` or `new`, only when it changed, from and to what they say.

    The path is as in YAML, `spec.template.spec.nodeName` or `spec.containers.0.image`. Before its creation an object
    has no fields; deletions are judged by `value` alone.
    """
    return _Field(path, value, old, new)


def find(obj: Any, parts: Sequence[str]) -> Any:
    """What is at a path, None if nothing is."""
    for part in parts:
        if obj is None:
            return None
        if isinstance(obj, Mapping):
            obj = obj.get(part)
        elif isinstance(obj, Sequence) and not isinstance(obj, str):
            obj = obj[int(part)] if part.isdigit() and int(part) < len(obj) else None
        else:
            obj = getattr(obj, part, None) if hasattr(obj, part) else getattr(obj, _snake(part), None)
    return obj


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


class Leaving(Predicate):
    """Lets through what others accept, and besides the update by which an object stops to match them: FLT-03."""

    def __init__(self, predicates: Sequence[Predicate]) -> None:
        self._predicates = list(predicates)

    def matches(self, obj: Any) -> bool:
        """Whether an object as it is would be accepted."""
        return all(each.accepts(CreateEvent(obj)) for each in self._predicates)

    def accepts(self, event: Event) -> bool:
        if all(each.accepts(event) for each in self._predicates):
            return True
        return isinstance(event, UpdateEvent) and self.matches(event.old) and not self.matches(event.new)

    def __repr__(self) -> str:
        return f"<leaving {self._predicates!r}>"
