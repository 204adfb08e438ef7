"""A work queue that can be told to add an item later.

There is no thread behind it. Delayed items lie in a heap; whoever waits for items waits until the first of them is
due, and is woken when an earlier one comes. Every operation first adds what has fallen due, so that the order, `len`
and the metrics are as if each item had been added at its moment, also when nobody was waiting then.

Contract: WQ-18 to WQ-26. After client-go util/workqueue, delaying_queue.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.workqueue.heap import Heap, Slot
from k8srt.util.workqueue.metrics import MetricsProvider
from k8srt.util.workqueue.protocols import Order, T
from k8srt.util.workqueue.queue import Queue


class Delays(Generic[T]):
    """Items and when they are due, each once, with the earlier time if there were two. Not thread-safe."""

    def __init__(self) -> None:
        self._heap = Heap[T]()
        self._slots: dict[T, Slot] = {}
        self.slots = self._heap.slots  # always the same list; empty when nothing is delayed

    def put(self, item: T, due: float) -> None:
        """Have `item` come at `due`, or earlier if that was said before. Contract: WQ-19."""
        old = self._slots.get(item)
        if old is not None:
            if old[0] <= due:
                return
            self._heap.discard(old)
        self._slots[item] = slot = self._heap.slot(due, item)
        self._heap.push(slot)

    def take_due(self, now: float) -> Iterator[tuple[T, float]]:
        """Take out the items due at `now` or before, with their times, the earliest first."""
        while self.slots and (due := self.slots[0][0]) <= now:
            item = self._heap.pop()
            del self._slots[item]
            yield item, due

    def clear(self) -> None:
        """Forget all items."""
        self._heap.clear()
        self._slots.clear()

    def __len__(self) -> int:
        return len(self._slots)

    def remaining(self, now: float) -> dict[T, float]:
        """The items, the earliest first, and the seconds until each is due."""
        return {slot[2]: slot[0] - now for slot in self._heap}


class DelayingQueue(Queue[T]):
    """A `Queue` with `add_after`. Thread-safe."""

    def __init__(
        self,
        name: str | None = None,
        *,
        order: Order[T] | None = None,
        clock: Clock = SYSTEM,
        metrics_provider: MetricsProvider | None = None,
    ) -> None:
        super().__init__(name, order=order, clock=clock, metrics_provider=metrics_provider)
        self._delays = Delays[T]()
        self._delayed = self._delays.slots

    def add_after(self, item: T, delay: float) -> None:
        """Add `item` in `delay` seconds, at once if that is 0 or less. Never blocks. Ignored after shutdown.

        An item that is already delayed comes at the earlier of the two times. An `add` does not cancel a delay: the
        item may come once more. What is delayed when the queue is shut down is lost.
        """
        if item is None:
            raise ValueError("None cannot be queued: get() returns it when the queue is shut down")
        with self._lock:
            if self._shut:
                return
            if self._metrics is not None:
                self._metrics.retried_locked()
            if delay <= 0.0:
                self._add_due_locked()
                self._add_locked(item)
                self._wake_locked()
            else:
                due = self._clock.now() + delay
                self._delays.put(item, due)
                self._waiters.mind(due)
        if self._metrics is not None:
            self._report(self._metrics)

    def _add_due_locked(self) -> None:
        if self._delayed:
            for item, due in self._delays.take_due(self._clock.now()):
                self._add_locked(item, due)

    def _discard_delayed_locked(self) -> None:
        self._delays.clear()

    def _debug_state_locked(self) -> dict[str, Any]:
        return super()._debug_state_locked() | {"delayed": self._delays.remaining(self._clock.now())}

    def _more_counts(self) -> str:
        return f", {len(self._delays)} delayed"
