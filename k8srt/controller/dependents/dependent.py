"""Dependents that are objects of the cluster.

    Dependent(Deployment, desired=deployment_of, ready=lambda deployment, ctx: deployment.status.ready_replicas)

Contract: DEP-01, DEP-02.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.controller.dependents.member import Delete, Member
from k8srt.controller.kinds import MetadataOnly, Triple, gvk_of, name_of

if TYPE_CHECKING:
    from k8srt.controller.context import Context
    from k8srt.controller.dependents.member import After, Condition

T = TypeVar("T", bound=Object)


class Dependent(Member, Generic[T]):
    """An object that is kept for another one, or several: see `Member` for order and conditions.

    `desired(primary, ctx)` returns the object with just the fields that are to be as it says; several as a dict, under
    keys of the caller's; or None if there should be none. It is in the namespace of the primary unless it says
    another. What `desired` has returned before and does not any more is deleted.

    It is applied (server-side) if any of its fields is not as it was applied last. With `matches(desired, actual)` it
    is applied unless that says that it is not needed.

    `delete="owner"`: the primary is set as its owner, and the garbage collector deletes it. "explicit": it has no owner
    and is deleted before the primary may go, which a finalizer sees to; it may be in another namespace, or in none.
    """

    def __init__(
        self,
        kind: type[T] | Triple,
        desired: Callable[[Any, Context[Any]], T | Mapping[str, T] | None],
        *,
        name: str = "",
        depends_on: After = (),
        when: Condition | None = None,
        ready: Callable[[T, Context[Any]], object] | None = None,
        deleted: Condition | None = None,
        active: Condition | None = None,
        matches: Callable[[T, T], object] | None = None,
        delete: Delete = "owner",
    ) -> None:
        """`name` is by default that of the kind, in lower case. Raises ValueError, TypeError for what cannot be."""
        if isinstance(kind, MetadataOnly):
            raise ValueError(f"dependent: {name_of(kind)} is not enough to keep an object")
        self.gvk = gvk_of(kind)
        super().__init__(
            name or self.gvk.kind.lower(),
            depends_on=depends_on,
            when=when,
            ready=ready,
            deleted=deleted,
            active=active,
            delete=delete,
        )
        for what, function in {"desired": desired, "matches": matches}.items():
            if not callable(function) and not (function is None and what == "matches"):
                raise TypeError(f"dependent {self.name}: {what}: expected a function, got {function!r}")
        self.kind = kind
        self.desired = desired
        self.matches = matches

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "kind": f"{self.gvk.api_version}/{self.gvk.kind}"}
