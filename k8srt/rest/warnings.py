"""Warnings a server sends in response headers, and what becomes of them.

A handler is any `handler(code, agent, text)`. Without one the warning is logged, each text once per process, so that
a reconcile loop does not fill the log.

Contract: REST-35, REST-36.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple, TextIO

log = logging.getLogger(__name__)

WarningHandler = Callable[[int, str, str], None]

_HEADER = re.compile(r'\s*([0-9]{3}) (\S+) "((?:[^"\\]|\\.)*)"(?: "[^"]*")?\s*(?:,|$)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LOGGED_AT_MOST = 1024


class Warning_(NamedTuple):
    """One warning: its code (299 for whatever a server wants to say), who said it, and the text."""

    code: int
    agent: str
    text: str


def parse_warnings(headers: Iterable[str]) -> list[Warning_]:
    """Read `Warning` header values, several of which may share one header; what is malformed is skipped."""
    found = []
    for header in headers:
        position = 0
        while match := _HEADER.match(header, position):
            found.append(Warning_(int(match[1]), match[2], _ESCAPED.sub(r"\1", match[3])))
            position = match.end()
            if position >= len(header):
                break
    return found


def no_warnings(code: int, agent: str, text: str) -> None:
    """The handler that drops every warning."""


class LoggingHandler:
    """Logs each text once. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _seen
        self._seen: set[str] = set()

    def __call__(self, code: int, agent: str, text: str) -> None:
        if code != 299 or not text:
            return
        with self._lock:
            if text in self._seen or len(self._seen) >= _LOGGED_AT_MOST:
                return
            self._seen.add(text)
        log.warning("the server warns: %s", text)


class WritingHandler:
    """Prints `Warning: <text>` to a stream. Thread-safe.

    `deduplicate` prints each text once; `color` makes the word yellow. `count` is how many were printed.
    """

    def __init__(self, stream: TextIO | None = None, *, deduplicate: bool = False, color: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._deduplicate = deduplicate
        self._word = "\x1b[33;1mWarning:\x1b[0m" if color else "Warning:"
        self._lock = threading.Lock()  # guards the rest, and keeps lines whole
        self._seen: set[str] = set()
        self.count = 0

    def __call__(self, code: int, agent: str, text: str) -> None:
        if code != 299 or not text:
            return
        with self._lock:
            if self._deduplicate and text in self._seen:
                return
            self._seen.add(text)
            self._stream.write(f"{self._word} {text}\n")
            self.count += 1


default_handler: WarningHandler = LoggingHandler()
"""What handles the warnings of clients without a handler of their own."""


def set_default_warning_handler(handler: WarningHandler) -> None:
    """Replace the process-wide default."""
    global default_handler
    default_handler = handler


def handle_warnings(headers: Iterable[str], handler: WarningHandler | None) -> list[Warning_]:
    """Parse and hand over; returns what was found. A handler that fails is logged: its request goes on."""
    found = parse_warnings(headers)
    for warning in found:
        try:
            (handler or default_handler)(*warning)
        except Exception:
            log.exception("the handler of warnings failed for %r", warning.text)
    return found
