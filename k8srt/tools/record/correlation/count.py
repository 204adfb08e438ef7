"""The same event again raises the count of the one that is there. Contract: EVT-13, EVT-16, EVT-18."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from datetime import datetime
from typing import Any, NamedTuple

from cachetools import LRUCache

from k8srt.api.core.v1 import Event
from k8srt.apimachinery.wire import format_time
from k8srt.tools.record.correlation.options import Settings


class _Observed(NamedTuple):
    """What is known of the event of a key: as the server has it, or as it should have it."""

    times: int
    first: datetime
    name: str
    resource_version: str


class EventCounter:
    """Remembers what was said. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()  # guards _observed
        self._observed: LRUCache[Hashable, _Observed] = LRUCache(settings.cache_size)

    def observe(self, event: Event, key: Hashable) -> dict[str, Any] | None:
        """Count an event. If it is a repetition it becomes the one that is there, and the patch for that is returned.

        None: it is new.
        """
        with self._lock:
            before = self._observed.get(key)
            if before is not None:
                event.metadata.name = before.name
                event.metadata.resource_version = before.resource_version
                event.first_timestamp = before.first
                event.count = before.times + 1
            self._observed[key] = _observed(event)
        return None if before is None else _patch(event)

    def update_state(self, key: Hashable, stored: Event) -> None:
        """Remember the event of a key as the server has it."""
        with self._lock:
            self._observed[key] = _observed(stored)


def _observed(event: Event) -> _Observed:
    meta = event.metadata
    return _Observed(event.count or 1, event.first_timestamp, meta.name, meta.resource_version)


def _patch(event: Event) -> dict[str, Any]:
    """The strategic merge patch of a repetition: its count, its time, and (of aggregates) what was said last."""
    patch: dict[str, Any] = {"count": event.count}
    if event.last_timestamp:
        patch["lastTimestamp"] = format_time(event.last_timestamp)
    if event.message:
        patch["message"] = event.message
    return patch
