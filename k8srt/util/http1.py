"""HTTP/1.1 requests as a server reads them: heads, bodies with a length, bodies in chunks.

A client may send more than is taken: of a longer body a byte over the limit is kept, so that it shows, and the rest is
read and thrown away, so that the answer arrives.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

DRAIN = 64 << 20  # how much of a body that is too long is read and thrown away
MAX_LINE = 1024
_CHUNK = 1 << 18


class BadMessage(Exception):
    """A request that cannot be read, and the HTTP status that says so."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Head(NamedTuple):
    """A request line and what follows it. Names of headers are in lower case, in the order in which they came."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]


def parse_head(head: bytes) -> Head:
    """Read what stands before the empty line. Raises BadMessage."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadMessage(400, "malformed request line")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadMessage(400, "malformed header")
        headers.append((name.lower(), value.strip()))
    return Head(words[0], words[1], words[2], headers)


def length_of(encoding: str, length: str) -> int | None:
    """How long a body is, None if it comes in chunks: from the headers Transfer-Encoding and Content-Length.

    Raises BadMessage for what is no length, and for both at once, which readers understand differently.
    """
    if encoding:
        if encoding.lower() != "chunked" or length:
            raise BadMessage(400, "unsupported transfer encoding")
        return None
    if length and not (length.isascii() and length.isdigit()):
        raise BadMessage(400, "malformed length")
    return int(length or "0")


class Reader:
    """Reads from a connection. For one thread. Raises OSError when that breaks."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()

    def fill(self) -> bool:
        """Wait for more; False when the client has ended its side."""
        data = self.sock.recv(_CHUNK)
        self.buffer += data
        return bool(data)

    def until(self, mark: bytes, limit: int, before: Callable[[], object] | None = None) -> bytes | None:
        """What stands before `mark`; None when the client has ended its side. Raises BadMessage past the limit.

        `before()` is called before each wait.
        """
        start = 0
        while (found := self.buffer.find(mark, start)) < 0:
            if len(self.buffer) > limit:
                raise BadMessage(431, "header too large")
            start = max(0, len(self.buffer) - len(mark))
            if before is not None:
                before()
            if not self.fill():
                return None
        data = bytes(self.buffer[:found])
        del self.buffer[: found + len(mark)]
        return data

    def take(self, count: int) -> bytes:
        """So many bytes. Raises ConnectionError when they do not come."""
        while len(self.buffer) < count:
            if not self.fill():
                raise ConnectionError("the client went away in the middle of a request")
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def body(self, length: int, limit: int) -> bytes:
        """A body of a length, see the module. Raises BadMessage when even throwing away would take too long."""
        if length <= limit:
            return self.take(length)
        if length > max(DRAIN, limit):
            raise BadMessage(413, "body too large")
        kept = self.take(limit + 1)
        left = length - len(kept)
        while left:
            left -= len(self.take(min(left, _CHUNK)))
        return kept

    def chunked(self, limit: int, max_head: int) -> bytes:
        """A body in chunks, see the module; the trailers after it are skipped. Raises BadMessage."""
        body, total = bytearray(), 0
        while size := self._chunk_size():
            total += size
            if total > max(DRAIN, limit):
                raise BadMessage(413, "body too large")
            piece = self.take(size)
            body += piece[: max(limit + 1 - len(body), 0)]
            self.take(2)
        while self.until(b"\r\n", max_head):
            pass
        return bytes(body)

    def _chunk_size(self) -> int:
        line = (self.until(b"\r\n", MAX_LINE) or b"").split(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError:
            raise BadMessage(400, "malformed chunk") from None
