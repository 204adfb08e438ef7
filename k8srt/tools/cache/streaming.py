"""The initial list as a stream: a watch that sends what exists first, and says when that is over.

Objects arrive one by one, so the list never stands in memory as one document. They are collected aside; the store
sees them when the list is complete, as of one version. Then the same watch goes on.

Contract: REFL-25 to REFL-32.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.record import Record, WatchRecord
from k8srt.apimachinery.wire import decoder
from k8srt.errors import K8srtError
from k8srt.tools.cache.course import Course, Phase
from k8srt.tools.cache.openwatch import OpenWatch
from k8srt.tools.cache.verdicts import failure_in, is_expired, is_retriable, is_too_large
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
WARN_EVERY = 10.0


def ends_initial_events(record: Record) -> bool:
    """Whether this bookmark says that everything that existed was sent. Contract: REFL-26."""
    metadata = record.parts.get("metadata", b"")
    if INITIAL_EVENTS_END.encode() not in metadata:
        return False
    annotations = decoder(ObjectMeta).decode(metadata).annotations
    return bool(annotations) and annotations.get(INITIAL_EVENTS_END) == "true"


class Streaming:
    """Lists by watches. Used by the reflector's thread."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def run(self, stop: Stop) -> OpenWatch | None:
        """List into the store, and return the watch that goes on; None when stopped, or when a plain list must do.

        Raises what the store raises.
        """
        while not stop.is_set():
            self._course.enter(Phase.LISTING)
            try:
                watch, streamed = self._attempt(stop)
            except Exception as err:  # noqa: BLE001 - whatever it is, a plain list can do without
                if stop.is_set():
                    return None
                if not self._worth_again(err, stop):
                    log.debug("%s: no streaming list, a plain one instead: %s", self._course.about, err)
                    return None
                continue
            if watch is not None:
                self._hand_over(streamed, watch)
                return watch
        return None

    def _hand_over(self, streamed: StreamedList, watch: OpenWatch) -> None:
        try:
            self._course.take_list(list(streamed.items.values()), streamed.version, transformed=True)
        except BaseException:
            watch.close()
            raise

    def _attempt(self, stop: Stop) -> tuple[OpenWatch | None, StreamedList]:
        course = self._course
        options = course.watch_options(course.position.to_stream())
        options.send_initial_events = True
        options.resource_version_match = "NotOlderThan"
        streamed = StreamedList(course)
        watch = course.open(options, stop)
        complete = False
        try:
            complete = streamed.read_from(watch)
            if not complete and not stop.is_set():
                watch.check_length(course.name, course.clock.now())
        finally:
            if not complete:
                watch.close()
                course.ended(watch)
        return (watch if complete else None), streamed

    def _worth_again(self, err: Exception, stop: Stop) -> bool:
        """Whether the streaming list is tried once more. Contract: REFL-29, REFL-30."""
        if is_retriable(err):
            self._course.pause(stop)
            return True
        if is_expired(err) or is_too_large(err):
            self._course.position.refuse()
            return True
        return False


class StreamedList:
    """What a streaming list has sent so far. Used by one thread; `watched` also by its ticker."""

    def __init__(self, course: Course) -> None:
        self.items: dict[str, Any] = {}
        self.version = ""
        self._expected = course.expected
        self._sink = course.sink
        self._transform = course.sink.transformer()
        self._about = course.about
        self._clock = course.clock
        self._lock = threading.Lock()  # guards _last
        self._last: float | None = None

    def read_from(self, watch: OpenWatch) -> bool:
        """Read until the list is complete; False when the stream ended before. Raises the failure it reports.

        What follows the end of the list stays to be read from `watch`.
        """
        ended = Stop()
        ticker = spawn("reflector-list-ticker", self._warn, ended)
        try:
            while batch := watch.read_batch():
                with self._lock:
                    self._last = self._clock.now()
                for index, event in enumerate(batch):
                    if self._take(event, watch):
                        watch.push_back(batch[index + 1 :])
                        return True
            return False
        finally:
            ended.set()
            ticker.join()

    def _take(self, event: WatchRecord, watch: OpenWatch) -> bool:
        kind, record = event
        if kind == "ERROR":
            raise failure_in(record)
        bookmark = kind == "BOOKMARK"
        why_not = self._expected.refusal(record, named=not bookmark)
        if why_not is not None:
            log.error("%s: a %s event is left out: %s", self._about, kind, why_not)
            return False
        watch.events += 1
        watch.ordered = watch.ordered or kind != "ADDED"
        if bookmark:
            self.version = record.resource_version
            return ends_initial_events(record)
        self._apply(kind, record)
        return False

    def _apply(self, kind: str, record: Record) -> None:
        if kind == "DELETED":
            self.items.pop(record.key, None)
        elif kind in ("ADDED", "MODIFIED"):
            try:
                self.items[record.key] = self._sink.transformed(self._transform, record) if self._transform else record
            except K8srtError as err:
                log.error("%s: %r is left out: %s", self._about, record, err)
        else:
            log.error("%s: unknown event type %r", self._about, kind)

    def _warn(self, ended: Stop) -> None:
        """Say every ten seconds that nothing comes. Contract: REFL-32."""
        started = self._clock.now()
        while not self._clock.wait_event(ended, WARN_EVERY):
            now = self._clock.now()
            with self._lock:
                last = self._last
            if last is None:
                log.warning(
                    "%s: awaiting required bookmark event for initial events stream, no events received for %.0fs",
                    *(self._about, now - started),
                )
            elif now - last >= WARN_EVERY:
                log.warning(
                    "%s: hasn't received required bookmark event marking the end of initial events stream, "
                    "received last event %.0fs ago",
                    *(self._about, now - last),
                )
