"""Putting a controller together: what it is for, what that owns, what else it watches.

    Builder(mgr).for_(Foo).owns(Deployment).watches(ConfigMap, map=foos_of).named("foo").complete(reconcile)

All errors come from `build`, none is left for the start. `Manager.controller` is the same as a decorator.

Contract: BLD-01 to BLD-03, BLD-05, DEC-01, REC-12, REC-13.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from k8srt.apimachinery.object import Object
from k8srt.controller.context import Context
from k8srt.controller.controller import Controller, Reconcile
from k8srt.controller.handler import EnqueueForObject, EnqueueForOwner, EnqueueMapped, EventHandler
from k8srt.controller.predicate import Where, as_predicates
from k8srt.controller.request import Request, Result
from k8srt.controller.source import Kind, Source

if TYPE_CHECKING:
    from k8srt.controller.manager import Manager

Kinds = type[Object]


class Builder:
    """See the module. Used by one thread, once."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._for: Kinds | None = None
        self._name = ""
        self._watched: list[tuple[Kinds, EventHandler | None, list[Any], bool]] = []  # None: owned by what it is for
        self._raw: list[Source] = []
        self._filters: list[Any] = []
        self._options: dict[str, Any] = {}

    def for_(self, kind: Kinds, where: Where | Iterable[Where] = None) -> Self:
        """The kind that is reconciled. Raises ValueError the second time."""
        if self._for is not None:
            raise ValueError(f"a controller is for one kind: for {self._for.__name__} already, not {kind.__name__}")
        self._for = kind
        self._watched.insert(0, (kind, EnqueueForObject(), as_predicates(where), False))
        return self

    def owns(self, kind: Kinds, where: Where | Iterable[Where] = None, *, match_every_owner: bool = False) -> Self:
        """A kind whose objects lead to the owner that controls them, or with `match_every_owner` to every one."""
        self._watched.append((kind, None, as_predicates(where), match_every_owner))
        return self

    def watches(
        self,
        kind: Kinds,
        handler: EventHandler | None = None,
        *,
        map: Callable[[Any], Iterable[Request]] | None = None,
        where: Where | Iterable[Where] = None,
    ) -> Self:
        """A kind whose objects lead to what a handler, or the function `map`, says."""
        if (handler is None) == (map is None):
            raise ValueError(f"watching {kind.__name__}: give either a handler or a function that maps to requests")
        chosen = handler if handler is not None else EnqueueMapped(typing.cast(Any, map))
        self._watched.append((kind, chosen, as_predicates(where), False))
        return self

    def watches_raw_source(self, source: Source) -> Self:
        """A source as it is; filters of the controller do not apply to it."""
        self._raw.append(source)
        return self

    def with_event_filter(self, where: Where | Iterable[Where]) -> Self:
        """What all events but those of raw sources must pass, before the filters of their own."""
        self._filters += as_predicates(where)
        return self

    def with_options(self, **options: Any) -> Self:
        """Keywords of `Controller`: `workers`, `timeout`, `backoff`, `cache_sync_timeout`, …"""
        self._options.update(options)
        return self

    def named(self, name: str) -> Self:
        """The name of the controller, that of the kind if none is given. Unique in the process."""
        self._name = name
        return self

    def complete(self, reconcile: Callable[..., Result | None]) -> None:
        """Build it and add it to the manager."""
        self.build(reconcile)

    def build(self, reconcile: Callable[..., Result | None]) -> Controller:
        """The same, and return it. Raises ValueError, TypeError for what does not fit together: BLD-02."""
        if self._for is None and any(handler is None for _, handler, *_ in self._watched):
            raise ValueError("a controller that is for no kind has nothing that could own anything: use watches")
        if not self._watched and not self._raw:
            raise ValueError("a controller needs something to watch: for_, owns, watches or watches_raw_source")
        name = self._name or (self._for.__name__.lower() if self._for is not None else "")
        if not name:
            raise ValueError("a controller that is for no kind needs a name: named(...)")
        manager = self._manager
        controller = manager.new_controller(name, as_reconcile(reconcile, self._for), **self._options)
        for kind, handler, predicates, every in self._watched:
            if handler is None:
                assert self._for is not None
                handler = EnqueueForOwner(self._for, only_controller=not every)
            controller.watch(Kind(manager.cache, kind, handler, [*self._filters, *predicates], clock=manager.clock))
        for source in self._raw:
            controller.watch(source)
        manager.add(controller)
        return controller


def as_reconcile(function: Callable[..., Result | None], kind: Kinds | None) -> Reconcile:
    """A reconciler of a function of a request, or of an object, and a context; or of an object with `reconcile`.

    A function whose first parameter is annotated with the kind, or named `obj`, is given the object; one that is
    missing ends the reconcile quietly. Contract: REC-12, REC-13, DEC-01.
    """
    called: Callable[..., Result | None] = function if callable(function) else getattr(function, "reconcile", function)
    coroutine = inspect.iscoroutinefunction(called)  # refused where controllers are made, by its own name
    if kind is None or coroutine or not callable(called) or not _takes_object(called, kind):
        return called
    what = kind

    def reconcile(request: Request, ctx: Context) -> Result | None:
        obj = ctx.client.get_or_none(what, request)
        return None if obj is None else called(obj, ctx)

    return reconcile


def _takes_object(function: Callable[..., object], kind: Kinds) -> bool:
    try:
        first = next(iter(inspect.signature(function).parameters.values()), None)
        hints = typing.get_type_hints(function)
    except (TypeError, ValueError, NameError):  # written in C, or annotated with what only type checkers see
        hints = {}
        first = next(iter(inspect.signature(function).parameters.values()), None)
    if first is None:
        return False
    return first.name == "obj" or hints.get(first.name) is kind or first.annotation == kind.__name__
