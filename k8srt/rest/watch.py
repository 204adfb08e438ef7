"""Watch streams: the events of one watch response, as records in batches or as objects one by one.

`WatchStream` is what reflectors read: big reads, bulk splitting, one list of records for whatever has arrived.
`EventStream` is what people read: `for event in stream`, with `event.type` and `event.object`.

A stream is read by one thread and closed by any; a close wakes the reader at once, also inside a blocked read and
also over TLS. A stream ends when it is closed, when the server ends it, when it is cut, and when nothing was heard for
`idle_timeout` seconds (USR-01); `ended` says which. None of these is an error: a watch is resumed from the last version
seen. What is an error comes as a last record of type ERROR.

Contract: REST-37 to REST-40, USR-01.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from k8srt.apimachinery.meta import Status, StatusCause, StatusDetails
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, WatchRecord, decode_event, decode_record, encode_record
from k8srt.apimachinery.watch import Event, EventType
from k8srt.apimachinery.wire import encode
from k8srt.errors import DecodeError, TransportError, status_error
from k8srt.rest.frames import Document, Frames, Lines, Piece, Values, whole
from k8srt.rest.source import Source
from k8srt.rest.status import decode_status
from k8srt.transport.failures import is_timeout

if TYPE_CHECKING:
    from k8srt.transport.reply import Reply

log = logging.getLogger(__name__)

ENOUGH = 128  # events that make a batch, however many more have arrived
CLIENT_DECODING = "ClientWatchDecoding"
_TYPES = {str(kind): kind for kind in EventType}

T = TypeVar("T", bound=Object)


class End(Enum):
    """Why a watch stream is over."""

    CLOSED = auto()  # by us
    FINISHED = auto()  # the server ended it, as it does when timeoutSeconds are over
    CUT = auto()  # the connection ended where it should not: reset, or in the middle of something
    IDLE = auto()  # nothing was heard for too long
    FAILED = auto()  # what came was no event; `error` says what


class WatchStream:
    """The records of one watch. A context manager, and an iterator of `WatchRecord`."""

    def __init__(self, reply: Reply | None, about: str, idle_timeout: float) -> None:
        """Read from `reply`; None makes a stream that is over. `about` names the watch in messages."""
        self._about = about
        self._reply = reply
        self._source = None if reply is None else Source(reply, idle_timeout)
        self._frames: Frames = Lines()
        self._batch: Iterator[WatchRecord] = iter(())
        self._lock = threading.Lock()  # guards _reading and _closed
        self._reading = False
        self._closed = False
        self.decode: Callable[[Document], WatchRecord] = decode_event
        """Reads one event. Set before reading, by those who want something else of it."""
        self.ended: End | None = None if reply is not None else End.FINISHED
        self.error: DecodeError | None = None
        self.events = 0

    def read_batch(self) -> list[WatchRecord]:
        """Block until something arrives and return all of it; [] when the stream is over. By one thread.

        An ERROR record is the last there is. Never raises for what the network does.
        """
        with self._lock:
            if self._closed or self.ended is not None:
                return []
            self._reading = True
        batch: list[WatchRecord] = []
        try:
            while not (batch or self._is_over()):
                batch = self._read()
            while 0 < len(batch) < ENOUGH and (more := self._read_more()):
                batch += more
        finally:
            with self._lock:
                self._reading = False
                closed = self._closed
            if closed or self._is_over():
                self._let_go()
        return [] if closed else batch

    def close(self) -> None:
        """End the stream; a reader that is blocked returns at once. From any thread, any number of times."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            reading = self._reading
        if self._reply is None:
            return
        if reading:
            self._reply.shutdown()  # the reader lets go of the rest when it wakes
        else:
            self._let_go()

    stop = close

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WatchRecord:
        while True:
            if self._closed:
                raise StopIteration
            for record in self._batch:
                return record
            batch = self.read_batch()
            if not batch:
                raise StopIteration
            self._batch = iter(batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_reply", None) is not None:
            self.close()

    def __repr__(self) -> str:
        state = self.ended.name.lower() if self.ended else "closed" if self._closed else "open"
        return f"<WatchStream {self._about}: {state}, {self.events} events>"

    # ---- by the reader --------------------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        return self._closed or self.ended is not None

    def _read(self) -> list[WatchRecord]:
        assert self._source is not None
        try:
            data = self._source.read()
        except TransportError as err:
            self._lost(err)
            return []
        except DecodeError as err:
            return [self._failed(err)]
        if not data:
            self._finished(self._source.complete)
            return []
        return self._decode(data)

    def _read_more(self) -> list[WatchRecord]:
        """What else has arrived: each batch wakes threads, so a burst had better be few."""
        payload = [] if self._is_over() or self._source is None else self._source.read_more()
        return self._decode(payload) if payload else []

    def _decode(self, payload: Iterable[Piece]) -> list[WatchRecord]:
        batch: list[WatchRecord] = []
        documents = self._frames.feed(payload)
        decode = self.decode
        try:
            for document in documents:
                batch.append(decode(document))
        except (DecodeError, RecursionError) as err:  # the latter for JSON that is nested thousands of levels deep
            self.events += len(batch)
            return batch + self._misread(documents[len(batch) :], err)
        self.events += len(batch)
        if self._frames.failure is not None:
            batch.append(self._failed(self._frames.failure))
        return batch

    def _misread(self, documents: Sequence[Document], err: Exception) -> list[WatchRecord]:
        """A line is no event: the server may break its lines elsewhere. Look once more."""
        if not isinstance(self._frames, Lines):
            return [self._failed(err)]
        rest = b"\n".join([*documents, self._frames.rest()])
        self._frames = Values()
        return self._decode(whole(rest))

    def _lost(self, err: TransportError) -> None:
        if self._closed:
            self.ended = End.CLOSED
        elif is_timeout(err):
            self.ended = End.IDLE
            log.info("%s: nothing was heard for %gs, ending the watch", self._about, self._source_idle())
        else:
            self.ended = End.CUT
            log.debug("%s: the connection was lost after %d events: %s", self._about, self.events, err)

    def _source_idle(self) -> float:
        return self._source.idle_timeout if self._source else 0.0

    def _finished(self, complete: bool) -> None:
        rest = self._frames.rest().strip()
        if self._closed:
            self.ended = End.CLOSED
        elif rest:
            self.ended = End.CUT
            log.warning(
                "%s: the stream was cut in the middle of event %d, %d bytes of which had come",
                *(self._about, self.events + 1, len(rest)),
            )
        else:
            self.ended = End.FINISHED if complete else End.CUT

    def _failed(self, err: Exception) -> WatchRecord:
        """The last record of a stream that cannot be understood. Contract: REST-38."""
        position = self._source.position if self._source else 0
        text = f"{self._about}: unable to decode event {self.events + 1}, within the first {position} bytes: {err}"
        self.error = DecodeError(text)
        self.error.__cause__ = err
        self.ended = End.FAILED
        log.warning("%s", text)
        return WatchRecord(str(EventType.ERROR), _status_record(text))

    def _let_go(self) -> None:
        with self._lock:
            reply, self._reply = self._reply, None
        if reply is None:
            return
        if self.ended is None:
            self.ended = End.CLOSED
        if self.ended is End.FINISHED and self._source is not None and self._source.complete:
            reply.release()
        else:
            reply.close()


def _status_record(message: str) -> Record:
    causes = [StatusCause(reason=reason, message=message) for reason in ("UnexpectedServerResponse", CLIENT_DECODING)]
    status = Status(
        api_version="v1",
        kind="Status",
        status="Failure",
        code=500,
        reason="InternalError",
        message=message,
        details=StatusDetails(causes=causes),
    )
    return decode_record(encode(status))


class EventStream(Generic[T]):
    """The events of one watch as objects of their kind. A context manager and an iterator.

    A failure the server reports within the stream is raised as its StatusError (Expired when the resource version
    is too old), what cannot be read as DecodeError. Otherwise iteration just ends; `ended` tells why.
    """

    def __init__(self, stream: WatchStream, cls: type[T]) -> None:
        self._stream = stream
        self._cls = cls

    @property
    def ended(self) -> End | None:
        """Why the stream is over, None while it is not."""
        return self._stream.ended

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event[T]:
        kind, record = next(self._stream)
        if kind == "ERROR":
            self.close()
            if self._stream.error is not None:
                raise self._stream.error
            if (status := decode_status(encode_record(record))) is None:
                raise DecodeError(f"{self._stream}: an event of type ERROR carries no Status")
            raise status_error(status)
        return Event(_TYPES[kind], self._cls.from_record(record))

    def close(self) -> None:
        """End the watch at once. From any thread, any number of times."""
        self._stream.close()

    stop = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._stream).replace("WatchStream", f"EventStream of {self._cls.__name__}", 1)
