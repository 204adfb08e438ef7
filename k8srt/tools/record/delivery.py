"""Trying to write an event until it is written, or there is no point any more.

What the server has judged is not sent again. What did not reach it is, at most 12 times. An outage is logged once, and
once more when it is over.

Contract: EVT-19, EVT-20, EVT-26, EVT-27.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from k8srt.apimachinery.object import Object
from k8srt.errors import AlreadyExists, ClientClosed, K8srtError, StatusError, Stopped, WrongValue
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

log = logging.getLogger(__name__)

TRIES = 12
RETRY_DELAY = 10.0
"""Seconds between two tries, about."""

Delays = Callable[[int], float]


class Endings:
    """How a watch ends: `closing` says that nothing is waited for any more, `stopped` that nothing is done."""

    def __init__(self) -> None:
        self.closing = Stop()
        self.stopped = Stop()


class Outcome(Enum):
    """What came of trying to write an event."""

    WRITTEN = auto()
    HOPELESS = auto()  # another try would end the same way
    UNREACHED = auto()


class Attempt(NamedTuple):
    """One try, and why it failed if it did."""

    outcome: Outcome
    error: Exception | None


class Delivery:
    """Delivers events to one sink. Thread-safe; `deliver` blocks.

    `delays` tells how many seconds to wait after the n-th try. When the watch is closing, a wait ends, and what
    failed is tried one last time.
    """

    def __init__(self, delays: Delays, endings: Endings, clock: Clock) -> None:
        self._delays = delays
        self._endings = endings
        self._clock = clock
        self._lock = threading.Lock()  # guards the two below
        self._failing_since: float | None = None
        self._lost = 0

    def deliver(self, event: Object, write: Callable[[], object], again: tuple[type[StatusError], ...] = ()) -> bool:
        """Call `write` until it returns, and return True; False when the event is lost.

        Answers of the server that are among `again` are no reason to give up.
        """
        for attempt in range(1, TRIES + 1):
            outcome, err = self.attempt(event, write, again)
            if outcome is not Outcome.UNREACHED:
                return outcome is Outcome.WRITTEN
            if attempt == TRIES or self._endings.closing.is_set():
                self._give_up(event, err, attempt)
                return False
            self._clock.wait_event(self._endings.closing, self._delays(attempt))
        return False

    def attempt(self, event: Object, write: Callable[[], object], again: tuple[type[StatusError], ...] = ()) -> Attempt:
        """Call `write` once. What went wrong for good is logged."""
        try:
            if self._endings.stopped.is_set():
                raise Stopped("events are not written any more")
            write()
        except Exception as err:  # noqa: BLE001 - whatever it is, the next event is written
            return Attempt(self._judge(event, err, again), err)
        self._reached()
        return Attempt(Outcome.WRITTEN, None)

    def _judge(self, event: Object, err: Exception, again: tuple[type[StatusError], ...]) -> Outcome:
        if isinstance(err, Stopped) or self._endings.stopped.is_set():
            log.debug("%r: not written, since writing was stopped", event)
            return Outcome.HOPELESS
        if isinstance(err, StatusError):
            self._reached()
        if isinstance(err, again):
            log.debug("%r: not written, trying again later: %s", event, err)
        elif is_final(err):
            _log_final(event, err)
            return Outcome.HOPELESS
        else:
            self._failed(event, err)
        return Outcome.UNREACHED

    def _failed(self, event: Object, err: Exception) -> None:
        now = self._clock.now()
        with self._lock:
            first = self._failing_since is None
            if first:
                self._failing_since = now
                self._lost = 0
        log.log(logging.WARNING if first else logging.DEBUG, "%r: not written, trying again later: %s", event, err)

    def _give_up(self, event: Object, err: Exception | None, attempt: int) -> None:
        with self._lock:
            self._lost += 1
            first = self._lost == 1
        tries = f"{attempt} tries" if attempt > 1 else "one try"
        many = not first and self._endings.closing.is_set()  # the whole queue may follow; `report` tells how many
        log.log(logging.DEBUG if many else logging.ERROR, "%r: lost after %s: %s", event, tries, err)

    def report(self) -> None:
        """At the end: tell how many were lost since the sink was last reached, if that has not been said."""
        with self._lock:
            lost = self._lost if self._failing_since is not None else 0
        if lost > 1:
            log.error("%d events were lost in all, since they could not be written", lost)

    def _reached(self) -> None:
        """The sink works: tell so if it didn't before."""
        with self._lock:
            since, self._failing_since = self._failing_since, None
            lost = self._lost
        if since is not None:
            log.info("events are written again after %.0fs; lost meanwhile: %d", self._clock.now() - since, lost)


def is_final(err: Exception) -> bool:
    """Whether the next try would fail in the same way: the server has judged, or the request cannot be made. EVT-19."""
    if isinstance(err, (StatusError, WrongValue, ClientClosed)):
        return True
    return not isinstance(err, (K8srtError, OSError))


def _log_final(event: Object, err: Exception) -> None:
    if isinstance(err, AlreadyExists) or (isinstance(err, StatusError) and err.has_cause("NamespaceTerminating")):
        log.debug("%r: the server doesn't take it: %s", event, err)
    elif isinstance(err, StatusError):
        log.error("%r: lost, since the server doesn't take it: %s", event, err)
    else:
        log.error("%r: lost, since it cannot be sent: %s", event, err)
