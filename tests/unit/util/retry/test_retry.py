"""Trying again."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from k8srt.errors import AlreadyExists, Conflict, Stopped
from k8srt.testing.clock import FakeClock
from k8srt.util import retry
from k8srt.util.threads import Stop
from k8srt.util.wait import Backoff


class Ticking(FakeClock):
    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        if not event.is_set():
            self.slept.append(timeout or 0.0)
        return event.is_set()


def status(reason: str) -> SimpleNamespace:
    return SimpleNamespace(message="no", reason=reason, code=409, details=None)


def conflict() -> Conflict:
    return Conflict(status("Conflict"))


def failing(times: int, err: Exception):
    calls: list[int] = []

    def fn() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise err
        return f"attempt {len(calls)}"

    return fn, calls


def test_cli_52_the_defaults_are_those_of_upstream() -> None:
    assert Backoff(steps=5, initial=0.01, factor=1.0, jitter=0.1) == retry.DEFAULT_RETRY
    assert Backoff(steps=4, initial=0.01, factor=5.0, jitter=0.1) == retry.DEFAULT_BACKOFF


def test_cli_52_a_conflict_is_tried_again() -> None:
    clock = Ticking()
    fn, _ = failing(4, conflict())

    assert retry.on_conflict(fn, clock=clock) == "attempt 5"
    assert len(clock.slept) == 4
    assert all(0.01 <= delay < 0.011 for delay in clock.slept)


def test_cli_52_the_last_conflict_is_raised() -> None:
    err = conflict()
    fn, calls = failing(9, err)

    with pytest.raises(Conflict) as caught:
        retry.on_conflict(fn, clock=Ticking())

    assert caught.value is err
    assert len(calls) == 5


def test_cli_52_only_a_conflict_returned_unchanged_is_tried_again() -> None:
    wrapped = RuntimeError("could not update")
    wrapped.__cause__ = conflict()
    for err in (wrapped, AlreadyExists(status("AlreadyExists"))):
        fn, calls = failing(1, err)
        with pytest.raises(type(err)):
            retry.on_conflict(fn, clock=Ticking())
        assert len(calls) == 1


def test_cli_52_any_predicate_will_do() -> None:
    clock = Ticking()
    fn, _ = failing(2, OSError("busy"))

    backoff = Backoff(initial=1.0, factor=3.0, steps=4)
    assert retry.on_error(fn, lambda e: isinstance(e, OSError), backoff, clock=clock) == "attempt 3"
    assert clock.slept == [1.0, 3.0]


def test_a_stop_ends_it_and_names_the_failure() -> None:
    stop = Stop()
    stop.set()
    fn, calls = failing(1, conflict())

    with pytest.raises(Stopped) as caught:
        retry.on_conflict(fn, stop=stop, clock=Ticking())

    assert isinstance(caught.value.__cause__, Conflict)
    assert len(calls) == 1
