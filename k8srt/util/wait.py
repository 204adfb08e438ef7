"""Waiting for things, again and again: backoff, polling, periodic work.

All waits end at once when their `stop` is set, and take their time from a clock. Seconds are floats.

| client-go | here |
| --- | --- |
| `wait.Backoff`, `ExponentialBackoff` | `Backoff`, `exponential_backoff` |
| `wait.Backoff.DelayWithReset`, `BackoffManager` | `BackoffManager` |
| `wait.PollUntilContextTimeout` and its many sisters | `poll` |
| `wait.Until`, `NonSlidingUntil`, `JitterUntil` | `every`, or those names |

A wait that ends unsuccessfully raises `WaitTimeout` or `Stopped`; `interrupted` tells these from the errors of
the condition. Contract: MACH-50 to MACH-53, REFL-07.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from k8srt.errors import Stopped, WaitTimeout
from k8srt.util.clock import SYSTEM, Clock

log = logging.getLogger(__name__)

R = TypeVar("R")

TIMED_OUT = "timed out waiting for the condition"


def interrupted(err: BaseException) -> bool:
    """Whether `err` says that a wait was ended by its timeout or its stop, not by the condition."""
    return isinstance(err, (Stopped, WaitTimeout))


def jitter(seconds: float, factor: float, rng: random.Random | None = None) -> float:
    """Return `seconds` made longer by up to `factor` times itself; a `factor` of 0 or less changes nothing."""
    if factor <= 0.0:
        return seconds
    return seconds * (1.0 + factor * (rng.random() if rng is not None else random.random()))


def sleep(seconds: float, stop: threading.Event | None = None, clock: Clock = SYSTEM) -> None:
    """Sleep for `seconds`; raises Stopped at once when `stop` is set."""
    if clock.wait_event(stop if stop is not None else threading.Event(), seconds):
        raise Stopped(f"stopped during a sleep of {seconds:.3g}s")


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How delays grow: `initial` seconds first, each `factor` times the one before, never above `cap`.

    Each is handed out longer by up to `jitter` times itself, also above `cap`. After `steps` delays they grow no
    more; None grows until the cap. For the functions that try something, `steps` is the number of attempts, and
    None stands for no limit. Contract: MACH-50.
    """

    initial: float
    factor: float = 1.0
    jitter: float = 0.0
    cap: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.initial < 0.0 or self.factor < 0.0 or self.jitter < 0.0:
            raise ValueError(f"negative numbers in {self}")

    def delays(self, rng: random.Random | None = None) -> Iterator[float]:
        """Yield the delays, for ever."""
        delay, steps = self.initial, self.steps
        while True:
            yield jitter(delay, self.jitter, rng)
            if steps is not None:
                if steps <= 0:
                    continue
                steps -= 1
            delay, steps = self._grown(delay, steps)

    def _grown(self, delay: float, steps: int | None) -> tuple[float, int | None]:
        if self.factor == 0.0:
            return delay, steps
        delay *= self.factor
        if self.cap is not None and delay > self.cap:
            return self.cap, 0
        return delay, steps


class BackoffManager:
    """One sequence of delays, drawn by several, that starts again after a while.

    When more than `reset_after` seconds have passed since it last started, the next delay is the first again,
    however many were drawn meanwhile. None never starts again by itself. Thread-safe. Contract: REFL-07, REFL-08.
    """

    def __init__(
        self,
        backoff: Backoff,
        reset_after: float | None = None,
        *,
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
    ) -> None:
        self._backoff = backoff
        self._reset_after = reset_after
        self._clock = clock
        self._rng = rng
        self._lock = threading.Lock()  # guards the two below
        self._started = clock.now()
        self._delays = backoff.delays(rng)

    def step(self) -> float:
        """Return the next delay, in seconds."""
        now = self._clock.now()
        with self._lock:
            if self._reset_after is not None and now - self._started > self._reset_after:
                self._start_locked(now)
            return next(self._delays)

    def reset(self) -> None:
        """Start again with the first delay."""
        now = self._clock.now()
        with self._lock:
            self._start_locked(now)

    def _start_locked(self, now: float) -> None:
        self._started = now
        self._delays = self._backoff.delays(self._rng)


def exponential_backoff(
    backoff: Backoff,
    condition: Callable[[], R],
    stop: threading.Event | None = None,
    *,
    clock: Clock = SYSTEM,
    rng: random.Random | None = None,
) -> R:
    """Call `condition` until it returns something true, and return that.

    At most `backoff.steps` attempts are made, with a sleep between two. Raises WaitTimeout after the last, Stopped
    when stopped, and whatever `condition` raises. Contract: MACH-51.
    """
    delays = backoff.delays(rng)
    attempt = 0
    while backoff.steps is None or attempt < backoff.steps:
        if attempt:
            sleep(next(delays), stop, clock)
        attempt += 1
        result = condition()
        if result:
            return result
    raise WaitTimeout(TIMED_OUT)


def poll(
    interval: float,
    condition: Callable[[], R],
    *,
    timeout: float | None = None,
    immediate: bool = True,
    stop: threading.Event | None = None,
    clock: Clock = SYSTEM,
) -> R:
    """Call `condition` every `interval` seconds until it returns something true, and return that.

    The first call is made at once if `immediate`, else after one interval; an interval counts from the start of the
    call. Raises WaitTimeout after `timeout` seconds (None: never), Stopped when stopped, and whatever `condition`
    raises; none of these interrupts a call. Contract: MACH-52.
    """
    start = clock.now()
    end = None if timeout is None else start + timeout
    if immediate and (result := condition()):
        return result
    due = start + interval
    while True:
        sleep(_until(due, end, clock), stop, clock)
        if end is not None and due > end:
            raise WaitTimeout(TIMED_OUT)
        called = clock.now()
        if result := condition():
            return result
        due = called + interval


def _until(due: float, end: float | None, clock: Clock) -> float:
    """Seconds from now until `due` or `end`, whichever is first."""
    return max((due if end is None else min(due, end)) - clock.now(), 0.0)


def every(
    period: float,
    f: Callable[[], object],
    stop: threading.Event,
    *,
    sliding: bool = True,
    jitter_factor: float = 0.0,
    survive_errors: bool = False,
    clock: Clock = SYSTEM,
    rng: random.Random | None = None,
) -> None:
    """Call `f` at once and then every `period` seconds until `stop` is set. Blocks.

    A `sliding` period begins when `f` has returned, otherwise when it was called; then a call that takes longer
    than the period is followed by the next at once. Each period is longer by up to `jitter_factor` times itself.
    An exception of `f` is logged, and raised unless `survive_errors`. Contract: MACH-53.
    """
    while not stop.is_set():
        started = clock.now()
        try:
            f()
        except Exception:
            log.exception("periodic call of %r failed", f)
            if not survive_errors:
                raise
        if sliding:
            started = clock.now()
        due = started + jitter(period, jitter_factor, rng)
        if clock.wait_event(stop, max(due - clock.now(), 0.0)):
            return


def until(f: Callable[[], object], period: float, stop: threading.Event, *, clock: Clock = SYSTEM) -> None:
    """`every` under its upstream name: the period begins after `f`."""
    every(period, f, stop, clock=clock)


def non_sliding_until(f: Callable[[], object], period: float, stop: threading.Event, *, clock: Clock = SYSTEM) -> None:
    """`every` under its upstream name: the period includes `f`."""
    every(period, f, stop, sliding=False, clock=clock)


def jitter_until(
    f: Callable[[], object],
    period: float,
    jitter_factor: float,
    stop: threading.Event,
    *,
    sliding: bool = True,
    clock: Clock = SYSTEM,
    rng: random.Random | None = None,
) -> None:
    """`every` under its upstream name: each period is longer by up to `jitter_factor` times itself."""
    every(period, f, stop, sliding=sliding, jitter_factor=jitter_factor, clock=clock, rng=rng)
