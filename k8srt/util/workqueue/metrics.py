"""What can be measured at a queue, and who is told.

A queue with a name reports to a `MetricsProvider`: the one it was given, or the one set for the whole program with
`set_provider`, which counts for queues made after that. Without a name or a provider nothing is measured.

Measurements are noted while the queue's lock is held and reported when it is not, so that instruments may block and
call the queue. Contract: WQ-41 to WQ-47.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol
from weakref import WeakMethod

from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn
from k8srt.util.told import Told
from k8srt.util.workqueue.protocols import T

log = logging.getLogger(__name__)

DEPTH = "workqueue_depth"
ADDS = "workqueue_adds_total"
QUEUE_DURATION = "workqueue_queue_duration_seconds"
WORK_DURATION = "workqueue_work_duration_seconds"
UNFINISHED_WORK = "workqueue_unfinished_work_seconds"
LONGEST_RUNNING = "workqueue_longest_running_processor_seconds"
RETRIES = "workqueue_retries_total"

UPDATE_PERIOD = 0.5
"""Seconds between two looks at the work that is going on. Contract: WQ-44."""


class Gauge(Protocol):
    """A number that goes up and down."""

    def inc(self) -> None: ...
    def dec(self) -> None: ...


class PriorityGauge(Protocol):
    """One such number for each priority, given as the text of a label."""

    def inc(self, priority: str) -> None: ...
    def dec(self, priority: str) -> None: ...


class SettableGauge(Protocol):
    """A number that is set."""

    def set(self, value: float) -> None: ...


class Counter(Protocol):
    """A number that goes up."""

    def inc(self) -> None: ...


class Histogram(Protocol):
    """A distribution, here always of seconds."""

    def observe(self, value: float) -> None: ...


class MetricsProvider(Protocol):
    """Makes the instruments of the queue `name`. The conventional name of each is a constant of this module."""

    def depth(self, name: str) -> Gauge:
        """`DEPTH`: items queued."""

    def adds(self, name: str) -> Counter:
        """`ADDS`: items added, not counting those that were queued already."""

    def queue_duration(self, name: str) -> Histogram:
        """`QUEUE_DURATION`: from the add to the get."""

    def work_duration(self, name: str) -> Histogram:
        """`WORK_DURATION`: from the get to the done."""

    def unfinished_work(self, name: str) -> SettableGauge:
        """`UNFINISHED_WORK`: the ages of all work going on, summed up."""

    def longest_running(self, name: str) -> SettableGauge:
        """`LONGEST_RUNNING`: the age of the oldest work going on."""

    def retries(self, name: str) -> Counter:
        """`RETRIES`: items to be added later."""


class PriorityMetricsProvider(MetricsProvider, Protocol):
    """One that can also tell priorities apart."""

    def priority_depth(self, name: str) -> PriorityGauge:
        """`DEPTH`, for a queue with priorities."""


_told: Told[MetricsProvider] = Told()


def set_provider(provider: MetricsProvider) -> bool:
    """Have all queues made from now on report to `provider`, unless they are given another.

    Only the first call counts; returns whether this was it.
    """
    return _told.set_once(provider)


def choose_provider(name: str | None, provider: MetricsProvider | None) -> MetricsProvider | None:
    """Return whom a queue of that name, made with that provider, reports to."""
    if not name:
        return None
    return provider if provider is not None else _told.provider


class QueueMetrics(Generic[T]):
    """The measurements of one queue.

    Methods ending in `_locked` are called with the queue's lock held and only note what is to be reported; `report`
    tells the instruments, without the lock.
    """

    def __init__(self, name: str, provider: MetricsProvider, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._notes: deque[Callable[[], None]] = deque()
        self._added: dict[T, float] = {}
        self._started: dict[T, float] = {}
        self._depth = self._depth_gauge(provider)
        self._adds = provider.adds(name)
        self._queue_duration = provider.queue_duration(name)
        self._work_duration = provider.work_duration(name)
        self._unfinished_work = provider.unfinished_work(name)
        self._longest_running = provider.longest_running(name)
        self._retries = provider.retries(name)
        self._updater = _Updater(f"workqueue-{name}", clock)

    def _depth_gauge(self, provider: MetricsProvider) -> PriorityGauge:
        return _WithoutPriority(provider.depth(self.name))

    def added_locked(self, item: T, when: float | None = None, priority: int = 0) -> None:
        """`item` was added; `when`, if that was not now."""
        self._added.setdefault(item, self._clock.now() if when is None else when)
        self._notes.append(partial(self._depth.inc, self._label(priority)))
        self._notes.append(self._adds.inc)

    def moved_locked(self, old: int, new: int) -> None:
        """A queued item got another priority."""
        self._notes.append(partial(self._depth.dec, self._label(old)))
        self._notes.append(partial(self._depth.inc, self._label(new)))

    def taken_locked(self, item: T, priority: int = 0) -> None:
        """`item` was handed out."""
        now = self._clock.now()
        self._started[item] = now
        self._notes.append(partial(self._depth.dec, self._label(priority)))
        self._notes.append(partial(self._queue_duration.observe, now - self._added.pop(item, now)))

    def done_locked(self, item: T) -> None:
        """The work on `item` has ended."""
        now = self._clock.now()
        self._notes.append(partial(self._work_duration.observe, now - self._started.pop(item, now)))

    def retried_locked(self) -> None:
        """An item is to be added later."""
        self._notes.append(self._retries.inc)

    def working_locked(self) -> None:
        """Note how old the work going on is."""
        now = self._clock.now()
        ages = [now - started for started in self._started.values()]
        self._notes.append(partial(self._unfinished_work.set, sum(ages)))
        self._notes.append(partial(self._longest_running.set, max(ages, default=0.0)))

    def report(self) -> None:
        """Tell the instruments what was noted. An instrument that fails is logged: work goes before figures."""
        while self._notes:
            try:
                note = self._notes.popleft()
            except IndexError:
                return
            try:
                note()
            except Exception:
                log.exception("a metric of workqueue %s failed", self.name)

    def keep_updating(self, tick: Callable[[], None]) -> None:
        """Have the method `tick` called every UPDATE_PERIOD until `close`, or until its queue is collected."""
        self._updater.start(tick)

    def close(self) -> None:
        """Stop the updates; returns when no more will come. Contract: WQ-17."""
        self._updater.close()

    def _label(self, priority: int) -> str:
        return ""


class PriorityQueueMetrics(QueueMetrics[T]):
    """The measurements of a queue with priorities: its depth is told for each. Contract: WQ-59, PQ-08."""

    MOST = 25
    OTHERS = "exceeded_cardinality_limit"

    def __init__(self, name: str, provider: MetricsProvider, clock: Clock) -> None:
        self._labels: dict[int, str] = {}
        super().__init__(name, provider, clock)

    def _depth_gauge(self, provider: MetricsProvider) -> PriorityGauge:
        make = getattr(provider, "priority_depth", None)
        gauge: PriorityGauge = make(self.name) if make is not None else super()._depth_gauge(provider)
        return gauge

    def _label(self, priority: int) -> str:
        if priority not in self._labels and len(self._labels) < self.MOST:
            self._labels[priority] = str(priority)
        return self._labels.get(priority, self.OTHERS)


class _WithoutPriority:
    """A plain gauge where one with priorities is asked for."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge

    def inc(self, priority: str) -> None:
        self._gauge.inc()

    def dec(self, priority: str) -> None:
        self._gauge.dec()


class _Updater:
    """The thread behind the two gauges that change by themselves. Started when a queue gets its first item."""

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._stop = Stop()
        self._lock = threading.Lock()  # guards _thread
        self._thread: threading.Thread | None = None

    def start(self, tick: Callable[[], None]) -> None:
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = spawn(self._what, _update, WeakMethod(tick), self._stop, self._clock)

    def close(self) -> None:
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()


def _update(tick: WeakMethod[Callable[[], None]], stop: Stop, clock: Clock) -> None:
    while not clock.wait_event(stop, UPDATE_PERIOD):
        method = tick()
        if method is None:
            return
        method()
        del method
