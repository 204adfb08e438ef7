"""The names of the controllers in this process: two of one name would share their figures. Contract: CTL-02."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Names:
    """Names that are taken. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _taken
        self._taken: set[str] = set()

    def take(self, name: str) -> None:
        """Raises ValueError for a name that is taken."""
        with self._lock:
            if name in self._taken:
                raise ValueError(
                    f"a controller {name!r} exists in this process; give another name, stop its manager first, "
                    "or pass skip_name_validation=True"
                )
            self._taken.add(name)

    def give_back(self, names: Iterable[str]) -> None:
        """Let others take these."""
        with self._lock:
            self._taken.difference_update(names)


NAMES = Names()
