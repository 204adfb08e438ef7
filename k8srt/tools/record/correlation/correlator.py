"""`EventCorrelator`: what is to be done about an event. Contract: EVT-10 to EVT-18.

event → aggregate: one for many similar → count: a patch for a repetition → spam filter: written, or only counted
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from k8srt.api.core.v1 import Event
from k8srt.tools.record.correlation.aggregate import EventAggregator
from k8srt.tools.record.correlation.count import EventCounter
from k8srt.tools.record.correlation.options import CorrelatorOptions
from k8srt.tools.record.correlation.spam import EventSpamFilter
from k8srt.util.clock import SYSTEM, Clock


class Correlated(NamedTuple):
    """What to do: nothing (`skip`), patch the event that is there with `patch`, or create it (`patch` is None).

    `key` is what `EventCorrelator.update_state` wants to know again.
    """

    event: Event
    patch: dict[str, Any] | None
    key: Hashable
    skip: bool


class EventCorrelator:
    """Remembers the events of one sink. Thread-safe."""

    def __init__(self, options: CorrelatorOptions | None = None, *, clock: Clock = SYSTEM) -> None:
        settings = (options or CorrelatorOptions()).filled(clock)
        self._aggregator = EventAggregator(settings)
        self._counter = EventCounter(settings)
        self._filter = EventSpamFilter(settings)

    def correlate(self, event: Event) -> Correlated:
        """Tell what to do about an event. It is changed: name, times, count and message become what is to be written.

        One that is not to be written has been counted all the same.
        """
        event, key = self._aggregator.aggregate(event)
        patch = self._counter.observe(event, key)
        return Correlated(event, patch, key, self._filter.is_spam(event))

    def update_state(self, key: Hashable, stored: Event) -> None:
        """Remember what the server has stored for the event of a key."""
        self._counter.update_state(key, stored)
