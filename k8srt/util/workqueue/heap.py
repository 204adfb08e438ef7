"""A heap from which entries can be taken before their turn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

V = TypeVar("V")

_GONE: Any = object()
_SLACK = 64


Slot = list[Any]
"""One entry: its key, a number that tells older from younger, and its value. Compares by the first two."""


class Heap(Generic[V]):
    """Values by their key, the smallest first, and in the order they came within one key. Not thread-safe.

    Taking an entry out of the middle leaves a gap, which keeps no reference to the value; the gaps are swept when
    there are more of them than entries.
    """

    __slots__ = ("_gaps", "_numbers", "slots")

    def __init__(self) -> None:
        self.slots: list[Slot] = []  # read by others only for whether it is empty
        self._numbers = itertools.count()
        self._gaps = 0

    def slot(self, key: float, value: V) -> Slot:
        """Make an entry that comes after those made before it with the same key; it is not in the heap yet."""
        return [key, next(self._numbers), value]

    def push(self, slot: Slot) -> None:
        """Put an entry in."""
        heappush(self.slots, slot)

    def discard(self, slot: Slot) -> None:
        """Take out an entry that is in."""
        slot[2] = _GONE
        self._gaps += 1
        if self.slots[0] is slot:
            self._sweep_top()
        elif self._gaps > len(self.slots) // 2 + _SLACK:
            self.slots[:] = [kept for kept in self.slots if kept[2] is not _GONE]
            heapify(self.slots)
            self._gaps = 0

    def pop(self) -> V:
        """Take out the first value. There must be one."""
        value: V = heappop(self.slots)[2]
        if self._gaps:
            self._sweep_top()
        return value

    def first_key(self) -> float | None:
        """The key of the first entry; None if there is none."""
        return self.slots[0][0] if self.slots else None

    def clear(self) -> None:
        """Take out everything."""
        self.slots.clear()
        self._gaps = 0

    def __len__(self) -> int:
        return len(self.slots) - self._gaps

    def __iter__(self) -> Iterator[Slot]:
        """The entries, in order."""
        return iter(sorted(slot for slot in self.slots if slot[2] is not _GONE))

    def _sweep_top(self) -> None:
        # The first slot is never a gap: so an empty heap has none, and the first key is that of an entry.
        while self.slots and self.slots[0][2] is _GONE:
            heappop(self.slots)
            self._gaps -= 1
