"""HTTP/1.1 messages: requests as they are read, answers as they are written. No sockets here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from k8srt.util import http1

REASONS = {
    100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted",
    204: "No Content", 301: "Moved Permanently", 304: "Not Modified", 307: "Temporary Redirect",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 409: "Conflict", 410: "Gone", 411: "Length Required",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Entity",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


class Hangup(ConnectionResetError):
    """The connection is to be cut without an answer, or in the middle of one."""


@dataclass(slots=True)
class Request:
    """One request. Header names are in lower case; a header sent twice has its values joined by commas.

    Values of `Impersonate-` headers, which may hold commas, are joined by line feeds: see `values`.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    http10: bool = False
    user: Any = None  # who asks, once that is known
    certificate: Any = None  # what the connection's client certificate says, as `ssl` tells it, if it has one
    path: str = ""
    query: Mapping[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        raw, _, text = self.target.partition("?")
        self.path = unquote(raw)
        self.query = parse_qs(text, keep_blank_values=True) if text else {}

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def values(self, name: str) -> list[str]:
        """The values of a header that may be sent several times and hold commas."""
        text = self.headers.get(name)
        return [] if text is None else text.split("\n")

    def param(self, name: str) -> str:
        """The first value of a query parameter, or the empty text."""
        values = self.query.get(name)
        return values[0] if values else ""

    def flag(self, name: str) -> bool:
        """A boolean parameter, read as the real server does: only "false" and "0" are false."""
        values = self.query.get(name)
        return values is not None and values[0].lower() not in ("false", "0")

    @property
    def wants_close(self) -> bool:
        connection = self.header("connection").lower()
        return connection == "close" or (self.http10 and connection != "keep-alive")


class Stream(Protocol):
    """A body that comes piece by piece, for whoever serves it: a connection, or a client in the same process."""

    def pieces(self) -> Iterator[bytes]:
        """Block until there is more, and yield it. By one thread."""
        ...

    def close(self) -> None:
        """End it: `pieces` returns at once, also when it is waiting. From any thread."""
        ...


@dataclass(slots=True)
class Response:
    """One answer. With `stream`, the body is what that yields, in chunks."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Stream | None = None

    def head(self, *, close: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, '')}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        if self.stream is not None:
            lines.append("Transfer-Encoding: chunked")
        else:
            lines.append(f"Content-Length: {len(self.body)}")
        if close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def parse_head(head: bytes) -> Request:
    """The request line and the headers, without the empty line that ends them. Raises BadMessage."""
    method, target, version, lines = http1.parse_head(head)
    headers: dict[str, str] = {}
    for name, value in lines:
        if name in headers:
            value = headers[name] + ("\n" if name.startswith("impersonate-") else ", ") + value
        headers[name] = value
    return Request(method, target, headers, http10=version == "HTTP/1.0")
