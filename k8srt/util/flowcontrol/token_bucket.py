"""The token bucket: a burst at once, then a steady rate.

The bucket holds at most `burst` tokens, starts full and gains `qps` tokens a second. A reservation may take it below
empty: the debt is what later ones wait for. Contract: REST-21, WQ-30.
"""

from __future__ import annotations

import threading

from k8srt.errors import WaitTimeout
from k8srt.util.ambient import stopped
from k8srt.util.clock import SYSTEM, Clock


class TokenBucket:
    """A `RateLimiter` that lets `burst` calls through at once and `qps` a second after that. Thread-safe."""

    def __init__(self, qps: float, burst: int, clock: Clock = SYSTEM) -> None:
        if qps <= 0.0 or burst < 1:
            raise ValueError(f"a token bucket needs qps > 0 and burst >= 1, not {qps} and {burst}")
        self._qps = float(qps)
        self._burst = float(burst)
        self._clock = clock
        self._lock = threading.Lock()  # guards the two below
        self._tokens = float(burst)
        self._filled = clock.now()

    @property
    def qps(self) -> float:
        """Tokens gained per second."""
        return self._qps

    @property
    def burst(self) -> int:
        """Tokens in a full bucket."""
        return int(self._burst)

    def try_accept(self) -> bool:
        """Take a token if there is a whole one; never waits."""
        with self._lock:
            self._fill_locked()
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True

    def reserve(self) -> float:
        """Take a token, if need be one that is still to come; returns in how many seconds it may be used."""
        with self._lock:
            self._fill_locked()
            return self._reserve_locked()

    def wait(self, stop: threading.Event | None = None, deadline: float | None = None) -> float:
        """Wait for a token and return how many seconds that took.

        Raises WaitTimeout at once if the token would come after `deadline` (on this clock), and Stopped when `stop`
        is set, also if it was before; no token is taken then.
        """
        if stop is not None and stop.is_set():
            raise stopped(stop, "before a rate limiter let the call through")
        with self._lock:
            now = self._fill_locked()
            delay = self._reserve_locked()
            if deadline is not None and now + delay > deadline:
                self._tokens += 1.0
                raise WaitTimeout(f"a rate limiter would let the call through {now + delay - deadline:.3g}s too late")
        if delay > 0.0 and self._clock.wait_event(stop or threading.Event(), delay):
            self._give_back()
            raise stopped(stop, "while a rate limiter held the call back")
        return delay

    def _fill_locked(self) -> float:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + max(now - self._filled, 0.0) * self._qps)
        self._filled = now
        return now

    def _reserve_locked(self) -> float:
        self._tokens -= 1.0
        return 0.0 if self._tokens >= 0.0 else -self._tokens / self._qps

    def _give_back(self) -> None:
        with self._lock:
            self._fill_locked()
            self._tokens = min(self._burst, self._tokens + 1.0)

    def __repr__(self) -> str:
        return f"<TokenBucket qps={self._qps:g} burst={self._burst:g}>"
