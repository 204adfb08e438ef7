"""Events from outside the cluster, sent by anybody.

    channel = Channel(EnqueueForObject())            # the source of one controller
    channel.send("shop/foo")                         # from any thread: an object, a request or a key

    feed = Feed()                                    # several controllers, each sees all, in order
    Channel(EnqueueForObject(), of=feed); Channel(EnqueueMapped(f), of=feed)
    feed.send(obj)

`of` may also be a `queue.Queue` or an iterable, which is then read to its end in a thread.

Contract: SRC-05, SRC-06.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable
from queue import Queue
from typing import Any

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.event import GenericEvent
from k8srt.controller.handler import EventHandler, RequestQueue
from k8srt.controller.predicate import Where
from k8srt.controller.request import Request
from k8srt.controller.source import Sifting
from k8srt.errors import Stopped, WaitTimeout
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

SIZE = 1024
_END = object()


def as_request(thing: Any) -> Request:
    """The request that an object, a request or a key such as "shop/foo" stands for. Raises ValueError, NoMetadata."""
    if isinstance(thing, str):
        namespace, _, name = thing.rpartition("/")
        if not name or "/" in namespace:
            raise ValueError(f"a key is name or namespace/name, not {thing!r}")
        return Request(namespace, name)
    if isinstance(thing, NamespacedName):
        return Request(*thing)
    return Request.of(thing)


def as_object(thing: Any) -> Any:
    """The thing itself, or for a key or a request an object that has the name alone."""
    if not isinstance(thing, (str, NamespacedName)):
        return thing
    request = as_request(thing)
    return Object(metadata=ObjectMeta(name=request.name, namespace=request.namespace))


class _Buffer:
    """What waits for one watcher. Thread-safe. Closed, it takes nothing more and gives what it has."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._cond = threading.Condition()  # guards all below
        self._waiting: deque[Any] = deque()
        self._closed = False

    def put(self, event: Any, deadline: float | None, clock: Clock) -> bool:
        """Wait for room until the deadline; returns whether there was any, or nobody listens."""
        with self._cond:
            while not self._closed and len(self._waiting) >= self._size:
                if deadline is not None and clock.now() >= deadline:
                    return False
                clock.wait(self._cond, deadline)
            if not self._closed:
                self._waiting.append(event)
                self._cond.notify_all()
        return True

    def get(self) -> Any:
        """The next, or `_END`."""
        with self._cond:
            while not self._waiting:
                if self._closed:
                    return _END
                self._cond.wait()
            event = self._waiting.popleft()
            self._cond.notify_all()
            return event

    def close(self, *, drop: bool) -> None:
        with self._cond:
            self._closed = True
            if drop:
                self._waiting.clear()
            self._cond.notify_all()

    def __len__(self) -> int:
        with self._cond:
            return len(self._waiting)


class Feed:
    """What several channels are of: each passes on everything, in the order it was sent. Thread-safe.

    `source` is a queue or an iterable that is read in a thread from when the first channel starts; its end is that of
    the feed. A thread that is blocked in an iterable when all channels have stopped ends with its next item.
    """

    def __init__(self, source: Queue[Any] | Iterable[Any] | None = None, *, clock: Clock = SYSTEM) -> None:
        self._source = source
        self._clock = clock
        self._sending = threading.Lock()  # held while something is handed out: all see one order
        self._lock = threading.Lock()  # guards all below
        self._buffers: list[_Buffer] = []
        self._pump: threading.Thread | None = None
        self._started = 0
        self._over = Stop()

    def send(self, thing: Any, timeout: float | None = None) -> None:
        """Have an object, or what a request or a key stands for, looked at.

        Waits while a channel is full. Raises WaitTimeout after `timeout` seconds, Stopped once closed.
        """
        event = GenericEvent(as_object(thing))
        deadline = None if timeout is None else self._clock.now() + timeout
        if not self._sending.acquire(timeout=-1 if timeout is None else max(timeout, 0.0)):
            raise self._full(timeout)
        try:
            with self._lock:
                buffers = list(self._buffers)
            if self._over.is_set():
                raise Stopped(f"{self!r} is closed")
            for buffer in buffers:
                if not buffer.put(event, deadline, self._clock):
                    raise self._full(timeout)
        finally:
            self._sending.release()

    def _full(self, timeout: float | None) -> WaitTimeout:
        return WaitTimeout(f"{self!r} has been full for {timeout}s")

    def close(self) -> None:
        """Nothing more will be sent; channels pass on what they have, and end."""
        self._over.set()
        with self._lock:
            buffers = list(self._buffers)
        for buffer in buffers:
            buffer.close(drop=False)

    def _join(self, size: int) -> _Buffer:
        buffer = _Buffer(size)
        with self._lock:
            self._buffers.append(buffer)
        if self._over.is_set():
            buffer.close(drop=False)
        return buffer

    def _start(self) -> None:
        with self._lock:
            self._started += 1
            if self._source is not None and self._pump is None:
                self._pump = spawn("feed", self._read, self._source)

    def _leave(self, buffer: _Buffer, *, started: bool) -> None:
        buffer.close(drop=True)
        with self._lock:
            if buffer in self._buffers:
                self._buffers.remove(buffer)
            self._started -= started
            pump = self._pump if started and self._started == 0 else None
        if pump is None:
            return
        self._over.set()
        if isinstance(self._source, Queue):
            self._source.put(_END)
            pump.join()
        elif callable(close := getattr(self._source, "close", None)):  # a watch, which ends then
            try:
                close()
            except ValueError:  # a generator that is running
                return
            pump.join()

    def _read(self, source: Queue[Any] | Iterable[Any]) -> None:
        try:
            for thing in iter(source.get, _END) if isinstance(source, Queue) else source:
                if self._over.is_set():
                    return
                self.send(thing)
        except Stopped:
            return
        except Exception:
            log.exception("%r: reading %r failed, there will be nothing more", self, source)
        finally:
            self.close()

    def __repr__(self) -> str:
        with self._lock:
            return f"<Feed of {len(self._buffers)} channels>"


class Channel(Sifting):
    """A source of what is sent to it, or to the feed it is `of`. Contract: SRC-05.

    `size` events wait for the handler; then whoever sends waits. What was sent before the start is passed on, too.
    """

    def __init__(
        self,
        handler: EventHandler,
        where: Where | Iterable[Where] = None,
        *,
        of: Feed | Queue[Any] | Iterable[Any] | None = None,
        size: int = SIZE,
    ) -> None:
        super().__init__(handler, where)
        self.feed = of if isinstance(of, Feed) else Feed(of)
        self._buffer = self.feed._join(size)
        self._lock = threading.Lock()  # guards _thread
        self._thread: threading.Thread | None = None

    def send(self, thing: Any, timeout: float | None = None) -> None:
        """Have an object, or what a request or a key stands for, looked at. See `Feed.send`."""
        self.feed.send(thing, timeout)

    def start(self, queue: RequestQueue) -> None:
        """Begin to pass on what is sent, and was before."""
        with self._lock:
            self._thread = spawn("channel", self._run, queue)
        self.feed._start()

    def _run(self, queue: RequestQueue) -> None:
        while (event := self._buffer.get()) is not _END:
            try:
                self.pass_on(event, queue)
            except Exception:
                log.exception("%r: handling %r failed", self, event)

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """There is nothing to wait for."""

    def stop(self) -> None:
        """Pass on nothing more. Returns when what is being passed on is."""
        with self._lock:
            thread, self._thread = self._thread, None
        self.feed._leave(self._buffer, started=thread is not None)
        if thread is not None:
            thread.join()

    def __repr__(self) -> str:
        return f"<Channel: {len(self._buffer)} waiting>"
