"""The workflow of one controller: what it watches, its finalizer, and the reconciler that it goes around.

Contract: DEP-01 to DEP-05.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from k8srt.controller.dependents.belonging import EnqueuePrimary
from k8srt.controller.dependents.dependent import Dependent
from k8srt.controller.dependents.external import ExternalDependent, ExternalKeeper
from k8srt.controller.dependents.keeper import Keeper
from k8srt.controller.dependents.objects import ObjectKeeper
from k8srt.controller.dependents.own_writes import OwnWrites, Unechoed
from k8srt.controller.dependents.state import DependentResult
from k8srt.controller.dependents.watching import DependentKind, Late
from k8srt.controller.dependents.workflow import Workflow, WorkflowRun
from k8srt.controller.finalizers import contains_finalizer, with_finalizer
from k8srt.controller.kinds import Form, gvk_of, name_of
from k8srt.controller.request import Request, Result
from k8srt.controller.source import Source

if TYPE_CHECKING:
    from k8srt.controller.cache.cache import Cache
    from k8srt.controller.context import Context
    from k8srt.util.clock import Clock

_SOME = 20
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")

LOOK_AGAIN = 10.0
"""Seconds until it is looked again whether what was deleted is gone, if no event tells before."""

Reconcile = Callable[[Request, "Context[Any]"], Result | None]


class Description(Protocol):
    """What is told of a controller: of each dependent its kind, None for those outside of the cluster, and the rest."""

    dependents: list[tuple[Any, dict[str, Any]]]
    finalizer: str


class Watches(Protocol):
    """What is needed of a controller."""

    def watch(self, source: Source, why: str = "") -> None: ...
    def unwatch(self, source: Source) -> None: ...
    def show(self, name: str, state: Callable[[], object]) -> None: ...


class Bound:
    """See the module. Thread-safe once attached. `kind` is the primary's, in the form in which the cache is asked for
    it, and `form_of` says what the API knows of a kind."""

    def __init__(
        self,
        workflow: Workflow,
        *,
        controller: str,
        kind: Any,
        cache: Cache,
        form_of: Callable[[Any], Form],
        writes: OwnWrites,
        clock: Clock,
    ) -> None:
        """Raises ValueError for a dependent that such a primary cannot have."""
        self.workflow = workflow
        self.finalizer = ""
        self._kind = kind
        self._cache = cache
        self._writes = writes
        self._clock = clock
        self._namespaced = form_of(kind).info.namespaced
        gvk = gvk_of(kind)
        if workflow.explicit:
            self.finalizer = workflow.finalizer or f"{gvk.group or 'k8srt.io'}/{controller}-dependents"
            if not _QUALIFIED.fullmatch(self.finalizer.partition("/")[2]):
                raise ValueError(
                    f"controller {controller}: {self.finalizer!r} is no finalizer; give the Workflow another"
                )
        self._keepers: dict[str, Keeper] = {}
        self._lock = threading.Lock()  # guards _not_ready
        self._not_ready: dict[Request, str] = {}
        for member in workflow.graph.members.values():
            if isinstance(member, ExternalDependent):
                self._keepers[member.name] = ExternalKeeper(member)
            elif isinstance(member, Dependent):
                if isinstance(member.kind, type):  # of others only the server knows
                    _check(member, form_of(member.kind), self._namespaced, gvk.kind)
                self._keepers[member.name] = ObjectKeeper(member, form_of, gvk, controller=controller)
            else:
                raise TypeError(f"dependent {member.name}: neither a Dependent nor an ExternalDependent")

    # ---- what leads to a reconcile --------------------------------------------------------------------------------

    def attach(self, controller: Watches) -> None:
        """Have a controller watch the dependents; those that need not be active are watched once they are."""
        controller.show("dependents", self.state)
        watched: set[Any] = set()
        for member in self.workflow.graph.members.values():
            keeper = self._keepers[member.name]
            if isinstance(keeper, ExternalKeeper):
                source = keeper.source(lambda request: self._cache.get(self._kind, request), self._clock)
                if source is not None:
                    controller.watch(source, f"dependent {member.name}")
                continue
            assert isinstance(member, Dependent)
            if member.active is not None:
                late = Late(keeper, lambda member=member: self._watch(controller, member))  # type: ignore[misc]
                self._keepers[member.name] = late
            elif member.gvk not in watched:
                watched.add(member.gvk)
                self._watch(controller, member)

    def _watch(self, controller: Watches, member: Dependent[Any]) -> None:
        handler = Unechoed(EnqueuePrimary(self._kind, namespaced=self._namespaced), self._writes)
        source = DependentKind(self._cache, member.kind, handler, clock=self._clock)
        try:
            controller.watch(source, f"dependent {name_of(member.kind)}")
        except Exception:
            controller.unwatch(source)
            raise

    # ---- around a reconciler --------------------------------------------------------------------------------------

    def around(self, reconcile: Reconcile, *, cleans_up: bool) -> Reconcile:
        """A reconciler that runs the workflow, too. `cleans_up`: the one given has a finalizer of its own, and is
        called for what is being deleted, after the dependents are gone."""
        run: Any = self._run_before(reconcile)
        if self.finalizer:
            run = with_finalizer(self.finalizer, cleanup=self._clean_up)(run)

        def with_dependents(request: Request, ctx: Context[Any]) -> Result | None:
            primary = ctx.client.get_or_none(self._kind, request)
            if primary is None:
                self._note(request, None)
                return reconcile(request, ctx)
            ctx.workflow_run = WorkflowRun(self.workflow, self._keepers, primary, ctx)
            ending = primary.metadata.deletion_timestamp is not None
            if ctx.filtered_out or (ending and not contains_finalizer(primary, self.finalizer)):
                return reconcile(request, ctx) if cleans_up or not ending else None
            try:
                result: Result | None = run(primary, ctx)
            finally:
                self._note(request, ctx.workflow_run)
            return result

        with_dependents.__name__ = getattr(reconcile, "__name__", "reconcile")
        with_dependents.__wrapped__ = reconcile  # type: ignore[attr-defined]
        return with_dependents

    def _run_before(self, reconcile: Reconcile) -> Callable[[Any, Any], Result | None]:
        def run(primary: Any, ctx: Context[Any]) -> Result | None:
            ctx.workflow_run = WorkflowRun(self.workflow, self._keepers, primary, ctx)  # it may have a finalizer now
            if not self.workflow.by_hand:
                ctx.workflow_run.run()
            result = reconcile(ctx.request, ctx)
            look_again = result in (None, Result()) and self._is_leaving(ctx.workflow_run)
            return Result(requeue_after=LOOK_AGAIN) if look_again else result

        return run

    def _is_leaving(self, run: WorkflowRun) -> bool:
        """Whether something is not gone yet of which no event may tell when it is."""
        for name, state in run.dependents.items():
            member = self.workflow.graph.members[name]
            untold = member.deleted is not None or isinstance(member, ExternalDependent)
            if untold and state.result is DependentResult.DELETED and not state.ready:
                return True
        return False

    def _clean_up(self, primary: Any, ctx: Context[Any]) -> Result | None:
        return None if ctx.workflow.delete() else Result(requeue_after=LOOK_AGAIN)

    # ---- telling ---------------------------------------------------------------------------------------------------

    def _note(self, request: Request, run: WorkflowRun | None) -> None:
        with self._lock:
            if run is None or run.ready:
                self._not_ready.pop(request, None)
            else:
                self._not_ready[request] = str(run)

    def state(self) -> Mapping[str, Any]:
        """The dependents in their order, and what is not ready of which object."""
        with self._lock:
            count, some = len(self._not_ready), dict(itertools.islice(self._not_ready.items(), _SOME))
        members = [self.workflow.graph.members[name].describe() for name in self.workflow.graph.order]
        return {"members": members, "not_ready": count, "of": {str(request): what for request, what in some.items()}}

    def describe(self, description: Description) -> None:
        """Tell what there is, in its order, and what it takes."""
        members = [self.workflow.graph.members[name] for name in self.workflow.graph.order]
        description.dependents = [(getattr(each, "kind", None), each.describe()) for each in members]
        description.finalizer = self.finalizer

    def __repr__(self) -> str:
        return f"<Bound {self.workflow!r}>"


def _check(member: Dependent[Any], form: Form, namespaced: bool, primary: str) -> None:
    if member.delete_by == "owner" and namespaced and not form.info.namespaced:
        raise ValueError(
            f"dependent {member.name}: a {form.name} is in no namespace and cannot be owned by a {primary}, which is "
            "in one; give delete='explicit'"
        )
