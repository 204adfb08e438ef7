"""From a watch of events to a sink: first ones are created, series patched. Contract: EVT-24 to EVT-27, EVT-30."""

from __future__ import annotations

import logging
import random
from functools import partial
from typing import Any

from k8srt.api.events.v1 import Event
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.wire import format_micro_time
from k8srt.errors import AlreadyExists, NotFound
from k8srt.tools.events.series import FINISH, SeriesCache, ToWrite
from k8srt.tools.record.delivery import RETRY_DELAY, Delivery, Endings, Outcome
from k8srt.tools.record.outbox import Chore
from k8srt.tools.record.sink import EventSink
from k8srt.util.clock import Clock
from k8srt.util.wait import jitter

log = logging.getLogger(__name__)

REFRESH = 1800.0
"""Seconds after which all series are written again, lest the server forgets them."""
JITTER = 0.25


class SeriesWriter:
    """Writes the events of a broadcaster to one sink. Thread-safe."""

    def __init__(
        self,
        sink: EventSink[Event],
        endings: Endings,
        *,
        clock: Clock,
        retry_delay: float = RETRY_DELAY,
        rng: random.Random | None = None,
    ) -> None:
        self._sink = sink
        self._cache = SeriesCache(clock)
        self._delivery = Delivery(lambda attempt: jitter(retry_delay, JITTER, rng), endings, clock)
        self.chores = (Chore(REFRESH, self.refresh), Chore(FINISH, self.finish))

    def write(self, event: Event) -> None:
        """Count an event and write what there is to write. Blocks while it is tried."""
        for todo in self._cache.observe(event):
            self._delivery.deliver(todo.event, _Sending(self, todo), _again(todo))

    def refresh(self) -> None:
        """Write all series as they stand, each once."""
        self._write_now(self._cache.series())

    def finish(self) -> None:
        """Write the series that are over, and forget them."""
        for todo in self._write_now(self._cache.finished()):
            self._cache.forget(todo)

    def tell_the_rest(self) -> None:
        """At the end: write the series that have gone on since they were written, and tell what was lost."""
        self._write_now(self._cache.series(untold=True))
        self._delivery.report()

    def _write_now(self, todo: list[ToWrite]) -> list[ToWrite]:
        """Try each once, until the sink can't be reached. Returns those that are done with, written or not."""
        done = []
        for each in todo:
            outcome, err = self._delivery.attempt(each.event, partial(self.send, each), _again(each))
            if outcome is not Outcome.UNREACHED:
                done.append(each)
            elif not isinstance(err, AlreadyExists):
                break
        return done

    def send(self, todo: ToWrite) -> None:
        """Patch the series that is there, or create the event. Raises what the sink raises."""
        self._patch_or_create(todo)
        self._cache.told(todo)

    def _patch_or_create(self, todo: ToWrite) -> None:
        if todo.times > 1:
            try:
                self._sink.patch(todo.event, _patch(todo.event))
                return
            except NotFound:
                log.debug("%r: gone from the server, written anew", todo.event)
        todo.event.metadata.resource_version = unset
        self._sink.create(todo.event)

    def latest(self, todo: ToWrite) -> ToWrite:
        """The same as things stand by now."""
        return self._cache.now(todo.key) or todo


class _Sending:
    """Sends what was decided on at first, and when that has failed, what is so by then."""

    def __init__(self, writer: SeriesWriter, todo: ToWrite) -> None:
        self._writer = writer
        self._todo = todo
        self._tried = False

    def __call__(self) -> None:
        todo = self._todo
        if self._tried and todo.times > 1:
            todo = self._writer.latest(todo)
        self._tried = True
        self._writer.send(todo)


def _again(todo: ToWrite) -> tuple[type[AlreadyExists], ...]:
    """A series that isn't there, and is when it's created, has been created meanwhile: now it can be patched."""
    return (AlreadyExists,) if todo.times > 1 else ()


def _patch(event: Event) -> dict[str, Any]:
    """The strategic merge patch that makes of an event without a series the one that it is."""
    series = event.series
    return {"series": {"count": series.count, "lastObservedTime": format_micro_time(series.last_observed_time)}}
