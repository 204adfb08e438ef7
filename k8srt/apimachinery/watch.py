"""Events of a watch, as users see them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class EventType(StrEnum):
    """What happened to an object. Compares equal to its text. Contract: MACH-54."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    ERROR = "ERROR"


class Event(NamedTuple, Generic[T]):
    """One change. `object` is the state after it; of a deletion the last state; of a BOOKMARK nearly nothing."""

    type: str
    object: T

    def __repr__(self) -> str:
        return f"Event({self.type}, {self.object!r})"


ADDED, MODIFIED, DELETED = EventType.ADDED, EventType.MODIFIED, EventType.DELETED
BOOKMARK, ERROR = EventType.BOOKMARK, EventType.ERROR
AnyEvent = Event[Any]
