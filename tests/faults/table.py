"""The faults, each as a server that has it; what they lead to stands in docs/errors.md."""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.integration.wire import Exchange, event

DOCS = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","namespace":"d","resourceVersion":"7"}}'
PAGE = b"<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
DEEP = b'{"kind":"Pod","apiVersion":"v1","spec":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


class Outcome(NamedTuple):
    """What docs/errors.md says of a fault; empty where it does not apply."""

    request: str
    opening: str
    watch: str


def documented() -> dict[str, Outcome]:
    """The table, by fault."""
    found = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in ("fault", "---"):
            found[cells[0]] = Outcome(*cells[1:])
    return found


Respond = Callable[[Exchange], object]
Watch = Callable[[bytes], Respond]


def say(*pieces: bytes, then: Respond = Exchange.hang_up) -> Respond:
    """A server that says this, byte by byte as it stands here, and then does that."""

    def respond(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.raw(piece)
        then(exchange)

    return respond


def answer(status: int = 200, body: bytes = POD, **headers: str) -> Respond:
    return lambda exchange: exchange.reply(status, body, **headers)


def trickle(exchange: Exchange) -> None:
    """A byte now and then, until the client has enough of it."""
    with contextlib.suppress(OSError):
        while True:
            exchange.raw(b"x")
            time.sleep(0.02)


def sized(body: bytes, *headers: bytes) -> bytes:
    return b"".join([OK, b"Content-Length: %d\r\n" % len(body), *(line + b"\r\n" for line in headers), b"\r\n", body])


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def nothing(exchange: Exchange) -> None:
    """Stay for the next request."""


wait = Exchange.wait_for_hang_up
zipped = gzip.compress(POD)

REQUESTS: dict[str, list[Respond]] = {
    "the connection is closed within the answer": [
        Exchange.hang_up,
        say(OK),
        say(sized(POD)[:-1]),
        say(CHUNKED + chunk(POD)),
        say(OK + b"Content-Length: 999999999999999\r\n\r\n" + POD),  # memory is taken for what comes
    ],
    "the connection is reset": [Exchange.reset, say(sized(POD)[:-1], then=Exchange.reset)],
    "nothing comes": [wait],
    "the head trickles in": [say(b"HTTP/1.1 200 OK\r\nX: ", then=trickle), say(b"HTTP/1.1 1", then=trickle)],
    "the body stalls": [say(sized(POD)[:-1], then=wait), say(CHUNKED + chunk(POD), then=wait), say(CHUNKED, then=wait)],
    "what comes is no HTTP": [
        say(b"garbage\r\n\r\n"),
        say(b"SSH-2.0-OpenSSH_9.6\r\n", then=wait),
        say(b"HTTP/2.0 200 OK\r\n\r\n"),
        say(b"HTTP/1.1 abc OK\r\n\r\n"),
        say(b"\x15\x03\x01\x00\x02\x02\x0a" + b"\n", then=wait),  # an alert of TLS
    ],
    "the head is too long, or makes no sense": [
        say(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", then=wait),
        say(OK + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n", then=wait),
        say(OK + b"Content-Length: many\r\n\r\n" + POD, then=wait),
        say(OK + b"Content-Length: 5, 6\r\n\r\n" + POD, then=wait),
        say(OK + b"Content-Length: 99999999999999999999\r\n\r\n" + POD, then=wait),
        say(OK + b"this is no header\r\n\r\n" + POD, then=wait),
    ],
    "a chunk is malformed": [
        say(CHUNKED + b"zz\r\n", then=wait),
        say(CHUNKED + b"-5\r\n" + POD, then=wait),
        say(CHUNKED + b"fffffffffffffffffffffff\r\n" + POD),
        say(CHUNKED + b"\r\n\r\n", then=wait),
    ],
    "the gzip is cut short or malformed": [
        answer(body=zipped[:-9], Content_Encoding="gzip"),
        answer(body=zipped[:3], Content_Encoding="gzip"),
        answer(body=zipped[:30] + b"?" + zipped[31:], Content_Encoding="gzip"),
        answer(body=b"not packed", Content_Encoding="gzip"),
        answer(body=zipped + b"more", Content_Encoding="gzip"),
    ],
    "the encoding was not asked for": [
        answer(body=b"\x00\x01", Content_Encoding="br"),
        answer(body=POD, Content_Encoding="gzip, br"),
    ],
    "a redirect": [answer(code, b"", Location="http://127.0.0.1:1/elsewhere") for code in (301, 302, 307, 308)],
    "429 without Retry-After": [answer(429, b"slow down", Content_Type="text/plain"), answer(429, b"")],
    "429 with Retry-After, eleven times": [answer(429, b"slow down", Content_Type="text/plain", Retry_After="1")],
    "503 without Retry-After": [
        answer(503, b"{}", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
        answer(503, b"{}", Retry_After="9" * 5000),
        answer(503, b"{}"),
        answer(503, PAGE, Content_Type="text/html"),
    ],
    "503 with Retry-After, eleven times": [answer(503, b"{}", Retry_After="2")],
    "a proxy's page with code 502": [answer(502, PAGE, Content_Type="text/html"), answer(502, PAGE)],
    "a proxy's page with code 504": [answer(504, PAGE, Content_Type="text/html")],
    "a page of HTML with code 200": [answer(200, PAGE, Content_Type="text/html"), answer(200, PAGE)],
    "an object of another kind": [
        answer(body=b'{"kind":"Node","apiVersion":"v1"}'),
        answer(body=b"[]"),
        answer(body=b'"text"'),
        answer(body=b"null"),
    ],
    "malformed JSON": [answer(body=POD[:-1]), answer(body=b"{]"), answer(body=b"\xff\xfe"), answer(body=POD + b"}")],
    "JSON nested without end": [answer(body=DEEP)],
    "an answer without a body": [answer(body=b""), answer(204, b"")],
}
"""Servers that have a fault, as seen by a request that is sent once."""

OPENINGS: dict[str, list[Respond]] = {
    "the connection is closed within the answer": [Exchange.hang_up, say(OK), say(CHUNKED[:-1])],
    "the connection is reset": [Exchange.reset],
    "nothing comes": [wait],
    "the gzip is cut short or malformed": [answer(body=zipped[:-9], Content_Encoding="gzip")],
    **{
        fault: REQUESTS[fault]
        for fault in (
            "the head trickles in",
            "what comes is no HTTP",
            "the head is too long, or makes no sense",
            "the encoding was not asked for",
            "a redirect",
            "429 without Retry-After",
            "429 with Retry-After, eleven times",
            "503 without Retry-After",
            "503 with Retry-After, eleven times",
            "a proxy's page with code 502",
            "a proxy's page with code 504",
        )
    },
}
"""The same as seen by a watch that is opened."""


def after(tail: bytes = b"", rest: bytes = b"", then: Respond = wait) -> Watch:
    """Events, `rest` in the chunk they are in, and `tail` after it."""
    return lambda events: say(CHUNKED + chunk(events + rest) + tail, then=then)


WATCHES: dict[str, list[Watch]] = {
    "the connection is closed within the answer": [
        after(then=Exchange.hang_up),
        after(b"0\r\n", then=Exchange.hang_up),
        after(rest=event("c")[:20], then=Exchange.hang_up),
        after(chunk(event("c"))[:9], then=Exchange.hang_up),
        lambda events: say(OK + b"Content-Length: 100000\r\n\r\n" + events),
    ],
    "the connection is reset": [],  # what was said before may be lost with it: see test_every_byte
    "nothing comes": [after()],
    "the body stalls": [after(rest=event("c")[:20])],
    "a chunk is malformed": [
        after(b"zz\r\n"),
        after(b"x" * 5000),
        lambda events: say(CHUNKED + chunk(events)[:-2] + b"more\r\n", then=wait),
    ],
    "a page of HTML with code 200": [
        lambda events: answer(200, events + PAGE + b"\n", Content_Type="text/html"),
        after(rest=PAGE + b"\n"),
    ],
    "an object of another kind": [
        after(rest=b"[]\n"),
        after(rest=b'{"kind":"Pod"}\n'),
        after(rest=b'{"type":"RENAMED","object":{}}\n'),
    ],
    "malformed JSON": [
        after(rest=b'{"type":"ADDED","object":[}\n'),
        after(rest=b"\xff\xfe\n"),
        after(rest=event("c")[:-9] + b'\n{"type":"ADDED","object":{}}\n'),
    ],
    "JSON nested without end": [after(rest=b'{"type":"ADDED","object":' + DEEP + b"}\n")],
    "an answer without a body": [],  # a watch that brings nothing is no fault
}
"""Watches that bring events before the fault comes."""


S = TypeVar("S")


def cases(table: dict[str, list[S]]) -> list[tuple[str, S]]:
    """Every server of a table, with the name of its fault."""
    return [(fault, server) for fault, servers in table.items() for server in servers]


SILENT = {"nothing comes", "the head trickles in", "the body stalls"}
"""What can only be noticed by waiting."""


def names(table: dict[str, list[S]]) -> list[str]:
    """What to call each of `cases`."""
    return [f"{fault}-{number}" for fault, servers in table.items() for number, _ in enumerate(servers)]


def met_by_watches(fault: str) -> list[Watch]:
    """What a fault may be to somebody who opens a watch and follows it."""
    instead = OPENINGS.get(fault) or ([] if WATCHES.get(fault) else REQUESTS[fault])
    return [*(_whatever_comes(respond) for respond in instead), *WATCHES.get(fault, [])]


def _whatever_comes(respond: Respond) -> Watch:
    return lambda events: respond
