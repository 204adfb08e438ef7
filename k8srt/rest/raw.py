"""A body that is read as it comes. Contract: REST-41."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from k8srt.errors import TransportError

if TYPE_CHECKING:
    from k8srt.transport.reply import Reply


class Raw:
    """The undecoded body of one answer. One thread reads; `close` may come from any, and wakes the reader at once."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.headers = reply.headers
        self._lock = threading.Lock()  # guards the two below
        self._reading = False
        self._closed = False

    def read(self, size: int = 65536) -> bytes:
        """Return at most `size` bytes as soon as there are any; b"" at the end. Raises TransportError."""
        with self._lock:
            if self._closed:
                return b""
            self._reading = True
        try:
            return self._reply.read_some(size)
        except TransportError:
            if self._is_closed():
                return b""
            raise
        finally:
            with self._lock:
                self._reading = False
            if self._is_closed():
                self._reply.close()

    def _is_closed(self) -> bool:
        with self._lock:
            return self._closed

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def close(self) -> None:
        """End the stream; a reader that is blocked finds it at its end."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            reading = self._reading
        if reading:
            self._reply.shutdown()  # the reader closes when it wakes
        else:
            self._reply.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
