"""Events that come in bursts, taken together: an object is looked at once nothing has happened to it for a while.

Contract: FLT-04.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from k8srt.controller.event import DeleteEvent, Event
from k8srt.controller.handler import RequestQueue
from k8srt.controller.options import Options
from k8srt.controller.reasons import event_told
from k8srt.controller.request import Request

LONGEST = 10.0
"""How many times `debounce` a request waits at most, unless `max_debounce` says otherwise."""


class SettlingQueue(RequestQueue, Protocol):
    """The queue of a controller."""

    def add_settled(self, items: Iterable[Request], *, quiet: float, longest: float, priority: int = 0) -> None: ...


class Debounced:
    """A queue that has what events lead to settle. Thread-safe.

    A request waits until no event led to it for `quiet` seconds, at most `longest`. A deletion does not wait, begun or
    done, nor does what comes with a priority above 0, or with a delay of its own.
    """

    def __init__(self, queue: SettlingQueue, quiet: float, longest: float) -> None:
        self._queue = queue
        self._quiet = quiet
        self._longest = longest

    def add_with(
        self, items: Iterable[Request], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None:
        """Add as the queue does, or have it settle if an event led to it that can wait."""
        event = event_told()
        if event is None or after > 0.0 or rate_limited or priority > 0 or is_deletion(event):
            self._queue.add_with(items, after=after, rate_limited=rate_limited, priority=priority)
        else:
            self._queue.add_settled(items, quiet=self._quiet, longest=self._longest, priority=priority)


def debounced(queue: SettlingQueue, options: Options) -> RequestQueue:
    """The queue as sources are to see it."""
    quiet = options.debounce
    if quiet is None:
        return queue
    longest = options.max_debounce
    return Debounced(queue, quiet, longest if longest is not None else LONGEST * quiet)


def is_deletion(event: Event) -> bool:
    """Whether the object of an event is gone, or is about to go."""
    metadata: Any = getattr(event.object, "metadata", None)
    return isinstance(event, DeleteEvent) or bool(getattr(metadata, "deletion_timestamp", None))
