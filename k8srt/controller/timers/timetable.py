"""When a timer runs next for one object.

    first seen ──initial_delay──▶ run ──interval──▶ run …        from its end; if sharp, from its start
    changed ───────idle─────────▶ and not before

A run of a sharp timer that takes longer than its interval leaves out the moments it has missed. Nothing here looks at
a clock: moments are given.

Contract: TMR-01.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Delay = float | Callable[[Any], float]
"""Seconds, or a function of the object that gives them."""

JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often. `interval` is varied by `jitter` either way, a tenth of it; the other delays are not."""

    interval: Delay
    initial_delay: Delay = 0.0
    idle: Delay | None = None
    sharp: bool = False
    jitter: float = JITTER
    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        """Raises ValueError, TypeError for what cannot be."""
        for name in ("interval", "initial_delay", "idle"):
            delay = getattr(self, name)
            if delay is not None and not callable(delay):
                _checked(name, delay)
        if not 0.0 <= self.jitter < 1.0:
            raise ValueError(f"jitter: a part of the interval, from 0 to less than 1, not {self.jitter!r}")

    def vary(self) -> float:
        """A factor for the next interval."""
        return 1.0 + self.jitter * (2.0 * self.random() - 1.0)


def _seconds(name: str, delay: Delay, obj: Any) -> float:
    return _checked(name, delay(obj) if callable(delay) else delay)


def _checked(name: str, seconds: Any) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name}: expected seconds, not {seconds!r}")
    if not 0.0 <= seconds < math.inf or (name == "interval" and not seconds):
        raise ValueError(f"{name}: {'more than 0' if name == 'interval' else '0 or more'} seconds, not {seconds!r}")
    return float(seconds)


class Timetable:
    """See the module: that of one object. Used by one thread at a time."""

    def __init__(self, plan: Plan, obj: Any, essence: object, now: float) -> None:
        """The object is first seen now. Raises ValueError, TypeError for delays that make no sense."""
        self._plan = plan
        self._first = now + _seconds("initial_delay", plan.initial_delay, obj)
        self._essence = essence
        self._changed = now
        self._began = now
        self._counted_from: float | None = None  # None: it has not run yet
        self._factor = plan.vary()
        self._step = 0.0
        self._asked_for: float | None = None

    def look(self, obj: Any, essence: object, now: float) -> float:
        """How many seconds are left, 0 for none. Raises ValueError, TypeError for delays that make no sense."""
        plan = self._plan
        self._step = _seconds("interval", plan.interval, obj) * self._factor
        if essence != self._essence:
            self._essence, self._changed = essence, now
        if self._asked_for is not None:
            due = self._asked_for
        else:
            due = self._first if self._counted_from is None else self._counted_from + self._step
        if plan.idle is not None:
            due = max(due, self._changed + _seconds("idle", plan.idle, obj))
        return max(due - now, 0.0)

    def begin(self, now: float) -> None:
        """It runs. Until `end`, it stays due."""
        self._began = now

    def end(self, now: float) -> None:
        """It has run, or is not to be tried again this time."""
        passed = now - self._began
        on_time = self._plan.sharp and self._step > 0.0
        self._counted_from = self._began + passed // self._step * self._step if on_time else now
        self._factor = self._plan.vary()
        self._asked_for = None

    def ask_for(self, moment: float) -> None:
        """The next run is to be then, whatever the interval."""
        self._asked_for = moment
