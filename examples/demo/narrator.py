"""How the story is told: a line for whatever happens, with the time and who did it, and tables at the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TextIO

from k8srt.util.clock import SYSTEM, Clock

YOU, CONTROLLER, CLUSTER = "you", "controller", "cluster"

_BOLD, _DIM, _RED, _GREEN = "1", "2", "31", "32"
_COLOURS = {YOU: "36", CONTROLLER: "35", CLUSTER: "34"}
_WIDTH = max(map(len, _COLOURS))


def wants_colour(out: TextIO) -> bool:
    """Whether somebody looks at a terminal that shows colours, and hasn't asked for none (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Narrator:
    """Writes lines as they come; seconds count from when it was made. Thread-safe: a line is never torn.

    When nobody reads any more (`k8srt demo | head`), it falls silent: whoever tells something has other things to do
    than to mind that. Who plays the story asks `check`.
    """

    def __init__(self, out: TextIO, *, colour: bool = False, clock: Clock = SYSTEM) -> None:
        self._out = out
        self._colour = colour
        self._clock = clock
        self._began = clock.now()
        self._lock = threading.Lock()  # guards _out and _unheard
        self._unheard: OSError | None = None

    def elapsed(self) -> float:
        """Seconds since the story began."""
        return self._clock.now() - self._began

    def check(self) -> None:
        """Raises the OSError with which writing has failed, if it has."""
        with self._lock:
            if self._unheard is not None:
                raise self._unheard

    def chapter(self, title: str) -> None:
        """Begin a new part of the story."""
        self._write("", self._paint(title, _BOLD))

    def say(self, who: str, text: str, *, bad: bool = False) -> None:
        """Tell what somebody did, now. `bad` is for what went wrong on purpose."""
        time = self._paint(f"{self.elapsed():6.2f}s", _DIM)
        name = self._paint(f"{who:<{_WIDTH}}", _COLOURS.get(who, _BOLD))
        self._write(f"{time}  {name}  {self._paint(text, _RED) if bad else text}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table, numbers to the right."""
        texts = [["–" if cell is None else str(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
        right = [any(isinstance(row[at], int | float) for row in rows) for at in range(len(head))]
        lines = ["  ".join(_fit(*cell) for cell in zip(line, widths, right, strict=True)) for line in (head, *texts)]
        self._write("", self._paint(lines[0].rstrip(), _BOLD), *(line.rstrip() for line in lines[1:]))

    def end(self, text: str, *, good: bool = True) -> None:
        """The last line."""
        self._write("", self._paint(text, _GREEN if good else _RED))

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _write(self, *lines: str) -> None:
        with self._lock:
            if self._unheard is not None:
                return
            try:
                self._out.write("".join(f"{line}\n" for line in lines))
                self._out.flush()
            except OSError as err:
                self._unheard = err


def _fit(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
