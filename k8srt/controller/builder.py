"""Putting a controller together: what it is for, what that owns, what else it watches.

    Builder(mgr).for_(Foo).owns(Deployment).watches(ConfigMap, map=foos_of).named("foo").complete(reconcile)

All errors come from `build`, or earlier; none is left for the start. `Manager.controller` is the same as a decorator.

Contract: BLD-01 to BLD-06, CTL-01, PQ-10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast

from k8srt.controller.controller import Controller
from k8srt.controller.dependents.bound import Bound
from k8srt.controller.dependents.member import Member
from k8srt.controller.dependents.own_writes import OwnWrites, Unechoed
from k8srt.controller.dependents.workflow import Workflow
from k8srt.controller.filters import Leaving, annotations_match, labels_match
from k8srt.controller.finalizers import has_finalizer
from k8srt.controller.handler import EnqueueForObject, EnqueueForOwner, EnqueueMapped, EventHandler
from k8srt.controller.kinds import form_of, gvk_of, metadata_only, name_of
from k8srt.controller.mappers import by_annotation as map_by_annotation
from k8srt.controller.mappers import by_index as map_by_index
from k8srt.controller.mappers import by_label as map_by_label
from k8srt.controller.predicate import Predicate, Where, as_predicates
from k8srt.controller.reconciling.adapting import Function, as_reconcile
from k8srt.controller.request import Request
from k8srt.controller.source import Kind, Source

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

Mapper = Callable[[Any], Iterable[Request]]


@dataclass
class _Watch:
    """One kind that is watched: for itself, for its owner, or for what a handler makes of it."""

    role: str
    kind: Any
    handler: Callable[[], EventHandler]
    predicates: list[Predicate] = field(default_factory=list)
    only_metadata: bool = False
    optional: bool = False


class Builder:
    """See the module. Used by one thread, once."""

    def __init__(self, manager: Manager) -> None:
        """Raises ValueError without a manager."""
        if manager is None:
            raise ValueError("a controller needs a manager")
        self._manager = manager
        self._for: _Watch | None = None
        self._name = ""
        self._watched: list[_Watch] = []
        self._raw: list[Source] = []
        self._filters: list[Predicate] = []
        self._options: dict[str, Any] = {}
        self._uses: list[tuple[Any, tuple[str, ...], str]] = []
        self._workflow: Workflow | None = None
        self._built = False

    def for_(
        self,
        kind: Any,
        where: Where | Iterable[Where] = None,
        *,
        labels: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        only_metadata: bool = False,
    ) -> Self:
        """The kind that is reconciled: a class, or a GroupVersionKind. Raises ValueError the second time.

        With `only_metadata` only that is watched, and objects that are read have nothing else.
        """
        if self._for is not None:
            raise ValueError(f"a controller is for one kind: {name_of(self._for.kind)} already, not {name_of(kind)}")
        self._for = _watch("for", kind, EnqueueForObject, where, labels, annotations, only_metadata)
        return self

    def owns(
        self,
        kind: Any,
        where: Where | Iterable[Where] = None,
        *,
        match_every_owner: bool = False,
        only_metadata: bool = False,
        optional: bool = False,
        labels: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
    ) -> Self:
        """A kind whose objects lead to the owner that controls them, or with `match_every_owner` to every one.

        What `where` lets pass limits this controller only; what the cache keeps is limited by its scopes, for all. An
        `optional` kind is watched once the server has it.
        """

        def handler() -> EventHandler:
            return EnqueueForOwner(self._needed("owns").kind, only_controller=not match_every_owner)

        self._watched.append(_watch("owns", kind, handler, where, labels, annotations, only_metadata))
        self._watched[-1].optional = optional
        return self

    def watches(
        self,
        kind: Any,
        handler: EventHandler | None = None,
        *,
        map: Mapper | None = None,
        by_label: str = "",
        by_annotation: str = "",
        by_index: str = "",
        where: Where | Iterable[Where] = None,
        labels: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        only_metadata: bool = False,
        optional: bool = False,
    ) -> Self:
        """A kind whose objects lead to what one of these says:

        a handler; `map`, a function from the object to requests; `by_label`, a label whose value names an object that
        the controller is for, in the same namespace; `by_annotation`, an annotation that names one, or several with
        commas between, also as "namespace/name"; `by_index`, a field by which such objects are indexed, and in which
        the name of the watched one stands. Raises ValueError unless it is one. What `where` lets pass limits this
        controller only; what the cache keeps is limited by its scopes, for all. An `optional` kind is watched once the
        server has it.
        """
        given = [each for each in (handler, map, by_label, by_annotation, by_index) if each]
        if len(given) != 1:
            raise ValueError(
                f"watching {name_of(kind)}: give one of a handler, map, by_label, by_annotation and by_index, "
                f"not {len(given)} of them"
            )

        def make() -> EventHandler:
            if handler is not None:
                return handler
            return EnqueueMapped(map if map is not None else self._mapper(by_label, by_annotation, by_index))

        self._watched.append(_watch("watches", kind, make, where, labels, annotations, only_metadata))
        self._watched[-1].optional = optional
        return self

    def _mapper(self, label: str, annotation: str, index: str) -> Mapper:
        found = self._needed("by_label, by_annotation and by_index")
        namespaced = form_of(self._manager.clientset, found.kind).info.namespaced
        if label:
            return map_by_label(label, namespaced)
        if annotation:
            return map_by_annotation(annotation, namespaced)
        return map_by_index(self._manager.cache, _form(found), index, namespaced)

    def _needed(self, what: str) -> _Watch:
        if self._for is None:
            raise ValueError(f"a controller that is for no kind has nothing for {what} to lead to: use map")
        return self._for

    def dependents(self, *dependents: Member | Workflow) -> Self:
        """What is kept for each object, and watched: dependents, or one workflow of them. It runs before the
        reconciler, which finds what has become of them in `ctx.dependents`. Raises ValueError, TypeError for what does
        not fit together. Contract: DEP-01 to DEP-05."""
        if self._workflow is not None:
            raise ValueError(f"a controller has one workflow: {self._workflow!r} already")
        only = dependents[0] if len(dependents) == 1 else None
        self._workflow = only if isinstance(only, Workflow) else Workflow(cast("tuple[Member, ...]", dependents))
        return self

    def uses(self, kind: Any, *verbs: str, part: str = "") -> Self:
        """Say what the reconciler asks the server for: `uses(Foo, "patch", part="status")`. It changes nothing but the
        role that `k8srt rbac` prints, which is then no guess. Reading from the cache is `list` and `watch`, and known
        for what is watched. Raises ValueError without a verb. Contract: BLD-07."""
        if not verbs:
            raise ValueError(f"using {name_of(kind)}: say which verbs, such as create or patch")
        gvk_of(kind)
        self._uses.append((kind, verbs, part))
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
        """Keywords of `Options`: `workers`, `timeout`, `backoff`, `cache_sync_timeout`, …; and `state`, in place of
        the manager's, and `skip_name_validation`."""
        self._options.update(options)
        return self

    def named(self, name: str) -> Self:
        """The name of the controller, that of the kind if none is given. Unique in the process."""
        self._name = name
        return self

    def complete(self, reconcile: Function) -> None:
        """Build it and add it to the manager."""
        self.build(reconcile)

    def build(self, reconcile: Function) -> Controller:
        """The same, and return it. Raises ValueError, TypeError for what does not fit together: BLD-02."""
        if reconcile is None:
            raise ValueError("a controller needs a reconciler")
        if self._built:
            raise ValueError(f"this controller has its reconciler already: {reconcile!r} is a second one")
        watched = [*([self._for] if self._for is not None else []), *self._watched]
        if not watched and not self._raw:
            raise ValueError("a controller needs something to watch: for_, owns, watches or watches_raw_source")
        name = self._name or (name_of(self._for.kind).lower() if self._for is not None else "")
        writes = OwnWrites(self._manager.clock)
        handlers = [
            Unechoed(made, writes) if watch.role == "owns" else made for watch in watched for made in [watch.handler()]
        ]
        if not name:
            raise ValueError("a controller that is for no kind needs a name: named(...)")
        manager = self._manager
        kind = _form(self._for) if self._for is not None else None
        bound = self._bound(name, kind, writes)
        called = as_reconcile(reconcile, kind)
        if bound is not None:
            called = bound.around(called, cleans_up=has_finalizer(reconcile))
        controller = manager.new_controller(name, called, kind=kind, **self._options)
        self._built = True
        self._limit(controller)
        controller.leave_out(writes)
        if bound is not None:
            bound.attach(controller)
        for watch, handler in zip(watched, handlers, strict=True):
            predicates = [*self._filters, *watch.predicates]
            if watch is self._for and controller.options.notify_leaving and predicates:
                predicates = [Leaving(predicates)]
            source = Kind(
                manager.cache, _form(watch), handler, predicates, optional=watch.optional, clock=manager.clock
            )
            controller.watch(source, f"{watch.role} {gvk_of(watch.kind).kind}")
        for raw in self._raw:
            controller.watch(raw)
        self._describe(controller)
        if bound is not None:
            bound.describe(controller.description)
        manager.add(controller)
        return controller

    def _bound(self, name: str, kind: Any, writes: OwnWrites) -> Bound | None:
        """The workflow of this controller. Raises ValueError for one that it cannot have."""
        if self._workflow is None:
            return None
        if kind is None:
            raise ValueError(f"controller {name} is for no kind: there is nothing for dependents to belong to")
        if self._options.get("run_in", "thread") != "thread":
            raise ValueError(
                f"controller {name}: a workflow runs in threads, not with run_in={self._options['run_in']!r}"
            )
        manager = self._manager
        return Bound(
            self._workflow,
            controller=name,
            kind=kind,
            cache=manager.cache,
            form_of=lambda kind: form_of(manager.clientset, kind),
            writes=writes,
            clock=manager.clock,
        )

    def _limit(self, controller: Controller) -> None:
        """Tell it which objects it is for. Contract: FLT-03."""
        predicates = [*self._filters, *(self._for.predicates if self._for is not None else ())]
        if predicates:
            controller.only(Leaving(predicates).matches)

    def _describe(self, controller: Controller) -> None:
        told = controller.description
        told.clientset = self._manager.clientset
        told.kind = self._for.kind if self._for is not None else None
        told.only_metadata = self._for is not None and self._for.only_metadata
        told.owns = [watch.kind for watch in self._watched if watch.role == "owns"]
        told.watches = [watch.kind for watch in self._watched if watch.role == "watches"]
        told.uses = list(self._uses)
        told.raw_sources = [repr(source) for source in self._raw]
        told.filters = [repr(each) for each in self._filters]
        for watch in (*([self._for] if self._for is not None else []), *self._watched):
            told.filters += [f"{watch.role} {gvk_of(watch.kind).kind}: {each!r}" for each in watch.predicates]


def _watch(
    role: str,
    kind: Any,
    handler: Callable[[], EventHandler],
    where: Where | Iterable[Where],
    labels: Mapping[str, Any] | None,
    annotations: Mapping[str, Any] | None,
    metadata: bool,
) -> _Watch:
    gvk_of(kind)
    predicates = as_predicates(where)
    predicates += [labels_match(labels)] if labels is not None else []
    predicates += [annotations_match(annotations)] if annotations is not None else []
    return _Watch(role, kind, handler, predicates, metadata)


def _form(watch: _Watch) -> Any:
    """What the cache is asked for."""
    return metadata_only(watch.kind) if watch.only_metadata else watch.kind


def new_controller_managed_by(manager: Manager) -> Builder:
    """A builder, under the name that it has in Go. Contract: BLD-01."""
    return Builder(manager)


def new_unmanaged_controller(name: str, manager: Manager, reconcile: Function, **options: Any) -> Controller:
    """A controller over the parts of a manager that is not added to it: whoever makes it starts it. It watches what
    it is told to. Raises ValueError, TypeError for what cannot work. Contract: CTL-01."""
    if reconcile is None:
        raise ValueError(f"controller {name}: a reconciler is needed")
    return manager.new_controller(name, as_reconcile(reconcile, options.get("kind")), **options)


def new_controller(name: str, manager: Manager, reconcile: Function, **options: Any) -> Controller:
    """The same, and the manager runs it. Contract: CTL-01."""
    controller = new_unmanaged_controller(name, manager, reconcile, **options)
    manager.add(controller)
    return controller
