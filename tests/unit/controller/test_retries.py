"""What is known of failures, and what is done about them."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.meta import Status
from k8srt.controller.request import Request, TerminalError
from k8srt.controller.retries import FRESH, Policy, Retries, Verdict
from k8srt.errors import Conflict
from k8srt.testing.clock import FakeClock

WEB = Request("default", "web")


def conflict() -> Conflict:
    return Conflict(Status(status="Failure", code=409, reason="Conflict"))


def book(**policy: object) -> Retries:
    return Retries(Policy(**policy), FakeClock())  # type: ignore[arg-type]


def test_rec_17_what_went_before_is_known_until_a_success() -> None:
    retries = book()
    assert retries.of(WEB) is FRESH
    first = retries.clock.time()

    for _ in range(2):
        error = ValueError("x")
        assert retries.failed(WEB, error).verdict is Verdict.BACKOFF
        retries.clock.advance(1.0)  # type: ignore[attr-defined]

    assert (retries.of(WEB).attempt, retries.of(WEB).first_failure, retries.of(WEB).last_error) == (2, first, error)
    retries.forget(WEB)
    assert retries.of(WEB) is FRESH
    assert len(retries) == 0


def test_rty_02_and_03_so_many_attempts_and_then_one_for_each_event() -> None:
    retries = book(max_attempts=3)
    verdicts = [retries.failed(WEB, ValueError("x")).verdict for _ in range(5)]
    assert verdicts == [Verdict.BACKOFF, Verdict.BACKOFF, Verdict.GIVEN_UP, Verdict.GIVEN_UP, Verdict.GIVEN_UP]

    retries.forget(WEB)
    assert retries.failed(WEB, ValueError("x")).verdict is Verdict.BACKOFF


def test_log_06_that_it_gives_up_is_told_whatever_the_count() -> None:
    retries = book(max_attempts=3)
    assert [retries.failed(WEB, ValueError("x")).counted for _ in range(6)] == [False, True, True, True, False, False]


def test_rty_02_so_long_and_then_no_more() -> None:
    retries = book(give_up_after=60.0)
    assert retries.failed(WEB, ValueError("x")).verdict is Verdict.BACKOFF
    retries.clock.advance(59.0)  # type: ignore[attr-defined]
    assert retries.failed(WEB, ValueError("x")).verdict is Verdict.BACKOFF
    retries.clock.advance(1.0)  # type: ignore[attr-defined]
    assert retries.failed(WEB, ValueError("x")).verdict is Verdict.GIVEN_UP


def test_rty_02_types_of_errors_decide() -> None:
    assert book(terminal_on=LookupError).failed(WEB, KeyError("x")).verdict is Verdict.TERMINAL
    assert book(terminal_on=LookupError).failed(WEB, OSError("x")).verdict is Verdict.BACKOFF
    only = book(retry_on=(OSError,))
    assert only.failed(WEB, KeyError("x")).verdict is Verdict.TERMINAL
    assert only.failed(WEB, TimeoutError("x")).verdict is Verdict.BACKOFF
    assert only.failed(WEB, conflict()).verdict is Verdict.BACKOFF
    assert book().failed(WEB, TerminalError("x")).verdict is Verdict.TERMINAL


def test_rty_04_the_first_conflict_is_nothing_to_speak_of() -> None:
    retries = book()

    first = retries.failed(WEB, conflict())
    second = retries.failed(WEB, conflict())

    assert first.verdict is Verdict.AT_ONCE
    assert not first.post
    assert second.verdict is Verdict.BACKOFF
    assert second.in_full


def test_log_06_the_same_failure_again_is_one_line_at_growing_distances() -> None:
    retries = book()
    failures = [retries.failed(WEB, ValueError("x")) for _ in range(9)]
    assert [failure.in_full for failure in failures] == [True] + [False] * 8
    assert [failure.same for failure in failures if failure.counted] == [2, 4, 8]

    other = retries.failed(WEB, ValueError("y"))
    assert (other.in_full, other.same) == (True, 1)

    every = Retries(Policy(), FakeClock(), log_every_failure=True)
    assert all(every.failed(WEB, ValueError("x")).in_full for _ in range(3))


def test_rty_05_events_come_at_growing_distances_and_recovery_only_after_one() -> None:
    retries = book()
    assert retries.forget(WEB) is False
    assert [retries.failed(WEB, ValueError(str(n))).post for n in range(8)] == [
        *(True, True, False, True, False, False, False, True)
    ]
    assert retries.forget(WEB) is True
    assert retries.forget(WEB) is False


@pytest.mark.parametrize(
    "policy", [{"max_attempts": 0}, {"give_up_after": -1.0}, {"retry_on": (int,)}, {"terminal_on": ValueError("x")}]
)
def test_rty_02_what_makes_no_sense_is_refused(policy: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError), match=next(iter(policy))):
        book(**policy)
