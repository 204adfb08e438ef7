"""A clock that stands still until it is turned.

```python
clock = FakeClock()
queue = DelayingQueue[str](clock=clock)
queue.add_after("pod-a", 5.0)
getter = pool.submit(queue.get)
clock.wait_for_sleepers(1)      # the getter has looked at the time and waits
clock.advance(5.0)              # it is due
```

There is no race in it: a thread counts as a sleeper only when an `advance` can no longer escape it, and one that is
due no longer counts from the moment of the `advance` on.
"""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta

from k8srt.util.threads import Gate, linked


class _Sleeper:
    """One thread in `FakeClock.wait`."""

    __slots__ = ("cond", "deadline", "gate")

    def __init__(self, cond: threading.Condition, deadline: float | None) -> None:
        self.cond = cond
        self.deadline = deadline
        self.gate = Gate(cond)

    def due(self, now: float) -> bool:
        return self.deadline is not None and self.deadline <= now


class FakeClock:
    """A `Clock` for tests, turned by hand. Thread-safe.

    Lock order: a sleeper's condition first, then the clock's own; `advance` never holds both.
    """

    def __init__(self, now: float = 1000.0, time: datetime | None = None) -> None:
        self._guard = threading.Condition()  # guards all below; notified when a sleeper comes
        self._now = now
        self._time = time or datetime(2026, 1, 1, tzinfo=UTC)
        self._sleepers: set[_Sleeper] = set()

    def now(self) -> float:
        """Monotonic seconds: what the clock was made with and all it was turned since."""
        with self._guard:
            return self._now

    def time(self) -> datetime:
        """The wall time, in UTC."""
        with self._guard:
            return self._time

    def wait(self, cond: threading.Condition, deadline: float | None) -> None:
        """Wait on the held `cond` until it is notified or the clock was turned to `deadline`."""
        sleeper = _Sleeper(cond, deadline)
        with self._guard:
            if sleeper.due(self._now):
                sleeper.gate.open()
                return
            self._sleepers.add(sleeper)
            self._guard.notify_all()
        try:
            sleeper.gate.wait()  # an advance from here on finds the gate
        finally:
            with self._guard:
                self._sleepers.discard(sleeper)

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set or the clock was turned by `timeout` seconds; returns whether it is set."""
        deadline = None if timeout is None else self.now() + timeout
        cond = threading.Condition()

        def wake() -> None:
            with cond:
                cond.notify_all()

        with linked(event) as stop:
            unsubscribe = stop.on_set(wake)
            try:
                with cond:
                    while not event.is_set() and (deadline is None or self.now() < deadline):
                        self.wait(cond, deadline)
            finally:
                unsubscribe()
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Turn both scales by `seconds` and wake those who are due, and nobody else.

        Does not wait for what they do then.
        """
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds}")
        with self._guard:
            self._now += seconds
            self._time += timedelta(seconds=seconds)
            due = [sleeper for sleeper in self._sleepers if sleeper.due(self._now)]
            self._sleepers.difference_update(due)
        for sleeper in due:
            with sleeper.cond:
                sleeper.gate.open()

    def advance_to_next(self) -> float:
        """Turn the clock to the earliest deadline slept for and return by how many seconds; 0.0 if there is none."""
        with self._guard:
            deadlines = [s.deadline for s in self._sleepers if s.deadline is not None]
            seconds = max(min(deadlines) - self._now, 0.0) if deadlines else 0.0
        self.advance(seconds)
        return seconds

    def set_time(self, when: datetime) -> None:
        """Let the wall time jump to `when`, forwards or backwards; monotonic time and sleepers do not notice."""
        with self._guard:
            self._time = when

    @property
    def sleepers(self) -> int:
        """How many threads sleep until a deadline."""
        with self._guard:
            return self._count_locked(math.inf)

    def wait_for_sleepers(self, n: int, timeout: float = 5.0, *, by: float = math.inf) -> None:
        """Wait, in real time, until at least `n` threads sleep until a deadline that is not after `by`.

        Raises AssertionError if they do not within `timeout` seconds.
        """
        self._wait_for(n, timeout, by)

    def wait_for_waiters(self, n: int, timeout: float = 5.0) -> None:
        """Like `wait_for_sleepers`, counting also those who wait without a deadline."""
        self._wait_for(n, timeout, None)

    def _wait_for(self, n: int, timeout: float, by: float | None) -> None:
        end = time.monotonic() + timeout
        with self._guard:
            while (count := self._count_locked(by)) < n:
                remaining = end - time.monotonic()
                if remaining <= 0.0:
                    raise AssertionError(f"{count} of {n} threads wait after {timeout}s")
                self._guard.wait(remaining)

    def _count_locked(self, by: float | None) -> int:
        """How many sleep until `by` or before; None counts also those without a deadline."""
        if by is None:
            return len(self._sleepers)
        return sum(1 for s in self._sleepers if s.deadline is not None and s.deadline <= by)

    def __repr__(self) -> str:
        return f"<FakeClock {self.now()} {self.time().isoformat()}>"
