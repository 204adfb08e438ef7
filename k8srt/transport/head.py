"""The frame of an answer: a head that is whole, in time and makes sense, and an end that is one.

http.client is lenient where a client of an API must not be. It takes the end of a connection for the end of a head, or
of the chunks; an interim answer for the final one; a length that is no number for none. And a server that sends a byte
now and then keeps it reading for ever.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import time
from email.errors import MissingHeaderBodySeparatorDefect
from typing import Any

_LONGEST = 15
"""More digits than that are no length of anything."""

_LONGEST_LINE = 1 << 16
_MOST_FIELDS = 100
_ORDINARY_STATUS = re.compile(r"HTTP/1\.1 ([2-5]\d\d)( [\x20-\x7e]*)?")
_ORDINARY_FIELD = re.compile(r"([!#-'*+.0-9A-Z^-z|~-]+):[ \t]*([\x20-\x7e]*)")
_LONGEST_SIZE = 8
_HEXADECIMAL = b"0123456789abcdefABCDEF"
_SHOWN = 60


class _HeadFile:
    """The file that http.client reads a head from that comes in pieces, or after others.

    The whole of it has to come within the time that one read may take, counted from `since`.
    """

    def __init__(self, file: Any, sock: Any, since: float) -> None:
        self._file = file
        self._sock = sock
        self._lines = 0
        self.timeout = sock.gettimeout()
        self._deadline = None if self.timeout is None else since + self.timeout

    def readline(self, limit: int = -1) -> bytes:
        line = self._arriving(limit)
        if not line.endswith(b"\n") and (limit < 0 or len(line) < limit) and self._is_cut(line):
            raise http.client.IncompleteRead(line)
        self._lines += 1
        return line

    def _is_cut(self, line: bytes) -> bool:
        """Whether a line without an end is of a head: nothing at all is no answer, and anything else no HTTP."""
        return self._lines > 0 or (line != b"" and line.startswith(b"HTTP/"[: len(line)]))

    def _arriving(self, limit: int) -> bytes:
        line = b""
        while not line.endswith(b"\n") and (limit < 0 or len(line) < limit):
            self._limit_wait()
            there = self._file.peek(1)  # one read of the socket at most
            if not there:
                break
            size = there.find(b"\n") + 1 or len(there)
            line += self._file.read(size if limit < 0 else min(size, limit - len(line)))
        return line

    def _limit_wait(self) -> None:
        if self._deadline is None:
            return
        left = self._deadline - time.monotonic()
        if left <= 0.0:
            raise TimeoutError("the head of the answer did not come in time")
        self._sock.settimeout(left)

    def restore_timeout(self) -> None:
        """Once the head is there, or is not to come."""
        with contextlib.suppress(OSError):  # the socket is closed
            self._sock.settimeout(self.timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class StrictResponse(http.client.HTTPResponse):
    """A response whose head must be whole, in time, and make sense. Raises what http.client raises for those."""

    fp: Any
    headers: http.client.HTTPMessage
    _method: str

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._sock: Any = sock

    def begin(self) -> None:
        file, sock = self.fp, self._sock
        self._sock = None  # an answer outlives its need of it
        since = time.monotonic()
        there = file.peek(1)
        head_end = there.find(b"\r\n\r\n") + 4
        if head_end > 3 and there[9:10] != b"1":  # all of it, as nearly always, and no interim answer
            if not self._take_ordinary(there[:head_end]):
                super().begin()
            self._check()
            return
        head = self.fp = _HeadFile(file, sock, since)
        try:
            super().begin()
        finally:
            if self.fp is head:
                self.fp = file
            head.restore_timeout()
        self._check()

    def _take_ordinary(self, head: bytes) -> bool:
        """What `begin` does, for a head that is as all heads are; anything else is left to it. Returns whether it was.

        The parser that `begin` uses is one of mail, and takes longer than the rest of a request.
        """
        status_line, *lines = head[:-4].decode("iso-8859-1").split("\r\n")
        status = _ORDINARY_STATUS.fullmatch(status_line)
        fields = [_ORDINARY_FIELD.fullmatch(line) for line in lines]
        if status is None or len(fields) > _MOST_FIELDS or None in fields:
            return False
        headers = http.client.HTTPMessage()
        for field in fields:
            headers.set_raw(field[1], field[2])  # type: ignore[index]
        self.fp.read(len(head))
        self.headers = self.msg = headers
        self.version = 11
        self.code = self.status = int(status[1])
        self.reason = (status[2] or "").strip()
        self.chunked = (headers.get("transfer-encoding") or "").lower() == "chunked"
        self.chunk_left = None
        self.length = None
        length = headers.get("content-length")
        if self.status in (204, 304) or self._method == "HEAD":
            self.length = 0
        elif length is not None and not self.chunked and length.isdecimal():
            self.length = int(length[: _LONGEST + 1])  # one that is too long is refused before it is used
        closing = "close" in (headers.get("connection") or "").lower()
        self.will_close = closing or (self.length is None and not self.chunked)
        return True

    def _read_status(self) -> tuple[str, int, str]:
        """As upstream, and past every interim answer but the one that changes the protocol."""
        found = self._read_one_status()
        while 101 < found[1] < 200:
            http.client.parse_headers(self.fp)
            found = self._read_one_status()
        return found

    def _read_one_status(self) -> tuple[str, int, str]:
        try:
            return super()._read_status()  # type: ignore[misc,no-any-return]
        except http.client.RemoteDisconnected:
            raise
        except http.client.BadStatusLine as err:
            begin = str(err.args[0]).strip()[:_SHOWN]
            advice = " (it speaks TLS: is its address https://?)" if begin.startswith("\x15\x03") else ""
            raise http.client.HTTPException(f"the answer begins with {begin!r}{advice}") from None

    def _read_next_chunk_size(self) -> int:
        """As upstream, but what is no size is told, and no end."""
        line: bytes = self.fp.readline(_LONGEST_LINE)
        if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
            raise http.client.IncompleteRead(b"")
        digits = line.partition(b";")[0].strip()
        if not digits or digits.strip(_HEXADECIMAL) or len(digits) > _LONGEST_SIZE:
            raise http.client.HTTPException(f"the size of a chunk is {line.strip()[:_SHOWN]!r}")
        return int(digits, 16)

    def _read_and_discard_trailer(self) -> None:
        """As upstream, but an answer in chunks that is cut before its very end is no whole answer."""
        while (line := self.fp.readline(_LONGEST_LINE)) not in (b"\r\n", b"\n"):
            if not line.endswith(b"\n"):
                raise http.client.IncompleteRead(b"")

    def _check(self) -> None:
        for defect in self.headers.defects:
            if isinstance(defect, MissingHeaderBodySeparatorDefect):
                raise http.client.HTTPException("a line of the head is no header")
        length = self.headers.get("content-length")
        if length is None or self.chunked:
            return
        first, *more = (part.strip() for part in length.split(","))
        if not (first.isascii() and first.isdigit() and len(first) <= _LONGEST) or any(part != first for part in more):
            raise http.client.HTTPException(f"the length of the answer is {length[:_SHOWN]!r}")
        self.length = self.length if self.length is not None else int(first)
