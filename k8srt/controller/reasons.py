"""Why an object is looked at: which events led to its request. For logs and debugging, never part of a request.

    for reason in ctx.reasons: print(reason)     # owns Deployment default/web updated

Sources tell the event (`because_of`), each passes its requests through a `SourceQueue` that knows the source, and the
`Reasons` of a controller keep them until the request is handed out. Requests that merge have the reasons of all.

Contract: REC-18.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from k8srt.controller.event import CreateEvent, DeleteEvent, Event, UpdateEvent
from k8srt.controller.handler import RequestQueue
from k8srt.controller.request import Request

if TYPE_CHECKING:
    from k8srt.controller.tracing.causes import Causes

LIMIT = 8
"""So many reasons of one request are kept; later ones are dropped."""


class Reason(NamedTuple):
    """One reason. `source` is a watch ("owns Deployment") or "" for the controller itself.

    `event` is what happened: created, updated, deleted, generic, initial, resync, or retry 3, requeue, requeue_after,
    manual, all. `object` is "namespace/name", or "" for none.
    """

    source: str
    event: str
    object: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.source, self.object, self.event) if part)


_event: ContextVar[Event | None] = ContextVar("k8srt-event", default=None)


@contextmanager
def because_of(event: Event) -> Iterator[None]:
    """Within the context, what is queued is queued for this event."""
    token = _event.set(event)
    try:
        yield
    finally:
        _event.reset(token)


def event_told() -> Event | None:
    """The event that something is queued for, within `because_of`."""
    return _event.get()


class Reasons:
    """The reasons of every request that is queued. Thread-safe. `enabled` False keeps none."""

    def __init__(self, enabled: bool = True) -> None:
        self.causes: Causes | None = None  # told as well, where spans are linked; set before the start
        self._enabled = enabled
        self._lock = threading.Lock()  # guards _kept
        self._kept: dict[Request, dict[Reason, None]] = {}

    def add(self, requests: Iterable[Request], reason: Reason) -> None:
        """Note why these are about to be queued."""
        if self.causes is not None:
            self.causes.note(requests, _event.get())
        if not self._enabled:
            return
        with self._lock:
            for request in requests:
                kept = self._kept.setdefault(request, {})
                if len(kept) < LIMIT:
                    kept[reason] = None

    def take(self, request: Request) -> tuple[Reason, ...]:
        """The reasons of a request that was handed out; they are forgotten."""
        with self._lock:
            return tuple(self._kept.pop(request, ()))

    def of(self, request: Request) -> tuple[Reason, ...]:
        """The reasons of a request that waits."""
        with self._lock:
            return tuple(self._kept.get(request, ()))

    def clear(self) -> None:
        """Forget all of them."""
        if self.causes is not None:
            self.causes.clear()
        with self._lock:
            self._kept.clear()


class SourceQueue:
    """The queue of a controller as one source sees it: it says who adds, and what the event is worth.

    `initial` and `resync` are priorities of events that are not new, None for what the handler says. What `wanted` says
    no to is left out. After `close` nothing is added any more.
    """

    def __init__(
        self,
        queue: RequestQueue,
        reasons: Reasons,
        source: str,
        *,
        initial: int | None = None,
        resync: int | None = None,
        flat: bool = False,
        wanted: Callable[[Request], bool] | None = None,
    ) -> None:
        self._queue = queue
        self._reasons = reasons
        self._source = source
        self._initial = initial
        self._resync = resync
        self._flat = flat
        self._wanted = wanted
        self._closed = False

    def add_with(
        self, items: Iterable[Request], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None:
        """Add as the queue does."""
        if self._closed:
            return
        event = _event.get()
        items = list(items) if self._wanted is None else [each for each in items if self._wanted(each)]
        if not items:
            return
        self._reasons.add(items, reason_for(self._source, event))
        if self._flat:
            priority = 0
        elif self._initial is not None and isinstance(event, CreateEvent) and event.is_in_initial_list:
            priority = self._initial
        elif self._resync is not None and isinstance(event, UpdateEvent) and event.is_resync:
            priority = self._resync
        self._queue.add_with(items, after=after, rate_limited=rate_limited, priority=priority)

    def add(self, item: Request) -> None:
        """Add one, at once."""
        self.add_with((item,))

    def close(self) -> None:
        """Take nothing more from the source."""
        self._closed = True


def reason_for(source: str, event: Event | None) -> Reason:
    """The reason that an event is."""
    if event is None:
        return Reason(source, "queued")
    return Reason(source, _name(event), _key(event.object))


def _name(event: Event) -> str:
    match event:
        case CreateEvent():
            return "initial" if event.is_in_initial_list else "created"
        case UpdateEvent():
            return "resync" if event.is_resync else "updated"
        case DeleteEvent():
            return "deleted"
        case _:
            return "generic"


def _key(obj: Any) -> str:
    meta = getattr(obj, "metadata", None)
    if meta is None:
        return ""
    return f"{meta.namespace}/{meta.name}" if meta.namespace else str(meta.name)
