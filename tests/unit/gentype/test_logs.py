"""Logs: what is asked for, and how lines are made of what comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.gentype import ResourceClient
from k8srt.gentype.logs import MAY_BE_SILENT, LogStream
from tests.unit.rest.fakes import FakeReply, FakeTransport, fake_client


def pods(log: bytes = b"", **config: Any) -> tuple[ResourceClient[Pod], FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=log, headers={"content-type": "text/plain"}), **config)
    return ResourceClient(client, Pod, "d"), transport


def test_cli_08_a_log_is_text() -> None:
    client, transport = pods("grüße\nzwei".encode() + b"\xff\n")

    assert client.logs("x") == "grüße\nzwei�\n"
    assert transport.sent[0]["target"] == "/api/v1/namespaces/d/pods/x/log"


def test_cli_08_every_option_is_sent_and_zero_lines_are_a_number_too() -> None:
    client, transport = pods()

    client.logs(
        "x",
        container="c",
        previous=True,
        timestamps=True,
        tail_lines=0,
        limit_bytes=10,
        since_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        stream="Stderr",
        insecure_skip_tls_verify_backend=True,
    )
    client.logs("x", since_seconds=5, previous=False, tail_lines=None, timeout=9)

    first, second = (one["target"].partition("?")[2] for one in transport.sent)
    assert sorted(first.split("&")) == [
        "container=c",
        "insecureSkipTLSVerifyBackend=true",
        "limitBytes=10",
        "previous=true",
        "sinceTime=2026-01-02T03%3A04%3A05Z",
        "stream=Stderr",
        "tailLines=0",
        "timestamps=true",
    ]
    assert sorted(second.split("&")) == ["sinceSeconds=5", "timeout=9s"]


def test_cli_09_the_request_of_a_log_can_be_had() -> None:
    client, _ = pods(b"\x00raw")

    assert client.get_logs("x", tail_lines=3).do_raw() == b"\x00raw"
    with client.get_logs("x", follow=True).stream() as stream:
        assert stream.read() == b"\x00raw"


def test_cli_09_a_log_that_is_followed_may_be_silent_for_long() -> None:
    client, transport = pods(timeout=30.0)

    assert list(client.logs("x", follow=True)) == []

    (one,) = transport.sent
    assert one["target"] == "/api/v1/namespaces/d/pods/x/log?follow=true"
    assert one["read_timeout"] == MAY_BE_SILENT
    assert one["deadline"] is None


class Pieces:
    """A body that comes in the pieces given."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.closed = False

    def __iter__(self) -> Any:
        while self.pieces and not self.closed:
            yield self.pieces.pop(0)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"a\nb\n",), ["a", "b"]),
        ((b"a", b"b", b"c\nd"), ["abc", "d"]),
        ((b"\n\n",), ["", ""]),
        (("ü\n".encode()[:1], "ü\n".encode()[1:]), ["ü"]),
        ((b"a\r\n",), ["a\r"]),
        ((), []),
    ],
)
def test_cli_09_lines_are_whole_however_they_come(pieces: tuple[bytes, ...], lines: list[str]) -> None:
    raw = Pieces(*pieces)

    assert list(LogStream(raw)) == lines  # type: ignore[arg-type]
    assert raw.closed


def test_cli_09_after_a_close_nothing_more_is_read() -> None:
    raw = Pieces(b"a\nb\n")
    lines = LogStream(raw, 'get pods/log "x"')  # type: ignore[arg-type]

    assert next(lines) == "a"
    lines.close()
    lines.close()

    assert list(lines) == []
    assert raw.closed
    assert repr(lines) == '<LogStream get pods/log "x": closed>'
