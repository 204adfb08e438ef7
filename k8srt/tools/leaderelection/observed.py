"""What a candidate has seen of a lock, and when by its own clock. Contract: LE-04, LE-16 to LE-18, LE-23.

A lease is valid for its duration after the candidate has seen it *change*. No clock is ever compared with another, so
it does not matter what time other machines think it is, nor that the wall clock jumps.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from k8srt.tools.leaderelection.record import LeaderElectionRecord
from k8srt.util.clock import Clock


class Sight(NamedTuple):
    """A record, and the monotonic second in which it was first seen."""

    record: LeaderElectionRecord
    at: float

    def valid(self, now: float) -> bool:
        """Whether its holder may still count on it; the duration is that in the record."""
        return self.at + self.record.lease_duration_seconds > now


class Observed:
    """The last sight of a lock. One thread writes, any may read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the rest
        self._sight = Sight(LeaderElectionRecord(), 0.0)
        self._raw = b""
        self._closed = False

    def read(self, record: LeaderElectionRecord, raw: bytes) -> None:
        """The lock says this. The same as last time is no news."""
        now = self._clock.now()
        with self._lock:
            if raw != self._raw and not self._closed:
                self._sight, self._raw = Sight(record, now), raw

    def wrote(self, record: LeaderElectionRecord) -> None:
        """The candidate itself has made the lock say this."""
        now = self._clock.now()
        with self._lock:
            if not self._closed:
                self._sight = Sight(record, now)

    def close(self) -> None:
        """Take nothing in any more: what an attempt finds that was left behind is of no matter."""
        with self._lock:
            self._closed = True

    @property
    def sight(self) -> Sight:
        with self._lock:
            return self._sight

    @property
    def holder(self) -> str:
        """Who holds the lock; empty when nobody does, or nothing was seen yet."""
        return self.sight.record.holder_identity
