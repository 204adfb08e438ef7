"""What the queues promise, and what may be put into them.

A function that needs a queue asks for the smallest of these, so that any queue will do.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, TypeVar

T = TypeVar("T", bound=Hashable)
K = TypeVar("K", bound=Hashable, contravariant=True)


class WorkQueue(Protocol[T]):
    """The basic queue: `add`, then `get`, then `done`. Thread-safe. Contract: WQ-01 to WQ-17."""

    def add(self, item: T) -> None:
        """Say that `item` needs work."""

    def get(self) -> T | None:
        """Wait for an item and take it; None once the queue is shut down and drained."""

    def done(self, item: T) -> None:
        """Say that the work on `item`, which `get` returned, has ended."""

    def __len__(self) -> int:
        """How many items are queued, not counting those in work and those delayed."""

    def shut_down(self, drain: bool = False) -> None:
        """Take no more items; with `drain`, wait until none is in work."""

    def shutting_down(self) -> bool:
        """Whether `shut_down` has begun."""


class Delaying(WorkQueue[T], Protocol[T]):
    """A queue that adds items later. Contract: WQ-18 to WQ-26."""

    def add_after(self, item: T, delay: float) -> None:
        """Add `item` in `delay` seconds; at once if that is 0 or less."""


class RateLimiting(Delaying[T], Protocol[T]):
    """A queue that adds items when a rate limiter says so. Contract: WQ-36 to WQ-40."""

    def add_rate_limited(self, item: T) -> None:
        """Count a failure of `item` and add it when its rate limiter lets it."""

    def forget(self, item: T) -> None:
        """Count the failures of `item` from zero again."""

    def num_requeues(self, item: T) -> int:
        """How many failures of `item` were counted since it was last forgotten."""


class RateLimiter(Protocol[K]):
    """Tells how long an item is to wait before it is tried again. Thread-safe. Contract: WQ-27."""

    def when(self, item: K) -> float:
        """Count a failure of `item`; returns in how many seconds it may be added."""

    def forget(self, item: K) -> None:
        """Count the failures of `item` from zero again."""

    def num_requeues(self, item: K) -> int:
        """How many failures of `item` were counted since it was last forgotten."""


class Order(Protocol[T]):
    """The order in which a queue hands out what it holds.

    Always called with the queue's lock held, so it needs none, and must not call the queue. Which items are held is
    the queue's business: an order never gets one twice. Contract: WQ-16.
    """

    def push(self, item: T) -> object:
        """Take `item` in."""

    def pop(self) -> T:
        """Give the next item out; called only when there is one."""

    def touch(self, item: T) -> object:
        """Notice that `item`, which is held, was added again."""

    def __len__(self) -> int:
        """How many items are held."""
