"""Where it is kept what was last handled: in an annotation of the object, or in memory.

Contract: DEC-03.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from k8srt.errors import NotFound

if TYPE_CHECKING:
    from k8srt.controller.context import Context

State = dict[str, Any]


class Keeping(Protocol):
    """Remembers a state for each object. Used by one reconcile of an object at a time."""

    annotation: str

    def last(self, obj: Any, ctx: Context[Any]) -> State | None: ...
    def keep(self, obj: Any, state: State, ctx: Context[Any]) -> None: ...


class InAnnotation:
    """In an annotation, so that it outlives the program."""

    def __init__(self, annotation: str) -> None:
        self.annotation = annotation

    def last(self, obj: Any, ctx: Context[Any]) -> State | None:
        """What was kept, None if nothing was, or nobody can read it."""
        text = (obj.metadata.annotations or {}).get(self.annotation)
        if text is None:
            return None
        try:
            state = msgspec.json.decode(text)
        except msgspec.DecodeError:
            ctx.log.warning("the annotation %s is no JSON: the object counts as new", self.annotation)
            return None
        return state if isinstance(state, dict) else None

    def keep(self, obj: Any, state: State, ctx: Context[Any]) -> None:
        """Write it. Fine if the object is gone."""
        text = msgspec.json.encode(state, order="sorted").decode()
        patch = {"metadata": {"uid": obj.metadata.uid, "annotations": {self.annotation: text}}}
        try:
            ctx.client.patch(obj, patch, patch_type="merge")
        except NotFound:
            ctx.log.debug("gone before it could be kept what was handled")


class InMemory:
    """In memory: after a start, everything counts as new."""

    annotation = ""

    def last(self, obj: Any, ctx: Context[Any]) -> State | None:
        """What was kept."""
        state: State | None = ctx.memo.get(InMemory)
        return state

    def keep(self, obj: Any, state: State, ctx: Context[Any]) -> None:
        """Keep it."""
        ctx.memo[InMemory] = state
