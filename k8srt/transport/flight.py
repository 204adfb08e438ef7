"""Work that is done once for all who need its result at the same time.

Many threads find their credentials expired at the same moment; one program is run, or one request made, and all of them
get what it gave. The work runs in a thread of its own, so that whoever waits can leave: at a deadline, when stopped, or
with Ctrl-C. No lock is held while it runs.

Contract: REST-59, REST-60, USR-11, USR-13, USR-39.
"""

from __future__ import annotations

import contextlib
import copy
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from k8srt.errors import CredentialsError, TimeoutExpired, TransportError
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, spawn

if TYPE_CHECKING:
    from k8srt.transport.connections import Interrupt

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Gives a value that is at hand, or else has it fetched: by one thread, for all that wait. Thread-safe.

    `look` returns the value if it can still be used, and is called with and without a lock: it only looks. `fetch` gets
    the value and keeps it where `look` finds it; when its stop is set nobody waits any more, or `limit` seconds are
    over. `what` names the source in errors.
    """

    def __init__(
        self,
        what: str,
        look: Callable[[], T | None],
        fetch: Callable[[Stop], T],
        *,
        limit: float,
        clock: Clock = SYSTEM,
    ) -> None:
        self._what = what
        self._look = look
        self._fetch = fetch
        self._limit = limit
        self._clock = clock
        self._gates: dict[int, _Gate[T]] = {}  # by process: a child has none of the threads of its parent

    def get(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> T:
        """Return the value; wait for it until `deadline` (on the clock), or until `interrupt` is fired.

        Raises what `fetch` raises, CredentialsError after `limit` seconds, TimeoutExpired at the deadline and
        TransportError when interrupted. Who leaves at a deadline leaves the work running: the next one finds its
        result. When the last one that waits is interrupted, it is ended.
        """
        found = self._look()
        if found is not None:
            return found
        gate = self._gates.setdefault(os.getpid(), _Gate())
        with interrupt.heard_by(gate.wake) if interrupt is not None else contextlib.nullcontext():
            return self._get(gate, deadline, interrupt)

    def _get(self, gate: _Gate[T], deadline: float | None, interrupt: Interrupt | None) -> T:
        with gate.cond:
            found = self._look()
            if found is not None:
                return found
            flight = gate.flight
            if flight is None or flight.cancel.is_set():
                flight = gate.flight = _Flight(self._clock.now() + self._limit)
                spawn("credentials", self._run, gate, flight)
            flight.waiting += 1
        try:
            self._wait(gate, flight, deadline, interrupt)
        except TimeoutExpired:
            self._leave(gate, flight)
            raise
        except BaseException:
            if self._leave(gate, flight) == 0:
                flight.cancel.set()
            raise
        self._leave(gate, flight)
        return flight.landed()

    def _wait(self, gate: _Gate[T], flight: _Flight[T], deadline: float | None, interrupt: Interrupt | None) -> None:
        until = flight.due if deadline is None else min(deadline, flight.due)
        with gate.cond:
            while not flight.over:
                if interrupt is not None and interrupt.fired:
                    raise TransportError(f"interrupted while waiting for credentials: {self._what}")
                now = self._clock.now()
                if now >= flight.due:
                    break
                if deadline is not None and now >= deadline:
                    raise TimeoutExpired(f"timed out while waiting for credentials: {self._what}")
                self._clock.wait(gate.cond, until)
            if flight.over and not flight.overdue:
                return
            flight.overdue = True
        flight.cancel.set()
        raise CredentialsError(f"getting credentials: {self._what} did not end within {self._limit:g} seconds")

    def _leave(self, gate: _Gate[T], flight: _Flight[T]) -> int:
        with gate.cond:
            flight.waiting -= 1
            return flight.waiting

    def _run(self, gate: _Gate[T], flight: _Flight[T]) -> None:
        try:
            flight.value = self._fetch(flight.cancel)
        except Exception as err:  # noqa: BLE001 - it is carried to those who wait
            flight.error = err
        finally:
            with gate.cond:
                flight.over = True
                if gate.flight is flight:
                    gate.flight = None
                gate.cond.notify_all()


class _Gate(Generic[T]):
    """Where the threads of one process wait."""

    def __init__(self) -> None:
        self.cond = threading.Condition()  # guards the next, and what is said of it in _Flight
        self.flight: _Flight[T] | None = None

    def wake(self) -> None:
        with self.cond:
            self.cond.notify_all()


class _Flight(Generic[T]):
    """The work while it is done, and what came of it."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.cancel = Stop()
        self.waiting = 0
        self.over = False
        self.overdue = False
        self.value: T | None = None
        self.error: Exception | None = None

    def landed(self) -> T:
        """The value, or the error: a copy for each, as raising adds to it."""
        if self.error is not None:
            raise copy.copy(self.error) from self.error.__cause__
        if self.value is None:
            raise CredentialsError("getting credentials: nothing was given")
        return self.value
