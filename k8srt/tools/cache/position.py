"""Where a reflector stands in the history of its collection. Contract: REFL-11 to REFL-15."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Position:
    """The last resource version, and whether the server refused it. Thread-safe.

    `on_move` is told of every version, by the thread that moves.
    """

    def __init__(self, on_move: Callable[[str], object] | None = None) -> None:
        self._on_move = on_move
        self._lock = threading.Lock()  # guards both
        self._version = ""
        self._unavailable = False

    @property
    def version(self) -> str:
        with self._lock:
            return self._version

    def move(self, version: str) -> None:
        """Be at `version`, whatever was before: versions are not compared. Contract: REFL-42."""
        with self._lock:
            self._version = version
        if self._on_move is not None:
            self._on_move(version)

    def refuse(self) -> None:
        """The server does not keep the version, or does not know it yet. Contract: REFL-13."""
        with self._lock:
            self._unavailable = True

    def confirm(self) -> None:
        with self._lock:
            self._unavailable = False

    def to_list(self) -> str:
        """The version to list at: anything at first, then never older than before. Contract: REFL-11."""
        with self._lock:
            return "" if self._unavailable else self._version or "0"

    def to_stream(self) -> str:
        """The version to stream a list at. Contract: REFL-12."""
        with self._lock:
            return "" if self._unavailable else self._version
