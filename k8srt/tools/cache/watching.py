"""The watch phase of a reflector: one watch after another, and the resync beside them.

Contract: REFL-34 to REFL-48.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator

from k8srt.errors import StatusError
from k8srt.tools.cache.course import Course, Phase
from k8srt.tools.cache.intake import Intake
from k8srt.tools.cache.openwatch import OpenWatch
from k8srt.tools.cache.verdicts import Verdict, VeryShortWatchError, is_expired, is_retriable
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

INTERNAL_ERROR_RESET = 60.0


class Watching:
    """Watches until something demands a new list. Used by the reflector's thread."""

    def __init__(
        self,
        course: Course,
        *,
        resync_period: float,
        should_resync: Callable[[], bool] | None,
        max_internal_error_retry: float,
    ) -> None:
        self._course = course
        self._intake = Intake(course.expected, course.sink, course.position, course.about)
        self._resync_period = resync_period
        self._should_resync = should_resync
        self._patience = Patience(max_internal_error_retry, course.clock)

    def run(self, watch: OpenWatch | None, stop: Stop) -> None:
        """Go on with `watch`, if there is one, and then with others. Raises what the error handler is to see."""
        with self._resyncing(stop) as halt:
            while not halt.is_set():
                self._course.enter(Phase.WATCHING)
                verdict = self._watch_once(watch, halt)
                watch = None
                if verdict is Verdict.RELIST:
                    return
                if verdict is Verdict.AGAIN_LATER:
                    self._course.pause(halt)
        if watch is not None:
            watch.close()

    def _watch_once(self, watch: OpenWatch | None, halt: Stop) -> Verdict:
        if watch is None:
            try:
                watch = self._course.open(self._course.watch_options(self._course.position.version), halt)
            except Exception as err:
                if not (halt.is_set() or is_retriable(err)):
                    raise
                log.debug("%s: cannot watch now: %s", self._course.about, err)
                return Verdict.AGAIN_LATER
        with watch:
            failure = None
            while failure is None and not halt.is_set() and (batch := watch.read_batch()):
                failure = self._intake.take(batch, watch)
        self._course.ended(watch)
        if halt.is_set():
            return Verdict.RELIST
        return self._after_end(watch) if failure is None else self._after_failure(failure)

    def _after_end(self, watch: OpenWatch) -> Verdict:
        try:
            watch.check_length(self._course.name, self._course.clock.now())
        except VeryShortWatchError as err:
            log.debug("%s", err)
            return Verdict.RELIST
        return Verdict.AGAIN

    def _after_failure(self, err: StatusError) -> Verdict:
        """What an ERROR event leads to. Contract: REFL-36."""
        if is_expired(err):
            log.debug("%s: the version of the watch has expired: %s", self._course.about, err)
            return Verdict.RELIST
        if is_retriable(err):
            return Verdict.AGAIN_LATER
        if err.reason == "InternalError" and self._patience.left():
            return Verdict.AGAIN
        said = err.has_cause("ClientWatchDecoding")  # whoever could not read it has said so
        log.log(logging.DEBUG if said else logging.WARNING, "%s: the watch ended with: %s", self._course.about, err)
        return Verdict.RELIST

    @contextlib.contextmanager
    def _resyncing(self, stop: Stop) -> Iterator[Stop]:
        """A stop for the watch phase, beside which the store is resynced. Contract: REFL-46 to REFL-48."""
        if self._resync_period <= 0.0:
            yield stop
            return
        halt = Stop()
        forget = stop.on_set(halt.set)
        ticker = spawn("reflector-resync", self._resync, halt)
        try:
            yield halt
        finally:
            forget()
            halt.set()
            ticker.join()

    def _resync(self, halt: Stop) -> None:
        while not self._course.clock.wait_event(halt, self._resync_period):
            try:
                if self._should_resync is None or self._should_resync():
                    self._course.sink.resync()
            except Exception as err:  # noqa: BLE001 - whatever it is, a new list puts it right
                log.warning("%s: resync failed, listing again: %s", self._course.about, err)
                halt.set()


class Patience:
    """For how long internal errors are borne; starts again after a minute without any. Contract: REFL-36."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._first = -math.inf
        self._last = -math.inf

    def left(self) -> bool:
        """Whether one more may be borne; counts it."""
        now = self._clock.now()
        if now - self._last > INTERNAL_ERROR_RESET:
            self._first = now
        self._last = now
        return self._seconds > 0.0 and now - self._first <= self._seconds
