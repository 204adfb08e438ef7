"""A work queue that hands out what matters most first, so that a restart does not bury what changes now.

An item is known at most once as waiting (until a moment) or ready, and may be in work besides:

- of the ready ones the highest priority goes first, and in one priority the one that has been ready longest;
- adding a known item again raises its priority and shortens its wait, never the reverse; one that is raised joins
  its new priority as the last;
- an item in work is kept back when it is added, and others pass it, until `done`;
- one that is added to settle waits until nobody has added it for a while, and not for ever;
- `shut_down` drops everything: `get` returns None at once.

So that nothing starves, an item that has been ready for `max_wait` seconds counts as priority 0, and after ten times
as long it goes before all others.

The supplied event handlers add what the initial list and resyncs bring with LOW_PRIORITY, and everything else with 0.

Contract: WQ-50 to WQ-60, PQ-01 to PQ-11. After controller-runtime pkg/controller/priorityqueue.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Generic

from k8srt.errors import WaitTimeout
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.workqueue.heap import Heap, Slot
from k8srt.util.workqueue.limiters import ItemExponentialFailureRateLimiter
from k8srt.util.workqueue.metrics import MetricsProvider, PriorityQueueMetrics, choose_provider
from k8srt.util.workqueue.protocols import RateLimiter, T
from k8srt.util.workqueue.waiters import Waiters

LOW_PRIORITY = -100
"""For what is probably in order already: the initial list, and updates that change nothing."""

_CHUNK = 500  # items that one hold of the lock deals with
_AGED_TWICE = 10.0  # times max_wait, after which an item goes before all others
_NO_NONE = "None cannot be queued: get() returns it when the queue is shut down"


class _Entry(Generic[T]):
    """An item that waits or is ready."""

    __slots__ = ("counts_as", "item", "priority", "settles_since", "since", "slot", "waits")

    item: T
    priority: int
    counts_as: float  # the priority it is ordered by: its own, or a higher one for its age
    waits: bool
    settles_since: float | None  # since when it waits to settle; None if it waits for a moment, or is ready
    since: float  # when it became ready
    slot: Slot  # its place among the waiting or the ready; of a ready one in work, the place it will have

    def __init__(self, item: T, priority: int) -> None:
        self.item = item
        self.priority = self.counts_as = priority
        self.waits = True
        self.settles_since = None


class PriorityQueue(Generic[T]):
    """A rate limiting queue with priorities. Thread-safe; see the module for what it promises.

    `rate_limiter` is 5 ms to 1000 s for each item if none is given. `max_wait` None lets items starve.
    """

    def __init__(
        self,
        name: str | None = None,
        rate_limiter: RateLimiter[T] | None = None,
        *,
        max_wait: float | None = 60.0,
        clock: Clock = SYSTEM,
        metrics_provider: MetricsProvider | None = None,
    ) -> None:
        self.name = name or ""
        self._limiter: RateLimiter[T] = (
            rate_limiter if rate_limiter is not None else ItemExponentialFailureRateLimiter(0.005, 1000.0)
        )
        self._max_wait = max_wait
        self._clock = clock
        self._lock = threading.Lock()  # guards everything below
        self._waiters = Waiters(self._lock, clock)
        self._entries: dict[T, _Entry[T]] = {}
        self._waiting = Heap[_Entry[T]]()  # by when they are due
        self._ready = Heap[_Entry[T]]()  # highest first; without those whose item is in work
        self._working: dict[T, int] = {}  # items in work, and the priority they were taken with
        self._young = OrderedDict[T, _Entry[T]]()  # all ready entries, the longest ready first …
        self._aged = OrderedDict[T, _Entry[T]]()  # … and here from max_wait on
        self._promote_at = math.inf  # before this moment none has become old enough to count for more
        self._shut = False
        provider = choose_provider(name, metrics_provider)
        self._metrics = PriorityQueueMetrics[T](self.name, provider, clock) if provider is not None else None

    def add(self, item: T) -> None:
        """Add `item` with priority 0."""
        if item is None:
            raise ValueError(_NO_NONE)
        with self._lock:
            if not self._shut:
                self._add_due_locked()
                self._add_locked(item, 0, None, self._clock.now())
                self._wake_locked()
        self._report()

    def add_after(self, item: T, delay: float) -> None:
        """Add `item` in `delay` seconds, at once if that is 0 or less, with priority 0."""
        self.add_with((item,), after=delay)

    def add_rate_limited(self, item: T) -> None:
        """Count a failure of `item` and add it when the rate limiter lets it, with priority 0."""
        self.add_with((item,), rate_limited=True)

    def add_with(
        self, items: Iterable[T], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None:
        """Add `items` with `priority`, in `after` seconds or when the rate limiter lets each: the earlier of both.

        Failures are counted for `rate_limited` in any case. Ignored after shutdown.
        """
        pairs = ((item, self._delay(item, after, rate_limited)) for item in items)
        while chunk := list(islice(pairs, _CHUNK)):
            with self._lock:
                if not self._shut:
                    self._add_chunk_locked(chunk, priority)
            self._report()

    def add_settled(self, items: Iterable[T], *, quiet: float, longest: float, priority: int = 0) -> None:
        """Add `items` with `priority` once none of them was added for `quiet` seconds, and after `longest` seconds in
        any case: each by itself. What is ready stays so, and what comes sooner anyway comes then. Ignored after
        shutdown.
        """
        waiting = iter(items)
        while chunk := list(islice(waiting, _CHUNK)):
            if None in chunk:
                raise ValueError(_NO_NONE)
            with self._lock:
                if not self._shut:
                    self._settle_chunk_locked(chunk, quiet, longest, priority)
            self._report()

    def get(self, timeout: float | None = None) -> T | None:
        """Wait for an item and take it; None once shut down. Raises WaitTimeout after `timeout` seconds."""
        taken = self.get_with_priority(timeout)
        return None if taken is None else taken[0]

    def get_with_priority(self, timeout: float | None = None) -> tuple[T, int] | None:
        """Wait for an item and take it; returns it with its priority, or None once shut down.

        Raises WaitTimeout if there is none within `timeout` seconds; None waits for ever.
        """
        with self._lock:
            entry = self._await_locked(timeout)
            if entry is None:
                return None
            self._take_locked(entry)
        self._report()
        return entry.item, entry.priority

    def done(self, item: T) -> None:
        """Say that the work on `item` has ended. Does nothing for an item that is not being worked on."""
        with self._lock:
            if self._working.pop(item, None) is None:
                return
            if self._metrics is not None:
                self._metrics.done_locked(item)
            entry = self._entries.get(item)
            if entry is not None and not entry.waits:
                self._ready.push(entry.slot)
                self._wake_locked()
        self._report()

    def forget(self, item: T) -> None:
        """Count the failures of `item` from zero again. A delay that runs goes on, and `done` is still needed."""
        self._limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """How often `item` was added with a rate limit since it was last forgotten."""
        return self._limiter.num_requeues(item)

    def __len__(self) -> int:
        """How many items are ready, those included that are kept back because they are in work."""
        with self._lock:
            self._add_due_locked()
            self._wake_locked()
            return len(self._entries) - len(self._waiting)

    def __bool__(self) -> bool:
        """True: a queue is there also when it is empty."""
        return True

    def shut_down(self, drain: bool = False) -> None:
        """Drop what is waiting and ready; every `get` returns None from now on. `drain` makes no difference."""
        with self._lock:
            self._shut = True
            self._entries.clear()
            self._waiting.clear()
            self._ready.clear()
            self._young.clear()
            self._aged.clear()
            self._waiters.wake_all()
        if self._metrics is not None:
            self._metrics.close()
            self._metrics.report()

    def shutting_down(self) -> bool:
        """Whether `shut_down` was called."""
        with self._lock:
            return self._shut

    def debug_state(self) -> Mapping[str, Any]:
        """What the queue holds at this moment, for people to look at; ages and times left in seconds."""
        with self._lock:
            self._add_due_locked()
            self._wake_locked()
            now = self._clock.now()
            ready = sorted((e for e in self._entries.values() if not e.waits), key=_rank)
            waiting = sorted((e for e in self._entries.values() if e.waits), key=_rank)
            return {
                "name": self.name,
                "ready": [_described(e, age=now - e.since) for e in ready],
                "waiting": [_described(e, due_in=e.slot[0] - now) for e in waiting],
                "working": list(self._working),
                "shutting_down": self._shut,
            }

    def __repr__(self) -> str:
        # Without the lock, so that a debugger may ask at any time.
        waiting, working = len(self._waiting), len(self._working)
        counts = f"{len(self._entries) - waiting} ready, {waiting} waiting, {working} working"
        return f"<PriorityQueue {self.name!r}: {counts}{', shut down' if self._shut else ''}>"

    # Adding

    def _delay(self, item: T, after: float, rate_limited: bool) -> float:
        if item is None:
            raise ValueError(_NO_NONE)
        if not rate_limited:
            return after
        limit = self._limiter.when(item)
        return min(after, limit) if after > 0.0 else limit

    def _add_chunk_locked(self, chunk: list[tuple[T, float]], priority: int) -> None:
        self._add_due_locked()
        now = self._clock.now()
        for item, delay in chunk:
            if delay > 0.0:
                self._add_locked(item, priority, now + delay, now)
                self._waiters.mind(now + delay)
                if self._metrics is not None:
                    self._metrics.retried_locked()
            else:
                self._add_locked(item, priority, None, now)
        self._wake_locked()

    def _settle_chunk_locked(self, chunk: list[T], quiet: float, longest: float, priority: int) -> None:
        self._add_due_locked()
        now = self._clock.now()
        for item in chunk:
            entry = self._entries.get(item)
            since = now if entry is None or entry.settles_since is None else entry.settles_since
            due = min(now + quiet, since + longest)
            if entry is not None and entry.settles_since is not None:
                self._waiting.discard(entry.slot)
                self._wait_locked(entry, due)  # later than it was, maybe
            self._add_locked(item, priority, due, now)
            entry = self._entries[item]
            if entry.waits and entry.slot[0] == due:
                entry.settles_since = since
            self._waiters.mind(due)
        self._wake_locked()

    def _add_locked(self, item: T, priority: int, due: float | None, now: float) -> None:
        entry = self._entries.get(item)
        if entry is None:
            entry = self._entries[item] = _Entry(item, priority)
            if due is not None:
                self._wait_locked(entry, due)
            else:
                self._make_ready_locked(entry, now)
            return
        if priority > entry.priority:
            self._raise_locked(entry, priority)
        if entry.waits and (due is None or due < entry.slot[0]):
            entry.settles_since = None
            self._waiting.discard(entry.slot)
            if due is not None:
                self._wait_locked(entry, due)
            else:
                self._make_ready_locked(entry, now)

    def _wait_locked(self, entry: _Entry[T], due: float) -> None:
        entry.slot = self._waiting.slot(due, entry)
        self._waiting.push(entry.slot)

    def _make_ready_locked(self, entry: _Entry[T], since: float) -> None:
        """Put `entry`, which is in neither heap, behind those of its priority."""
        entry.waits = False
        entry.settles_since = None
        entry.since = since
        self._place_locked(entry)
        if self._max_wait is not None:
            self._young[entry.item] = entry
            if since + self._max_wait < self._promote_at:
                self._promote_at = since + self._max_wait
        if self._metrics is not None:
            self._metrics.added_locked(entry.item, since, entry.priority)

    def _place_locked(self, entry: _Entry[T]) -> None:
        entry.slot = self._ready.slot(-entry.counts_as, entry)
        if entry.item not in self._working:
            self._ready.push(entry.slot)

    def _raise_locked(self, entry: _Entry[T], priority: int) -> None:
        if not entry.waits and self._metrics is not None:
            self._metrics.moved_locked(entry.priority, priority)
        entry.priority = priority
        self._count_as_locked(entry, priority)

    def _count_as_locked(self, entry: _Entry[T], priority: float) -> None:
        """Order `entry` by `priority` if that is higher, then as the last of it."""
        if priority <= entry.counts_as:
            return
        entry.counts_as = priority
        if not entry.waits:
            if entry.item not in self._working:
                self._ready.discard(entry.slot)
            self._place_locked(entry)

    def _add_due_locked(self) -> None:
        """Make ready what is due, the earliest first; the caller wakes whoever is needed for it."""
        if not self._waiting.slots:
            return
        now = self._clock.now()
        while (due := self._waiting.first_key()) is not None and due <= now:
            self._make_ready_locked(self._waiting.pop(), due)

    # Taking

    def _await_locked(self, timeout: float | None) -> _Entry[T] | None:
        """Wait until an item is ready and take its entry out of the heap; None if shut down."""
        deadline = None if timeout is None else self._clock.now() + timeout
        try:
            while not self._shut:
                self._add_due_locked()
                if self._promote_at < math.inf and self._promote_at <= self._clock.now():
                    self._promote_locked()
                if self._ready.slots:
                    return self._ready.pop()
                if deadline is not None and self._clock.now() >= deadline:
                    raise WaitTimeout(f"no item within {timeout}s in {self.name or 'a work queue'}")
                self._waiters.sleep(deadline, self._waiting.first_key())
            return None
        finally:
            if self._waiters.waiting:
                self._waiters.settle(len(self._ready), self._waiting.first_key())

    def _take_locked(self, entry: _Entry[T]) -> None:
        item = entry.item
        del self._entries[item]
        if self._max_wait is not None and self._young.pop(item, None) is None:
            self._aged.pop(item, None)
        self._working[item] = entry.priority
        if self._metrics is not None:
            self._metrics.taken_locked(item, entry.priority)

    def _promote_locked(self) -> None:
        """Let the longest ready count for more. Contract: PQ-09."""
        if self._max_wait is None:
            return
        now = self._clock.now()
        for entry in _aged(self._aged, now - self._max_wait * _AGED_TWICE):
            self._count_as_locked(entry, math.inf)
        for entry in _aged(self._young, now - self._max_wait):
            self._aged[entry.item] = entry
            self._count_as_locked(entry, 0)
        young = _oldest(self._young) + self._max_wait
        self._promote_at = min(young, _oldest(self._aged) + self._max_wait * _AGED_TWICE)

    def _wake_locked(self) -> None:
        if self._waiters.waiting > self._waiters.woken:
            self._waiters.settle(len(self._ready))

    def _report(self) -> None:
        if self._metrics is not None:
            self._metrics.report()
            self._metrics.keep_updating(self._tick)

    def _tick(self) -> None:
        """Called now and then while there are metrics."""
        if self._metrics is not None:
            with self._lock:
                self._add_due_locked()
                self._wake_locked()
                self._metrics.working_locked()
            self._metrics.report()


def _aged(entries: OrderedDict[T, _Entry[T]], since: float) -> Iterator[_Entry[T]]:
    """Take out some of the entries that have been ready since then, the longest ready first.

    Not more than one hold of the lock should deal with; the next call goes on.
    """
    for _ in range(_CHUNK):
        if _oldest(entries) > since:
            return
        yield entries.popitem(last=False)[1]


def _oldest(entries: OrderedDict[T, _Entry[T]]) -> float:
    """Since when the longest ready has been so; infinity if there is none."""
    return next((entry.since for entry in entries.values()), math.inf)


def _rank(entry: _Entry[Any]) -> Slot:
    return entry.slot


def _described(entry: _Entry[Any], **times: float) -> dict[str, Any]:
    return {"item": entry.item, "priority": entry.priority, **times}
