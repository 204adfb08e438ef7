"""A health check of whether a leader still renews its lease. Contract: LE-27."""

from __future__ import annotations

from typing import Protocol


class Checked(Protocol):
    """What can be asked: a `LeaderElector`."""

    def check(self, tolerance: float) -> None:
        """Raise when the lease was not renewed for longer than its duration and `tolerance` seconds."""


class LeaderHealthzAdaptor:
    """Ok while there is no elector, while it does not lead, and while it renews. Thread-safe.

    It is called without arguments, or with a request, and raises LeaseNotRenewed when unhealthy: `tolerance` seconds
    after the lease has expired.
    """

    name = "leaderElection"

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._elector: Checked | None = None

    def set_leader_election(self, elector: Checked) -> None:
        """Watch over this elector from now on."""
        self._elector = elector

    def check(self, request: object = None) -> None:
        """Raise LeaseNotRenewed when the elector should have lost its lease and has not noticed."""
        elector = self._elector
        if elector is not None:
            elector.check(self._tolerance)

    __call__ = check
