"""Which spans led to a reconcile: those in which what it looks at was written, or in which it was asked for.

An object that was written within a span is known by its uid and version. When an event shows that version, the requests
that it leads to have that span among their causes. So have those that somebody asks for, from a source of the program's
own or with `enqueue`, the span in which that was done; and those that are tried again, the span of the last attempt.

An event may be faster than the answer of the write that it tells of. So causes are versions, and which span belongs to
one is looked up when the reconcile begins, and if it is not known then, when it ends.

Contract: TRC-02.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from cachetools import LRUCache

from k8srt.controller.request import Request

LIMIT = 8
"""So many causes of one request are kept."""

_WRITES = 4096

Version = tuple[str, str]
"""The uid and the resource version of an object."""

Cause = Any
"""A `Version`, or the context of a span."""


class Writes:
    """The spans in which objects were written, the last of them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _spans
        self._spans: LRUCache[Version, Any] = LRUCache(_WRITES)

    def note(self, obj: Any, span: Any) -> None:
        """An object was written within a span, and this is the answer."""
        version = version_of(obj)
        if version is not None:
            with self._lock:
                self._spans[version] = span

    def of(self, cause: Cause) -> Any:
        """The span that a cause stands for, None if that is not known."""
        if not isinstance(cause, tuple) or len(cause) != 2:
            return cause
        with self._lock:
            return self._spans.get(cause)


def version_of(obj: Any) -> Version | None:
    """What an object that was written is known by."""
    meta = getattr(obj, "metadata", None)
    uid, version = getattr(meta, "uid", None), getattr(meta, "resource_version", None)
    return (uid, version) if uid and version else None


class Causes:
    """The causes of requests that wait in a queue. Thread-safe. `here` gives the span that is current, or None."""

    def __init__(self, here: Callable[[], Any]) -> None:
        self._here = here
        self._lock = threading.Lock()  # guards _kept
        self._kept: dict[Request, list[Cause]] = {}

    def note(self, requests: Iterable[Request], event: Any) -> None:
        """These are about to be queued because of an event, None for no event of an object."""
        cause = self._here() or (None if event is None else version_of(event.object))
        if cause is None:
            return
        with self._lock:
            for request in requests:
                kept = self._kept.setdefault(request, [])
                if len(kept) < LIMIT and cause not in kept:
                    kept.append(cause)

    def take(self, request: Request) -> list[Cause]:
        """The causes of a request that was handed out; they are forgotten."""
        with self._lock:
            return self._kept.pop(request, [])

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()
