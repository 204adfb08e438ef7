"""The basic work queue: every item at most once, and never in two workers.

An item is a hashable value other than None. It is in one of four states:

    (absent) --add--> QUEUED --get--> WORKING --done--> (absent)
                        ^                |
                        |               add
                        |                v
                        +-----done---- AGAIN

In the words of the contract QUEUED and AGAIN are dirty, WORKING and AGAIN are processing. However often an item is
added while it is worked on, it is worked on once more afterwards; an item added twice while queued keeps its place.

Workers pair each `get` with a `done`:

```python
while (item := queue.get()) is not None:
    try:
        work_on(item)
    finally:
        queue.done(item)
```

What it does not promise: fairness between workers, or that a shut down queue waits for them (unless asked to drain).
Items are hashed and compared while the queue's lock is held: their `__hash__` and `__eq__` must not use the queue.

Workers outnumber everybody else at the lock, so `done` does without it when nothing follows from it. It can because
of the order of things: `done` first takes the item out of WORKING and then looks whether it was added meanwhile, and
`add` first notes that and then looks whether the item is still WORKING. Whichever comes second sees the other.

Contract: WQ-01 to WQ-17, WQ-41 to WQ-47. After client-go util/workqueue, queue.go.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Generic

from k8srt.errors import WaitTimeout
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.workqueue.heap import Slot
from k8srt.util.workqueue.metrics import MetricsProvider, QueueMetrics, choose_provider
from k8srt.util.workqueue.protocols import Order, T
from k8srt.util.workqueue.waiters import Waiters


class Fifo(deque[T]):
    """First in, first out: the order of a queue unless it is given another."""

    push = deque.append
    pop = deque.popleft

    def touch(self, item: T) -> None:
        """Do nothing: an item keeps its place."""


class Queue(Generic[T]):
    """A set of items that need work, in order. Thread-safe; see the module for what it promises.

    `name` is for metrics, `order` for a queue that is not first in, first out. Leaving it as a context manager shuts
    it down. One lock; what is noted under it for metrics is reported outside.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        order: Order[T] | None = None,
        clock: Clock = SYSTEM,
        metrics_provider: MetricsProvider | None = None,
    ) -> None:
        self.name = name or ""
        self._clock = clock
        self._lock = threading.Lock()  # guards everything below
        self._waiters = Waiters(self._lock, clock)
        self._worked_off = threading.Condition(self._lock)
        self._queued: dict[T, None] = {}  # what is QUEUED
        self._working: dict[T, None] = {}  # what is WORKING or AGAIN; `done` takes out of it without the lock
        self._again: set[T] = set()  # what is AGAIN
        self._order: Order[T] = order if order is not None else Fifo()  # holds what is QUEUED, and nothing else
        self._push, self._pop = self._order.push, self._order.pop
        self._delayed: list[Slot] = []  # by when it is due; stays empty in this class
        self._shut = False
        self._draining = False
        provider = choose_provider(name, metrics_provider)
        self._metrics = QueueMetrics[T](self.name, provider, clock) if provider is not None else None

    def add(self, item: T) -> None:
        """Say that `item` needs work: now, or again if it is being worked on. Ignored after shutdown."""
        if item is None:
            raise ValueError("None cannot be queued: get() returns it when the queue is shut down")
        with self._lock:
            if self._delayed:
                self._add_due_locked()
            if not self._shut:
                self._add_locked(item)
            if self._waiters.waiting:
                self._wake_locked()
        if self._metrics is not None:
            self._report(self._metrics)

    def get(self, timeout: float | None = None) -> T | None:
        """Wait for an item and take it: nobody else gets it until `done`. None once shut down and drained.

        Raises WaitTimeout if there is none within `timeout` seconds; None waits for ever.
        """
        with self._lock:
            if not self._order and not self._await_locked(timeout):
                return None
            item = self._pop()
            del self._queued[item]
            self._working[item] = None
            if self._metrics is not None:
                self._metrics.taken_locked(item)
        if self._metrics is not None:
            self._report(self._metrics)
        return item

    def done(self, item: T) -> None:
        """Say that the work on `item` has ended; if it was added meanwhile it is queued again, as the last.

        Does nothing for an item that is not being worked on.
        """
        if self._metrics is not None:
            self._done_measured(item, self._metrics)
            return
        if self._working.pop(item, self) is None and (self._draining or item in self._again):
            with self._lock:
                self._finish_locked(item)

    def __len__(self) -> int:
        """How many items are queued: neither those in work nor those that are not due yet."""
        with self._lock:
            if self._delayed:
                self._add_due_locked()
                self._wake_locked()
            return len(self._order)

    def shut_down(self, drain: bool = False) -> None:
        """Take no more items. What is queued is still handed out; then every `get` returns None.

        With `drain`, block until no item is in work, or until somebody calls this without `drain`; items that are
        queued are not waited for. Returns when the queue's own thread, if it had one, has ended. May be repeated.
        """
        with self._lock:
            self._add_due_locked()
            self._discard_delayed_locked()
            self._shut = True
            self._draining = drain
            self._waiters.wake_all()
            self._worked_off.notify_all()
            while drain and self._draining and self._working:
                self._clock.wait(self._worked_off, None)
        if self._metrics is not None:
            self._metrics.close()
            self._metrics.report()

    def shutting_down(self) -> bool:
        """Whether `shut_down` has begun."""
        with self._lock:
            return self._shut

    def debug_state(self) -> Mapping[str, Any]:
        """What the queue holds at this moment, for people to look at."""
        with self._lock:
            self._add_due_locked()
            self._wake_locked()
            return self._debug_state_locked()

    def __repr__(self) -> str:
        # Without the lock, so that a debugger may ask at any time.
        counts = f"{len(self._order)} queued, {len(self._working)} working{self._more_counts()}"
        return f"<{type(self).__name__} {self.name!r}: {counts}{', shut down' if self._shut else ''}>"

    def __enter__(self) -> Queue[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut_down()

    def __bool__(self) -> bool:
        """True: a queue is there also when it is empty."""
        return True

    def _add_locked(self, item: T, when: float | None = None) -> None:
        """Add `item`, which was due at `when`, or is now; the caller wakes whoever is needed for it."""
        if item in self._queued:
            self._order.touch(item)
            return
        if item in self._again:
            return
        if item not in self._working or not self._keep_back_locked(item):
            self._queued[item] = None
            self._push(item)
        if self._metrics is not None:
            self._metrics.added_locked(item, when)

    def _keep_back_locked(self, item: T) -> bool:
        """Have `item` come again when it is done; returns whether it is still in work, else nothing has changed."""
        self._again.add(item)
        if item in self._working:
            return True
        self._again.discard(item)
        return False

    def _done_measured(self, item: T, metrics: QueueMetrics[T]) -> None:
        """`done` with the lock, so that nobody can take the item between its end and the note of it."""
        with self._lock:
            if self._working.pop(item, self) is None:
                metrics.done_locked(item)
                self._finish_locked(item)
        self._report(metrics)

    def _finish_locked(self, item: T) -> None:
        """Draw the consequences of the end of the work on `item`, unless somebody else has."""
        if item in self._again and item not in self._working:
            if self._delayed:
                self._add_due_locked()
            self._again.discard(item)
            self._queued[item] = None
            self._push(item)
            self._wake_locked()
        if self._draining and not self._working:
            self._worked_off.notify_all()

    def _wake_locked(self) -> None:
        """Wake whoever is needed for what was added."""
        waiters = self._waiters
        if waiters.waiting > waiters.woken:
            waiters.settle(len(self._order))

    def _await_locked(self, timeout: float | None) -> bool:
        """Wait until an item is queued; returns whether there is one, and not a shutdown."""
        deadline = None if timeout is None else self._clock.now() + timeout
        taking = 0
        try:
            while not self._ready_locked():
                if self._shut:
                    return False
                if deadline is not None and self._clock.now() >= deadline:
                    raise WaitTimeout(f"no item within {timeout}s in {self.name or 'a work queue'}")
                self._waiters.sleep(deadline, self._next_due_locked())
            taking = 1
        finally:
            self._waiters.settle(len(self._order) - taking, self._next_due_locked())
        return True

    def _ready_locked(self) -> bool:
        if self._delayed:
            self._add_due_locked()
        return len(self._order) > 0

    def _next_due_locked(self) -> float | None:
        return self._delayed[0][0] if self._delayed else None

    def _add_due_locked(self) -> None:
        """Add the delayed items that are due; the caller wakes whoever is needed for them."""

    def _discard_delayed_locked(self) -> None:
        """Forget the delayed items."""

    def _debug_state_locked(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "queued": list(self._queued),
            "working": list(self._working),
            "again": list(self._again),
            "shutting_down": self._shut,
        }

    def _more_counts(self) -> str:
        return ""

    def _report(self, metrics: QueueMetrics[T]) -> None:
        metrics.report()
        metrics.keep_updating(self._tick)

    def _tick(self) -> None:
        """Called now and then while there are metrics."""
        if self._metrics is not None:
            with self._lock:
                self._add_due_locked()
                self._wake_locked()
                self._metrics.working_locked()
            self._metrics.report()
