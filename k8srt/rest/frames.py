"""From the bytes of a watch response to single events, with no socket in sight.

`Chunks` undoes the chunked transfer encoding in bulk; `Lines` cuts at newlines, as servers write; `Values` finds JSON
values wherever they begin and end, for the server that writes them over several lines or several on one.

None of them raises: what came before something malformed is returned first, and `failure` tells of the rest.

Contract: REST-37, REST-40.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from k8srt.errors import DecodeError

MAX_EVENT = 16 << 20
"""An event may have as many bytes."""

_MAX_HEAD = 4096
_BLANK = 16  # a longer line is not looked at for being blank: it would be an error, after which `Values` takes over


Piece = tuple[bytes, int, int]
"""Bytes, and where within them something begins and ends: so nothing is copied before it is known what it is."""

Document = bytes | memoryview


def whole(data: bytes) -> list[Piece]:
    """All of `data` as one piece."""
    return [(data, 0, len(data))]


class Chunks:
    """A decoder of `Transfer-Encoding: chunked`. `done` once the last chunk and its trailers were seen."""

    def __init__(self) -> None:
        self.done = False
        self.failure: DecodeError | None = None
        self._left = 0  # payload bytes of the current chunk still to come
        self._pending = b""  # an incomplete line of the framing
        self._in_data = False
        self._in_trailers = False

    def feed(self, data: bytes) -> list[Piece]:
        """Return the payload in `data`, as far as it makes sense."""
        if self._pending:
            data, self._pending = self._pending + data, b""
        pieces: list[Piece] = []
        position, end = 0, len(data)
        while position < end and not self.done and self.failure is None:
            if self._left:
                begin, position = position, min(position + self._left, end)
                pieces.append((data, begin, position))
                self._left -= position - begin
                continue
            newline = data.find(b"\n", position)
            if newline < 0:
                self._pending = data[position:]
                if len(self._pending) > _MAX_HEAD:
                    self._fail(f"no line break after {self._pending[:40]!r}")
                break
            self._framing_line(data[position:newline].rstrip(b"\r"))
            position = newline + 1
        return pieces

    def _framing_line(self, line: bytes) -> None:
        """One line between payloads: the end of a chunk, the size of the next, or a trailer."""
        if self._in_trailers:
            self.done = not line
            return
        if self._in_data:  # the line break that ends a chunk
            if line:
                self._fail(f"it is longer than its size says, {line[:40]!r} follows")
            self._in_data = False
            return
        digits = line.partition(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            self._fail(f"its size is {line[:40]!r}")
            return
        self._left = int(digits, 16)
        self._in_data = self._left > 0
        self._in_trailers = self._left == 0

    def _fail(self, why: str) -> None:
        self.failure = DecodeError(f"malformed chunk: {why}")


class Frames(Protocol):
    """Cuts a stream of bytes into documents."""

    failure: DecodeError | None

    def feed(self, pieces: Iterable[Piece]) -> Sequence[Document]:
        """Return the documents that are complete now. They may be views of what was fed."""
        ...

    def rest(self) -> bytes:
        """What is there of a document whose end has not come."""
        ...


class Lines:
    """A document per line; empty lines mean nothing.

    A line that was fed in one piece is a view of it. `find` is the fastest search for line breaks there is: splitting
    looks at each byte by itself.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self.failure: DecodeError | None = None
        self._rest: list[bytes] = []  # pieces of the unfinished line: joined once, not at each read
        self._size = 0

    def feed(self, pieces: Iterable[Piece]) -> list[Document]:
        lines: list[Document] = []
        for data, start, end in pieces:
            view = memoryview(data)
            while (newline := data.find(b"\n", start, end)) >= 0:
                line: Document = view[start:newline]
                if self._rest:
                    line = b"".join([*self._rest, line])
                    self._rest, self._size = [], 0
                if len(line) > _BLANK or bytes(line).strip():
                    lines.append(line)
                start = newline + 1
            if start < end:
                self._keep(data[start:end])
        return lines

    def _keep(self, piece: bytes) -> None:
        self._rest.append(piece)
        self._size += len(piece)
        if self._size > self._limit:
            self.failure = _too_large(self._limit)

    def rest(self) -> bytes:
        return b"".join(self._rest)


def _too_large(limit: int) -> DecodeError:
    return DecodeError(f"an event is larger than {limit} bytes")


class Values:
    """JSON objects back to back, wherever they break. Slower than `Lines`, and always right."""

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self.failure: DecodeError | None = None
        self._buffer = b""
        self._seen = 0  # how far the buffer is scanned
        self._depth = 0
        self._in_string = False

    def feed(self, pieces: Iterable[Piece]) -> list[bytes]:
        self._buffer += b"".join(data[start:end] for data, start, end in pieces)
        documents: list[bytes] = []
        try:
            while (end := self._end_of_value()) is not None:
                documents.append(self._buffer[:end])
                self._buffer, self._seen = self._buffer[end:], 0
        except DecodeError as err:
            self.failure = err
        if len(self._buffer) > self._limit:
            self.failure = _too_large(self._limit)
        return documents

    def _end_of_value(self) -> int | None:
        if not self._depth:
            self._buffer = self._buffer.lstrip()
            if self._buffer and not self._buffer.startswith(b"{"):
                raise DecodeError(f"malformed watch event: {self._buffer[:60]!r} is no JSON object")
        while match := (_IN_STRING if self._in_string else _OUTSIDE).search(self._buffer, self._seen):
            self._seen = match.end()
            token = match[0]
            if token == b'"':
                self._in_string = not self._in_string
            elif token == b"{":
                self._depth += 1
            elif token == b"}":
                self._depth -= 1
                if not self._depth:
                    return self._seen
            elif token == _NEXT_EVENT:
                raise DecodeError("malformed watch event: another event begins before this one has ended")
        # An escape or the start of a next event may be cut by the end of the buffer: look at it again then.
        self._seen = max(self._seen, len(self._buffer) - (1 if self._in_string else len(_NEXT_EVENT)))
        return None

    def rest(self) -> bytes:
        return self._buffer


_NEXT_EVENT = b'\n{"type":"'
_OUTSIDE = re.compile(re.escape(_NEXT_EVENT) + rb'|["{}]')
_IN_STRING = re.compile(rb'"|\\.', re.DOTALL)
