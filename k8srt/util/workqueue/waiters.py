"""Threads that wait until a queue has something for them, and who wakes whom.

Three rules keep wake-ups few and lose none:

- One thread is woken for one item. Woken threads are counted until they run, so that no second one is woken for the
  same item; one that finds the queue empty again waits again.
- One thread alone sleeps until the next delayed item is due, the others until they are woken. When something earlier
  is to be waited for, another thread is woken to see to that.
- A thread that leaves passes on what it found and cannot do itself: more items, or nobody who minds the time.
"""

from __future__ import annotations

import math
import threading

from k8srt.util.clock import Clock

RECHECK = 10.0
"""Seconds after which whoever minds the time looks at it again, whatever the deadlines say. Contract: WQ-23."""


class Waiters:
    """The threads in `get` of one queue. Every method is called with the queue's lock held.

    `woken` never exceeds the number of threads in `sleep` that are about to run. So whenever `waiting > woken` a
    notification is due, and otherwise every waiting thread is going to look anyway.
    """

    __slots__ = ("_clock", "_cond", "_minded", "waiting", "woken")

    def __init__(self, lock: threading.Lock, clock: Clock) -> None:
        self._cond = threading.Condition(lock)
        self._clock = clock
        self._minded = math.inf  # the earliest moment that a thread sleeps until
        self.waiting = 0  # threads in sleep
        self.woken = 0  # of these, the ones that were notified and have not run yet

    def settle(self, ready: int, due: float | None = None) -> None:
        """See that threads run for the `ready` items, and that one minds the time when the next is due.

        Called after items were added, and by a thread that leaves: for what it leaves to others.
        """
        while self.woken < ready and self.woken < self.waiting:
            self._wake_one()
        if not self.woken and due is not None:
            self.mind(due)

    def wake_all(self) -> None:
        """Wake every thread."""
        self.woken = self.waiting
        self._cond.notify_all()

    def mind(self, due: float) -> None:
        """See that a thread, if any waits, sleeps no longer than until `due`."""
        if due < self._minded and self.woken < self.waiting:
            self._wake_one()

    def sleep(self, deadline: float | None, due: float | None) -> None:
        """Sleep until woken, or until `deadline`, or until `due` if no other thread sleeps until then.

        May return early; the caller looks and comes back.
        """
        minding = math.inf
        if due is not None and due < self._minded:
            minding = self._minded = min(due, self._clock.now() + RECHECK)
            deadline = minding if deadline is None else min(deadline, minding)
        self.waiting += 1
        try:
            self._clock.wait(self._cond, deadline)
        finally:
            self.waiting -= 1
            if self.woken:
                self.woken -= 1
            if minding == self._minded:
                self._minded = math.inf

    def _wake_one(self) -> None:
        self.woken += 1
        self._cond.notify()
