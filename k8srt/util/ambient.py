"""The stop that holds for whatever code calls, where it is given none: that of the reconcile it runs in.

    with stopping_with(stop):
        client.get("web")           # ends when `stop` is set, and raises what the stop says

It is a context variable, so threads start without one unless they are given the context.

Contract: REC-10.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from k8srt.errors import Stopped
from k8srt.util.threads import Stop


class ToldStop(Stop):
    """A stop that knows what a wait raises that it ended."""

    def error(self, about: str) -> Stopped:
        """The error for a wait; `about` is what was waited for."""
        return Stopped(f"{about}: stopped")


_ambient: ContextVar[Stop | None] = ContextVar("k8srt-stop", default=None)


def ambient_stop() -> Stop | None:
    """The stop that holds here, None if there is none."""
    return _ambient.get()


@contextmanager
def stopping_with(stop: Stop) -> Iterator[None]:
    """Within the context, `stop` holds for whatever is called without one."""
    token = _ambient.set(stop)
    try:
        yield
    finally:
        _ambient.reset(token)


def stopped(stop: threading.Event | None, about: str) -> Stopped:
    """The error for a wait that ended because `stop` is set."""
    return stop.error(about) if isinstance(stop, ToldStop) else Stopped(f"{about}: stopped")
