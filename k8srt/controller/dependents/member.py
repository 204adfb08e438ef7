"""What all dependents have in common: a name, conditions, and those they come after.

Contract: DEP-03.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from k8srt.controller.context import Context

    Condition: TypeAlias = Callable[[Any, Context[Any]], object]
    After: TypeAlias = "str | Member | Iterable[str | Member]"

Delete = Literal["owner", "explicit"]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Member:
    """See the module. Immutable: one may serve any number of controllers.

    `depends_on`: names of dependents, or these themselves, that must be ready before this one has its turn.
    `when(primary, ctx)`: whether it should be there at all; if not, it and those that depend on it are deleted.
    `ready(object, ctx)`: whether those after it may go on; each object is asked about. Without it, being there will do.
    `deleted(primary, ctx)`: whether it is gone for good, asked once it is not there any more.
    `active(primary, ctx)`: whether to look at it at all; if not, it is left alone, and those that depend on it are
    deleted. `delete`: by whom it is deleted with the object that it belongs to.
    """

    def __init__(
        self,
        name: str,
        *,
        depends_on: After = (),
        when: Condition | None = None,
        ready: Condition | None = None,
        deleted: Condition | None = None,
        active: Condition | None = None,
        delete: Delete = "owner",
    ) -> None:
        """Raises ValueError, TypeError for what cannot be."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"dependent: a name of lower-case letters, digits and dashes is needed, not {name!r}")
        self.name = name
        self.depends_on = tuple(dict.fromkeys(self._named(each) for each in _several(depends_on)))
        conditions = {"when": when, "ready": ready, "deleted": deleted, "active": active}
        for what, condition in conditions.items():
            if condition is not None and not callable(condition):
                raise TypeError(f"dependent {name}: {what}: expected a function, got {condition!r}")
        self.when, self.ready, self.deleted, self.active = when, ready, deleted, active
        if delete not in get_args(Delete):
            raise ValueError(f"dependent {name}: delete: expected 'owner' or 'explicit', not {delete!r}")
        self.delete_by: Delete = delete

    def _named(self, other: Any) -> str:
        if isinstance(other, Member):
            return other.name
        if not isinstance(other, str):
            raise TypeError(f"dependent {self.name}: depends_on: expected names of dependents, got {other!r}")
        return other

    def describe(self) -> dict[str, Any]:
        """It in plain words, for people."""
        conditions = [what for what in ("when", "ready", "deleted", "active") if getattr(self, what) is not None]
        return {
            "name": self.name,
            "depends_on": list(self.depends_on),
            "conditions": conditions,
            "delete": self.delete_by,
        }

    def __repr__(self) -> str:
        after = f" after {', '.join(self.depends_on)}" if self.depends_on else ""
        return f"<{type(self).__name__} {self.name}{after}>"


def _several(depends_on: After) -> Iterable[Any]:
    return (depends_on,) if isinstance(depends_on, (str, Member)) else depends_on
