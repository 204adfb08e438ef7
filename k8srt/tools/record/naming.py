"""Names, namespaces and lengths of events. Contract: EVT-02, EVT-04, EVT-05."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

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


class EventNames:
    """Gives each event a name of its own: `<object>.<nanoseconds since 1970, hexadecimal>`. Thread-safe.

    Two events of one moment get different names, or the server would refuse the second.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards _last
        self._last = 0

    def name(self, about: str) -> tuple[str, datetime]:
        """The name of an event about an object of this name, and the time it has. EVT-04."""
        now = self._clock.time()
        with self._lock:
            self._last = max(self._last + 1, (now - _EPOCH) // _MICROSECOND * 1000)
            stamp = self._last
        name = f"{about}.{stamp:x}"
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
