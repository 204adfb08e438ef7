"""A queue that never blocks who puts something in, and the threads that empty it.

There is no thread before the first item. One stays, waiting for more; others come, up to `workers`, when an item waits
for which nobody is free, and go when they have had nothing to do for a while. What finds no room is dropped and
counted, and a log tells when that begins and how much it was when it is over. After a fork, what waits is the
parent's, and the child has threads of its own when it puts something in.

Contract: EVT-01, EVT-06, EVT-07, EVT-27.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import spawn

log = logging.getLogger(__name__)

T = TypeVar("T")

ROOM = 1000
"""How many items wait at most, unless told otherwise."""

LINGER = 5.0
"""Seconds that a thread without work stays, if it isn't the one that stays anyway."""

Job = Callable[[], object]


class Chore:
    """Something to do every `period` seconds, while there is a thread to do it."""

    def __init__(self, period: float, do: Job) -> None:
        self.period = period
        self.do = do
        self.due: float | None = None  # the outbox's to set, under its lock


class Outbox(Generic[T]):
    """See the module. Thread-safe; `handle` is called with one item at a time by each thread, with no lock held.

    What `handle` raises is logged, and ends nothing. Threads are called `k8srt-<what>-<n>`. The one that stays does the
    `chores` when they are due, and `last` at the end, once all is handled that waited at a `close`, by all threads.
    """

    def __init__(
        self,
        what: str,
        handle: Callable[[T], object],
        *,
        room: int = ROOM,
        workers: int = 1,
        chores: Iterable[Chore] = (),
        last: Job | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        if room < 1 or workers < 1:
            raise ValueError(f"{what}: there must be room for items and somebody to handle them: {room=}, {workers=}")
        self._what = what
        self._handle = handle
        self._room = room
        self._workers = workers
        self._chores = list(chores)
        self._last = last
        self._clock = clock
        self._closed = False
        self._dropped = 0
        self.begin()
        _all.add(self)

    def begin(self) -> None:
        """Begin without threads, and with nothing that waits: what was there belongs to the parent of a fork."""
        self._lock = threading.RLock()  # guards all below; re-entrant for the sake of signal handlers
        self._work = threading.Condition(self._lock)  # something to do, or the end
        self._quiet = threading.Condition(self._lock)  # nothing to do, or a thread less
        self._waiting: deque[T] = deque()
        self._threads: set[threading.Thread] = set()
        self._leaving: list[threading.Thread] = []  # on their last steps
        self._keeper = False  # whether the thread that stays is there
        self._busy = 0
        self._dropping = 0  # since the queue was last empty

    # ---- putting in -----------------------------------------------------------------------------------------------

    def put(self, item: T) -> bool:
        """Have an item handled. False when there is no room for it, or no more are taken. Never blocks."""
        with self._lock:
            if self._closed:
                return False
            if len(self._waiting) >= self._room:
                self._dropped += 1
                self._dropping += 1
                first = self._dropping == 1
            else:
                self._waiting.append(item)
                self._find_hands_locked()
                return True
        if first:
            log.warning("%s: %d wait already, those that come now are dropped", self._what, self._room)
        return False

    def _find_hands_locked(self) -> None:
        free = len(self._threads) - self._busy
        if len(self._waiting) > free and len(self._threads) < self._workers:
            keeper = not self._keeper
            self._keeper = True
            self._start_chores_locked()
            self._threads.add(spawn(self._what, self._run, keeper))
        else:
            self._work.notify()

    def _start_chores_locked(self) -> None:
        now = self._clock.now()
        for chore in self._chores:
            if chore.due is None:
                chore.due = now + chore.period

    @property
    def dropped(self) -> int:
        """How many items found no room so far."""
        with self._lock:
            return self._dropped

    def __len__(self) -> int:
        """How many wait."""
        with self._lock:
            return len(self._waiting)

    # ---- the threads ----------------------------------------------------------------------------------------------

    def _run(self, keeper: bool) -> None:
        while (job := self._next(keeper)) is not None:
            try:
                job()
            except (Exception, SystemExit):
                log.exception("%s: a handler failed", self._what)
            self._finished()

    def _next(self, keeper: bool) -> Job | None:
        """What to do now; waits for it. None: end."""
        with self._lock:
            until = None if keeper else self._clock.now() + LINGER
            while True:
                job = self._take_locked(keeper)
                if job is not None:
                    self._busy += 1
                    return job
                if (self._closed and not (keeper and self._last_is_ahead_locked())) or (
                    until is not None and self._clock.now() >= until
                ):
                    self._leave_locked()
                    return None
                self._clock.wait(self._work, self._next_chore_locked() if keeper else until)

    def _last_is_ahead_locked(self) -> bool:
        """Whether the last job waits for others to be done: what they do may come after it otherwise."""
        return self._last is not None and self._busy > 0

    def _leave_locked(self) -> None:
        me = threading.current_thread()
        self._threads.discard(me)
        self._leaving = [me, *(thread for thread in self._leaving if thread.is_alive())]
        self._quiet.notify_all()

    def _take_locked(self, keeper: bool) -> Job | None:
        if keeper and not self._closed:
            now = self._clock.now()
            for chore in self._chores:
                if chore.due is not None and chore.due <= now:
                    chore.due = now + chore.period
                    return chore.do
        if self._waiting:
            return partial(self._handle, self._waiting.popleft())
        last = None
        if keeper and self._closed and not self._busy:
            last, self._last = self._last, None
        return last

    def _next_chore_locked(self) -> float | None:
        if self._closed:
            return None
        return min((chore.due for chore in self._chores if chore.due is not None), default=None)

    def _finished(self) -> None:
        with self._lock:
            self._busy -= 1
            dropped, why = 0, "the end" if self._closed else "there is room again"
            if not self._waiting:
                dropped, self._dropping = self._dropping, 0
                self._quiet.notify_all()
            if self._closed and not self._busy:
                self._work.notify_all()
        if dropped:
            log.info("%s: %s; dropped meanwhile: %d", self._what, why, dropped)

    # ---- the end --------------------------------------------------------------------------------------------------

    def flush(self, deadline: float | None) -> bool:
        """Wait until all is handled, at most until `deadline` on the clock; returns whether it is."""
        with self._lock:
            while self._waiting or self._busy:
                if deadline is not None and self._clock.now() >= deadline:
                    return False
                self._clock.wait(self._quiet, deadline)
            return True

    def close(self) -> None:
        """Take no more. What waits is handled, then the threads end; does not wait for that."""
        with self._lock:
            self._closed = True
            self._work.notify_all()

    def abandon(self) -> int:
        """Take no more, and forget what waits; returns how much that was."""
        with self._lock:
            self._closed = True
            self._last = None
            lost = len(self._waiting)
            self._waiting.clear()
            self._work.notify_all()
            return lost

    @property
    def ended(self) -> bool:
        """Whether no thread is there."""
        with self._lock:
            return not self._threads

    def wait_for_end(self, deadline: float) -> bool:
        """Once closed: wait until the threads have ended, save the one that asks; False if they haven't by then."""
        with self._lock:
            while self._threads - {threading.current_thread()}:
                if self._clock.now() >= deadline:
                    return False
                self._clock.wait(self._quiet, deadline)
            leaving = list(self._leaving)
        for thread in leaving:
            thread.join()
        return True

    def join(self, grace: float) -> bool:
        """Once abandoned: give the threads `grace` seconds each, in real time, to end; returns whether they have."""
        with self._lock:
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            thread.join(grace)
        return not any(thread.is_alive() for thread in threads)

    def __repr__(self) -> str:
        with self._lock:
            state = ", closed" if self._closed else ""
            return f"<Outbox {self._what}: {len(self._waiting)} wait, {self._dropped} dropped{state}>"


_all: WeakSet[Outbox[Any]] = WeakSet()


def _begin_anew() -> None:
    """In the child of a fork, where no thread but this one has survived, and a lock may look held for ever."""
    for outbox in list(_all):
        outbox.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
