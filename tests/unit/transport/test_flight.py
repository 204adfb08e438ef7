"""Work that is done once for all who wait for it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from k8srt.errors import CredentialsError, TimeoutExpired, TransportError
from k8srt.testing.clock import FakeClock
from k8srt.transport.connections import Interrupt
from k8srt.transport.flight import SingleFlight
from k8srt.util.threads import Stop

LIMIT = 60.0


class Work:
    """Work that ends when a test says so, or when it is stopped."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.kept: str | None = None
        self.results: list[Any] = []
        self.stops: list[Stop] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.flight = SingleFlight("the work", lambda: self.kept, self._fetch, limit=LIMIT, clock=self.clock)

    def _fetch(self, stop: Stop) -> str:
        self.stops.append(stop)
        stop.on_set(self.go.release)
        self.begun.release()
        assert self.go.acquire(timeout=10)
        if stop.is_set():
            raise ValueError("stopped")
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        self.kept = result
        return str(result)

    def has_begun(self) -> None:
        assert self.begun.acquire(timeout=10)


@pytest.fixture
def work() -> Work:
    return Work()


def test_rest_60_all_who_wait_get_the_result_of_one_run(work: Work, pool: Any) -> None:
    work.results = ["a"]

    waiting = [pool.submit(work.flight.get) for _ in range(8)]
    work.clock.wait_for_sleepers(8)
    work.go.release()

    assert [each.result(10) for each in waiting] == ["a"] * 8
    assert len(work.stops) == 1
    assert work.flight.get() == "a"


def test_all_who_wait_get_an_error_of_their_own_and_the_next_one_tries_again(work: Work, pool: Any) -> None:
    cause = ValueError("why")
    failure = CredentialsError("no", exit_code=3)
    failure.__cause__ = cause
    work.results = [failure, "b"]

    waiting = [pool.submit(work.flight.get) for _ in range(3)]
    work.clock.wait_for_sleepers(3)
    work.go.release()
    errors = [each.exception(10) for each in waiting]
    again = pool.submit(work.flight.get)
    work.go.release()

    assert [(type(err), str(err), err.exit_code, err.__cause__) for err in errors] == [
        (CredentialsError, "no", 3, cause)
    ] * 3
    assert len(set(map(id, errors))) == 3
    assert again.result(10) == "b"


def test_the_work_is_ended_when_its_time_is_over(work: Work, pool: Any) -> None:
    waiting = [pool.submit(work.flight.get) for _ in range(2)]
    work.clock.wait_for_sleepers(2)

    work.clock.advance(LIMIT - 1)
    assert not work.stops[0].is_set()
    work.clock.advance(1)

    for each in waiting:
        assert "the work did not end within 60 seconds" in str(each.exception(10))
    assert work.stops[0].is_set()


def test_who_has_a_deadline_leaves_and_the_work_goes_on(work: Work, pool: Any) -> None:
    work.results = ["late"]

    hurried = pool.submit(work.flight.get, work.clock.now() + 2)
    work.clock.wait_for_sleepers(1)
    work.clock.advance(2)

    assert isinstance(hurried.exception(10), TimeoutExpired)
    assert not work.stops[0].is_set()

    patient = pool.submit(work.flight.get)
    work.clock.wait_for_sleepers(1)
    work.go.release()
    assert patient.result(10) == "late"
    assert len(work.stops) == 1


def test_who_is_interrupted_leaves_at_once_and_the_last_one_ends_the_work(work: Work, pool: Any) -> None:
    interrupts = [Interrupt(), Interrupt()]
    waiting = [pool.submit(work.flight.get, None, interrupt) for interrupt in interrupts]
    work.clock.wait_for_sleepers(2)

    interrupts[0].fire()
    assert isinstance(waiting[0].exception(10), TransportError)
    assert not work.stops[0].is_set()

    interrupts[1].fire()
    assert isinstance(waiting[1].exception(10), TransportError)
    assert work.stops[0].is_set()


def test_who_was_interrupted_before_does_not_wait(work: Work) -> None:
    interrupt = Interrupt()
    interrupt.fire()

    with pytest.raises(TransportError, match="interrupted while waiting for credentials: the work"):
        work.flight.get(None, interrupt)

    assert work.stops[0].wait(10)


def test_work_that_was_given_up_is_not_joined(work: Work, pool: Any) -> None:
    """The old run may take its time to end; whoever comes meanwhile has a run of its own."""
    interrupt = Interrupt()
    first = pool.submit(work.flight.get, None, interrupt)
    work.has_begun()
    interrupt.fire()
    assert first.exception(10) is not None

    work.results = ["new"]
    second = pool.submit(work.flight.get)
    work.has_begun()
    work.go.release()

    assert second.result(10) == "new"
    assert len(work.stops) == 2
