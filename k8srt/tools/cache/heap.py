"""A queue of objects that hands out the smallest first, by an order of the caller's. Contract: CACHE-67."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

from k8srt.errors import K8srtError, QueueClosed
from k8srt.tools.cache.keys import KeyFunc, checked_key
from k8srt.util.clock import SYSTEM, Clock

T = TypeVar("T")

CLOSED = "heap is closed"


class NotInHeap(K8srtError, LookupError):
    """What was to be deleted is not there."""


class _Entry(Generic[T]):
    """One place in the heap. A later one takes the place of an earlier one under the same key, which is then stale."""

    __slots__ = ("key", "less", "obj", "stale")

    def __init__(self, key: str, obj: T, less: Callable[[T, T], bool]) -> None:
        self.key = key
        self.obj = obj
        self.less = less
        self.stale = False

    def __lt__(self, other: _Entry[T]) -> bool:
        return self.less(self.obj, other.obj)


class Heap(Generic[T]):
    """See the module. `less(a, b)` says whether `a` comes first; it is called while the heap is locked. Thread-safe."""

    def __init__(self, key_func: KeyFunc, less: Callable[[T, T], bool], *, clock: Clock = SYSTEM) -> None:
        self._key_func = key_func
        self._less = less
        self._clock = clock
        self._cond = threading.Condition()  # guards all below
        self._entries: dict[str, _Entry[T]] = {}  # those that are not stale
        self._heap: builtins.list[_Entry[T]] = []
        self._closed = False

    def add(self, obj: T) -> None:
        """Put an object in, in place of what has its key. Raises CacheKeyError, QueueClosed."""
        self._put([obj], replace=True)

    update = add

    def add_if_not_present(self, obj: T) -> None:
        """The same, unless there is one with its key. Raises CacheKeyError, QueueClosed."""
        self._put([obj], replace=False)

    def bulk_add(self, objs: Iterable[T]) -> None:
        """Put many in, and wake those who wait once. Raises CacheKeyError, QueueClosed; then nothing was put in."""
        self._put(list(objs), replace=True)

    def _put(self, objs: Iterable[T], *, replace: bool) -> None:
        keyed = [(checked_key(self._key_func, obj), obj) for obj in objs]
        with self._cond:
            if self._closed:
                raise QueueClosed(CLOSED)
            for key, obj in keyed:
                if replace or key not in self._entries:
                    self._forget_locked(key)
                    entry = self._entries[key] = _Entry(key, obj, self._less)
                    heappush(self._heap, entry)
            self._cond.notify_all()

    def delete(self, obj: T) -> None:
        """Take out what has the key of `obj`. Raises NotInHeap, CacheKeyError."""
        key = checked_key(self._key_func, obj)
        with self._cond:
            if not self._forget_locked(key):
                raise NotInHeap(f"object not found: {key}")

    def _forget_locked(self, key: str) -> bool:
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        entry.stale = True
        if len(self._heap) > 2 * len(self._entries) + 64:  # more gaps than entries
            self._heap = [each for each in self._heap if not each.stale]
            heapify(self._heap)
        return True

    def pop(self) -> T:
        """Wait for an object, and take out the smallest. Raises QueueClosed when the heap is closed and empty."""
        with self._cond:
            while not self._entries:
                if self._closed:
                    raise QueueClosed(CLOSED)
                self._clock.wait(self._cond, None)
            while (entry := heappop(self._heap)).stale:
                pass
            del self._entries[entry.key]
            return entry.obj

    def close(self) -> None:
        """Take no more, and let `pop` fail once the heap is empty. Twice is fine."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()

    def is_closed(self) -> bool:
        with self._cond:
            return self._closed

    def get(self, obj: Any) -> T | None:
        """What has the key of `obj`, or None. Raises CacheKeyError."""
        return self.get_by_key(checked_key(self._key_func, obj))

    def get_by_key(self, key: str) -> T | None:
        with self._cond:
            entry = self._entries.get(key)
        return None if entry is None else entry.obj

    def list(self) -> builtins.list[T]:
        """All objects, in no particular order."""
        with self._cond:
            return [entry.obj for entry in self._entries.values()]

    def list_keys(self) -> builtins.list[str]:
        with self._cond:
            return list(self._entries)

    def __len__(self) -> int:
        with self._cond:
            return len(self._entries)

    def __repr__(self) -> str:
        return f"<Heap of {len(self)}>"
