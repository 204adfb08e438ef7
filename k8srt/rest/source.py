"""The bytes of a streaming body, in pieces as big as have arrived."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from k8srt.rest.frames import Chunks
from k8srt.transport.failures import CAUGHT, transport_error

if TYPE_CHECKING:
    from k8srt.transport.reply import Reply

READ_SIZE = 1 << 17


class Source:
    """Reads a reply piece by piece. By one thread.

    A chunked body, which a watch always is, is read below http.client: one system call takes everything that has
    arrived, over as many chunks as it may be.
    """

    def __init__(self, reply: Reply, idle_timeout: float) -> None:
        self._reply = reply
        self.idle_timeout = idle_timeout
        self._fp = reply.buffered() if reply.chunked else None
        self._chunks = Chunks()
        self.position = 0
        self.complete = False
        reply.set_read_timeout(idle_timeout or None)

    def read(self) -> bytes:
        """Block until there is payload and return it; b"" when the body is over.

        `complete` then tells whether it ended as it should. Raises TransportError, and DecodeError for a malformed
        chunk.
        """
        if self._fp is None:
            data = self._reply.read_some(READ_SIZE)
            self.complete = not data
            self.position += len(data)
            return data
        while not self._chunks.done:
            if self._chunks.failure is not None:
                raise self._chunks.failure
            try:
                data = self._arrived(self._fp)
            except (*CAUGHT, ValueError) as err:  # ValueError: the file was closed
                raise transport_error(err, self._reply.what, self._reply.url) from err
            if not data:
                return b""
            payload = self._chunks.feed(data)
            if payload:
                self.position += len(payload)
                return payload
        self.complete = True
        return b""

    def _arrived(self, fp: io.BufferedReader) -> bytes:
        """Wait for data, then take all there is. TLS hands out one record of 16 KB at a time: ask on until it would
        wait, so that a burst of events makes one batch and not many."""
        data = fp.read1(READ_SIZE)
        if not (data and self._reply.is_tls):
            return data
        pieces, size = [data], len(data)
        self._reply.set_read_timeout(0.0)
        try:
            while size < READ_SIZE and (piece := fp.read1(READ_SIZE)):
                pieces.append(piece)
                size += len(piece)
        except CAUGHT:
            pass  # nothing more for now; if it is an error, the next read meets it again
        finally:
            self._reply.set_read_timeout(self.idle_timeout or None)
        return b"".join(pieces)
