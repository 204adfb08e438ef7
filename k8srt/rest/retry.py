"""Whether a request is sent again, and after how long. Decides only; the request sleeps and sends.

Contract: REST-22 to REST-27, USR-17.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from enum import Enum, auto

from k8srt.errors import K8srtError, TransportError
from k8srt.transport.failures import is_connection_lost, is_timeout
from k8srt.util.clock import SYSTEM, Clock

MAX_RETRIES = 10
_MOST_DIGITS = 9
LOST_DELAY = 1.0
"""Seconds before a request is repeated whose connection was lost."""


class Call(Enum):
    """How a request is executed, which decides what may be repeated."""

    DO = auto()
    WATCH = auto()
    STREAM = auto()


def retry_after_header(headers: Mapping[str, str]) -> int | None:
    """The seconds of an integer `Retry-After` header; None without one, or when it holds a date, or more seconds than
    anybody lives. Contract: REST-22."""
    text = headers.get("retry-after", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


class Retries:
    """The retries of one request: how many are left, and what failed before. Not shared."""

    def __init__(self, call: Call, verb: str, *, limit: int = MAX_RETRIES, repeatable_body: bool = True) -> None:
        self._call = call
        self._verb = verb
        self._left = max(limit, 0) if repeatable_body else 0
        self._previous = ""

    def after_response(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Seconds to wait before the next attempt, or None when this answer is final."""
        if status != 429 and status < 500:
            return None
        delay = retry_after_header(headers)
        if delay is None or not self._take():
            return None
        self._previous = f"the server answered {status} and asked to try again after {delay}s"
        return float(delay)

    def after_error(self, err: TransportError) -> float | None:
        """Seconds to wait before the next attempt, or None when this error is final."""
        if not self.repeatable(err) or not self._take():
            return None
        self._previous = str(err)
        return LOST_DELAY

    def repeatable(self, err: TransportError) -> bool:
        """Whether an error of this kind may be followed by another attempt."""
        if self._call is Call.DO:
            return self._verb == "GET" and is_connection_lost(err)
        return self._call is Call.WATCH and (is_connection_lost(err) or is_timeout(err))

    def final(self, err: K8srtError) -> K8srtError:
        """The same error, with what a previous attempt met if that was something else. Contract: REST-25."""
        if self._previous and err.args and self._previous != err.args[0]:
            err.args = (f"{err.args[0]} - error from a previous attempt: {self._previous}", *err.args[1:])
        return err

    def _take(self) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        return True


class NoBackoff:
    """The backoff manager unless the environment asks for another."""

    def delay(self, host: str) -> float:
        return 0.0

    def update(self, host: str, status: int) -> None:
        pass


class HostBackoff:
    """Exponential delays per host: longer after each 429 or 5xx, none after anything else. Thread-safe.

    Contract: REST-27.
    """

    def __init__(self, base: float, cap: float, *, clock: Clock = SYSTEM) -> None:
        self._base, self._cap, self._clock = base, cap, clock
        self._lock = threading.Lock()  # guards _entries
        self._entries: dict[str, tuple[float, float]] = {}  # host -> (delay, when it began)

    def update(self, host: str, status: int) -> None:
        with self._lock:
            if status != 429 and status < 500:
                self._entries.pop(host, None)
                return
            delay = self._entries[host][0] * 2 if host in self._entries else self._base
            self._entries[host] = (min(delay, self._cap), self._clock.now())

    def delay(self, host: str) -> float:
        """Seconds still to wait before a request to this host."""
        with self._lock:
            delay, since = self._entries.get(host, (0.0, 0.0))
        return max(0.0, since + delay - self._clock.now())


BackoffManager = NoBackoff | HostBackoff


def backoff_from_environment(environ: Mapping[str, str] | None = None, clock: Clock = SYSTEM) -> BackoffManager:
    """The manager the environment asks for: both variables must be integers, in seconds."""
    environ = os.environ if environ is None else environ
    try:
        base = int(environ["KUBE_CLIENT_BACKOFF_BASE"])
        cap = int(environ["KUBE_CLIENT_BACKOFF_DURATION"])
    except (KeyError, ValueError):
        return NoBackoff()
    return HostBackoff(float(base), float(cap), clock=clock)
