"""Event handlers: which requests an event leads to.

What the initial list and resyncs bring is queued with low priority, so that what changes now is not buried by it.

Contract: HDL-01 to HDL-05, PQ-07.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from k8srt.apimachinery import scheme
from k8srt.apimachinery.meta import OwnerReference
from k8srt.apimachinery.schema import GroupVersion
from k8srt.controller import measures
from k8srt.controller.event import CreateEvent, DeleteEvent, Event, GenericEvent, UpdateEvent
from k8srt.controller.kinds import Kind, gvk_of
from k8srt.controller.request import Request
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, NoMetadata, require_metadata
from k8srt.util.workqueue import LOW_PRIORITY

log = logging.getLogger(__name__)


class RequestQueue(Protocol):
    """What handlers add to: the queue of a controller."""

    def add_with(
        self, items: Iterable[Request], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None: ...


class EventHandler:
    """Queues what `requests` says, each once. `initial_priority` and `resync_priority` are for what is not new."""

    def __init__(self, *, initial_priority: int = LOW_PRIORITY, resync_priority: int = LOW_PRIORITY) -> None:
        self.initial_priority = initial_priority
        self.resync_priority = resync_priority

    def requests(self, event: Event) -> Iterable[Request]:
        """The requests that an event leads to."""
        raise TypeError(f"{type(self).__name__} does not say what it queues")

    def wants_again(self, event: Event) -> bool:
        """Whether the event makes good for one that failed, and is to be handled though predicates refuse it."""
        return False

    def handle(self, event: Event, queue: RequestQueue) -> None:
        """Queue what the event leads to. What is no object of the API is reported and dropped: HDL-05."""
        try:
            found = dict.fromkeys(self.requests(event))
        except NoMetadata as err:
            log.error("%r: dropped, it is no object of the API: %s", self, err)
            return
        if found:
            queue.add_with(found, priority=self._priority(event))

    def _priority(self, event: Event) -> int:
        if isinstance(event, CreateEvent) and event.is_in_initial_list:
            return self.initial_priority
        if isinstance(event, UpdateEvent) and event.is_resync:
            return self.resync_priority
        return 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class EnqueueForObject(EventHandler):
    """Queues the object itself. Contract: HDL-01."""

    def requests(self, event: Event) -> Iterable[Request]:
        if event.object is None:
            log.error("an event without an object leads to nothing: %r", event)
            return ()
        return (Request.of(event.object),)


class EnqueueForOwner(EventHandler):
    """Queues every owner of a kind that the object has; with `only_controller` the one that controls it.

    The version of the owner's kind does not matter. After an update both the former and the present owners are
    queued. `namespaced` is for kinds of which no class is known. Contract: HDL-02.
    """

    def __init__(
        self, owner: Kind, *, only_controller: bool = False, namespaced: bool | None = None, **priorities: int
    ) -> None:
        super().__init__(**priorities)
        gvk = gvk_of(owner)
        known = scheme.default.lookup(gvk)
        info = known.__info__ if known is not None else None
        self._group, self._kind = gvk.group, gvk.kind
        self._namespaced = namespaced if namespaced is not None else info is None or info.namespaced
        self._only_controller = only_controller

    def requests(self, event: Event) -> Iterator[Request]:
        objects = (event.old, event.new) if isinstance(event, UpdateEvent) else (event.object,)
        for obj in objects:
            require_metadata(obj)
            meta = obj.metadata
            for ref in meta.owner_references or ():
                if self._fits(ref):
                    yield Request((meta.namespace or "") if self._namespaced else "", ref.name)

    def _fits(self, ref: OwnerReference) -> bool:
        if ref.kind != self._kind or GroupVersion.parse(ref.api_version).group != self._group:
            return False
        return bool(ref.controller) or not self._only_controller


class EnqueueMapped(EventHandler):
    """Queues what a function of the object says; after an update of both, the old one and the new. Contract: HDL-03.

    A function that raises is reported with the object and counted. The object is handled once more with its next
    resync, whatever the predicates say of resyncs. Used by one thread at a time for each source.
    """

    def __init__(self, requests_of: Callable[[Any], Iterable[Request]], **priorities: int) -> None:
        super().__init__(**priorities)
        self._requests_of = requests_of
        self._lock = threading.Lock()  # guards _failed
        self._failed: set[tuple[type, Request]] = set()

    def requests(self, event: Event) -> list[Request]:
        objects = (event.old, event.new) if isinstance(event, UpdateEvent) else (event.object,)
        found: list[Request] = []
        for obj in objects:
            try:
                found += self._requests_of(obj)
            except Exception:
                log.exception("%r: mapping it to requests failed", obj)
                measures.provider().handler_failed(getattr(obj, "kind", "") or type(obj).__name__)
                if not isinstance(event, (DeleteEvent, GenericEvent)):
                    self._note(event.object)
        return found

    def wants_again(self, event: Event) -> bool:
        resync = isinstance(event, UpdateEvent) and event.is_resync
        if not resync and not isinstance(event, DeleteEvent):
            return False
        with self._lock:
            if not self._failed:
                return False
            place = (type(event.object), Request.of(event.object))
            failed = place in self._failed
            self._failed.discard(place)
        return failed and resync

    def _note(self, obj: Any) -> None:
        with self._lock:
            self._failed.add((type(obj), Request.of(obj)))


def delete_event(obj: Any) -> DeleteEvent:
    """The event of a deletion, as an informer tells of it: with the object, or with a tombstone. Contract: HDL-05."""
    if isinstance(obj, DeletedFinalStateUnknown):
        return DeleteEvent(obj.obj, delete_state_unknown=True)
    return DeleteEvent(obj)
