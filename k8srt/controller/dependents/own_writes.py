"""Events that tell a reconcile what it has written itself, and lead nowhere.

A write counts as known when it is certain what it changed: the object was created, or it was at the version that the
reconcile had read (the write said so, and the server checks). Its event is left out when it leads from just that
version to the one that the write has answered; so whatever anybody else changed in between, whenever it is told, leads
to a reconcile. Other objects that the event leads to are told. An event that comes before the answer waits for it.

    with writes.writing(request, obj) as write:
        write.answered(before, client.apply(obj, locked=True))

Contract: DEP-05.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from cachetools import TTLCache

from k8srt.apimachinery.object import Object
from k8srt.controller.event import CreateEvent, Event, UpdateEvent
from k8srt.controller.handler import EventHandler, RequestQueue
from k8srt.controller.reasons import because_of
from k8srt.controller.request import Request
from k8srt.util.clock import SYSTEM, Clock

AT_MOST = 8192
LIFETIME = 600.0

_UNKNOWN = object()


class _Place(NamedTuple):
    """An object as one request sees it."""

    request: Request
    api_version: str
    kind: str
    namespace: str
    name: str


class _Write:
    """A write that is under way."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note

    def answered(self, before: Object | None, answer: Object) -> None:
        """Tell from what it led to what: the object as it was, None for one that was created."""
        self._note("" if before is None else before.metadata.resource_version or "", _version(answer))


class _UnderWay:
    """What came while an object was written, by so many at once."""

    def __init__(self) -> None:
        self.writers = 0
        self.waiting: list[tuple[Event, Callable[[], object]]] = []


class OwnWrites:
    """See the module. Thread-safe. What is not heard of within ten minutes is forgotten, and then not left out."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._lock = threading.Lock()  # guards all below
        self._known: TTLCache[tuple[_Place, str], str] = TTLCache(AT_MOST, LIFETIME, clock.now)
        self._under_way: dict[_Place, _UnderWay] = {}

    @contextmanager
    def writing(self, request: Request, obj: Object) -> Iterator[_Write]:
        """Within the context, a reconcile of the request writes an object."""
        place = _place(request, obj)

        def note(before: str, after: str) -> None:
            with self._lock:
                self._known[place, after] = before

        with self._lock:
            under_way = self._under_way.setdefault(place, _UnderWay())
            under_way.writers += 1
        try:
            yield _Write(note)
        finally:
            with self._lock:
                under_way.writers -= 1
                over = not under_way.writers
                if over:
                    del self._under_way[place]
            for event, pass_on in under_way.waiting if over else ():
                if not self._is_own(place, event):
                    pass_on()

    def sift(self, request: Request, event: Event, pass_on: Callable[[], object]) -> bool:
        """Whether an event leads to a request. If that is not known yet, `pass_on` is called once it does."""
        if isinstance(event, UpdateEvent) and event.is_resync:
            return True
        if not isinstance(event, UpdateEvent) and not (isinstance(event, CreateEvent) and not event.is_in_initial_list):
            return True
        place = _place(request, event.object)
        with self._lock:
            under_way = self._under_way.get(place)
            if under_way is not None:
                under_way.waiting.append((event, pass_on))
                return False
        return not self._is_own(place, event)

    def _is_own(self, place: _Place, event: Event) -> bool:
        before = _version(event.old) if isinstance(event, UpdateEvent) else ""
        with self._lock:
            return self._known.get((place, _version(event.object)), _UNKNOWN) == before

    def __len__(self) -> int:
        with self._lock:
            return len(self._known)

    def __repr__(self) -> str:
        return f"<OwnWrites: {len(self)} known>"


class Unechoed(EventHandler):
    """Another handler, without the requests that have written the event themselves."""

    def __init__(self, handler: EventHandler, writes: OwnWrites) -> None:
        super().__init__(initial_priority=handler.initial_priority, resync_priority=handler.resync_priority)
        self._handler = handler
        self._writes = writes

    def requests(self, event: Event) -> Iterable[Request]:
        return self._handler.requests(event)

    def wants_again(self, event: Event) -> bool:
        return self._handler.wants_again(event)

    def handle(self, event: Event, queue: RequestQueue) -> None:
        self._handler.handle(event, _Sieve(queue, self._writes, event))

    def __repr__(self) -> str:
        return repr(self._handler)


class _Sieve:
    """A queue that takes what an event leads to."""

    def __init__(self, queue: RequestQueue, writes: OwnWrites, event: Event) -> None:
        self._queue = queue
        self._writes = writes
        self._event = event

    def add_with(
        self, items: Iterable[Request], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None:
        def add(requests: Iterable[Request]) -> None:
            with because_of(self._event):
                self._queue.add_with(requests, after=after, rate_limited=rate_limited, priority=priority)

        kept = [each for each in items if self._writes.sift(each, self._event, lambda each=each: add([each]))]  # type: ignore[misc]
        if kept:
            add(kept)


def _version(obj: Any) -> str:
    return obj.metadata.resource_version or ""


def _place(request: Request, obj: Any) -> _Place:
    return _Place(request, obj.api_version, obj.kind, obj.metadata.namespace or "", obj.metadata.name or "")
