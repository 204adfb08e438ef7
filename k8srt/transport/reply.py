"""One answer of the server: status, headers, and a body that is read whole or as it comes.

A reply must end in one of three ways, after which its connection is free or gone: `read()` to the end, `release()`
(the body was consumed), or `close()`. Reading belongs to one thread; `shutdown()` may come from any other and wakes
it at once, over plain sockets and TLS alike.
"""

from __future__ import annotations

import contextlib
import io
import socket
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8srt.errors import TimeoutExpired, TransportError
from k8srt.transport.connections import shut_down
from k8srt.transport.failures import CAUGHT, transport_error

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

_PIECE = 1 << 20
_BIG = 64 << 20

_CAUGHT_READING = (*CAUGHT, ValueError, OverflowError, MemoryError)
"""Also what comes of reading a file that another thread closed, or more than there is memory for."""


def content_encoding(headers: Mapping[str, str]) -> str:
    """How a body is compressed; "" if it is not."""
    said = headers.get("content-encoding", "").strip().lower()
    return "" if said == "identity" else said


def unasked_encoding(encoding: str, what: str, url: str) -> TransportError:
    """The error for a body that is compressed in a way, or at a place, that was not asked for."""
    return TransportError(f"{what} {url}: the answer is encoded as {encoding[:40]!r}, which was not asked for", url=url)


class Reply:
    """An HTTP response whose headers have arrived."""

    def __init__(self, response: HTTPResponse, what: str, url: str, now: Callable[[], float]) -> None:
        self._response = response
        self._socket: socket.socket | None = getattr(response.connection, "live_socket", None)
        self._now = now
        self.what = what
        self.url = url
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers

    def header_values(self, name: str) -> list[str]:
        """Every value of a header that may come several times."""
        return list(self._response.headers.getlist(name))

    def read(self, deadline: float | None = None) -> bytes:
        """Return the whole body, decompressed, and free the connection.

        `deadline` is a moment on the clock of the transport. Raises TransportError; then the connection is closed.
        """
        try:
            data = self._read_all() if deadline is None else self._read_until(deadline)
        except _CAUGHT_READING as err:
            self.close()
            if isinstance(err, TransportError):
                raise
            raise transport_error(err, self.what, self.url) from err
        except BaseException:  # Ctrl-C in the middle: what is left of the answer must not meet the next request
            self.close()
            raise
        self._response.release_conn()
        encoding = content_encoding(self.headers)
        if encoding in ("gzip", "x-gzip"):
            return self._gunzip(data)
        if encoding and data:
            raise unasked_encoding(encoding, self.what, self.url)
        return data

    def _read_all(self) -> bytes:
        if (self._response.length_remaining or 0) <= _BIG:
            return self._response.read(decode_content=False)
        # Memory is taken for what has come, not for what is promised.
        pieces = iter(lambda: self._response.read1(_PIECE, decode_content=False), b"")
        return b"".join(pieces)

    def _read_until(self, deadline: float) -> bytes:
        pieces: list[bytes] = []
        while True:
            remaining = deadline - self._now()
            if remaining <= 0:
                raise TimeoutExpired(f"{self.what} {self.url}: timed out reading the answer", url=self.url)
            self.set_read_timeout(remaining)
            piece = self._response.read1(_PIECE, decode_content=False)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)

    def _gunzip(self, data: bytes) -> bytes:
        members = []
        while data:  # several of them in a row are one stream
            unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                members.append(unpacker.decompress(data))
            except zlib.error as err:
                text = f"{self.what} {self.url}: malformed gzip in the answer: {err}"
                raise TransportError(text, url=self.url) from err
            if not unpacker.eof:
                text = f"{self.what} {self.url}: the gzip stream of the answer is cut short"
                raise TransportError(text, url=self.url)
            data = unpacker.unused_data
        return members[0] if len(members) == 1 else b"".join(members)

    def read_some(self, size: int) -> bytes:
        """Return up to `size` bytes of the body as soon as there are any; b"" at its end. Raises TransportError."""
        try:
            return self._response.read1(size, decode_content=False)
        except _CAUGHT_READING as err:
            raise transport_error(err, self.what, self.url) from err

    @property
    def chunked(self) -> bool:
        return "chunked" in self._response.headers.get("transfer-encoding", "").lower()

    def buffered(self) -> io.BufferedReader | None:
        """The buffered socket beneath the body, framing included; None when the body is over already.

        For streams: `read1(n)` returns as soon as anything is there and takes all of it in one system call, where
        http.client goes through four calls for each chunk. Whoever uses it reads nothing by other means.
        """
        original: Any = self._response._original_response  # the only way down; there in every urllib3
        return None if original is None else original.fp

    @property
    def is_tls(self) -> bool:
        """Whether the bytes come in TLS records, of which a read gets one."""
        return hasattr(self._socket, "pending")

    def set_read_timeout(self, seconds: float | None) -> None:
        """How long one read may wait for data; None waits for ever, 0 not at all."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the socket is closed: the read will tell
                self._socket.settimeout(seconds)

    def release(self) -> None:
        """Give the connection back for other requests; the body was consumed to its end."""
        original: Any = self._response._original_response
        if original is not None:
            original.close()
        self._response.release_conn()

    def shutdown(self) -> None:
        """Wake a thread that is blocked in a read of this reply: it finds the stream at its end. From any thread."""
        if self._socket is not None:
            shut_down(self._socket)

    def close(self) -> None:
        """Close the connection. Only by the thread that reads; twice is fine."""
        self._response.close()
        self._response.release_conn()  # into the pool, closed: its next use connects anew
