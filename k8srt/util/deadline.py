"""A stop that sets itself when its time is over, so that whatever hears stops also keeps deadlines."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked, spawn


class Deadline(Stop):
    """A `Stop` that knows why it is set. `passed` is whether the time was over first. Thread-safe."""

    def __init__(self, timeout: float | None) -> None:
        super().__init__()
        self.timeout = timeout
        self.passed = False  # written once, before it is set


@contextmanager
def within(timeout: float | None, stop: threading.Event | None = None, clock: Clock = SYSTEM) -> Iterator[Deadline]:
    """In the context, a stop that is set after `timeout` seconds (None: never), or when `stop` is.

    A thread keeps the time; it has ended when the context is left.
    """
    deadline, over = Deadline(timeout), Stop()

    def keep() -> None:
        if not clock.wait_event(over, timeout):
            deadline.passed = not deadline.is_set()
            deadline.set()

    with linked(stop if stop is not None else Stop()) as halt:
        forget = halt.on_set(deadline.set)
        keeper = None if timeout is None else spawn("deadline", keep)
        try:
            yield deadline
        finally:
            forget()
            over.set()
            if keeper is not None:
                keeper.join()
