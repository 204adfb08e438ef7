"""Delays and rate limits over a queue that somebody else made.

`DelayingQueue` and `RateLimitingQueue` are queues themselves and need no thread. These two stand over any queue with
the basic interface instead: such a queue cannot be asked to wait until a moment, so a thread adds to it what is due.
Its name, its metrics and its order remain its own. Contract: WQ-26, WQ-40.
"""

from __future__ import annotations

import threading
from typing import Generic

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import spawn
from k8srt.util.workqueue.delaying import Delays
from k8srt.util.workqueue.limiters import default_controller_rate_limiter
from k8srt.util.workqueue.protocols import Delaying, RateLimiter, T, WorkQueue
from k8srt.util.workqueue.waiters import RECHECK


class _Layer(Generic[T]):
    """Passes the basic interface on."""

    def __init__(self, queue: WorkQueue[T]) -> None:
        self._queue = queue

    def add(self, item: T) -> None:
        """Add `item` to the queue underneath."""
        self._queue.add(item)

    def get(self) -> T | None:
        """Wait for an item of the queue underneath and take it; None once that is shut down and drained."""
        return self._queue.get()

    def done(self, item: T) -> None:
        """Say that the work on `item` has ended."""
        self._queue.done(item)

    def __len__(self) -> int:
        """How many items are queued underneath."""
        return len(self._queue)

    def __bool__(self) -> bool:
        """True: a queue is there also when it is empty."""
        return True

    def shut_down(self, drain: bool = False) -> None:
        """Shut the queue underneath down."""
        self._queue.shut_down(drain)

    def shutting_down(self) -> bool:
        """Whether the queue underneath is being shut down."""
        return self._queue.shutting_down()


class DelayingLayer(_Layer[T]):
    """`add_after` over any queue. Thread-safe; its thread starts with the first delay and ends with `shut_down`.

    Lock order: this layer's, then the queue's underneath.
    """

    def __init__(self, queue: WorkQueue[T], *, clock: Clock = SYSTEM) -> None:
        super().__init__(queue)
        self._clock = clock
        self._cond = threading.Condition()  # guards all below; notified when something earlier is due, and at the end
        self._delays = Delays[T]()
        self._shut = False
        self._thread: threading.Thread | None = None

    def add_after(self, item: T, delay: float) -> None:
        """Add `item` in `delay` seconds, at once if that is 0 or less. As `DelayingQueue.add_after`."""
        if delay <= 0.0:
            self._queue.add(item)
            return
        due = self._clock.now() + delay
        with self._cond:
            if self._shut:
                return
            self._delays.put(item, due)
            if self._thread is None:
                self._thread = spawn("workqueue-delays", self._run)
            self._cond.notify()

    def __len__(self) -> int:
        """How many items are queued underneath, those that are due included."""
        with self._cond:
            self._add_due_locked()
        return len(self._queue)

    def shut_down(self, drain: bool = False) -> None:
        """Discard what is delayed, end the thread and shut the queue underneath down."""
        with self._cond:
            self._add_due_locked()
            self._delays.clear()
            self._shut = True
            self._cond.notify()
            thread = self._thread
        if thread is not None:
            thread.join()
        super().shut_down(drain)

    def _run(self) -> None:
        with self._cond:
            while not self._shut:
                self._add_due_locked()
                slots = self._delays.slots
                self._clock.wait(self._cond, min(slots[0][0], self._clock.now() + RECHECK) if slots else None)

    def _add_due_locked(self) -> None:
        for item, _ in self._delays.take_due(self._clock.now()):
            self._queue.add(item)


class RateLimitingLayer(_Layer[T]):
    """A rate limiter over any queue with `add_after`. Thread-safe."""

    def __init__(self, queue: Delaying[T], rate_limiter: RateLimiter[T] | None = None) -> None:
        super().__init__(queue)
        self._delaying = queue
        self._limiter = rate_limiter if rate_limiter is not None else default_controller_rate_limiter()

    def add_after(self, item: T, delay: float) -> None:
        """Add `item` to the queue underneath in `delay` seconds."""
        self._delaying.add_after(item, delay)

    def add_rate_limited(self, item: T) -> None:
        """Count a failure of `item` and add it when the rate limiter lets it."""
        self._delaying.add_after(item, self._limiter.when(item))

    def forget(self, item: T) -> None:
        """Count the failures of `item` from zero again."""
        self._limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """How often `item` was added with a rate limit since it was last forgotten."""
        return self._limiter.num_requeues(item)
