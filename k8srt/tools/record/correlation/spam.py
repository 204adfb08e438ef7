"""A source that says much about one object is let through at a limited rate. Contract: EVT-14."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from cachetools import LRUCache

from k8srt.api.core.v1 import Event
from k8srt.tools.record.correlation.options import Settings
from k8srt.util.flowcontrol.token_bucket import TokenBucket


class EventSpamFilter:
    """A token bucket for each source, object and type. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()  # guards _buckets
        self._buckets: LRUCache[Hashable, TokenBucket] = LRUCache(settings.cache_size)

    def is_spam(self, event: Event) -> bool:
        """Whether there have been too many; takes a token if not."""
        settings = self._settings
        key = settings.spam_key_func(event)
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = TokenBucket(settings.qps, settings.burst, settings.clock)
        return not bucket.try_accept()
