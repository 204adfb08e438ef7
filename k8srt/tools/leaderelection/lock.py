"""What an elector needs of a lock. `LeaseLock` is the one there is; `MultiLock` joins two. Contract: LE-03, LE-05."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from k8srt.tools.leaderelection.record import LeaderElectionRecord

UNKNOWN_LEADER = "leaderelection.k8s.io/unknown"
"""The holder of two locks that are held by different candidates. Contract: LE-08."""


class ResourceLock(Protocol):
    """A record that candidates read and write, each write only on top of what was read before.

    Every call takes `stop`, which ends it at once, and `timeout`, in seconds; it raises K8srtError. Used by one thread
    at a time, apart from `identity`, `describe` and `record_event`.
    """

    @property
    def identity(self) -> str:
        """Who this candidate is: different for each."""

    def get(
        self, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> tuple[LeaderElectionRecord, bytes]:
        """The record, and bytes that differ whenever it does. Raises NotFound."""

    def create(
        self, record: LeaderElectionRecord, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> None:
        """Make the lock with this record. Raises AlreadyExists."""

    def update(
        self, record: LeaderElectionRecord, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> None:
        """Replace the record. Raises Conflict when somebody else wrote since it was read, NotStarted before that."""

    def record_event(self, text: str) -> None:
        """Tell those who watch events that this candidate `text`: "became leader". Never raises."""

    def describe(self) -> str:
        """The lock, for messages."""


class EventRecorder(Protocol):
    """Who writes events."""

    def event(self, obj: Any, event_type: str, reason: str, message: str, /) -> object:
        """Write an event about `obj`."""
