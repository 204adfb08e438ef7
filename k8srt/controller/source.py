"""Where events come from.

A source has `start(queue)`, which does not block, `wait_for_sync`, and `stop`. What it tells passes its predicates and
goes to its handler, in order, in a thread of its own.

Contract: SRC-01 to SRC-04, HDL-05, HDL-06.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from k8srt.controller.cache.cache import Cache
from k8srt.controller.event import CreateEvent, Event, UpdateEvent
from k8srt.controller.handler import EventHandler, RequestQueue, delete_event
from k8srt.controller.kinds import gvk_of, name_of
from k8srt.controller.predicate import Where, as_predicates
from k8srt.controller.reasons import because_of
from k8srt.errors import K8srtError
from k8srt.tools.cache.processor import Registration
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.tools.cache.waiting import wait_for_cache_sync
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked

log = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds between attempts at what cannot be had, and between log lines about it."""


class SourceFailed(K8srtError):
    """A source could not be started, or has not synced; the text says which, and why. Contract: CTL-05, SRC-04."""


def in_words(cause: str) -> str:
    """An error with what is probably to be done about it."""
    for sign, hint in _HINTS.items():
        if sign in cause.lower():
            return f"{cause} ({hint})"
    return cause


_HINTS = {
    "could not find the requested resource": "is the CRD installed?",
    "no matches for": "is the CRD installed?",
    "forbidden": "may this program list and watch them?",
    "unauthorized": "who is this program?",
}


class Source(Protocol):
    """Something that leads to requests. Started once, by one controller."""

    def start(self, queue: RequestQueue) -> None: ...
    def wait_for_sync(self, timeout: float, stop: Stop) -> None: ...
    def stop(self) -> None: ...


class Sifting:
    """Passes the events that all predicates accept on to a handler."""

    def __init__(self, handler: EventHandler, where: Where | Iterable[Where]) -> None:
        if handler is None:
            raise ValueError(f"{type(self).__name__}: a source needs a handler")
        self.handler = handler
        self.predicates = as_predicates(where)

    def pass_on(self, event: Event, queue: RequestQueue) -> None:
        if all(predicate.accepts(event) for predicate in self.predicates) or self.handler.wants_again(event):
            with because_of(event):
                self.handler.handle(event, queue)


class Informer(Sifting):
    """The objects of an informer that somebody else runs."""

    def __init__(
        self,
        informer: SharedIndexInformer[Any],
        handler: EventHandler,
        where: Where | Iterable[Where] = None,
        *,
        clock: Clock = SYSTEM,
    ) -> None:
        super().__init__(handler, where)
        self._informer: SharedIndexInformer[Any] | None = informer
        self._clock = clock
        self._registration: Registration | None = None
        self._cause = ""

    def informer(self) -> Any:
        """The informer that it listens to."""
        assert self._informer is not None
        return self._informer

    def start(self, queue: RequestQueue) -> None:
        """Listen; what is in the cache already is told as created. What cannot be had yet is waited for."""
        self._queue = queue
        try:
            self._listen()
        except K8srtError as err:
            self._cause = str(err)
            log.warning("%r: %s", self, in_words(self._cause))

    def _listen(self) -> None:
        queue = self._queue
        self._registration = self.informer().add_event_handler(
            on_add=lambda obj, is_in_initial_list: self.pass_on(CreateEvent(obj, is_in_initial_list), queue),
            on_update=lambda old, new: self.pass_on(UpdateEvent(old, new), queue),
            on_delete=lambda obj: self.pass_on(delete_event(obj), queue),
        )
        self._cause = ""

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """Wait until the cache is filled and the handler has seen all of it: SRC-03. Says every 10 seconds what is in
        the way, and raises SourceFailed with the last of it: SRC-04."""
        deadline = self._clock.now() + timeout
        while not stop.is_set():
            patience = min(RETRY, max(deadline - self._clock.now(), 0.0))
            if self._has_synced(patience, stop):
                return
            if stop.is_set():
                return
            why = in_words(self._why_not())
            if self._clock.now() >= deadline:
                raise SourceFailed(f"{self!r} has not synced within {timeout:g}s{f': {why}' if why else ''}")
            log.warning("%r has not synced yet%s", self, f": {why}" if why else "")

    def _has_synced(self, patience: float, stop: Stop) -> bool:
        if self._registration is None:
            with linked(stop) as halt:
                self._clock.wait_event(halt, patience)
            try:
                self._listen()
            except K8srtError as err:
                self._cause = str(err)
            return False
        return wait_for_cache_sync(self._registration, timeout=patience, stop=stop, clock=self._clock)

    def _why_not(self) -> str:
        if self._registration is None:
            return self._cause
        return str(self.informer().debug_state().get("last_error") or "")

    def stop(self) -> None:
        """Listen no more."""
        if self._registration is not None:
            self.informer().remove_event_handler(self._registration)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._informer!r}>"


class Kind(Informer):
    """The objects of a kind, by the cache that has them. The server may not know an `optional` kind yet: then nobody
    waits for it, and it is watched once it is there. Contract: SRC-02, CCH-15."""

    def __init__(
        self,
        cache: Cache,
        kind: Any,
        handler: EventHandler,
        where: Where | Iterable[Where] = None,
        *,
        optional: bool = False,
        clock: Clock = SYSTEM,
    ) -> None:
        if cache is None:
            raise ValueError(f"watching {kind!r} needs a cache")
        Sifting.__init__(self, handler, where)
        gvk_of(kind)
        self._cache = cache
        self.kind = kind
        self._optional = optional or getattr(cache, "kinds_may_be_missing", False)
        self._informer = None
        self._clock = clock
        self._registration = None
        self._cause = ""

    def informer(self) -> Any:
        return self._cache.informer(self.kind, optional=True) if self._optional else self._cache.informer(self.kind)

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """As `Informer`; of an optional kind nothing is waited for."""
        if not self._optional:
            super().wait_for_sync(timeout, stop)

    def __repr__(self) -> str:
        return f"<Kind {name_of(self.kind)}>"


class Func:
    """A function of a stop and a queue that does not block: what it starts adds to the queue until the stop is set."""

    def __init__(self, start: Callable[[Stop, RequestQueue], object]) -> None:
        self._start = start
        self._halt = Stop()

    def start(self, queue: RequestQueue) -> None:
        """Call it."""
        self._start(self._halt, queue)

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """There is nothing to wait for."""

    def stop(self) -> None:
        """Set the stop it was given."""
        self._halt.set()

    def __repr__(self) -> str:
        return f"<Func {getattr(self._start, '__qualname__', self._start)}>"
