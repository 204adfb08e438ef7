"""Bars and lines for people who wait. With `tqdm` installed, a bar is one of those."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Protocol, TextIO

WIDTH = 24


class Bar(Protocol):
    def step(self, what: str) -> None:
        """One more is done."""

    def close(self) -> None: ...


def progress_bar(total: int, out: TextIO | None = None, *, what: str = "caches", unit: str = "cache") -> Bar:
    """A bar on `out`, or on stderr. `what` stands before it."""
    out = out or sys.stderr
    try:
        tqdm = importlib.import_module("tqdm")
    except ImportError:
        return Progress(total, out, what)
    return _Tqdm(tqdm.tqdm(total=total, file=out, desc=what, unit=unit))


class Line:
    """One line that is written over on a terminal; elsewhere a line each time."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr

    def show(self, text: str) -> None:
        start, end = ("\r\033[K", "") if self._out.isatty() else ("", "\n")
        print(f"{start}{text}", end=end, file=self._out, flush=True)

    def close(self) -> None:
        if self._out.isatty():
            print(file=self._out, flush=True)


class Progress:
    """A bar without tqdm."""

    def __init__(self, total: int, out: TextIO, what: str = "caches") -> None:
        self._total = total
        self._line = Line(out)
        self._what = what
        self._done = 0
        self._show("")

    def step(self, what: str) -> None:
        self._done += 1
        self._show(what)

    def close(self) -> None:
        self._line.close()

    def _show(self, now: str) -> None:
        filled = WIDTH * self._done // max(self._total, 1)
        bar = "█" * filled + "░" * (WIDTH - filled)
        self._line.show(f"{self._what} {bar} {self._done}/{self._total} {now}")


class _Tqdm:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def step(self, what: str) -> None:
        self._bar.set_postfix_str(what)
        self._bar.update(1)

    def close(self) -> None:
        self._bar.close()
