"""Exceptions that come back from another process."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import Status
from k8srt.controller import RetryAfter, TerminalError
from k8srt.controller.isolation.failures import ProcessDied, RemoteFailure, RemoteTraceback, packed, unpacked
from k8srt.controller.request import is_terminal


class Stubborn(Exception):
    """Cannot be made of its arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def raised(err: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise err from cause
    except BaseException as caught:  # noqa: BLE001 - it is what is to be sent
        return caught


def sent(err: BaseException) -> Exception:
    return unpacked(pickle.loads(pickle.dumps(packed(raised(err, err.__cause__)))))


@pytest.mark.parametrize(
    "err",
    [
        TerminalError("no way"),
        RetryAfter(3.0, "not yet"),
        errors.status_error(Status(code=409, reason="Conflict", message="changed")),
        errors.status_error(Status(code=404, reason="NotFound", message="gone")),
        errors.TransportError("no answer"),
        errors.Stopped("stopped"),
        ProcessDied("it ended", -11),
        ValueError("wrong"),
        RecursionError("too deep"),
    ],
    ids=lambda err: type(err).__name__,
)
def test_thr_06_what_can_be_pickled_keeps_its_type(err: Exception) -> None:
    back = sent(err)

    assert type(back) is type(err)
    assert str(back) == str(err)
    assert isinstance(back.__cause__, RemoteTraceback)
    assert type(err).__name__ in str(back.__cause__)


def test_thr_06_what_belongs_to_an_exception_comes_with_it() -> None:
    conflict: Any = sent(errors.status_error(Status(code=409, reason="Conflict", message="changed")))
    later: Any = sent(RetryAfter(3.0, "not yet"))
    died: Any = sent(ProcessDied("it ended", -11))

    assert conflict.code == 409
    assert later.result.requeue_after == 3.0
    assert died.exit_code == -11


def test_thr_06_what_cannot_be_pickled_comes_as_its_text() -> None:
    back = sent(Stubborn("this", "that"))

    assert type(back) is RemoteFailure
    assert str(back) == "Stubborn: this and that"
    assert "test_failures.py" in str(back.__cause__)


def test_thr_06_what_ends_programs_is_an_ordinary_failure() -> None:
    assert str(sent(SystemExit(3))) == "SystemExit: 3"
    assert type(sent(KeyboardInterrupt())) is RemoteFailure


def test_thr_06_a_failure_that_is_terminal_stays_so() -> None:
    by_cause = ValueError("wrong")
    by_cause.__cause__ = TerminalError("for good")

    back = sent(by_cause)

    assert type(back) is ValueError
    assert is_terminal(back)
    assert not is_terminal(sent(ValueError("wrong")))


def test_thr_06_a_priority_comes_with_the_failure() -> None:
    urgent: Any = Stubborn("this", "that")
    urgent.priority = 7
    plain: Any = ValueError("wrong")
    plain.priority = 8

    assert getattr(sent(urgent), "priority", None) == 7
    assert getattr(sent(plain), "priority", None) == 8
