"""A bar that shows how many caches are full, for people who wait. With `tqdm` installed, it is one of those."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Protocol, TextIO

WIDTH = 24


class Bar(Protocol):
    def step(self, what: str) -> None:
        """One more is full."""

    def close(self) -> None: ...


def progress_bar(total: int, out: TextIO | None = None) -> Bar:
    """A bar on `out`, or on stderr."""
    out = out or sys.stderr
    try:
        tqdm = importlib.import_module("tqdm")
    except ImportError:
        return Progress(total, out)
    return _Tqdm(tqdm.tqdm(total=total, file=out, desc="caches", unit="cache"))


class Progress:
    """Rewrites one line on a terminal; writes a line each elsewhere."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total = total
        self._out = out
        self._done = 0
        self._show("")

    def step(self, what: str) -> None:
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


class _Tqdm:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def step(self, what: str) -> None:
        self._bar.set_postfix_str(what)
        self._bar.update(1)

    def close(self) -> None:
        self._bar.close()
