"""Calls at given moments, from one thread that starts with the first of them."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable

from k8srt.util.clock import Clock
from k8srt.util.threads import spawn

log = logging.getLogger(__name__)


class Deadlines:
    """See the module. Thread-safe. The callbacks must not block."""

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._cond = threading.Condition()  # guards all below
        self._heap: list[tuple[float, int]] = []
        self._calls: dict[int, Callable[[], object]] = {}  # those that were taken back stay in the heap until then
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def at(self, moment: float, call: Callable[[], object]) -> Callable[[], None]:
        """Have `call` called at a moment of the clock. Returns a function that takes it back."""
        with self._cond:
            number = next(self._numbers)
            self._calls[number] = call
            heapq.heappush(self._heap, (moment, number))
            if self._thread is None and not self._stopped:
                self._thread = spawn(self._what, self._run)
            self._cond.notify()

        def forget() -> None:
            with self._cond:
                self._calls.pop(number, None)

        return forget

    def stop(self) -> None:
        """Call nothing more, and wait for the thread to end."""
        with self._cond:
            self._stopped = True
            self._cond.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                log.exception("%s: %r failed", self._what, call)

    def _next(self) -> Callable[[], object] | None:
        with self._cond:
            while not self._stopped:
                while self._heap and self._heap[0][1] not in self._calls:
                    heapq.heappop(self._heap)
                if self._heap and self._heap[0][0] <= self._clock.now():
                    return self._calls.pop(heapq.heappop(self._heap)[1])
                self._clock.wait(self._cond, self._heap[0][0] if self._heap else None)
            return None
