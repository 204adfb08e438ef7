"""The server without HTTP: a transport that hands requests to a dispatcher, in the thread that makes them.

    Config(host="http://in-process", transport=InProcess(dispatcher.handle))

Everything above the transport is the real client: paths, queries, encoding, retries, errors, watch streams. There is
no socket and no thread. A watch is produced by whoever reads it; closing it, from any thread, wakes that reader.

A request is over when it returns, so `stop` and timeouts are looked at before and after it. An in-process server is
never silent, so the idle timeout of a watch does not apply.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from urllib3 import HTTPHeaderDict

from k8srt.errors import TimeoutExpired, TransportError
from k8srt.testing.apiserver.http import MAX_BODY
from k8srt.testing.apiserver.messages import Request, Response, Stream
from k8srt.transport.connections import Interrupt
from k8srt.transport.failures import transport_error
from k8srt.util.clock import SYSTEM, Clock

Handler = Callable[[Request], Response]


def _nothing() -> None:
    pass


class InProcess:
    """A `Config.transport` that answers with what `handle` returns. Thread-safe as far as that is.

    `settle` is called after each request, in its thread: the place for what a cluster does in the background.
    """

    def __init__(self, handle: Handler, *, clock: Clock = SYSTEM, settle: Callable[[], None] = _nothing) -> None:
        self._handle = handle
        self._now = clock.now
        self._settle = settle

    def __repr__(self) -> str:
        return "<InProcess transport>"

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: Any,
        read_timeout: float | None,
        deadline: float | None,
        what: str,
        interrupt: Interrupt | None,
    ) -> InProcessReply:
        """Answer a request. Raises TransportError when it was interrupted before, TimeoutExpired when it took longer
        than it was given."""
        if interrupt is not None and interrupt.fired:
            raise TransportError(f"{what} {target}: interrupted", url=target)
        lowered = _lowered(headers)
        lowered.pop("accept-encoding", None)
        response = self._handle(Request(method, target, lowered, _bytes(body)))
        self._settle()
        if deadline is not None and self._now() >= deadline and response.stream is None:
            raise TimeoutExpired(f"{what} {target}: timed out", url=target)
        return InProcessReply(response, method, what, target)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """By names in lower case, as `messages.Request` has them."""
    lowered: dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        if name in lowered:
            value = lowered[name] + ("\n" if name.startswith("impersonate-") else ", ") + value
        lowered[name] = value
    return lowered


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else bytes(body.read(MAX_BODY + 1))


class InProcessReply:
    """What the in-process transport returns: to `k8srt.rest` no different from `transport.reply.Reply`."""

    chunked = False
    is_tls = False

    def __init__(self, response: Response, method: str, what: str, url: str) -> None:
        self.status = response.status
        self.what, self.url = what, url
        self.headers: Mapping[str, str] = _headers(response)
        self._stream: Stream | None = response.stream
        self._pieces: Iterator[bytes] = iter(()) if self._stream is None else self._stream.pieces()
        self._rest = b"" if method == "HEAD" else response.body

    def header_values(self, name: str) -> list[str]:
        assert isinstance(self.headers, HTTPHeaderDict)
        return list(self.headers.getlist(name))

    def read(self, deadline: float | None = None) -> bytes:
        """The whole body."""
        rest, self._rest = self._rest, b""
        return rest + b"".join(iter(self._next, b""))

    def read_some(self, size: int) -> bytes:
        """Up to `size` bytes as soon as there are any; b"" at the end. By one thread."""
        data = self._rest or self._next()
        self._rest = data[size:]
        return data[:size]

    def _next(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except OSError as err:
            raise transport_error(err, self.what, self.url) from None

    def buffered(self) -> io.BufferedReader | None:
        return None

    def set_read_timeout(self, seconds: float | None) -> None:
        """Nothing to set: see the module."""

    def shutdown(self) -> None:
        """End the stream: a reader that waits finds it at its end. From any thread."""
        if self._stream is not None:
            self._stream.close()

    def release(self) -> None:
        self.shutdown()

    close = release

    def __repr__(self) -> str:
        return f"<InProcessReply {self.status} of {self.what} {self.url}>"


def _headers(response: Response) -> HTTPHeaderDict:
    headers = HTTPHeaderDict()
    if response.content_type:
        headers.add("Content-Type", response.content_type)
    for name, value in response.headers:
        headers.add(name, value)
    if response.stream is None:
        headers.add("Content-Length", str(len(response.body)))
    return headers
