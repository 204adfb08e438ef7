"""The bytes of a streaming body, in pieces as big as have arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8srt.rest.frames import Chunks, Piece, whole
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
        self._more_likely = False
        reply.set_read_timeout(idle_timeout or None)

    def read(self) -> list[Piece]:
        """Block until there is payload and return it; nothing when the body is over.

        `complete` then tells whether it ended as it should. Raises TransportError, and DecodeError for a malformed
        chunk.
        """
        if self._fp is None:
            data = self._reply.read_some(READ_SIZE)
            self.complete = not data
            self.position += len(data)
            return whole(data) if data else []
        while not self._chunks.done:
            if self._chunks.failure is not None:
                raise self._chunks.failure
            try:
                data = self._fp.read1(READ_SIZE)
            except (*CAUGHT, ValueError) as err:  # ValueError: the file was closed
                raise transport_error(err, self._reply.what, self._reply.url) from err
            if not data:
                return []
            if payload := self._payload(data):
                return payload
        self.complete = True
        return []

    def read_more(self) -> list[Piece]:
        """Payload that has arrived already; nothing if there is none, or it would have to be waited for.

        After a burst there is more than one read takes, over TLS more than one record. Whatever goes wrong here is
        met again by the next `read`.
        """
        if self._fp is None or not self._more_likely:
            return []
        self._reply.set_read_timeout(0.0)
        try:
            return self._payload(self._fp.read1(READ_SIZE))
        except (*CAUGHT, ValueError):
            return []
        finally:
            self._reply.set_read_timeout(self.idle_timeout or None)

    def _payload(self, data: bytes) -> list[Piece]:
        self._more_likely = bool(data) and (len(data) >= READ_SIZE or self._reply.is_tls)
        payload = self._chunks.feed(data)
        self.position += sum(end - start for _, start, end in payload)
        return payload
