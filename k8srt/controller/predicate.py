"""Predicates: which events are worth a reconcile. All predicates of a watch must accept one.

    mgr.controller(Foo, where=GenerationChanged() | LabelChanged())
    mgr.controller(Foo, where=lambda foo: foo.spec.paused is not True)

They limit what a controller is told of, never what the cache keeps. They are asked in the thread of their handler and
must not block.

Contract: PRD-01 to PRD-06, CCH-13.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from k8srt.apimachinery.labels import SelectorLike, as_selector
from k8srt.controller.event import CreateEvent, DeleteEvent, Event, GenericEvent, UpdateEvent

log = logging.getLogger(__name__)


class Predicate:
    """Accepts everything; override what is to be looked at. `&`, `|` and `~` combine predicates."""

    def create(self, event: CreateEvent) -> bool:
        return True

    def update(self, event: UpdateEvent) -> bool:
        return True

    def delete(self, event: DeleteEvent) -> bool:
        return True

    def generic(self, event: GenericEvent) -> bool:
        return True

    def accepts(self, event: Event) -> bool:
        """Ask the question that fits the event."""
        match event:
            case CreateEvent():
                return self.create(event)
            case UpdateEvent():
                return self.update(event)
            case DeleteEvent():
                return self.delete(event)
            case GenericEvent():
                return self.generic(event)

    def __and__(self, other: Predicate) -> Predicate:
        return and_(self, other)

    def __or__(self, other: Predicate) -> Predicate:
        return or_(self, other)

    def __invert__(self) -> Predicate:
        return not_(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Funcs(Predicate):
    """A predicate of functions; one that is missing accepts."""

    def __init__(
        self,
        create: Callable[[CreateEvent], bool] | None = None,
        update: Callable[[UpdateEvent], bool] | None = None,
        delete: Callable[[DeleteEvent], bool] | None = None,
        generic: Callable[[GenericEvent], bool] | None = None,
    ) -> None:
        self._functions: dict[type[Event], Callable[[Any], bool] | None] = {
            CreateEvent: create,
            UpdateEvent: update,
            DeleteEvent: delete,
            GenericEvent: generic,
        }

    def accepts(self, event: Event) -> bool:
        ask = self._functions[type(event)]
        return ask is None or bool(ask(event))


class Matching(Predicate):
    """Asks a function about the object, of an update about the new one. Contract: PRD-02."""

    def __init__(self, matches: Callable[[Any], object]) -> None:
        self._matches = matches

    def accepts(self, event: Event) -> bool:
        return bool(self._matches(event.object))


def from_function(matches: Callable[[Any], object]) -> Predicate:
    """A predicate of one function of the object."""
    return Matching(matches)


def label_selector(selector: SelectorLike) -> Predicate:
    """Objects that a selector selects. Raises SelectorError at once. Contract: PRD-04."""
    chosen = as_selector(selector)
    return Matching(lambda obj: chosen.matches(obj.metadata.labels or {}))


class _Changed(Predicate):
    """Looks at updates only. Contract: PRD-03."""

    def update(self, event: UpdateEvent) -> bool:
        if event.old is None or event.new is None:
            log.error("an update without an %s object is left out", "old" if event.old is None else "new")
            return False
        return self.differ(event.old, event.new)

    def differ(self, old: Any, new: Any) -> bool:
        raise TypeError(f"{type(self).__name__} does not say what it compares")


class ResourceVersionChanged(_Changed):
    """Lets through whatever changed at all: all but resyncs."""

    def differ(self, old: Any, new: Any) -> bool:
        return bool(old.metadata.resource_version != new.metadata.resource_version)


class GenerationChanged(_Changed):
    """Lets through changes of what is wanted: neither resyncs, nor those of the status or of metadata.

    `or_deleting` lets through the beginning of a deletion, `or_finalizers` a change of finalizers: a controller that
    has finalizers must see both. Contract: PRD-06.
    """

    def __init__(self, *, or_deleting: bool = False, or_finalizers: bool = False) -> None:
        self._or_deleting = or_deleting
        self._or_finalizers = or_finalizers

    def differ(self, old: Any, new: Any) -> bool:
        before, after = old.metadata, new.metadata
        if before.generation != after.generation:
            return True
        if self._or_deleting and (before.deletion_timestamp is None) != (after.deletion_timestamp is None):
            return True
        return self._or_finalizers and list(before.finalizers or ()) != list(after.finalizers or ())


class AnnotationChanged(_Changed):
    """Lets through changes of annotations; none at all is the same as an empty map."""

    def differ(self, old: Any, new: Any) -> bool:
        return dict(old.metadata.annotations or {}) != dict(new.metadata.annotations or {})


class LabelChanged(_Changed):
    """Lets through changes of labels; none at all is the same as an empty map."""

    def differ(self, old: Any, new: Any) -> bool:
        return dict(old.metadata.labels or {}) != dict(new.metadata.labels or {})


class _Combined(Predicate):
    def __init__(self, combine: Callable[[Iterable[bool]], bool], sign: str, predicates: tuple[Predicate, ...]) -> None:
        self._combine = combine
        self._sign = sign
        self._predicates = predicates

    def accepts(self, event: Event) -> bool:
        return self._combine(each.accepts(event) for each in self._predicates)

    def __repr__(self) -> str:
        return f"<{f' {self._sign} '.join(map(repr, self._predicates))}>"


class _Negated(Predicate):
    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate

    def accepts(self, event: Event) -> bool:
        return not self._predicate.accepts(event)

    def __repr__(self) -> str:
        return f"<not {self._predicate!r}>"


def and_(*predicates: Predicate) -> Predicate:
    """Accepts what all accept; of none, everything. Stops at the first that refuses. Contract: PRD-05."""
    return _Combined(all, "&", predicates)


def or_(*predicates: Predicate) -> Predicate:
    """Accepts what any accepts; of none, nothing. Stops at the first that accepts."""
    return _Combined(any, "|", predicates)


def not_(predicate: Predicate) -> Predicate:
    """Accepts what another refuses, whichever the event."""
    return _Negated(predicate)


Where = Predicate | Callable[[Any], object] | None
"""What options called `where` take: a predicate, a function of the object, or nothing."""


def as_predicates(where: Where | Iterable[Where]) -> list[Predicate]:
    """The predicates that `where` stands for, which may be several. Raises TypeError."""
    if where is None:
        return []
    if isinstance(where, Predicate):
        return [where]
    if callable(where):
        return [Matching(where)]
    if isinstance(where, Iterable):
        return [predicate for each in where for predicate in as_predicates(each)]
    raise TypeError(f"where: expected a predicate or a function of an object, got {where!r}")
