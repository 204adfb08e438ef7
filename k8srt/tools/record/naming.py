"""Names, namespaces and lengths of events. Contract: EVT-02, EVT-04, EVT-05."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from k8srt.apimachinery.names import dns_subdomain_errors
from k8srt.util.clock import Clock

NORMAL = "Normal"
WARNING = "Warning"
TYPES = (NORMAL, WARNING)

CLUSTER_SCOPED = "default"
"""The namespace of events about objects that are in none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ELLIPSIS = "..."


class _Stamps:
    """Numbers that grow: the time in nanoseconds, or the next number if that has been given out. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # guards _last; re-entrant for the sake of signal handlers
        self._last = 0

    def next(self, now: datetime) -> int:
        with self._lock:
            self._last = max(self._last + 1, (now - _EPOCH) // _MICROSECOND * 1000)
            return self._last


_by_clock: WeakKeyDictionary[Clock, _Stamps] = WeakKeyDictionary()
_by_clock_lock = threading.RLock()


def _stamps_of(clock: Clock) -> _Stamps:
    made = _Stamps()
    with _by_clock_lock:
        try:
            return _by_clock.setdefault(clock, made)
        except TypeError:  # a clock that is no key
            return made


class EventNames:
    """Gives each event a name of its own: `<object>.<nanoseconds since 1970, hexadecimal>`. Thread-safe.

    Events of one moment get different names, whoever records them in this process, or the server would refuse one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stamps = _stamps_of(clock)

    def name(self, about: str) -> tuple[str, datetime]:
        """The name of an event about an object of this name, and the time it has. EVT-04."""
        now = self._clock.time()
        name = f"{about}.{self._stamps.next(now):x}"
        return (str(uuid.uuid4()) if dns_subdomain_errors(name) else name), now


def cut(text: object, limit: int) -> str:
    """`text` in at most `limit` bytes of UTF-8, with dots where it was cut. What has no UTF-8 becomes a "?"."""
    data = str(text).encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode()
    return data[: limit - len(_ELLIPSIS)].decode("utf-8", "ignore") + _ELLIPSIS


def formatted(text: object, args: tuple[Any, ...]) -> str:
    """`text % args`, as `logging` does it. Without `args` a "%" is a "%"; what does not fit is told beside the text."""
    if not args:
        return str(text)
    values = args[0] if len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args
    try:
        return str(text) % values
    except (TypeError, ValueError, KeyError) as err:
        return f"{text} {args!r} ({err})"
