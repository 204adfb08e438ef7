"""What can be measured at a controller, and who is told.

A controller tells the `ControllerMetrics` it was given, or those set for the whole program with `set_provider`. The
methods are called by workers, outside of every lock, and must not block.

Contract: REC-06, MTR-01, MTR-06.
"""

from __future__ import annotations

from typing import Protocol

from k8srt.util.told import Told


class ControllerMetrics(Protocol):
    """Is told what controllers do. Thread-safe. `controller` is always the name of one."""

    def started(self, controller: str, workers: int) -> None:
        """A controller will run with at most so many workers: from now on all its series are there, at 0."""

    def reconciled(self, controller: str, outcome: str, seconds: float, terminal: bool) -> None:
        """A reconcile ended after `seconds`, as one of `Outcome`; `terminal`: with an error that is not retried."""

    def active(self, controller: str, change: int) -> None:
        """So many more workers (1 or -1) are in a reconcile."""

    def panicked(self, controller: str) -> None:
        """A reconcile ended with what is no ordinary error, and was recovered."""

    def timed_out(self, controller: str) -> None:
        """The deadline of a reconcile passed before it returned."""

    def stuck(self, controller: str, change: int) -> None:
        """So many more reconciles (1 or -1) are far past their deadline."""

    def wedged(self, controller: str, wedged: bool) -> None:
        """Whether nothing has ended for too long although there is work."""

    def reasons(self, controller: str, reasons: tuple[str, ...]) -> None:
        """A reconcile begins for these: names of events, never of objects."""

    def handler_failed(self, kind: str) -> None:
        """A function that says to which requests objects of a kind lead has raised."""


class NoMetrics:
    """Tells nobody."""

    def started(self, controller: str, workers: int) -> None: ...
    def reconciled(self, controller: str, outcome: str, seconds: float, terminal: bool) -> None: ...
    def active(self, controller: str, change: int) -> None: ...
    def panicked(self, controller: str) -> None: ...
    def timed_out(self, controller: str) -> None: ...
    def stuck(self, controller: str, change: int) -> None: ...
    def wedged(self, controller: str, wedged: bool) -> None: ...
    def reasons(self, controller: str, reasons: tuple[str, ...]) -> None: ...
    def handler_failed(self, kind: str) -> None: ...


_told: Told[ControllerMetrics] = Told()
_NOBODY = NoMetrics()


def set_provider(provider: ControllerMetrics | None) -> ControllerMetrics | None:
    """Have controllers that are made from now on tell `provider`, nobody if None; returns the one before."""
    return _told.exchange(provider)


def provider() -> ControllerMetrics:
    """Who is told at present."""
    return _told.provider or _NOBODY
