"""The informers of a kind as one, for who listens: all namespaces, in the form that was asked for.

Contract: CCH-01, CCH-09, CCH-14, SHR-01.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from k8srt.controller.cache.kind_cache import KindCache, Part
from k8srt.controller.kinds import Form
from k8srt.tools.cache.handlers import FilteringResourceEventHandler, Handler, ResourceEventHandlerFuncs
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, meta_namespace_key
from k8srt.tools.cache.processor import Registration
from k8srt.util.threads import Latch

T = TypeVar("T")


class _Converting:
    """A handler that is given objects in another form than they are kept in."""

    def __init__(self, handler: Handler, form: Form) -> None:
        self._handler = handler
        self._convert = form.convert

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        self._handler.on_add(self._convert(obj), is_in_initial_list)

    def on_update(self, old: Any, new: Any) -> None:
        self._handler.on_update(self._convert(old), self._convert(new))

    def on_delete(self, obj: Any) -> None:
        if isinstance(obj, DeletedFinalStateUnknown):
            self._handler.on_delete(DeletedFinalStateUnknown(obj.key, self._convert(obj.obj)))
        else:
            self._handler.on_delete(self._convert(obj))


class KindRegistration:
    """One handler at all informers of a kind. `synced` is set once it has returned from all of the initial list."""

    def __init__(self, handler: Handler, resync_period: float | None) -> None:
        self.handler = handler
        self._resync_period = resync_period
        self._lock = threading.Lock()  # guards _parts
        self._parts: list[tuple[Part, Registration]] = []
        self.synced = Latch()

    def follow(self, part: Part) -> Latch:
        """Listen to one more informer, once; returns the latch of that."""
        with self._lock:
            for each, known in self._parts:
                if each is part:
                    return known.synced
            registration = part.informer.add_event_handler(self.handler, resync_period=self._resync_period)
            self._parts.append((part, registration))
        return registration.synced

    def leave(self, part: Part, *, emit_deletes: bool = False) -> None:
        """Listen to an informer no more; with `emit_deletes` what it had counts as deleted."""
        with self._lock:
            mine = [registration for each, registration in self._parts if each is part]
            self._parts = [(each, registration) for each, registration in self._parts if each is not part]
        for registration in mine:
            part.informer.remove_event_handler(registration)
            registration.join()
        if mine and emit_deletes:
            for obj in part.informer.indexer.list():
                self.handler.on_delete(DeletedFinalStateUnknown(meta_namespace_key(obj), obj))

    def leave_all(self) -> None:
        """Listen no more."""
        with self._lock:
            parts, self._parts = self._parts, []
        for part, registration in parts:
            part.informer.remove_event_handler(registration)

    def has_synced(self) -> bool:
        """Whether the handler has returned from everything in the initial list."""
        return self.synced.is_set()

    def debug_state(self) -> list[Mapping[str, Any]]:
        """What each part of it is up to."""
        with self._lock:
            return [registration.debug_state() for _, registration in self._parts]


class KindInformer(Generic[T]):
    """See the module. Thread-safe. Of the surface of an informer it has what listeners need.

    All who ask for a kind share what is beneath; each handler sees everything.
    """

    def __init__(self, shared: KindCache, form: Form, listeners: dict[KindRegistration, None]) -> None:
        self._shared = shared
        self._form = form
        self._listeners = listeners  # of all forms

    @property
    def synced(self) -> Latch:
        """Set once every informer of the kind has synced."""
        return all_of([part.informer.synced for part in self._shared.parts()])

    def has_synced(self) -> bool:
        """Whether every informer of the kind has synced."""
        return all(part.informer.has_synced() for part in self._shared.parts())

    @property
    def informers(self) -> builtins.list[Any]:
        """What is beneath: an informer for each namespace, which hands out the form that was asked for first."""
        return [part.informer for part in self._shared.parts()]

    def add_event_handler(
        self,
        handler: Handler | None = None,
        *,
        on_add: Callable[..., object] | None = None,
        on_update: Callable[[T, T], object] | None = None,
        on_delete: Callable[[Any], object] | None = None,
        filter: Callable[[Any], bool] | None = None,
        resync_period: float | None = None,
    ) -> KindRegistration:
        """As `SharedIndexInformer.add_event_handler`. Raises InformerStopped."""
        if handler is None:
            handler = ResourceEventHandlerFuncs(on_add, on_update, on_delete)
        elif on_add or on_update or on_delete:
            raise ValueError("give either a handler or functions, not both")
        if filter is not None:
            handler = FilteringResourceEventHandler(filter, handler)
        if self._form.cls is not self._shared.form.cls or self._form.cls.__info__ is None or self._form.metadata:
            handler = _Converting(handler, self._form)
        registration = KindRegistration(handler, resync_period)
        self._listeners[registration] = None
        all_of([registration.follow(part) for part in self._shared.parts()]).on_set(registration.synced.set)
        return registration

    def remove_event_handler(self, registration: KindRegistration) -> None:
        """Tell it nothing more; a call that is under way may still finish after this. Twice is fine."""
        if not isinstance(registration, KindRegistration):
            raise TypeError(f"not a registration: {registration!r}")
        self._listeners.pop(registration, None)
        registration.leave_all()

    def is_stopped(self) -> bool:
        """Whether it has run and is over."""
        return all(part.informer.is_stopped() for part in self._shared.parts())

    def debug_state(self) -> Mapping[str, Any]:
        """What it is up to: of one namespace as an informer tells it, of several by their names."""
        parts = self._shared.parts()
        if len(parts) == 1:
            return parts[0].informer.debug_state()
        states = {part.range.namespace or "*": part.informer.debug_state() for part in parts}
        errors = [error for state in states.values() if (error := state.get("last_error"))]
        return {"namespaces": states, **({"last_error": errors[0]} if errors else {})}

    def __repr__(self) -> str:
        return f"<KindInformer of {self._form.name}: {', '.join(repr(each) for each in self.informers)}>"


def all_of(latches: builtins.list[Latch]) -> Latch:
    """A latch that is set once all of these are."""
    result, lock = Latch(), threading.Lock()
    left = len(latches)
    if not left:
        result.set()

    def one() -> None:
        nonlocal left
        with lock:
            left -= 1
            done = not left
        if done:
            result.set()

    for latch in latches:
        latch.on_set(one)
    return result
