"""What a controller does about one dependent: having it as it should be, and having it gone.

Contract: DEP-01, DEP-02.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from k8srt.controller.dependents.member import Member
from k8srt.controller.dependents.state import DependentResult, DependentState

if TYPE_CHECKING:
    from k8srt.controller.context import Context


class Keeper(Protocol):
    """One dependent, for any number of objects. Thread-safe; the calls for one object come one after the other."""

    def bring(self, primary: Any, ctx: Context[Any]) -> DependentState:
        """Have it as it is desired. Raises what is in the way."""
        ...

    def remove(self, primary: Any, ctx: Context[Any]) -> DependentState:
        """Have it gone; it is when the state is ready. Raises what is in the way."""
        ...


def gone(member: Member, primary: Any, ctx: Context[Any], left: Iterable[Any]) -> bool:
    """Whether nothing is left of a member, also by what its author says."""
    if any(True for _ in left):
        return False
    return member.deleted is None or bool(member.deleted(primary, ctx))


def absent(name: str, *, deleted: bool, is_gone: bool, wanted: bool = True) -> DependentState:
    """The state of what should not be there."""
    result = DependentResult.DELETED if deleted or not is_gone else DependentResult.ABSENT
    return DependentState(name, result, ready=is_gone, wanted=wanted)
