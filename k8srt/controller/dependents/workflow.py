"""A workflow: dependents in their order, and one run of them for one object.

    Workflow([Dependent(ConfigMap, config_of), Dependent(Deployment, deployment_of, depends_on="configmap")])

Each has its turn once those it depends on are ready; independent ones have it at the same time. One that fails, or is
not ready, holds up those after it and nothing else. What should not be there is deleted the other way round.

Contract: DEP-03, DEP-04.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.dependents.external import ExternalDependent
from k8srt.controller.dependents.graph import Graph
from k8srt.controller.dependents.keeper import Keeper
from k8srt.controller.dependents.member import Member
from k8srt.controller.dependents.state import DependentResult, DependentState, States
from k8srt.controller.dependents.walking import walk
from k8srt.errors import Aggregate, joined

if TYPE_CHECKING:
    from k8srt.controller.context import Context


class WorkflowFailed(Aggregate):
    """Several dependents failed. One that fails alone raises its own error."""

    def derive(self, excs: Any, /) -> Any:
        return WorkflowFailed(joined(map(str, excs)), list(excs))


class Workflow:
    """See the module. Immutable: one may serve any number of controllers.

    It runs before the reconciler is called; with `by_hand` when that calls `ctx.workflow.run()`. What fails is raised,
    and the reconciler is then not called, unless `raises` is False: then it finds the errors in `ctx.workflow.errors`.
    `finalizer` keeps the primary while there is anything to be deleted before it may go; by default it is named for
    the group of the primary and the controller, and there is none if the garbage collector does all.
    """

    def __init__(
        self, dependents: Iterable[Member], *, by_hand: bool = False, raises: bool = True, finalizer: str = ""
    ) -> None:
        """Raises ValueError, TypeError for dependents that do not fit together."""
        self.graph = Graph(dependents)
        if not self.graph.members:
            raise ValueError("a workflow needs dependents")
        members = self.graph.members.values()
        self.explicit = self.graph.behind(each.name for each in members if each.delete_by == "explicit")
        if finalizer and not self.explicit:
            raise ValueError(f"finalizer {finalizer!r}: the garbage collector deletes all of the dependents")
        self.by_hand = by_hand
        self.raises = raises
        self.finalizer = finalizer

    @property
    def external(self) -> list[ExternalDependent[Any]]:
        """Those outside of the cluster."""
        return [each for each in self.graph.members.values() if isinstance(each, ExternalDependent)]

    def __repr__(self) -> str:
        return f"<Workflow of {', '.join(self.graph.order)}>"


class WorkflowRun:
    """The workflow of the object that a reconcile is about. Used by the thread of the reconcile."""

    def __init__(self, workflow: Workflow, keepers: Mapping[str, Keeper], primary: Any, ctx: Context[Any]) -> None:
        self.dependents = States(workflow.graph.order)
        self.workflow = workflow
        self._keepers = keepers
        self._primary = primary
        self._ctx = ctx
        self._lock = threading.Lock()  # guards _claims
        self._claims: dict[tuple[str, ...], str] = {}

    # ---- asking ---------------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether every dependent is as it should be."""
        return all(state.ready for state in self.dependents.values())

    @property
    def errors(self) -> list[Exception]:
        """What has failed, in order of the workflow."""
        return [state.error for state in self.dependents.values() if state.error is not None]

    def raise_errors(self) -> None:
        """Raise what has failed: one error as it is, with a note of whose it is; several as WorkflowFailed."""
        self._ctx.check()  # whoever is to end has not failed
        failed = [(state.name, state.error) for state in self.dependents.values() if state.error is not None]
        for name, error in failed:
            note = f"dependent {name} of {self._ctx.request}"
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)
        if len(failed) == 1:
            raise failed[0][1]
        if failed:
            text = joined(f"{name}: {error}" for name, error in failed)
            raise WorkflowFailed(text, [error for _, error in failed])

    def claim(self, name: str, gvk: GroupVersionKind, obj: Any) -> None:
        """Note that an object is kept by a dependent. Raises ValueError if another one keeps it."""
        meta = obj.metadata
        place = (gvk.group, gvk.kind, meta.namespace or "", meta.name)
        with self._lock:
            other = self._claims.setdefault(place, name)
        if other != name:
            raise ValueError(f"dependents {other} and {name} both keep {gvk.kind} {meta.name}")

    # ---- running --------------------------------------------------------------------------------------------------

    def run(self) -> WorkflowRun:
        """Have each dependent as it should be. Raises what has failed, once all had their turn; unless the workflow
        leaves errors to who asks for them."""
        with self._lock:
            self._claims.clear()
        graph = self.workflow.graph
        walk(graph.before, self._bring, lambda: self._ctx.executor)
        self._delete({name for name, state in self.dependents.items() if not state.wanted})
        if self.workflow.raises:
            self.raise_errors()
        else:
            self._ctx.check()
        return self

    def delete(self) -> bool:
        """Delete what is to go before the primary; returns whether all of it is gone. Raises what has failed."""
        for name in self.workflow.explicit:
            self.dependents.put(self._unwanted(name))
        self._delete(self.workflow.explicit)
        self.raise_errors()
        return all(self.dependents[name].ready for name in self.workflow.explicit)

    def _bring(self, name: str) -> None:
        self._take_turn(name, self._brought)

    def _brought(self, name: str) -> DependentState:
        member = self.workflow.graph.members[name]
        before = [self.dependents[each] for each in member.depends_on]
        if not all(each.wanted for each in before):
            return self._unwanted(name)
        held_up = tuple(each.name for each in before if not each.ready)
        if held_up:
            return DependentState(name, DependentResult.WAITING, waits_for=held_up)
        if not self._is_active(member):
            return DependentState(name, DependentResult.INACTIVE, ready=True, wanted=False)
        if member.when is not None and not member.when(self._primary, self._ctx):
            return self._unwanted(name)
        return self._keepers[name].bring(self._primary, self._ctx)

    def _delete(self, names: Collection[str]) -> None:
        """Delete these, each after those of them that depend on it."""
        if names:
            graph = self.workflow.graph
            walk({name: graph.after[name] for name in names}, self._remove, lambda: self._ctx.executor)

    def _remove(self, name: str) -> None:
        self._take_turn(name, self._removed)

    def _removed(self, name: str) -> DependentState:
        member = self.workflow.graph.members[name]
        after = [state for each in self.workflow.graph.after[name] if not (state := self.dependents[each]).wanted]
        held_up = tuple(each.name for each in after if not each.ready)
        if held_up:
            return self._unwanted(name, held_up)
        if self.dependents[name].result is DependentResult.INACTIVE or not self._is_active(member):
            return DependentState(name, DependentResult.INACTIVE, ready=True, wanted=False)
        return self._keepers[name].remove(self._primary, self._ctx)

    def _is_active(self, member: Member) -> bool:
        return member.active is None or bool(member.active(self._primary, self._ctx))

    def _unwanted(self, name: str, waits_for: tuple[str, ...] = ()) -> DependentState:
        return DependentState(name, DependentResult.WAITING, wanted=False, waits_for=waits_for)

    def _take_turn(self, name: str, turn: Any) -> None:
        try:
            state = turn(name)
        except Exception as err:  # noqa: BLE001 - raised with those of the others
            wanted = self.dependents[name].wanted
            state = DependentState(name, DependentResult.FAILED, error=err, wanted=wanted)
        self.dependents.put(state)

    def __str__(self) -> str:
        return "; ".join(str(state) for state in self.dependents.values() if not state.ready) or "ready"

    def __repr__(self) -> str:
        return f"<WorkflowRun of {self._ctx.request}: {self.dependents!r}>"
