"""Where events come from.

A source has `start(queue)`, which does not block, `wait_for_sync`, and `stop`. What it tells passes its predicates and
goes to its handler, in order, in a thread of its own.

Contract: SRC-01 to SRC-05, HDL-05, HDL-06.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from queue import Full, Queue
from typing import Any, Protocol

from k8srt.apimachinery.object import Object
from k8srt.controller.cache import Cache
from k8srt.controller.event import CreateEvent, Event, GenericEvent, UpdateEvent
from k8srt.controller.handler import EventHandler, RequestQueue, delete_event
from k8srt.controller.kinds import gvk_of, name_of
from k8srt.controller.predicate import Where, as_predicates
from k8srt.controller.reasons import because_of
from k8srt.errors import K8srtError, WaitTimeout
from k8srt.tools.cache.processor import Registration
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.tools.cache.waiting import wait_for_cache_sync
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

CHANNEL_SIZE = 1024


class SourceFailed(K8srtError):
    """A source could not be started, or has not synced; the text says which, and why. Contract: CTL-05, SRC-04."""


class Source(Protocol):
    """Something that leads to requests. Started once, by one controller."""

    def start(self, queue: RequestQueue) -> None: ...
    def wait_for_sync(self, timeout: float, stop: Stop) -> None: ...
    def stop(self) -> None: ...


class _Sifting:
    """Passes the events that all predicates accept on to a handler."""

    def __init__(self, handler: EventHandler, where: Where | Iterable[Where]) -> None:
        self.handler = handler
        self.predicates = as_predicates(where)

    def pass_on(self, event: Event, queue: RequestQueue) -> None:
        if all(predicate.accepts(event) for predicate in self.predicates):
            with because_of(event):
                self.handler.handle(event, queue)


class Informer(_Sifting):
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

    def informer(self) -> Any:
        """The informer that it listens to."""
        assert self._informer is not None
        return self._informer

    def start(self, queue: RequestQueue) -> None:
        """Listen; what is in the cache already is told as created."""
        self._registration = self.informer().add_event_handler(
            on_add=lambda obj, is_in_initial_list: self.pass_on(CreateEvent(obj, is_in_initial_list), queue),
            on_update=lambda old, new: self.pass_on(UpdateEvent(old, new), queue),
            on_delete=lambda obj: self.pass_on(delete_event(obj), queue),
        )

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """Wait until the cache is filled and the handler has seen all of it. Raises SourceFailed: SRC-03, SRC-04."""
        assert self._registration is not None
        if not wait_for_cache_sync(self._registration, timeout=timeout, stop=stop, clock=self._clock):
            if stop.is_set():
                return
            why = self.informer().debug_state().get("last_error")
            raise SourceFailed(f"{self!r} has not synced within {timeout:g}s{f': {why}' if why else ''}")

    def stop(self) -> None:
        """Listen no more."""
        if self._registration is not None:
            self.informer().remove_event_handler(self._registration)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._informer!r}>"


class Kind(Informer):
    """The objects of a kind, by the cache that has them. Contract: SRC-02."""

    def __init__(
        self,
        cache: Cache,
        kind: type[Object],
        handler: EventHandler,
        where: Where | Iterable[Where] = None,
        *,
        clock: Clock = SYSTEM,
    ) -> None:
        _Sifting.__init__(self, handler, where)
        gvk_of(kind)
        self._cache = cache
        self.kind = kind
        self._informer = None
        self._clock = clock
        self._registration = None

    def informer(self) -> Any:
        return self._cache.informer(self.kind)

    def __repr__(self) -> str:
        return f"<Kind {name_of(self.kind)}>"


class Channel(_Sifting):
    """Objects that somebody says should be looked at: `channel.send(obj)`, from any thread. Contract: SRC-05."""

    def __init__(
        self, handler: EventHandler, where: Where | Iterable[Where] = None, *, size: int = CHANNEL_SIZE
    ) -> None:
        super().__init__(handler, where)
        self._waiting: Queue[GenericEvent | None] = Queue(size)
        self._thread: threading.Thread | None = None

    def send(self, obj: Any, timeout: float | None = None) -> None:
        """Have an object looked at; waits while the channel is full. Raises WaitTimeout after `timeout` seconds."""
        try:
            self._waiting.put(GenericEvent(obj), timeout=timeout)
        except Full:
            raise WaitTimeout(f"{self!r} has been full for {timeout}s") from None

    def start(self, queue: RequestQueue) -> None:
        """Begin to pass on what is sent, and was before."""
        self._thread = spawn("channel", self._run, queue)

    def _run(self, queue: RequestQueue) -> None:
        while (event := self._waiting.get()) is not None:
            try:
                self.pass_on(event, queue)
            except Exception:
                log.exception("%r: handling %r failed", self, event)

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """There is nothing to wait for."""

    def stop(self) -> None:
        """Pass on nothing more. Returns when what is being passed on is."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        while thread.is_alive():  # somebody may be filling it while we make room
            try:
                self._waiting.put_nowait(None)
                break
            except Full:
                self._waiting.get_nowait()
        thread.join()

    def __repr__(self) -> str:
        return f"<Channel: {self._waiting.qsize()} waiting>"
