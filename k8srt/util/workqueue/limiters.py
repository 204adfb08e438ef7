"""Rate limiters for items: how long one waits before it is tried again.

Those that count failures for each item keep the count until `forget`: call it when the item succeeds or is given up.
All are thread-safe. Contract: WQ-27 to WQ-35. After client-go util/workqueue, default_rate_limiters.go.
"""

from __future__ import annotations

import threading
from typing import Generic, Protocol

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.flowcontrol.token_bucket import TokenBucket
from k8srt.util.workqueue.protocols import RateLimiter, T


class _Failures(Generic[T]):
    """How often each item failed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _counts
        self._counts: dict[T, int] = {}

    def count(self, item: T) -> int:
        """Count one more and return how many there were before."""
        with self._lock:
            before = self._counts.get(item, 0)
            self._counts[item] = before + 1
            return before

    def forget(self, item: T) -> None:
        """Count the failures of `item` from zero again."""
        with self._lock:
            self._counts.pop(item, None)

    def num_requeues(self, item: T) -> int:
        """How many failures of `item` were counted since it was last forgotten."""
        with self._lock:
            return self._counts.get(item, 0)


class ItemExponentialFailureRateLimiter(_Failures[T]):
    """`base_delay` after the first failure of an item, twice as long after each further one, up to `max_delay`."""

    def __init__(self, base_delay: float, max_delay: float) -> None:
        super().__init__()
        self._base_delay = base_delay
        self._max_delay = max_delay

    def when(self, item: T) -> float:
        """Count a failure of `item` and return its delay."""
        doublings = min(self.count(item), 1023)  # 2.0 ** 1024 is no float any more
        return min(self._base_delay * 2.0**doublings, self._max_delay)


class ItemFastSlowRateLimiter(_Failures[T]):
    """`fast_delay` for the first `max_fast_attempts` failures of an item, `slow_delay` after that."""

    def __init__(self, fast_delay: float, slow_delay: float, max_fast_attempts: int) -> None:
        super().__init__()
        self._fast_delay = fast_delay
        self._slow_delay = slow_delay
        self._max_fast_attempts = max_fast_attempts

    def when(self, item: T) -> float:
        """Count a failure of `item` and return its delay."""
        return self._fast_delay if self.count(item) < self._max_fast_attempts else self._slow_delay


class Reserving(Protocol):
    """What a `BucketRateLimiter` draws from, such as a `TokenBucket`."""

    def reserve(self) -> float:
        """Take a token, if need be one that is still to come; returns in how many seconds it may be used."""


class BucketRateLimiter(Generic[T]):
    """One bucket for all items: each call takes a token, and debts add up. It counts no failures."""

    def __init__(self, bucket: Reserving) -> None:
        self._bucket = bucket

    def when(self, item: T) -> float:
        """Take a token and return in how many seconds it may be used."""
        return self._bucket.reserve()

    def forget(self, item: T) -> None:
        """Nothing is counted."""

    def num_requeues(self, item: T) -> int:
        """0."""
        return 0


class MaxOfRateLimiter(Generic[T]):
    """The longest delay of several limiters, all of which count every failure."""

    def __init__(self, *limiters: RateLimiter[T]) -> None:
        self._limiters = limiters

    def when(self, item: T) -> float:
        """Ask every limiter and return the longest delay."""
        return max([limiter.when(item) for limiter in self._limiters], default=0.0)

    def forget(self, item: T) -> None:
        """Have every limiter forget `item`."""
        for limiter in self._limiters:
            limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """The highest count of all limiters."""
        return max([limiter.num_requeues(item) for limiter in self._limiters], default=0)


class WithMaxWaitRateLimiter(Generic[T]):
    """Another limiter with its delays cut at `max_delay`."""

    def __init__(self, limiter: RateLimiter[T], max_delay: float) -> None:
        self._limiter = limiter
        self._max_delay = max_delay

    def when(self, item: T) -> float:
        """Count a failure of `item` and return its delay, at most `max_delay`."""
        return min(self._limiter.when(item), self._max_delay)

    def forget(self, item: T) -> None:
        """Have the limiter forget `item`."""
        self._limiter.forget(item)

    def num_requeues(self, item: T) -> int:
        """What the limiter counts."""
        return self._limiter.num_requeues(item)


def default_controller_rate_limiter(clock: Clock = SYSTEM) -> RateLimiter[T]:
    """5 ms to 1000 s for each item, and 10 a second after a burst of 100 for all together. Contract: WQ-33."""
    return MaxOfRateLimiter[T](
        ItemExponentialFailureRateLimiter[T](base_delay=0.005, max_delay=1000.0),
        BucketRateLimiter[T](TokenBucket(qps=10.0, burst=100, clock=clock)),
    )


def default_item_based_rate_limiter() -> RateLimiter[T]:
    """1 ms to 1000 s for each item. Contract: WQ-34."""
    return ItemExponentialFailureRateLimiter[T](base_delay=0.001, max_delay=1000.0)
