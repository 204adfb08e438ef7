"""Requests and answers as text, places for so many, durations, and figures."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.controller.serving import figures
from k8srt.controller.serving.messages import length_of, parse_head, text
from k8srt.controller.webhook import HTTPRequest, HTTPResponse
from k8srt.controller.webhook.slots import Slots, seconds_of
from k8srt.testing import FakeClock
from k8srt.util.http1 import BadMessage


def test_a_head_is_taken_apart() -> None:
    request = parse_head(b"POST /a/b?timeout=10s&x=1 HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two:  2 ")

    assert (request.method, request.path, request.query) == ("POST", "/a/b", "timeout=10s&x=1")
    assert request.headers == {"host": "h", "x-two": "1, 2"}
    assert (request.parameter("timeout"), request.parameter("none")) == ("10s", "")


def test_http_1_0_ends_the_connection() -> None:
    assert parse_head(b"GET / HTTP/1.0").headers == {"connection": "close"}


@pytest.mark.parametrize(
    "head", [b"", b"GET /", b"GET / HTTP/2", b"GET x HTTP/1.1", b"GET / HTTP/1.1\r\nx", b"GET / HTTP/1.1\r\nx : y"]
)
def test_what_is_no_head_is_refused(head: bytes) -> None:
    with pytest.raises(BadMessage, match="malformed"):
        parse_head(head)


@pytest.mark.parametrize(
    ("headers", "length"), [({}, 0), ({"content-length": "12"}, 12), ({"transfer-encoding": "Chunked"}, None)]
)
def test_lengths(headers: dict[str, str], length: int | None) -> None:
    assert length_of(HTTPRequest("POST", "/", headers=headers)) == length


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "-1"},
        {"content-length": "1, 1"},
        {"content-length": "²"},
        {"transfer-encoding": "gzip"},
        {"transfer-encoding": "chunked", "content-length": "1"},
    ],
)
def test_lengths_that_are_none_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadMessage):
        length_of(HTTPRequest("POST", "/", headers=headers))


def test_answers_have_a_head() -> None:
    assert text(404, "no").head() == (
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    assert HTTPResponse(299).head(close=True) == (
        b"HTTP/1.1 299 Unknown\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("10s", 10.0),
        ("1m30s", 90.0),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("1h", 3600.0),
        ("0s", 0.0),
        ("", None),
        ("10", None),
        ("s", None),
        ("10s!", None),
        ("-1s", None),
    ],
)
def test_whs_09_timeouts_are_read_as_the_api_server_writes_them(given: str, seconds: float | None) -> None:
    assert seconds_of(given) == seconds


def test_whs_09_who_finds_no_place_waits_no_longer_than_it_may(pool: Any) -> None:
    clock = FakeClock()
    slots = Slots(1, clock)
    assert slots.take(0.0)
    assert not slots.take(0.0)
    waiting = pool.submit(slots.take, 5.0)

    clock.wait_for_sleepers(1)
    clock.advance(5.0)

    assert waiting.result(timeout=5.0) is False


def test_whs_09_a_place_that_becomes_free_goes_to_who_waits(pool: Any) -> None:
    clock = FakeClock()
    slots = Slots(1, clock)
    slots.take(0.0)
    waiting = pool.submit(slots.take, 5.0)

    clock.wait_for_sleepers(1)
    slots.give_back()

    assert waiting.result(timeout=5.0) is True


def test_mtr_03_a_provider_hears_of_paths_that_were_served_before_it(caplog: pytest.LogCaptureFixture) -> None:
    class Told(figures.WebhookFigures):
        def __init__(self) -> None:
            self.paths: list[str] = []

        def served(self, path: str) -> None:
            self.paths.append(path)

        def panic(self) -> None:
            raise RuntimeError("broken")

    provider = Told()
    figures.report_path("/before-figures")
    before = figures.set_provider(provider)
    try:
        figures.report_path("/after-figures")
        figures.report_path("/after-figures")
        figures.report("panic")
    finally:
        figures.set_provider(before)

    assert "/before-figures" in provider.paths
    assert provider.paths[-2:] == ["/after-figures", "/after-figures"]
    assert "reporting panic() to" in caplog.text
