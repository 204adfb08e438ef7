"""The names of the controllers in this process: two of one name would share their figures. Contract: CTL-02."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager


class Names:
    """Names that are taken, and by which manager. Thread-safe. Keeps no manager alive; the names of one go with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _taken
        self._taken: dict[str, weakref.ref[Manager]] = {}

    def take(self, name: str, manager: Manager) -> None:
        """Raises ValueError for a name that is taken."""
        with self._lock:
            if self._owner_locked(name) is not None:
                raise ValueError(
                    f"a controller {name!r} exists in this process; give another name, replace it with replace=True, "
                    "stop its manager first, or pass skip_name_validation=True"
                )
            self._taken[name] = weakref.ref(manager)

    def owner(self, name: str) -> Manager | None:
        """The manager that has a controller of this name, None for nobody."""
        with self._lock:
            return self._owner_locked(name)

    def _owner_locked(self, name: str) -> Manager | None:
        reference = self._taken.get(name)
        return None if reference is None else reference()

    def give_back(self, names: Iterable[str]) -> None:
        """Let others take these."""
        with self._lock:
            for name in names:
                self._taken.pop(name, None)


NAMES = Names()
