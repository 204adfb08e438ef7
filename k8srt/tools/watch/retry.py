"""A watch that is opened again where it ended, for as long as nothing can be lost by that.

    with RetryWatcher(pods, pods.list().metadata.resource_version) as events:
        for event in events: ...

Unlike `watch(forever=True)` it never lists: a version that has expired ends it. Contract: MACH-57.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.record import WatchRecord, encode_record
from k8srt.apimachinery.watch import Event, EventType
from k8srt.apimachinery.wire import decoder
from k8srt.errors import (
    ClientClosed,
    Forbidden,
    Gone,
    K8srtError,
    StatusError,
    TransportError,
    Unauthorized,
    status_error,
)
from k8srt.tools.watch.collection import Collection, Source
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, linked

log = logging.getLogger(__name__)

MIN_RESTART_DELAY = 1.0
"""Seconds between the openings of two watches, at least."""

_CHANGES = ("ADDED", "MODIFIED", "DELETED")


class RetryWatcher:
    """An iterator of events and a context manager. Read by one thread, closed by any.

    Bookmarks are asked for and not told. It ends when it is closed or `stop` is set, and after an event of type ERROR,
    whose object is a Status: the version has expired, the watch is not allowed, or an event cannot be understood. All
    else, lost connections and refused requests among it, is tried again for ever.
    """

    def __init__(
        self,
        source: Source,
        resource_version: str,
        *,
        cls: type[Any] | None = None,
        stop: threading.Event | None = None,
        min_restart_delay: float = MIN_RESTART_DELAY,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        """Watch what comes after `resource_version`; opens nothing yet. `options` are those of a watch (selectors).

        Raises ValueError without a version, and for "0", which stands for any.
        """
        if resource_version in ("", "0"):
            raise ValueError(f"a retrying watch needs the resource version to begin after, not {resource_version!r}")
        self._collection = Collection(source, cls, clock)
        self._clock = self._collection.clock
        self._options = options
        self._delay = min_restart_delay
        self._version = resource_version
        self._halt = Stop()
        self._lock = threading.Lock()  # guards _bonds
        self._bonds = ExitStack()
        if stop is not None:
            self._bonds.callback(self._bonds.enter_context(linked(stop)).on_set(self._halt.set))
        self._ended = False
        self._events = self._run()

    @property
    def resource_version(self) -> str:
        """The version of the last event read; a watch may be resumed from here."""
        return self._version

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._ended or self._halt.is_set()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event[Any]:
        if not self.done:
            for event in self._events:
                if self._halt.is_set():
                    break
                return event
        self._ended = True
        self.close()
        raise StopIteration

    def close(self) -> None:
        """End it at once; a reader that waits returns. From any thread, any number of times."""
        self._halt.set()
        with self._lock:
            bonds, self._bonds = self._bonds, ExitStack()
        bonds.close()

    stop = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_bonds", None) is not None:
            self.close()

    def __repr__(self) -> str:
        state = "done" if self.done else "open"
        return f"<RetryWatcher of {self._collection.object_class.__name__}: {state} at version {self._version}>"

    # ---- by the reader --------------------------------------------------------------------------------------------

    def _run(self) -> Iterator[Event[Any]]:
        due = self._clock.now()
        while not self._clock.wait_event(self._halt, max(due - self._clock.now(), 0.0)):
            due = self._clock.now() + self._delay
            asked = 0.0
            for event in self._watch():
                if isinstance(event, Event):
                    yield event
                    if event.type == EventType.ERROR:
                        return
                else:
                    asked = event
            due = max(due, self._clock.now()) + asked if asked else due

    def _watch(self) -> Iterator[Event[Any] | float]:
        """One watch: its events, and at its end how many seconds the server asks for."""
        try:
            stream = self._collection.watch_records(
                **{**self._options, "resource_version": self._version, "allow_watch_bookmarks": True}, stop=self._halt
            )
        except (Gone, Forbidden, Unauthorized) as err:
            yield Event(EventType.ERROR, err.status)
            return
        except ClientClosed:
            raise
        except (K8srtError, OSError) as err:
            log.info("cannot watch %s now: %s", self._collection, err)
            yield (err.retry_after if isinstance(err, StatusError) else None) or 0.0
            return
        forget = self._halt.on_set(stream.close)
        try:
            while not self._halt.is_set() and (batch := stream.read_batch()):
                for change in batch:
                    told = self._take(change)
                    if told is not None:
                        yield told
                    if not isinstance(told, Event) and change.type == "ERROR":
                        return
        except TransportError as err:
            log.info("a watch of %s was cut: %s", self._collection, err)
        finally:
            forget()
            stream.close()

    def _take(self, change: WatchRecord) -> Event[Any] | float | None:
        kind, record = change
        if kind == "ERROR":
            return self._failed(decoder(Status).decode(encode_record(record)))
        if kind not in (*_CHANGES, "BOOKMARK"):
            return _internal(f"the type of an event is unknown: {kind!r}")
        if not record.resource_version:
            return _internal(f"{record!r} has no resource version, so the watch could not be resumed after it")
        self._version = record.resource_version
        return None if kind == "BOOKMARK" else self._collection.event(change)

    def _failed(self, status: Status) -> Event[Any] | float:
        err = status_error(status)
        if isinstance(err, (Gone, Forbidden, Unauthorized)):
            return Event(EventType.ERROR, status)
        log.info("a watch of %s ended with: %s", self._collection, err)
        return err.retry_after or 0.0


def _internal(message: str) -> Event[Any]:
    return Event(
        EventType.ERROR,
        Status(
            api_version="v1",
            kind="Status",
            status="Failure",
            code=500,
            reason="InternalError",
            message=f"Internal error occurred: {message}",
        ),
    )
