"""Handlers of single changes, as decorators. A second choice: a reconciler says less, and forgets nothing.

    @mgr.on.create(Foo)
    def welcome(foo, ctx): ...

    @mgr.on.update(Foo)
    def adapt(foo, ctx, change):
        for path, old, new in change.diff: ...

    @mgr.on.field(Foo, "spec.replicas")
    def scale(foo, ctx, change): print(change.old, change.new)

    @mgr.on.delete(Foo)
    def farewell(foo, ctx): ...

All handlers of a kind are one controller. Contract: DEC-03.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from k8srt.controller.builder import Builder
from k8srt.controller.changes.handlers import Handler, Handlers, What
from k8srt.controller.changes.keeping import InAnnotation, InMemory
from k8srt.controller.controller import Controller
from k8srt.controller.filters import annotations_match, labels_match
from k8srt.controller.kinds import gvk_of, name_of
from k8srt.controller.predicate import Where, as_predicates

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

F = TypeVar("F", bound=Callable[..., Any])
Keep = Literal["annotation", "memory", ""]


class _Kind(NamedTuple):
    """What was settled for a kind by its first handler."""

    handlers: Handlers
    keep: Keep
    domain: str
    finalizer: str
    controller: Controller


class On:
    """See the module. Used by one thread, before the manager starts.

    Each decorator takes `where`, `labels` and `annotations`, which narrow that handler down. Those of the first handler
    of a kind hold for all: `keep` says where is kept what was last handled: "annotation" of the object, or "memory",
    which begins anew with each start; without it an annotation where there is a `domain`, the operator's own
    ("example.com"), else memory. Without a `domain` it is the group of the kind, if that is not one of Kubernetes.
    `uses` is what the handlers ask the server for, as of `Manager.controller`. Further keywords of the first are those
    of `Options`: `workers`, `timeout`, `backoff`, …
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._kinds: dict[Any, _Kind] = {}

    def create(self, kind: Any, **options: Any) -> Callable[[F], F]:
        """Have a function called for each object that was never handled before."""
        return self._adding("create", kind, "", options)

    def update(self, kind: Any, **options: Any) -> Callable[[F], F]:
        """Have a function called when the essence of an object is another than when it was last handled."""
        return self._adding("update", kind, "", options)

    def delete(self, kind: Any, **options: Any) -> Callable[[F], F]:
        """Have a function called before an object goes. It has a finalizer for that, which needs a domain."""
        return self._adding("delete", kind, "", options)

    def field(self, kind: Any, path: str, **options: Any) -> Callable[[F], F]:
        """Have a function called when a field, "spec.replicas" or "status.phase", is another than it was; for a new
        object, when it is there at all."""
        if not path or not all(path.split(".")):
            raise ValueError(f"a field is named as in spec.replicas, not {path!r}")
        return self._adding("field", kind, path, options)

    def _adding(self, what: What, kind: Any, field: str, options: Mapping[str, Any]) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            self._add(what, kind, function, field, **options)
            return function

        return decorate

    def _add(
        self,
        what: What,
        kind: Any,
        function: Any,
        field: str,
        *,
        where: Where | Iterable[Where] = None,
        labels: Mapping[str, Any] | None = None,
        annotations: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        predicates = as_predicates(where)
        predicates += [labels_match(labels)] if labels is not None else []
        predicates += [annotations_match(annotations)] if annotations is not None else []
        handler = Handler(what, function, predicates, field)
        settled = self._settled(kind, **options)
        if what == "delete" and not settled.finalizer:
            raise ValueError(f'on.delete of {name_of(kind)} needs a domain for its finalizer: domain="example.com"')
        if what == "delete":
            settled.controller.description.finalizer = settled.finalizer
        settled.handlers.add(handler)

    def _settled(
        self,
        kind: Any,
        *,
        keep: Keep = "",
        domain: str = "",
        name: str = "",
        uses: Sequence[tuple[Any, *tuple[str, ...]]] = (),
        **options: Any,
    ) -> _Kind:
        gvk = gvk_of(kind)
        known = self._kinds.get(gvk)
        if known is not None:
            if options or uses or name or keep not in ("", known.keep) or domain not in ("", known.domain):
                raise ValueError(f"what holds for all handlers of {name_of(kind)} is said at the first of them")
            return known
        if keep not in ("", "annotation", "memory"):
            raise ValueError(f"keep: expected 'annotation' or 'memory', not {keep!r}")
        if options.get("run_in", "thread") != "thread":
            raise ValueError(f"run_in: handlers of changes run in threads, not in {options['run_in']!r}")
        domain = domain or _own(gvk.group)
        if keep == "annotation" and not domain:
            raise ValueError(f'keep="annotation": {name_of(kind)} needs a domain for it: domain="example.com"')
        keep = keep or ("annotation" if domain else "memory")
        name = name or f"{name_of(kind).lower()}-changes"
        finalizer = f"{domain}/{name}" if domain else ""
        handlers = Handlers(
            InAnnotation(f"{domain}/last-handled.{name}") if keep == "annotation" else InMemory(), finalizer
        )
        builder = Builder(self._manager).for_(kind).named(name).with_options(**options)
        mine = [(kind, "patch")] if uses and keep == "annotation" else []
        for used, *verbs in (*uses, *mine):
            for verb, _, part in (each.partition("/") for each in verbs):
                builder.uses(used, verb, part=part)
        settled = self._kinds[gvk] = _Kind(handlers, keep, domain, finalizer, builder.build(handlers))
        return settled

    def __repr__(self) -> str:
        return f"<On: {', '.join(f'{gvk.kind}: {kind.handlers!r}' for gvk, kind in self._kinds.items()) or 'nothing'}>"


def _own(group: str) -> str:
    """The domain of a kind, if it is somebody's own."""
    return "" if "." not in group or group == "k8s.io" or group.endswith((".k8s.io", ".kubernetes.io")) else group
