"""Keeping objects of the cluster.

What there is of a dependent is found by its label, so what `desired` does not return any more is found, too.

Contract: DEP-01, DEP-02.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.client.applying import Ensured, keep
from k8srt.controller.dependents.belonging import ANNOTATION, LABEL, belongs_to, label_of, members
from k8srt.controller.dependents.dependent import Dependent
from k8srt.controller.dependents.keeper import absent, gone
from k8srt.controller.dependents.state import DependentResult, DependentState
from k8srt.controller.kinds import Form, name_of
from k8srt.controller.request import Request
from k8srt.errors import aggregate

if TYPE_CHECKING:
    from k8srt.controller.context import Context

_Place = tuple[str, str]


class ObjectKeeper:
    """See `Keeper`. `primary` is the kind that it belongs to; `form_of` says what the API knows of a kind."""

    def __init__(
        self,
        dependent: Dependent[Any],
        form_of: Callable[[Any], Form],
        primary: GroupVersionKind,
        *,
        controller: str,
    ) -> None:
        self._dependent = dependent
        self._form_of = form_of
        self._primary = primary
        self._controller = controller
        self._owned = dependent.delete_by == "owner"

    # ---- having it ------------------------------------------------------------------------------------------------

    def bring(self, primary: Any, ctx: Context[Any]) -> DependentState:
        wanted = self._wanted(primary, ctx)
        present = self._present(ctx)
        kept: dict[str, Any] = {}
        outcomes: set[Ensured] = set()
        errors: list[Exception] = []
        for key, obj in wanted.items():
            actual = present.pop(_place(obj), None)
            if actual is not None and actual.metadata.deletion_timestamp is not None:
                kept[key] = actual
                continue
            try:
                done = self._keep(obj, primary, ctx)
            except Exception as err:  # noqa: BLE001 - raised with those of the others
                errors.append(err)
                continue
            kept[key] = done.object
            outcomes.add(done.outcome)
        if errors:
            raise errors[0] if len(errors) == 1 else aggregate(errors) or errors[0]
        deleted = self._delete(present, ctx)
        if not wanted:
            is_gone = gone(self._dependent, primary, ctx, self._present(ctx) if present else ())
            return absent(self._dependent.name, deleted=deleted, is_gone=is_gone)
        if any(each.metadata.deletion_timestamp is not None for each in kept.values()):
            return DependentState(self._dependent.name, DependentResult.WAITING, objects=kept)
        ready = self._dependent.ready
        is_ready = ready is None or all(ready(each, ctx) for each in kept.values())
        return DependentState(self._dependent.name, _result(outcomes, deleted), ready=is_ready, objects=kept)

    def _keep(self, obj: Any, primary: Any, ctx: Context[Any]) -> Any:
        matches = self._dependent.matches

        def will_do(wanted: Any, actual: Any) -> bool:
            return _is_ours(actual, wanted) and matches is not None and bool(matches(wanted, actual))

        if isinstance(obj, Unstructured):  # read from the cache, which watches it anyway
            ctx = dataclasses.replace(ctx, client=ctx.client.with_settings(cache_unstructured=True))
        return keep(
            ctx,
            obj,
            owner=primary,
            owned=self._owned,
            matches=None if matches is None else will_do,
            writes=ctx.home.own_writes,
        )

    # ---- what it should be ----------------------------------------------------------------------------------------

    def _wanted(self, primary: Any, ctx: Context[Any]) -> dict[str, Any]:
        """What is desired, with what it takes to find it again. Raises TypeError, ValueError for what cannot be."""
        found: Any = self._dependent.desired(primary, ctx)
        if found is None:
            return {}
        several = isinstance(found, Mapping) and not isinstance(found, Object)
        wanted = {key: self._checked(each, primary, ctx) for key, each in (found if several else {"": found}).items()}
        if len({_place(each) for each in wanted.values()}) < len(wanted):
            names = ", ".join(f"{key}: {each.metadata.name}" for key, each in wanted.items())
            raise ValueError(f"dependent {self._dependent.name}: some of what is desired has the same name ({names})")
        for each in wanted.values() if ctx.workflow_run is not None else ():
            ctx.workflow.claim(self._dependent.name, self._dependent.gvk, each)
        return wanted

    def _checked(self, obj: Any, primary: Any, ctx: Context[Any]) -> Any:
        about, kind = f"dependent {self._dependent.name}", name_of(self._dependent.kind)
        if not isinstance(obj, Object) or obj.gvk != self._dependent.gvk:
            raise TypeError(f"{about}: desired must return a {kind}, a dict of them, or None, not {obj!r}")
        if not obj.metadata.name:
            raise ValueError(f"{about}: the {kind} that is desired has no name")
        obj = obj.copy()
        meta, home = obj.metadata, primary.metadata.namespace or ""
        if self._form_of(self._dependent.kind).info.namespaced and not meta.namespace:
            if not home:
                raise ValueError(
                    f"{about}: {kind} {meta.name} must say in which namespace it is: its primary is in none"
                )
            meta.namespace = home
        if self._owned and home and (meta.namespace or "") != home:
            raise ValueError(
                f"{about}: {kind} {meta.name} is in namespace {meta.namespace!r} and cannot be owned by "
                f"{self._primary.kind} {ctx.request}; give delete='explicit'"
            )
        meta.labels = {**(meta.labels or {}), LABEL: self._label(ctx.request)}
        if not self._owned:
            meta.annotations = {**(meta.annotations or {}), ANNOTATION: belongs_to(self._primary, ctx.request)}
        return obj

    def _label(self, request: Request) -> str:
        return label_of(self._controller, self._dependent.name, self._primary, request)

    def _present(self, ctx: Context[Any]) -> dict[_Place, Any]:
        found = members(ctx.cache, self._dependent.kind, self._label(ctx.request))
        return {_place(each): each for each in found}

    # ---- having it gone -------------------------------------------------------------------------------------------

    def remove(self, primary: Any, ctx: Context[Any]) -> DependentState:
        present = self._present(ctx)
        deleted = self._delete(present, ctx)
        is_gone = gone(self._dependent, primary, ctx, self._present(ctx) if present else ())
        return absent(self._dependent.name, deleted=deleted, is_gone=is_gone, wanted=False)

    def _delete(self, present: Mapping[_Place, Any], ctx: Context[Any]) -> bool:
        """Ask for the end of what is not ending yet; returns whether there was any."""
        ending = [each for each in present.values() if each.metadata.deletion_timestamp is None]
        for each in ending:
            ctx.client.delete(each, preconditions={"uid": each.metadata.uid}, propagation_policy="Background")
        return bool(ending)


def _place(obj: Any) -> _Place:
    return obj.metadata.namespace or "", obj.metadata.name or ""


def _is_ours(actual: Any, wanted: Any) -> bool:
    return bool((actual.metadata.labels or {}).get(LABEL) == wanted.metadata.labels[LABEL])


def _result(outcomes: set[Ensured], deleted: bool) -> DependentResult:
    """What came of several: the most of what has happened."""
    if Ensured.CREATED in outcomes:
        return DependentResult.CREATED
    if Ensured.UPDATED in outcomes:
        return DependentResult.UPDATED
    return DependentResult.DELETED if deleted else DependentResult.UNCHANGED
