"""What goes over a connection: requests, and their answers. No sockets here."""

from __future__ import annotations

import http
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from k8srt.util import http1
from k8srt.util.http1 import BadMessage

MAX_BODY = 7 << 20


class DropConnection(BaseException):
    """Nothing is answered, and the connection is closed. Past `except Exception` on purpose."""


@dataclass(frozen=True)
class HTTPRequest:
    """A request with its body. Header names are in lower case. `body` has at most a byte more than the handler takes.

    `certificate` is what a client showed for itself with mutual TLS, as `ssl.SSLSocket.getpeercert` tells it.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    certificate: Mapping[str, Any] | None = None

    def parameter(self, name: str) -> str:
        """The last value of a query parameter, empty without one."""
        return dict(parse_qsl(self.query)).get(name, "")


@dataclass(frozen=True)
class HTTPResponse:
    """An answer."""

    code: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self, *, close: bool = False) -> bytes:
        """The status line and the headers."""
        phrase = http.HTTPStatus(self.code).phrase if self.code in http.HTTPStatus._value2member_map_ else "Unknown"
        lines = [f"HTTP/1.1 {self.code} {phrase}", f"Content-Length: {len(self.body)}"]
        if self.body:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def text(code: int, message: str) -> HTTPResponse:
    """An answer for people."""
    return HTTPResponse(code, f"{message}\n".encode(), "text/plain; charset=utf-8")


class HTTPHandler(Protocol):
    """What answers the requests of a path. It may say by `max_body` how many bytes it takes; 7 MiB if it does not."""

    def handle(self, request: HTTPRequest) -> HTTPResponse: ...


class FunctionHandler:
    """A function as a handler."""

    def __init__(self, function: Callable[[HTTPRequest], HTTPResponse]) -> None:
        self.handle = function

    def __repr__(self) -> str:
        return f"<handler {getattr(self.handle, '__name__', self.handle)!s}>"


def parse_head(head: bytes) -> HTTPRequest:
    """Read a request line and headers. Raises BadMessage. Of a header that comes twice, the values are joined."""
    method, target, version, lines = http1.parse_head(head)
    if not target.startswith("/"):
        raise BadMessage(400, "malformed request line")
    headers: dict[str, str] = {}
    for name, value in lines:
        headers[name] = value if name not in headers else f"{headers[name]}, {value}"
    if version == "HTTP/1.0":
        headers["connection"] = "close"
    path, _, query = target.partition("?")
    return HTTPRequest(method, path, query, headers)


def length_of(request: HTTPRequest) -> int | None:
    """How long the body is, None if that is not said beforehand because it comes in chunks. Raises BadMessage."""
    return http1.length_of(request.headers.get("transfer-encoding", ""), request.headers.get("content-length", ""))
