"""The places for daemons: so many at once, and a line of those who wait, the first of whom is next.

Contract: TMR-03.
"""

from __future__ import annotations

import threading
from itertools import islice

from k8srt.controller.request import Request


class Places:
    """See the module. Thread-safe."""

    def __init__(self, most: int) -> None:
        """Raises ValueError for less than one."""
        if most < 1:
            raise ValueError(f"max_daemons: at least one is needed, not {most!r}")
        self.most = most
        self._lock = threading.Lock()  # guards both below
        self._held = 0
        self._waiting: dict[Request, None] = {}

    def take(self, request: Request) -> bool:
        """Take a place, unless all are held or promised to those who came first: then stand in line."""
        with self._lock:
            self._waiting.setdefault(request)
            if request not in self._next_locked():
                return False
            del self._waiting[request]
            self._held += 1
            return True

    def give_back(self) -> list[Request]:
        """Leave a place. Returns who may take one now."""
        with self._lock:
            self._held -= 1
            return self._next_locked()

    def leave(self, request: Request) -> list[Request]:
        """Wait no more. Returns who may take a place now."""
        with self._lock:
            if request not in self._waiting:
                return []
            del self._waiting[request]
            return self._next_locked()

    def _next_locked(self) -> list[Request]:
        return list(islice(self._waiting, max(self.most - self._held, 0)))

    def waits(self, request: Request) -> bool:
        """Whether a request is in the line."""
        with self._lock:
            return request in self._waiting

    def line(self) -> list[Request]:
        """Who waits."""
        with self._lock:
            return list(self._waiting)
