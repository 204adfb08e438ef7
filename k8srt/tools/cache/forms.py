"""In which form things are kept, and in which they are handed out.

Caches and queues keep *frozen* things: records, which nobody can change. Readers, handlers, index functions and
transforms get an object of their own, made when it is needed: *thawed*. A store that is not told a kind keeps what it
is given; API objects it still keeps and hands out as private copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.errors import K8srtError
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, KeyFunc, checked_key, reads_records

T = TypeVar("T")

Transform = Callable[[Any], Any]


class TransformError(K8srtError):
    """A transform failed for an object, which was not stored. Contract: CACHE-14."""


class Form(Generic[T]):
    """How things of one kind are kept; `kind` None takes anything. Immutable, thread-safe."""

    def __init__(self, kind: type[T] | None = None) -> None:
        self.kind = kind
        self._make: Callable[[Record], Any] | None = None
        if kind is not None and issubclass(kind, Object):
            self._make = kind.from_record

    def freeze(self, obj: Any) -> Any:
        """What is kept of `obj`. Raises DecodeError for an API object with a value of a wrong type."""
        if type(obj) is Record:
            return obj
        if isinstance(obj, Object):
            record = obj.to_record()
            return record if self._make is not None else type(obj).from_record(record)
        if isinstance(obj, DeletedFinalStateUnknown):
            return DeletedFinalStateUnknown(obj.key, self.freeze(obj.obj))
        return obj

    def thaw(self, kept: Any) -> Any:
        """What a reader gets: of an API object a fresh one of its own, of anything else the thing itself."""
        if type(kept) is Record:
            return kept if self._make is None else self._make(kept)
        if isinstance(kept, Object):
            return type(kept).from_record(kept._record)
        if isinstance(kept, DeletedFinalStateUnknown):
            return DeletedFinalStateUnknown(kept.key, self.thaw(kept.obj))
        return kept

    def thaw_all(self, kept: list[Any]) -> list[Any]:
        thaw = self.thaw
        return [thaw(each) for each in kept]

    def key_of(self, key_func: KeyFunc) -> KeyFunc:
        """A key function for kept things. Raises CacheKeyError."""
        if reads_records(key_func):
            return lambda kept: kept.key if type(kept) is Record else checked_key(key_func, kept)
        return lambda kept: checked_key(key_func, self.thaw(kept))

    def transformed(self, transform: Transform, kept: Any) -> Any:
        """Pass a kept thing through a user's transform. Raises TransformError; None as a result is one."""
        try:
            result = transform(self.thaw(kept))
            if result is None:
                raise ValueError(f"{transform!r} returned nothing for {kept!r}")
            return self.freeze(result)
        except Exception as err:
            raise TransformError(f"transforming: {err}") from err
