"""What is sent again, and when."""

from __future__ import annotations

import pytest

from k8srt.errors import ConnectionRefused, TimeoutExpired, TransportError
from k8srt.rest.retry import Call, HostBackoff, NoBackoff, Retries, backoff_from_environment
from k8srt.testing.clock import FakeClock
from k8srt.transport.failures import transport_error

RESET = transport_error(ConnectionResetError(), "GET", "u")
ASKED = {"retry-after": "3"}


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_rest_22_a_number_in_retry_after_is_obeyed_for_any_verb(status: int) -> None:
    for verb in ("GET", "POST", "DELETE"):
        assert Retries(Call.DO, verb).after_response(status, ASKED) == 3.0


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (503, {}),
        (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        (503, {"retry-after": "-1"}),
        (404, ASKED),
        (409, ASKED),
        (200, ASKED),
    ],
)
def test_rest_22_nothing_else_is_repeated(status: int, headers: dict[str, str]) -> None:
    assert Retries(Call.DO, "GET").after_response(status, headers) is None


def test_rest_22_ten_retries_and_no_more() -> None:
    retries = Retries(Call.DO, "GET")

    assert [retries.after_response(429, ASKED) for _ in range(11)] == [3.0] * 10 + [None]


def test_rest_23_lost_connections() -> None:
    timeout = TimeoutExpired("silent")

    assert Retries(Call.DO, "GET").after_error(RESET) == 1.0
    assert Retries(Call.DO, "POST").after_error(RESET) is None
    assert Retries(Call.DO, "GET").after_error(timeout) is None
    assert Retries(Call.DO, "GET").after_error(ConnectionRefused("x")) is None
    assert Retries(Call.WATCH, "GET").after_error(RESET) == 1.0
    assert Retries(Call.WATCH, "GET").after_error(timeout) == 1.0
    assert Retries(Call.STREAM, "GET").after_error(RESET) is None


def test_rest_16_a_stream_that_is_sent_is_never_sent_twice() -> None:
    assert Retries(Call.DO, "PUT", repeatable_body=False).after_response(429, ASKED) is None


def test_rest_24_a_negative_limit_means_none() -> None:
    assert Retries(Call.DO, "GET", limit=-1).after_response(429, ASKED) is None


def test_rest_25_the_last_error_tells_of_the_one_before() -> None:
    retries = Retries(Call.DO, "GET")
    retries.after_error(RESET)
    last = TransportError("GET u: something else")

    assert retries.final(last) is last
    assert str(last) == f"GET u: something else - error from a previous attempt: {RESET}"


def test_rest_25_the_same_error_twice_is_told_once() -> None:
    retries = Retries(Call.DO, "GET")
    retries.after_error(RESET)

    assert str(retries.final(RESET)) == str(RESET)
    assert "previous" not in str(RESET)


def test_rest_27_backoff_by_host() -> None:
    clock = FakeClock()
    backoff = HostBackoff(1.0, 5.0, clock=clock)

    delays = []
    for _ in range(4):
        backoff.update("a", 503)
        delays.append(backoff.delay("a"))

    assert delays == [1.0, 2.0, 4.0, 5.0]
    assert backoff.delay("b") == 0.0
    clock.advance(2.0)
    assert backoff.delay("a") == 3.0
    backoff.update("a", 404)
    assert backoff.delay("a") == 0.0


def test_rest_27_only_two_integers_in_the_environment_turn_it_on() -> None:
    both = {"KUBE_CLIENT_BACKOFF_BASE": "1", "KUBE_CLIENT_BACKOFF_DURATION": "60"}

    assert isinstance(backoff_from_environment(both), HostBackoff)
    assert isinstance(backoff_from_environment({}), NoBackoff)
    assert isinstance(backoff_from_environment({**both, "KUBE_CLIENT_BACKOFF_BASE": "1s"}), NoBackoff)
