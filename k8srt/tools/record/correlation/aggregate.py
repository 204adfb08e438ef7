"""Similar events, which differ in their message only, become one when there are many. Contract: EVT-11, EVT-12."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from cachetools import LRUCache

from k8srt.api.core.v1 import Event
from k8srt.apimachinery.model import unset
from k8srt.tools.record.correlation.keys import event_key
from k8srt.tools.record.correlation.options import Settings


class _Similar:
    """The messages seen under one key, in the order they came first, and when the last event came."""

    __slots__ = ("last", "seen")

    def __init__(self) -> None:
        self.seen: dict[Hashable, None] = {}
        self.last = 0.0


class EventAggregator:
    """Tells under which key an event is counted, and makes it the aggregate of its like if there are many. Thread-safe.

    It is the number of different messages that counts, not that of events.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # guards _known
        self._known: LRUCache[Hashable, _Similar] = LRUCache(settings.cache_size)

    def aggregate(self, event: Event) -> tuple[Event, Hashable]:
        """The event itself and its own key; or the aggregate that stands for it, and the key it shares with its like.

        The aggregate has the name, the time and the source of the event, and counts for one.
        """
        key, local = self._settings.key_func(event)
        if not self._too_many(key, local):
            return event, event_key(event)
        event.message = self._settings.message_func(event)
        event.metadata.annotations = unset
        return event, key

    def _too_many(self, key: Hashable, local: Hashable) -> bool:
        now = self._settings.clock.now()
        with self._lock:
            similar = self._known.get(key)
            if similar is None or now - similar.last > self._settings.max_interval:
                similar = self._known[key] = _Similar()
            similar.last = now
            similar.seen[local] = None
            if len(similar.seen) < self._settings.max_events:
                return False
            similar.seen.pop(next(iter(similar.seen)))  # it stays below what makes an aggregate, and grows no further
            return True
