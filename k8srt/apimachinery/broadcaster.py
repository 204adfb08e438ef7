"""Events of a program's own, for any number of watchers: all see all of them, in order. Contract: MACH-54 to MACH-56.

    changes = Broadcaster(queue=100)
    with changes.watch() as events:
        changes.action("ADDED", pod)
        event = next(iter(events))

There is no thread behind it: who acts hands over, and where a watcher has no room and is to be waited for, whoever
takes events from it hands over the rest.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

from k8srt.apimachinery.watch import Event
from k8srt.errors import QueueClosed, Stopped
from k8srt.util.threads import Stop, linked

T = TypeVar("T")
U = TypeVar("U")

INCOMING = 25
"""How many events may wait for watchers without room before `action` blocks."""


class Watch(Protocol[T]):
    """Events as they come, until `stop` is called, which may be done twice and from any thread."""

    def __iter__(self) -> Iterator[Event[T]]: ...
    def stop(self) -> None: ...


class EmptyWatch(Generic[T]):
    """A watch that has ended."""

    def __iter__(self) -> Iterator[Event[T]]:
        return iter(())

    def stop(self) -> None: ...


def filter_watch(watch: Watch[T], fn: Callable[[Event[T]], Event[U] | None]) -> Watch[U]:
    """The events of a watch after `fn`, which returns an event to pass on, or None to drop it."""
    return _Filtered(watch, fn)


class _Filtered(Generic[T, U]):
    def __init__(self, watch: Watch[T], fn: Callable[[Event[T]], Event[U] | None]) -> None:
        self._watch = watch
        self._fn = fn

    def __iter__(self) -> Iterator[Event[U]]:
        return (passed for event in self._watch if (passed := self._fn(event)) is not None)

    def stop(self) -> None:
        self._watch.stop()


class Broadcaster(Generic[T]):
    """Hands each event to all who watch. Thread-safe.

    Each watcher has room for `queue` events. One without room misses events (`full="drop"`), or is waited for
    (`full="wait"`): then up to `incoming` events wait before `action` blocks.
    """

    def __init__(self, queue: int = 100, full: Literal["wait", "drop"] = "wait", *, incoming: int = INCOMING) -> None:
        if queue < 1 or incoming < 1:
            raise ValueError(f"queues must hold something: {queue=}, {incoming=}")
        self._room = queue
        self._drop = full == "drop"
        self._incoming_room = incoming
        self._cond = threading.Condition()  # guards all below, and the queues of the watchers
        self._watchers: list[Watcher[T]] = []
        self._incoming: deque[tuple[Event[T], list[Watcher[T]]]] = deque()
        self._shut = False

    def action(self, event_type: str, obj: T, *, stop: threading.Event | None = None) -> None:
        """Tell all who watch now. Blocks while too much waits for slow watchers.

        Raises QueueClosed after `shutdown`, Stopped when `stop` is set while it blocks.
        """
        with linked(stop) if stop is not None else nullcontext(Stop()) as stopped:
            forget = stopped.on_set(self._wake)
            try:
                self._act(Event(event_type, obj), stopped)
            finally:
                forget()

    def action_or_drop(self, event_type: str, obj: T) -> bool:
        """Tell all who watch now, unless that would block. Returns whether they are told."""
        with self._cond:
            self._check_locked()
            if len(self._incoming) >= self._incoming_room:
                return False
            self._put_locked(Event(event_type, obj))
            return True

    def watch(self) -> Watcher[T]:
        """A watch of all events from now on."""
        return self.watch_with_prefix(())

    def watch_with_prefix(self, events: Iterable[Event[T]]) -> Watcher[T]:
        """A watch that begins with the given events, for which it has room however many they are."""
        with self._cond:
            self._check_locked()
            watcher = Watcher(self, deque(events))
            self._watchers.append(watcher)
            return watcher

    def shutdown(self) -> None:
        """No more events: watches end when all has been taken from them. Twice is fine."""
        with self._cond:
            self._shut = True
            self._cond.notify_all()

    def _act(self, event: Event[T], stop: Stop) -> None:
        with self._cond:
            while not self._shut and len(self._incoming) >= self._incoming_room:
                if stop.is_set():
                    raise Stopped(f"stopped while {event!r} waited for slow watchers")
                self._cond.wait()
            self._check_locked()
            self._put_locked(event)

    def _wake(self) -> None:
        with self._cond:
            self._cond.notify_all()

    def _check_locked(self) -> None:
        if self._shut:
            raise QueueClosed("the broadcaster was shut down")

    def _put_locked(self, event: Event[T]) -> None:
        self._incoming.append((event, list(self._watchers)))
        self._hand_over_locked()

    def _hand_over_locked(self) -> None:
        """Move what came to the watchers, until one that is waited for has no room."""
        while self._incoming:
            event, waiting = self._incoming[0]
            while waiting:
                if waiting[0].stopped_or_took_locked(event, self._room) or self._drop:
                    waiting.pop(0)
                else:
                    break
            if waiting:
                break
            self._incoming.popleft()
        self._cond.notify_all()

    def take(self, watcher: Watcher[T]) -> Event[T] | None:
        """The next event of a watcher; None at its end. For the watcher."""
        with self._cond:
            while not watcher.queue and not watcher.stopped and not self._is_over_locked(watcher):
                self._cond.wait()
            event = watcher.queue.popleft() if watcher.queue and not watcher.stopped else None
            self._hand_over_locked()
            return event

    def _is_over_locked(self, watcher: Watcher[T]) -> bool:
        return self._shut and not any(watcher in waiting for _, waiting in self._incoming)

    def leave(self, watcher: Watcher[T]) -> None:
        """End one watch. For the watcher."""
        with self._cond:
            watcher.stopped = True
            if watcher in self._watchers:
                self._watchers.remove(watcher)
            self._hand_over_locked()

    def __repr__(self) -> str:
        with self._cond:
            return f"<Broadcaster {len(self._watchers)} watchers{', shut down' if self._shut else ''}>"


class Watcher(Generic[T]):
    """One watch of a broadcaster: an iterator, and a context manager that stops it when left."""

    def __init__(self, broadcaster: Broadcaster[T], queue: deque[Event[T]]) -> None:
        self._broadcaster = broadcaster
        self.queue = queue
        self.stopped = False

    def __iter__(self) -> Iterator[Event[T]]:
        while (event := self._broadcaster.take(self)) is not None:
            yield event

    def stop(self) -> None:
        """End it; what has not been taken is lost. Twice is fine, and from any thread."""
        self._broadcaster.leave(self)

    def stopped_or_took_locked(self, event: Event[Any], room: int) -> bool:
        """Take an event if there is room. False if there is none."""
        if self.stopped:
            return True
        if len(self.queue) >= room:
            return False
        self.queue.append(event)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
