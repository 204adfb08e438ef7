"""From a watch of events to a sink: correlate, create or patch, remember what the server has.

Contract: EVT-17 to EVT-20.
"""

from __future__ import annotations

import logging
import random

from k8srt.api.core.v1 import Event
from k8srt.apimachinery.model import unset
from k8srt.errors import NotFound
from k8srt.tools.record.correlation.correlator import Correlated, EventCorrelator
from k8srt.tools.record.delivery import RETRY_DELAY, Delivery, Endings
from k8srt.tools.record.sink import EventSink
from k8srt.util.clock import Clock

log = logging.getLogger(__name__)


class SinkWriter:
    """Writes the events of a broadcaster to one sink, one after the other."""

    def __init__(
        self,
        sink: EventSink[Event],
        correlator: EventCorrelator,
        endings: Endings,
        *,
        clock: Clock,
        retry_delay: float = RETRY_DELAY,
        rng: random.Random | None = None,
    ) -> None:
        self._sink = sink
        self._correlator = correlator
        self._retry_delay = retry_delay
        self._random = rng or random.Random()
        self._delivery = Delivery(self._delay, endings, clock)

    def write(self, event: Event) -> None:
        """Write an event, or don't, as the correlator says. Blocks while it is tried."""
        correlated = self._correlator.correlate(event)
        if correlated.skip:
            log.debug("%r: counted, not written: its source says too much", event)
            return
        self._delivery.deliver(correlated.event, lambda: self._send(correlated))

    def report(self) -> None:
        """At the end: tell what was lost."""
        self._delivery.report()

    def _send(self, correlated: Correlated) -> None:
        stored = self._patch_or_create(correlated)
        if isinstance(stored, Event):
            self._correlator.update_state(correlated.key, stored)

    def _patch_or_create(self, correlated: Correlated) -> Event:
        event = correlated.event
        if correlated.patch is not None:
            try:
                return self._sink.patch(event, correlated.patch)
            except NotFound:
                log.debug("%r: gone from the server, written anew", event)
        event.metadata.resource_version = unset
        return self._sink.create(event)

    def _delay(self, attempt: int) -> float:
        """The first is random, lest all clients of a server that comes back knock at once."""
        return self._retry_delay * (self._random.random() if attempt == 1 else 1.0)
