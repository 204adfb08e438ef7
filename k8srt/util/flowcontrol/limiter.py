"""What a client asks before it sends: the protocol, and the two limiters that always say the same."""

from __future__ import annotations

import threading
from typing import Protocol

from k8srt.errors import WaitTimeout


class RateLimiter(Protocol):
    """Lets calls through at some rate. Implementations are thread-safe."""

    @property
    def qps(self) -> float:
        """Calls let through per second in the long run."""

    def try_accept(self) -> bool:
        """Take a token if there is one; never waits."""

    def wait(self, stop: threading.Event | None = None, deadline: float | None = None) -> float:
        """Wait for a token and return how many seconds that took.

        Raises WaitTimeout at once if the token would come after `deadline` (on the limiter's clock), and Stopped
        when `stop` is set; no token is taken then.
        """


class Unlimited:
    """Lets everything through."""

    qps = float("inf")

    def try_accept(self) -> bool:
        """True."""
        return True

    def wait(self, stop: threading.Event | None = None, deadline: float | None = None) -> float:
        """Return at once."""
        return 0.0


class NeverAccept:
    """Lets nothing through: for tests."""

    qps = 0.0

    def try_accept(self) -> bool:
        """False."""
        return False

    def wait(self, stop: threading.Event | None = None, deadline: float | None = None) -> float:
        """Raise WaitTimeout."""
        raise WaitTimeout("this rate limiter lets nothing through")
