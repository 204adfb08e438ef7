"""Series: what was said before is counted, and told to the server now and then. Contract: EVT-23 to EVT-25, EVT-30.

The state of it, and nothing that waits or writes. The first event of a key is created, the second makes it a series,
which is written at once; those that follow are counted here, and written when they are refreshed, when the series is
over, and when the program ends.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import NamedTuple

from cachetools import Cache, LRUCache

from k8srt.api.events.v1 import Event, EventSeries
from k8srt.apimachinery.record import Record
from k8srt.tools.events.keys import Key, isomorphic_key
from k8srt.util.clock import Clock

CACHE_SIZE = 4096
"""How many kinds of events are remembered; the one that was longest without a repetition is forgotten first."""

FINISH = 360.0
"""Seconds without a repetition after which a series is over."""


class ToWrite(NamedTuple):
    """An event as it is to be written, and how often it has happened; above one it is a series."""

    key: Key
    event: Event
    times: int


class _Known:
    """What is known of a key. Guarded by the lock of its cache."""

    __slots__ = ("count", "last", "observed", "record", "told")

    def __init__(self, record: Record, now: float) -> None:
        self.record = record  # the first of its kind
        self.count = 1
        self.told = 1  # the highest count that the server has been told
        self.last: datetime | None = None
        self.observed = now  # when it happened last, on the monotonic scale

    def to_write(self, key: Key) -> ToWrite:
        event = Event.from_record(self.record)
        if self.last is not None:
            event.series = EventSeries(count=self.count, last_observed_time=self.last)
        return ToWrite(key, event, self.count)


class SeriesCache:
    """Counts events. Thread-safe."""

    def __init__(self, clock: Clock, size: int = CACHE_SIZE) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._known: LRUCache[Key, _Known] = LRUCache(size)

    def observe(self, event: Event) -> list[ToWrite]:
        """Count an event, and tell what is to be written for it now.

        That is nothing for most repetitions. It is another series as well if that has to be forgotten for want of
        room, and its count is not told yet.
        """
        key = isomorphic_key(event)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                left = self._make_room_locked()
                known = self._known[key] = _Known(event.to_record(), self._clock.now())
                return [known.to_write(key), *left]
            known.count += 1
            known.last = event.event_time
            known.observed = self._clock.now()
            return [known.to_write(key)] if known.count == 2 else []

    def _make_room_locked(self) -> list[ToWrite]:
        if len(self._known) < self._known.maxsize:
            return []
        key, known = self._known.popitem()
        return [known.to_write(key)] if known.count > known.told else []

    def now(self, key: Key) -> ToWrite | None:
        """What is to be written for a key as things stand; None if it is forgotten."""
        with self._lock:
            known = self._peek_locked(key)
            return known.to_write(key) if known is not None else None

    def told(self, written: ToWrite) -> None:
        """Remember that the server has been told."""
        with self._lock:
            known = self._peek_locked(written.key)
            if known is not None:
                known.told = max(known.told, written.times)

    def series(self, *, untold: bool = False) -> list[ToWrite]:
        """All series, or those that have gone on since the server was told."""
        with self._lock:
            items = self._items_locked()
            return [known.to_write(key) for key, known in items if known.count > (known.told if untold else 1)]

    def finished(self) -> list[ToWrite]:
        """The series that are over. Events that happened once, as long ago, are forgotten."""
        with self._lock:
            before = self._clock.now() - FINISH
            old = [(key, known) for key, known in self._items_locked() if known.observed < before]
            for key, known in old:
                if known.count == 1:
                    del self._known[key]
            return [known.to_write(key) for key, known in old if known.count > 1]

    def forget(self, written: ToWrite) -> None:
        """Forget a series, unless it has gone on meanwhile."""
        with self._lock:
            known = self._peek_locked(written.key)
            if known is not None and known.count == written.times:
                del self._known[written.key]

    def _peek_locked(self, key: Key) -> _Known | None:
        """Look without being counted as a use."""
        return Cache.__getitem__(self._known, key) if key in self._known else None

    def _items_locked(self) -> list[tuple[Key, _Known]]:
        return [(key, Cache.__getitem__(self._known, key)) for key in self._known]

    def __len__(self) -> int:
        with self._lock:
            return len(self._known)
