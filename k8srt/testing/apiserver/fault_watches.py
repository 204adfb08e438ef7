"""The watches of a server that are open, and what disturbs them: they end, or fall silent, after some events."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from k8srt.testing.apiserver.fault import Disturbance, Where
from k8srt.testing.apiserver.messages import Hangup, Request, Stream
from k8srt.testing.apiserver.reads import WatchStream
from k8srt.testing.apiserver.requests import RequestInfo


class OpenWatches:
    """Keeps them, and the faults that are about them. `changed` guards all of it. Thread-safe."""

    def __init__(self, changed: threading.Condition) -> None:
        self.changed = changed
        self.faults: tuple[Disturbance, ...] = ()
        self._watches: set[_Watch] = set()
        self._stopped = False

    def add(self, request: Request, info: RequestInfo, stream: Stream) -> Stream:
        """The stream of a watch that begins, as it is disturbed."""
        watch = _Watch(self, stream, request, info)
        with self.changed:
            self._watches.add(watch)
            ended = [self._meet_locked(fault, watch) for fault in self.faults]
        if any(ended):
            stream.close()
        return watch

    def disturb(self, fault: Disturbance) -> None:
        """Set a fault, and let it act upon the watches that are open."""
        with self.changed:
            self.faults = (*self.faults, fault)
            ended = [watch for watch in self._watches if self._meet_locked(fault, watch)]
        for watch in ended:
            watch.inner.close()

    def bookmark(self, where: Where) -> int:
        """Have a bookmark sent to those that take them. Returns how many do."""
        with self.changed:
            meant = [watch for watch in self._watches if where.matches(watch.request, watch.info)]
        return sum(watch.inner.bookmark() for watch in meant if isinstance(watch.inner, WatchStream))

    def leave_locked(self, fault: Disturbance) -> None:
        """Disturb no longer; what was held back is sent."""
        self.faults = tuple(each for each in self.faults if each is not fault)
        for watch in self._watches:
            watch.met.pop(fault, None)

    def stop_locked(self) -> None:
        """Hold nothing back any longer: the server stops."""
        self._stopped = True

    def _meet_locked(self, fault: Disturbance, watch: _Watch) -> bool:
        """Let a fault and a watch meet, once. Returns whether the watch ends by it, at once."""
        if fault in watch.met or not fault.is_about(watch.request, watch.info):
            return False
        watch.met[fault] = fault.events if fault.hits_locked() else None
        return self._ends_locked(fault, watch)

    def _ends_locked(self, fault: Disturbance, watch: _Watch) -> bool:
        if fault.stalls or watch.met.get(fault) != 0:
            return False
        watch.ended, watch.cut = True, watch.cut or fault.abruptly
        self.changed.notify_all()
        return True

    # ---- for the threads that serve watches

    def lets_through(self, watch: _Watch) -> bool:
        """Whether the next event of a watch is sent; waits while it is stalled."""
        with self.changed:
            while not watch.ended and any(fault.stalls and left == 0 for fault, left in watch.met.items()):
                if self._stopped:
                    return False
                self.changed.wait()
            if watch.ended:
                return False
            for fault, left in watch.met.items():
                if left:
                    watch.met[fault] = left - 1
            ended = [self._ends_locked(fault, watch) for fault in watch.met]
        if any(ended):
            watch.inner.close()
        return True

    def end(self, watch: _Watch) -> None:
        with self.changed:
            watch.ended = True
            self.changed.notify_all()

    def forget(self, watch: _Watch) -> None:
        with self.changed:
            self._watches.discard(watch)


class _Watch:
    """One watch: a stream that may be disturbed. Its state is guarded by the set it is in."""

    def __init__(self, watches: OpenWatches, inner: Stream, request: Request, info: RequestInfo) -> None:
        self._watches = watches
        self.inner = inner
        self.request = request
        self.info = info
        # What it has met, with the events that are still sent until that has its effect; None where it was spared.
        self.met: dict[Disturbance, int | None] = {}
        self.ended = self.cut = False

    def pieces(self) -> Iterator[bytes]:
        watches = self._watches
        try:
            for piece in self.inner.pieces():
                if not watches.faults and not self.ended:
                    yield piece
                    continue
                yield from self._sent(piece)
                if self.ended:
                    break
        finally:
            watches.forget(self)
        if self.cut:
            raise Hangup("the connection is cut, as a fault has it")

    def _sent(self, piece: bytes) -> Iterator[bytes]:
        """The events of a piece that are sent."""
        for line in piece.splitlines(keepends=True):
            if not self._watches.lets_through(self):
                return
            yield line

    def close(self) -> None:
        self._watches.end(self)
        self.inner.close()
        self._watches.forget(self)  # nobody may ever have read it
