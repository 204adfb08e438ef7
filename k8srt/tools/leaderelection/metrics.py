"""What can be measured at electors, and who is told. Contract: LE-28.

    class Told(LeaderMetricsProvider):
        def on(self, name): GAUGE.labels(name).set(1)
        ...

    set_provider(Told())

The provider is set once for the whole program and counts for electors made after that. A method that fails is logged:
the election goes before its figures. The conventional names of the figures are the constants.
"""

from __future__ import annotations

from typing import Protocol

from k8srt.util.told import Told, report

MASTER_STATUS = "leader_election_master_status"
SLOWPATH_TOTAL = "leader_election_slowpath_total"


class LeaderMetricsProvider(Protocol):
    """Keeps the figures of electors, by their names. Called by their threads."""

    def on(self, name: str) -> None:
        """`MASTER_STATUS` is 1: it leads."""

    def off(self, name: str) -> None:
        """`MASTER_STATUS` is 0: it does not lead. Said first when an elector is made."""

    def slowpath_exercised(self, name: str) -> None:
        """`SLOWPATH_TOTAL` goes up: a renewal had to read the lock first."""


_told: Told[LeaderMetricsProvider] = Told()


def set_provider(provider: LeaderMetricsProvider) -> bool:
    """Have electors made from now on report to `provider`. Only the first call counts; returns whether this was it."""
    return _told.set_once(provider)


class Figures:
    """What one elector reports."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._provider = _told.provider
        self.off()

    def on(self) -> None:
        self._report("on")

    def off(self) -> None:
        self._report("off")

    def slowpath_exercised(self) -> None:
        self._report("slowpath_exercised")

    def _report(self, method: str) -> None:
        report(self._provider, method, self._name)
