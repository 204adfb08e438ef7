"""A server that goes away after any byte of its answer: one kind of error, and only what is whole is believed."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import Pod, PodList
from k8srt.errors import K8srtError, TransportError
from k8srt.rest import End, RESTClient
from tests.faults.clients import client
from tests.faults.table import OK, POD, chunk, sized
from tests.integration.wire import Authority, Exchange, WireServer, event, tls_config

pytestmark = pytest.mark.timeout(40)

LIST = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[%b,%b]}' % (POD, POD)
PACKED = gzip.compress(LIST)
CHUNKS = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"

ANSWERS: dict[str, tuple[type, bytes]] = {
    "get": (Pod, sized(POD)),
    "get in chunks": (Pod, OK + CHUNKS + b"\r\n" + chunk(POD[:30]) + chunk(POD[30:]) + END),
    "get, packed": (Pod, sized(gzip.compress(POD), b"Content-Encoding: gzip")),
    "list": (PodList, sized(LIST)),
    "list in packed chunks": (
        PodList,
        OK + CHUNKS + b"Content-Encoding: gzip\r\n\r\n" + chunk(PACKED[:50]) + chunk(PACKED[50:]) + END,
    ),
    "failure": (Pod, sized(b'{"kind":"Status","status":"Failure","code":404}').replace(b"200 OK", b"404 Not Found")),
}


class Cutter:
    """Serves an answer as far as it is told to."""

    def __init__(self) -> None:
        self.answer = b""
        self.go_away: Callable[[Exchange], object] = Exchange.hang_up

    def __call__(self, exchange: Exchange) -> None:
        if self.answer:
            exchange.raw(self.answer)
        self.go_away(exchange)


@pytest.fixture
def cutter() -> Cutter:
    return Cutter()


@pytest.fixture(params=["plain", "tls"])
def rest(request: pytest.FixtureRequest, cutter: Cutter, tmp_path: Path) -> Iterator[RESTClient]:
    """A client of a server that is cut off, in the clear and under TLS."""
    context: ssl.SSLContext | None = None
    more: dict[str, Any] = {}
    if request.param == "tls":
        pytest.importorskip("cryptography", reason="certificates are made with cryptography")
        authority = Authority()
        context = authority.issue("127.0.0.1").server_context(tmp_path)
        more["tls"] = tls_config(authority)
    with WireServer(cutter, context) as server, client(server, **more) as made:
        yield made


def step(rest: RESTClient) -> int:
    """A connection under TLS takes longer to make, so not every byte is tried there."""
    return 7 if rest.url.startswith("https") else 1


@pytest.mark.parametrize("go_away", [Exchange.hang_up, Exchange.reset], ids=["closed", "reset"])
@pytest.mark.parametrize("name", list(ANSWERS))
@pytest.mark.parametrize("timeout", [0.0, 20.0], ids=["", "with a timeout"])
def test_a_request(
    rest: RESTClient, cutter: Cutter, name: str, go_away: Callable[[Exchange], object], timeout: float
) -> None:
    kind, whole = ANSWERS[name]
    cutter.go_away = go_away

    for size in range(0, len(whole), step(rest) + 2 * bool(timeout)):
        cutter.answer = whole[:size]
        request = rest.get().resource("pods").timeout(timeout).max_retries(0)
        with pytest.raises(TransportError):
            request.do().into(kind)


@pytest.mark.parametrize("name", list(ANSWERS))
def test_a_whole_answer_is_a_whole_answer_whatever_comes_after(rest: RESTClient, cutter: Cutter, name: str) -> None:
    kind, cutter.answer = ANSWERS[name]

    for _ in range(3):
        if name == "failure":
            with pytest.raises(K8srtError) as caught:
                rest.get().resource("pods").do().into(kind)
            assert type(caught.value).__name__ == "NotFound"
        else:
            assert isinstance(rest.get().resource("pods").do().into(kind), kind)


@pytest.mark.parametrize(
    "pieces",
    [[b"a", b"b", b"c"], [b"ab", b"c"], [b"abc"], [b"a", b"b c"]],
    ids=["an event a chunk", "two in one", "all in one", "over borders"],
)
def test_a_watch(rest: RESTClient, cutter: Cutter, pieces: list[bytes]) -> None:
    """What came whole is delivered, what did not is not, and nothing is an error."""
    lines = {name: event(name) for name in "abc"}
    whole, ends = OK + CHUNKS + b"\r\n", []
    for piece in pieces:
        first, space, second = piece.partition(b" ")
        if space:  # the second of two events begins in this chunk and ends in the next
            payloads = [lines[first.decode()] + lines[second.decode()][:20], lines[second.decode()][20:]]
        else:
            payloads = [b"".join(lines[name] for name in piece.decode())]
        for payload in payloads:
            start = len(whole) + len(b"%x\r\n" % len(payload))
            ends += [start + at + 1 for at, byte in enumerate(payload) if byte == ord("\n")]
            whole += chunk(payload)
    head = whole.index(b"\r\n\r\n") + 4

    for size in range(0, len(whole), step(rest)):
        cutter.answer = whole[:size]
        stream = rest.get().resource("pods").param("watch", "true").max_retries(0).watch()

        seen = [record.name for _, record in stream]

        assert len(seen) == sum(end <= size for end in ends), cutter.answer
        assert stream.ended is (End.CUT if size >= head else End.FINISHED)


def test_a_watch_that_is_reset(rest: RESTClient, cutter: Cutter) -> None:
    """A reset may take along what came before it; nothing is made up, and nothing is an error."""
    whole = OK + CHUNKS + b"\r\n" + chunk(event("a")) + chunk(event("b"))
    cutter.go_away = Exchange.reset

    for size in range(0, len(whole), step(rest)):
        cutter.answer = whole[:size]
        stream = rest.get().resource("pods").param("watch", "true").max_retries(0).watch()

        assert "".join(record.name for _, record in stream) in ("", "a", "ab")
        assert stream.ended in (End.CUT, End.FINISHED)


def test_a_stream_of_bytes(rest: RESTClient, cutter: Cutter) -> None:
    """A log that is cut is no whole log."""
    whole = OK + CHUNKS + b"\r\n" + chunk(b"one\n") + chunk(b"two\n") + END

    for size in range(0, len(whole), step(rest)):
        cutter.answer = whole[:size]
        with pytest.raises(TransportError), rest.get().resource("pods").max_retries(0).stream() as body:
            assert b"one\ntwo\n".startswith(b"".join(body))
