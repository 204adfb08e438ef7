"""Two locks held as one, for moving from one to the other while both kinds of candidates run. Contract: LE-08."""

from __future__ import annotations

import threading
from dataclasses import replace

from k8srt.errors import AlreadyExists, NotFound
from k8srt.tools.leaderelection.lock import UNKNOWN_LEADER, ResourceLock
from k8srt.tools.leaderelection.record import LeaderElectionRecord


class MultiLock:
    """Held by who holds both `primary` and `secondary`. Candidates that know the primary alone may run beside."""

    def __init__(self, primary: ResourceLock, secondary: ResourceLock) -> None:
        self.primary = primary
        self.secondary = secondary

    @property
    def identity(self) -> str:
        """That of the primary lock."""
        return self.primary.identity

    def get(
        self, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> tuple[LeaderElectionRecord, bytes]:
        """The record of the primary lock; its holder is UNKNOWN_LEADER where the two differ. Raises NotFound.

        A secondary lock that is not there yet does not matter while somebody else holds the primary.
        """
        first, first_raw = self.primary.get(stop=stop, timeout=timeout)
        try:
            second, second_raw = self.secondary.get(stop=stop, timeout=timeout)
        except NotFound:
            if first.holder_identity == self.identity:
                raise
            return first, first_raw
        if first.holder_identity != second.holder_identity:
            first = replace(first, holder_identity=UNKNOWN_LEADER)
            first_raw = first.encode()
        return first, first_raw + b"," + second_raw

    def create(
        self, record: LeaderElectionRecord, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> None:
        """Make both; a primary that is there already is left alone."""
        try:
            self.primary.create(record, stop=stop, timeout=timeout)
        except AlreadyExists:
            pass
        self.secondary.create(record, stop=stop, timeout=timeout)

    def update(
        self, record: LeaderElectionRecord, *, stop: threading.Event | None = None, timeout: float | None = None
    ) -> None:
        """Write the primary, then the secondary, which is made if it is missing."""
        self.primary.update(record, stop=stop, timeout=timeout)
        try:
            self.secondary.get(stop=stop, timeout=timeout)
        except NotFound:
            self.secondary.create(record, stop=stop, timeout=timeout)
        else:
            self.secondary.update(record, stop=stop, timeout=timeout)

    def record_event(self, text: str) -> None:
        """Tell it about both."""
        self.primary.record_event(text)
        self.secondary.record_event(text)

    def describe(self) -> str:
        """That of the primary lock."""
        return self.primary.describe()

    def __repr__(self) -> str:
        return f"<MultiLock of {self.primary!r} and {self.secondary!r}>"
