"""Delivers notifications to handlers: a queue and a thread for each registration.

A slow or broken handler keeps up nobody but itself. A batch is handed to a registration in one go, without a copy; its
thread makes objects of it as it calls the handler. Queues have no bound, and nothing is dropped until a registration is
removed: then what is queued is. Nothing is merged, unless it is asked for beyond a length: then by key (see `merging`).

Contract: INF-22 to INF-43, INF-70, SHR-02.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from k8srt.tools.cache.consumer import Notification
from k8srt.tools.cache.handlers import Handler, handler_name
from k8srt.tools.cache.merging import merge
from k8srt.tools.cache.synctrack import SingleFileTracker
from k8srt.util.clock import Clock
from k8srt.util.threads import Latch, Stop, spawn

log = logging.getLogger(__name__)

AFTER_ERROR = 1.0
MIN_RESYNC = 1.0
MANY_PENDING = 1024
SLOW = 0.1

MERGED_CHUNK = 1024

Chunk = Sequence[Notification]
Crash = Callable[[Exception], object]


class Merging(NamedTuple):
    """What waits for a handler is merged when it is more than `beyond`, by the keys that `key_of` tells."""

    beyond: int
    key_of: Callable[[Any], str]


class Registration:
    """One handler at one informer: what `add_event_handler` returns. Thread-safe."""

    def __init__(
        self,
        handler: Handler,
        thaw: Callable[[Any], Any],
        clock: Clock,
        *,
        about: str,
        on_crash: Crash | None = None,
        merging: Merging | None = None,
    ) -> None:
        self.handler = handler
        self.name = f"{about} + event handler {handler_name(handler)}"
        self.wanted_period = 0.0
        self.period = 0.0  # this and the two below are guarded by the processor's lock
        self.due = True
        self.next_resync = -math.inf
        self._about = about
        self._thaw = thaw
        self._clock = clock
        self._on_crash = on_crash
        self._merging = merging
        self._tracker = SingleFileTracker()
        self._halt = Stop()
        self._thread: threading.Thread | None = None
        self._cond = threading.Condition()  # guards all below
        self._chunks: deque[Chunk] = deque()
        self._pending = 0  # in the chunks, and in the one that is being told
        self._telling = 0  # in that one
        self._merged = 0  # how many are left out, ever
        self._merge_beyond: float = merging.beyond if merging is not None else math.inf
        self._halt.on_set(self._wake)

    @property
    def synced(self) -> Latch:
        """Set once the handler has returned from everything in the initial list. Contract: INF-30."""
        return self._tracker.synced

    def has_synced(self) -> bool:
        """Whether the handler has returned from everything in the initial list."""
        return self._tracker.has_synced()

    def upstream_has_synced(self) -> None:
        """The informer has synced: nothing more belongs to the initial list."""
        self._tracker.upstream_has_synced()

    def push(self, chunk: Chunk, initial: int) -> None:
        """Queue notifications, of which `initial` are additions of the initial list."""
        if initial:
            self._tracker.start(initial)
        with self._cond:
            self._chunks.append(chunk)
            self._pending += len(chunk)
            unheard = self._merge_locked() if self._pending - self._telling > self._merge_beyond else 0
            self._cond.notify()
        for _ in range(unheard):
            self._tracker.finished()

    def _merge_locked(self) -> int:
        """Merge what waits. Returns how many additions of the initial list are gone by that.

        The next time is when twice as much waits as is left now, so that it costs no more than the waiting itself.
        """
        assert self._merging is not None
        waiting = list(chain.from_iterable(self._chunks))
        left = merge(waiting, self._merging.key_of)
        self._chunks = deque(left[at : at + MERGED_CHUNK] for at in range(0, len(left), MERGED_CHUNK))
        self._pending = self._telling + len(left)
        self._merged += len(waiting) - len(left)
        self._merge_beyond = max(self._merging.beyond, 2 * len(left))
        return sum(each.initial for each in waiting) - sum(each.initial for each in left)

    def start(self) -> None:
        """Start delivering; called once, by the processor."""
        self._thread = spawn(f"handler-{self._about.rpartition(' ')[2].lower()}", self._run)

    def halt(self) -> None:
        """Deliver nothing more; the call that is under way finishes. Twice is fine. Contract: INF-34."""
        self._halt.set()

    def join(self) -> None:
        """Wait until the handler has returned for the last time; at once if it was never started."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _wake(self) -> None:
        with self._cond:
            self._chunks.clear()
            self._pending = 0
            self._cond.notify_all()

    def _run(self) -> None:
        while chunk := self._next():
            self._tell_all(chunk)

    def _tell_all(self, chunk: Chunk) -> None:
        for notification in chunk:
            if self._halt.is_set():
                return
            if self._pending > MANY_PENDING:
                self._tell_timed(notification)
            else:
                self._tell(notification)
        with self._cond:
            self._pending = max(self._pending - len(chunk), 0)
            self._telling = 0

    def _next(self) -> Chunk | None:
        with self._cond:
            while not self._chunks:
                if self._halt.is_set():
                    return None
                self._clock.wait(self._cond, None)
            chunk = self._chunks.popleft()
            self._telling = len(chunk)
            if not self._chunks and self._merging is not None:
                self._merge_beyond = self._merging.beyond
            return chunk

    def _tell_timed(self, notification: Notification) -> None:
        started = self._clock.now()
        self._tell(notification)
        took = self._clock.now() - started
        if took > SLOW:
            log.info("%s: a call took %.3fs while %d notifications wait", self.name, took, self._pending)

    def _tell(self, notification: Notification) -> None:
        try:
            notification.tell(self.handler, self._thaw)
        except Exception as err:  # noqa: BLE001 - logged there
            self._failed(notification, err)
            return
        if notification.initial:
            self._tracker.finished()

    def _failed(self, notification: Notification, err: Exception) -> None:
        """Report it, and go on after a moment; or have the informer crash. Contract: INF-31, INF-32."""
        log.exception("%s raised for %r: %s", self.name, notification, err)
        if self._on_crash is not None:
            self._on_crash(err)
            self.halt()
        self._clock.wait_event(self._halt, AFTER_ERROR)

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: how much waits, and how it is resynced."""
        with self._cond:
            pending, merged = self._pending, self._merged
        return {
            "name": self.name,
            "pending": pending,
            "merged": merged,
            "synced": self.has_synced(),
            "resync": self.period,
        }

    def __repr__(self) -> str:
        return f"<Registration {self.name}>"


class Processor:
    """The registrations of one informer. Thread-safe; `distribute` is called by one thread."""

    def __init__(self, clock: Clock, check_period: float, about: str) -> None:
        """Look for due resyncs every `check_period` seconds; 0 for never."""
        self._clock = clock
        self._about = about
        self._lock = threading.Lock()  # guards all below, and the resync fields of registrations
        self._check_period = check_period
        self._registrations: tuple[Registration, ...] = ()
        self._retired: list[Registration] = []
        self._running = False

    def add(self, registration: Registration) -> None:
        """Let it have everything from now on."""
        now = self._clock.now()
        with self._lock:
            self._registrations += (registration,)
            registration.next_resync = now + registration.period
            if self._running:
                registration.start()

    def remove(self, registration: Registration) -> None:
        """Let it have nothing more. One that is unknown, or removed already, is fine. Contract: INF-33."""
        with self._lock:
            if registration not in self._registrations:
                return
            self._registrations = tuple(each for each in self._registrations if each is not registration)
            self._retired = [each for each in self._retired if each.is_alive()] + [registration]
        registration.halt()

    def knows(self, registration: Registration) -> bool:
        with self._lock:
            return registration in self._registrations

    def all(self) -> tuple[Registration, ...]:
        with self._lock:
            return self._registrations

    def start(self) -> None:
        """Start all deliveries; what was distributed before has waited."""
        with self._lock:
            self._running = True
            for registration in self._registrations:
                registration.start()

    def stop(self) -> None:
        """End all deliveries and wait for the handlers to return."""
        with self._lock:
            self._running = False
            everyone = [*self._registrations, *self._retired]
            self._retired = []
        for registration in everyone:
            registration.halt()
        for registration in everyone:
            registration.join()

    def distribute(self, chunk: Chunk) -> None:
        """Hand a chunk to everybody; what changed nothing only to those due for a resync. Contract: INF-24."""
        with self._lock:
            receivers = [(each, each.due) for each in self._registrations]
        if not receivers or not chunk:
            return
        initial = sum(notification.initial for notification in chunk)
        changed = chunk if all(due for _, due in receivers) else [each for each in chunk if not each.is_sync()]
        for registration, due in receivers:
            mine = chunk if due else changed
            if mine:
                registration.push(mine, initial)

    def should_resync(self) -> bool:
        """Find out who is due for a resync, and whether anybody is. Contract: INF-42."""
        now = self._clock.now()
        with self._lock:
            for each in self._registrations:
                each.due = each.period > 0.0 and now >= each.next_resync
                if each.due:
                    each.next_resync = now + each.period
            return any(each.due for each in self._registrations)

    @property
    def check_period(self) -> float:
        with self._lock:
            return self._check_period

    def settle_period(self, registration: Registration, wanted: float, *, started: bool) -> None:
        """Decide how often a new registration is resynced; before the start that may make all look more often.

        Contract: INF-38 to INF-41.
        """
        if 0.0 < wanted < MIN_RESYNC:
            log.warning("%s: a resync period of %gs is too short, using %gs", self._about, wanted, MIN_RESYNC)
            wanted = MIN_RESYNC
        with self._lock:
            check = self._check_period
            if 0.0 < wanted < check and not started:
                self._check_period = wanted
                self._derive_periods_locked()
            registration.wanted_period = wanted
            registration.period = effective_period(wanted, self._check_period)
        if wanted > 0.0 and registration.period != wanted:
            log.warning(
                "%s: a handler wants a resync every %gs, and gets %gs", self._about, wanted, registration.period
            )

    def _derive_periods_locked(self) -> None:
        now = self._clock.now()
        for each in self._registrations:
            each.period = effective_period(each.wanted_period, self._check_period)
            each.next_resync = now + each.period


def effective_period(wanted: float, check: float) -> float:
    """The period of a handler, given how often an informer looks: never shorter than that, 0 for never."""
    return max(wanted, check) if wanted > 0.0 and check > 0.0 else 0.0
