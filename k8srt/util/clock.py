"""Time, passed in: the one module of the library that asks the system what time it is.

A `Clock` tells monotonic seconds (for delays and deadlines), wall time (for what is written into objects), and
waits. Whatever looks at time takes a clock, so that a test can turn it with `k8srt.testing.clock.FakeClock`.

Waits go until a *deadline* on the monotonic scale and not for a timeout: time that passes between looking and
waiting is then never lost.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the library needs to know of time. Implementations are thread-safe."""

    def now(self) -> float:
        """Monotonic seconds since some fixed moment; only differences mean anything."""

    def time(self) -> datetime:
        """The wall time: aware, in UTC, and liable to jump."""

    def wait(self, cond: threading.Condition, deadline: float | None) -> None:
        """Wait on `cond`, which the caller holds, until it is notified or `now() >= deadline`.

        Returns at once when the deadline has passed; None waits for the notification alone. May return for no
        reason, so callers look again in a loop.
        """

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set, at most `timeout` seconds; returns whether it is set. None waits for ever."""


class RealClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def time(self) -> datetime:
        """The wall time, in UTC."""
        return datetime.now(UTC)

    def wait(self, cond: threading.Condition, deadline: float | None) -> None:
        """Wait on the held `cond` until it is notified or the deadline has come."""
        if deadline is None:
            cond.wait()
            return
        remaining = deadline - time.monotonic()
        if remaining > 0.0:
            cond.wait(min(remaining, threading.TIMEOUT_MAX))

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait until `event` is set, at most `timeout` seconds."""
        if timeout is None:
            return event.wait()
        return event.wait(min(max(timeout, 0.0), threading.TIMEOUT_MAX))


SYSTEM: Clock = RealClock()
"""The clock used where none is given."""
