"""A line that shows how many caches are full, for people who wait."""

from __future__ import annotations

import sys
from typing import TextIO

WIDTH = 24


class Progress:
    """Rewrites one line on a terminal; writes a line each elsewhere."""

    def __init__(self, total: int, out: TextIO | None = None) -> None:
        self._total = total
        self._out = out or sys.stderr
        self._done = 0
        self._show("")

    def step(self, what: str) -> None:
        """One more is full."""
        self._done += 1
        self._show(what)

    def close(self) -> None:
        if self._out.isatty():
            print(file=self._out, flush=True)

    def _show(self, what: str) -> None:
        filled = WIDTH * self._done // max(self._total, 1)
        bar = "█" * filled + "░" * (WIDTH - filled)
        start, end = ("\r\033[K", "") if self._out.isatty() else ("", "\n")
        print(f"{start}caches {bar} {self._done}/{self._total} {what}", end=end, file=self._out, flush=True)
