"""What has become of dependents: for each its result, whether it is ready, and its object.

Contract: DEP-04.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class DependentResult(StrEnum):
    """What came of it this time."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"  # or asked to go: `ready` tells whether it is gone
    ABSENT = "absent"  # there should be none, and there is none
    WAITING = "waiting"  # for those in `waits_for`, or until what had its name is gone
    INACTIVE = "inactive"  # left alone
    FAILED = "failed"  # `error` tells why


@dataclass(frozen=True, slots=True)
class DependentState:
    """One dependent after its turn.

    `ready`: it is as it should be, and what comes after it may go on; one that should not be there is ready once it is
    gone. `wanted` is False for what its own `when`, or that of one before it, forbids. `objects` has the object, under
    "", or several under the keys that `desired` has given them.
    """

    name: str
    result: DependentResult
    ready: bool = False
    objects: Mapping[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    wanted: bool = True
    waits_for: tuple[str, ...] = ()

    @property
    def object(self) -> Any:
        """The object; None where there is none, or several."""
        return self.objects.get("")

    def __str__(self) -> str:
        what = f"{self.result}, {'ready' if self.ready else 'not ready'}"
        if self.waits_for:
            what = f"{self.result} for {', '.join(self.waits_for)}"
        if self.error is not None:
            what = f"{self.result}: {self.error}"
        return f"{self.name} {what}"


class States(Mapping[str, DependentState]):
    """The state of each dependent, by name. Thread-safe. Before its turn, one is waiting."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lock = threading.Lock()  # guards _states
        self._states = {name: DependentState(name, DependentResult.WAITING) for name in names}

    def put(self, state: DependentState) -> None:
        """Note what has become of one."""
        with self._lock:
            self._states[state.name] = state

    def __getitem__(self, name: str) -> DependentState:
        with self._lock:
            found = self._states.get(name)
            if found is None:
                raise KeyError(f"there is no dependent {name!r}, only {', '.join(self._states) or 'none'}")
            return found

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._states))

    def __len__(self) -> int:
        with self._lock:
            return len(self._states)

    def __repr__(self) -> str:
        return f"<{'; '.join(map(str, self.values()))}>"
