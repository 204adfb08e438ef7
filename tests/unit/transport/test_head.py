"""Heads of answers: whole, in time, and making sense; ends of answers."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from k8srt.transport import head
from k8srt.transport.head import StrictResponse

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5.0)
        yield ours, theirs


class Answer(NamedTuple):
    status: int
    length: int | None
    body: bytes


def begin(ours: socket.socket) -> Answer:
    with contextlib.closing(StrictResponse(ours, method="GET")) as response:
        response.begin()
        return Answer(response.status, response.length, response.read())


@pytest.mark.parametrize(
    "interim",
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 X\r\n\r\n"],
    ids=["none", "continue", "hints"],
)
def test_interim_answers_are_passed_over(pair, interim: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(interim + OK)

    assert begin(ours) == (200, 2, b"{}")
    assert ours.gettimeout() == 5.0


def test_a_change_of_protocol_is_final(pair) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")

    assert begin(ours).status == 101


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_a_head_in_pieces_is_the_same_head(pair, pool, size: int) -> None:
    ours, theirs = pair
    ours.settimeout(30.0)
    running = pool.submit(begin, ours)
    for at in range(0, len(OK), size):
        theirs.sendall(OK[at : at + size])

    assert running.result(timeout=10.0) == (200, 2, b"{}")
    assert ours.gettimeout() == 30.0


def test_a_head_that_trickles_ends_in_time(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the whole does not."""
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    times = iter([0.0, 1.0, 2.0, 4.0, 5.0])

    def now() -> float:
        theirs.sendall(b"y")
        return next(times)

    monkeypatch.setattr(head.time, "monotonic", now)

    with pytest.raises(TimeoutError, match="did not come in time"):
        begin(ours)
    assert ours.gettimeout() == 5.0


def test_without_a_timeout_there_is_none_for_the_head(pair, pool) -> None:
    ours, theirs = pair
    ours.settimeout(None)
    running = pool.submit(begin, ours)
    theirs.sendall(OK[:5])
    theirs.sendall(OK[5:])

    assert running.result(timeout=10.0).status == 200


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Length: -5",
        b"Content-Length: many",
        b"Content-Length: 5, 6",
        b"Content-Length: 99999999999999999999",
        b"no header at all",
    ],
)
def test_a_head_that_makes_no_sense_is_refused(pair, line: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n{}")

    with pytest.raises(http.client.HTTPException):
        begin(ours)


def test_a_length_said_twice_is_that_length(pair) -> None:
    ours, theirs = pair
    theirs.sendall(OK.replace(b": 2", b": 2, 2"))

    assert begin(ours).length == 2


@pytest.mark.parametrize("size", range(len(OK) - 2))
def test_a_head_that_is_cut_is_no_head(pair, size: int) -> None:
    ours, theirs = pair
    theirs.sendall(OK[:size])
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises((http.client.HTTPException, ConnectionError)):
        begin(ours)


@pytest.mark.parametrize("end", [b"", b"0", b"0\r", b"0\r\n", b"0\r\n\r", b"0\r\nX: y", b"0\r\nX: y\r\n"])
def test_chunks_that_are_cut_before_their_end_are_no_whole_answer(pair, end: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + end)
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises(http.client.IncompleteRead):
        begin(ours)


@pytest.mark.parametrize("size", [b"", b"zz", b"-5", b"0x5", b"5_0", b"fffffffff", b";x", b"5" * 70_000])
def test_what_is_no_size_of_a_chunk_is_told(pair, pool, size: bytes) -> None:
    ours, theirs = pair
    running = pool.submit(begin, ours)
    theirs.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n{}\r\n0\r\n\r\n")

    with pytest.raises(http.client.HTTPException, match="the size of a chunk is b'"):
        running.result(timeout=10.0)


@pytest.mark.parametrize("size", [b"2", b"02", b"2;x=y", b" 2 ", b"00000002"])
def test_sizes_of_chunks(pair, size: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n{}\r\n0\r\n\r\n")

    assert begin(ours).body == b"{}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"SSH-2.0-OpenSSH_9.6", "the answer begins with 'SSH-2.0-OpenSSH_9.6'"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", r"\(it speaks TLS: is its address https://\?\)"),
        (b"x" * 1000, "the answer begins with 'x{60}'$"),
    ],
)
def test_what_is_no_http_is_told(pair, line: bytes, told: str) -> None:
    ours, theirs = pair
    theirs.sendall(line + b"\n")

    with pytest.raises(http.client.HTTPException, match=told):
        begin(ours)


@pytest.mark.parametrize("trailer", [b"", b"X: y\r\n", b"X: y\r\nZ: z\r\n"])
def test_trailers_mean_nothing(pair, trailer: bytes) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + trailer + b"\r\n")

    assert begin(ours).body == b"{}"


@pytest.mark.parametrize("line", [b"X: " + b"y" * 70_000, b"\r\n".join(b"X-%d: y" % n for n in range(200))])
def test_a_head_without_end_is_refused(pair, pool, line: bytes) -> None:
    ours, theirs = pair
    running = pool.submit(begin, ours)
    theirs.settimeout(10.0)
    theirs.sendall(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n")

    with pytest.raises(http.client.HTTPException):
        running.result(timeout=10.0)


def told(make: type[http.client.HTTPResponse], ours: socket.socket) -> dict[str, object]:
    """All that a response says of itself once its head was read."""
    with contextlib.closing(make(ours, method="GET")) as response:
        response.begin()
        names = ("status", "reason", "version", "chunked", "length", "will_close")
        return {**{name: getattr(response, name) for name in names}, "headers": response.headers.items()}


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n",
        b'HTTP/1.1 404 Not Found\r\nContent-Type:application/json\r\nWarning: a\r\nWarning: 299 - "b: c" \r\n\r\n',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nEmpty:\r\nX-Y_z.1~!#: \tv\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nFolded: a\r\n b\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nUmlaut: \xe4\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_an_ordinary_head_is_read_as_http_client_reads_it(text: bytes) -> None:
    def read_by(make: type[http.client.HTTPResponse]) -> dict[str, object]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(5.0)
            theirs.sendall(text + b"{}")
            return told(make, ours)

    assert read_by(StrictResponse) == read_by(http.client.HTTPResponse)
