"""A watch that a test feeds by hand. Contract: CLI-33, CLI-35."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.watch import EventType
from k8srt.apimachinery.wire import encode
from k8srt.errors import StatusError


class FakeWatcher:
    """Events for whoever watches: given by `add`, `modify`, `delete`, taken in their order, each once.

        watcher = FakeWatcher()
        fake.prepend_watch_reactor("pods", lambda action: watcher)
        watcher.add(pod)

    Events wait until somebody watches; there is no limit to them. `stop` ends the watch from the side of the server,
    once and for all: events given before are still delivered. A client that closes its watch does not stop it.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._cond = threading.Condition()  # guards all below
        self._lines: deque[bytes] = deque()
        self._stopped = False
        self._streams: set[_Feed] = set()

    def add(self, obj: Object | Mapping[str, Any]) -> None:
        self.event(EventType.ADDED, obj)

    def modify(self, obj: Object | Mapping[str, Any]) -> None:
        self.event(EventType.MODIFIED, obj)

    def delete(self, obj: Object | Mapping[str, Any]) -> None:
        self.event(EventType.DELETED, obj)

    def bookmark(self, obj: Object | Mapping[str, Any]) -> None:
        """Say how far the watch is, by the resource version of `obj`."""
        self.event(EventType.BOOKMARK, obj)

    def error(self, error: StatusError) -> None:
        """Send an ERROR event, after which a client stops reading."""
        self._put(EventType.ERROR, encode(error.status))

    def event(self, kind: str, obj: Object | Mapping[str, Any]) -> None:
        """Send an event of any type. The object is copied. Raises RuntimeError after `stop`."""
        self._put(kind, obj.encode() if isinstance(obj, Object) else msgspec.json.encode(obj))

    def _put(self, kind: str, body: bytes) -> None:
        line = b'{"type":"%s","object":%s}\n' % (str(kind).encode(), body)
        with self._cond:
            if self._stopped:
                raise RuntimeError("the watcher has been stopped")
            self._lines.append(line)
            self._cond.notify_all()

    def stop(self) -> None:
        """End the watch as a server does. Twice is fine."""
        with self._cond:
            self._stopped = True
            self._cond.notify_all()

    @property
    def stopped(self) -> bool:
        with self._cond:
            return self._stopped

    @property
    def watched(self) -> bool:
        """Whether somebody watches now."""
        with self._cond:
            return bool(self._streams)

    def wait_until_watched(self, timeout: float = 10.0) -> bool:
        """Wait until somebody watches; returns whether somebody does within `timeout` seconds."""
        with self._cond:
            return self._cond.wait_for(lambda: bool(self._streams), timeout)

    def open(self) -> _Feed:
        """A stream for one watch; for the transport."""
        feed = _Feed(self)
        with self._cond:
            self._streams.add(feed)
            self._cond.notify_all()
        return feed

    def take(self, feed: _Feed) -> bytes | None:
        """The next events for a stream; None at its end. For the stream."""
        with self._cond:
            while not (self._lines or self._stopped or feed.closed):
                self._cond.wait()
            if feed.closed or not self._lines:
                return None
            lines = b"".join(self._lines)
            self._lines.clear()
            return lines

    def leave(self, feed: _Feed) -> None:
        """End one stream. For the stream."""
        with self._cond:
            feed.closed = True
            self._streams.discard(feed)
            self._cond.notify_all()

    def __repr__(self) -> str:
        with self._cond:
            state = "stopped" if self._stopped else "open"
            return f"<FakeWatcher {state}, {len(self._lines)} events to come, watched by {len(self._streams)}>"


class _Feed:
    """One watch of a watcher: a stream of the transport."""

    def __init__(self, watcher: FakeWatcher) -> None:
        self._watcher = watcher
        self.closed = False

    def pieces(self) -> Iterator[bytes]:
        try:
            while (lines := self._watcher.take(self)) is not None:
                yield lines
        finally:
            self._watcher.leave(self)

    def close(self) -> None:
        self._watcher.leave(self)
