"""What all clients of a process with the same settings share, so that it is fetched once. Contract: REST-60."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T")

KEPT = 256


class Shared(Generic[T]):
    """One thing for each key, made when first asked for; those unused the longest are forgotten. Thread-safe.

    What is forgotten goes on working for who has it. A child process starts with none.
    """

    def __init__(self) -> None:
        self._tables: dict[int, _Table[T]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the thing for `key`. `make` may be called in vain when several ask at once."""
        table = self._tables.setdefault(os.getpid(), _Table())
        with table.lock:
            found = table.entries.get(key)
        if found is not None:
            return found
        made = make()
        with table.lock:
            return table.entries.setdefault(key, made)

    def put(self, key: Hashable, thing: T) -> None:
        """Have `thing` found under one more key."""
        table = self._tables.setdefault(os.getpid(), _Table())
        with table.lock:
            table.entries[key] = thing


class _Table(Generic[T]):
    def __init__(self) -> None:
        self.lock = threading.Lock()  # guards entries
        self.entries: LRUCache[Hashable, T] = LRUCache(KEPT)
