"""A call in a thread of its own, so that whoever waits for it can leave.

A request can be cut off, but the lookup of a name, a program that gives credentials or a transport of somebody else
may hang in a way that nothing ends. Leadership must end in time all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn

T = TypeVar("T")


class Errand(Generic[T]):
    """`call(cancel)`, begun at once in a thread `k8srt-<what>-<n>`. Raises RuntimeError when no thread can be had."""

    def __init__(self, what: str, call: Callable[[Stop], T]) -> None:
        self._cancel = Stop()
        self._done = Stop()
        self._result: T | None = None  # written before _done is set
        self._thread = spawn(what, self._run, call)

    def _run(self, call: Callable[[Stop], T]) -> None:
        try:
            self._result = call(self._cancel)
        finally:
            self._done.set()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def result(self) -> T | None:
        """What the call has returned; None if it is not done, or has raised."""
        return self._result if self.done else None

    def wait(self, clock: Clock, until: float | None, over: Stop) -> bool:
        """Wait until it is done, until `until` on the clock (None: for ever), or until `over`; whether it is done."""
        woken = Stop()
        forget = [self._done.on_set(woken.set), over.on_set(woken.set)]
        try:
            clock.wait_event(woken, None if until is None else max(until - clock.now(), 0.0))
        finally:
            for each in forget:
                each()
        return self.done

    def cancel(self) -> None:
        """Tell it that nobody needs it any more."""
        self._cancel.set()

    def join(self, timeout: float) -> bool:
        """Wait for its thread, at most so many seconds; whether it has ended."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()
