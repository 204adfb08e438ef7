"""The threads of a controller.

They are made as needed: one waits at the queue, and when it takes something and nobody else waits, another one is made,
up to the number of places. One that waited for a minute while another did too ends. A place whose reconcile is stuck is
made up for by another, for as long as it is.

Contract: CTL-07, CTL-09, THR-01, THR-05.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection

from k8srt.controller.request import Request
from k8srt.errors import WaitTimeout
from k8srt.util.clock import Clock
from k8srt.util.threads import spawn
from k8srt.util.workqueue import PriorityQueue

log = logging.getLogger(__name__)

IDLE = 60.0
"""Seconds that a thread waits for work before it ends."""


class Workers:
    """See the module. Thread-safe. `handle(request, priority)` is called for each request; what it raises goes to
    `failed`, in the same thread."""

    def __init__(
        self,
        name: str,
        places: int,
        queue: PriorityQueue[Request],
        handle: Callable[[Request, int], object],
        failed: Callable[[BaseException], object],
        clock: Clock,
    ) -> None:
        self.places = places
        self._name = name
        self._queue = queue
        self._handle = handle
        self._failed = failed
        self._clock = clock
        self._cond = threading.Condition()  # guards all below, and notified when one of them changes
        self._extra = 0
        self._live = 0
        self._idle = 0
        self._threads: set[threading.Thread] = set()
        self._paused = False
        self._running = False

    def start(self) -> None:
        """Have one wait for work."""
        with self._cond:
            self._running = True
            missing = self._missing_locked()
        if missing:
            self._make()

    def stop(self) -> None:
        """Let those go that are held up; the queue is for the caller to shut down. Does not wait."""
        with self._cond:
            self._running = False
            self._cond.notify_all()

    def join(self, without: Collection[threading.Thread] = ()) -> None:
        """Wait until all have ended but those."""
        with self._cond:
            while self._live > len(without):
                self._clock.wait(self._cond, None)
            threads = [thread for thread in self._threads if thread not in without]
        for thread in threads:
            thread.join()

    def pause(self) -> None:
        """Take nothing new; what is in work is finished."""
        with self._cond:
            self._paused = True

    def resume(self) -> None:
        """Go on."""
        with self._cond:
            self._paused = False
            self._cond.notify_all()

    @property
    def paused(self) -> bool:
        with self._cond:
            return self._paused

    @property
    def live(self) -> int:
        """How many threads there are."""
        with self._cond:
            return self._live

    def make_up(self, change: int) -> None:
        """Have so many more places (1 or -1), as one is held by what does not return."""
        with self._cond:
            self._extra += change
            missing = self._missing_locked()
        if missing:
            self._make()

    def _missing_locked(self) -> bool:
        """Whether one more is needed; if so it is counted already."""
        if not self._running or self._idle or self._live >= self.places + self._extra:
            return False
        self._live += 1
        return True

    def _make(self) -> None:
        try:
            thread = spawn(f"worker-{self._name}", self._run)
        except RuntimeError as err:  # the system gives no more threads: those that are there do the work
            with self._cond:
                self._live -= 1
                alone = self._live == 0
            if alone:
                raise
            log.warning("controller %s: no further worker could be started: %s", self._name, err)
        else:
            with self._cond:
                self._threads = {each for each in self._threads if each.is_alive()} | {thread}

    def _run(self) -> None:
        try:
            while (taken := self._take()) is not None:
                request, priority = taken
                try:
                    self._handle(request, priority)
                except BaseException as err:  # noqa: BLE001 - not to be recovered from, which is for others to say
                    self._failed(err)
                finally:
                    self._queue.done(request)
        finally:
            with self._cond:
                self._live -= 1
                self._cond.notify_all()

    def _take(self) -> tuple[Request, int] | None:
        """The next request; None when this thread is to end."""
        while self._wait_for_leave():
            try:
                taken = self._queue.get_with_priority(IDLE)
            except WaitTimeout:
                with self._cond:
                    self._idle -= 1
                    if self._idle:
                        return None
                continue
            with self._cond:
                self._idle -= 1
                held_up = self._paused and self._running
                if taken is None:
                    return None
                missing = not held_up and self._missing_locked()
            if held_up:  # it was paused while this thread waited at the queue
                self._queue.done(taken[0])
                self._queue.add_with((taken[0],), priority=taken[1])
                continue
            if missing:
                self._make()
            return taken
        return None

    def _wait_for_leave(self) -> bool:
        """Wait while paused; False when this thread is to end."""
        with self._cond:
            while self._paused and self._running:
                self._clock.wait(self._cond, None)
            if not self._running or self._live > self.places + self._extra:
                return False
            self._idle += 1
            return True

    def __repr__(self) -> str:
        return f"<Workers of {self._name}: {self._live} of {self.places}>"
