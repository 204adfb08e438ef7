"""Calls at given moments, from one thread that is there while it is needed."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable

from k8srt.util.clock import Clock
from k8srt.util.threads import spawn

log = logging.getLogger(__name__)

LINGER = 60.0  # seconds that the thread waits for another call before it ends
_SPARE = 64  # moments of calls that were taken back, beyond which they are cleared away


class Deadlines:
    """See the module. Thread-safe. The callbacks must not block."""

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._cond = threading.Condition()  # guards all below
        self._heap: list[tuple[float, int]] = []
        self._calls: dict[int, Callable[[], object]] = {}  # those that were taken back stay in the heap for a while
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def at(self, moment: float, call: Callable[[], object]) -> Callable[[], None]:
        """Have `call` called at a moment of the clock; never, once stopped. Returns a function that takes it back."""
        with self._cond:
            number = next(self._numbers)
            if self._stopped:
                return _nothing
            self._calls[number] = call
            heapq.heappush(self._heap, (moment, number))
            if self._thread is None:
                self._thread = spawn(self._what, self._run)
            elif self._heap[0][1] == number:
                self._cond.notify()

        def forget() -> None:
            with self._cond:
                self._calls.pop(number, None)
                if len(self._heap) > 2 * len(self._calls) + _SPARE:
                    self._heap = [each for each in self._heap if each[1] in self._calls]
                    heapq.heapify(self._heap)

        return forget

    def stop(self) -> None:
        """Call nothing more, and wait for the thread to end."""
        with self._cond:
            self._stopped = True
            self._cond.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                log.exception("%s: %r failed", self._what, call)

    def _next(self) -> Callable[[], object] | None:
        """Wait for the next call; None when the thread is to end."""
        with self._cond:
            idle_until = self._clock.now() + LINGER
            while not self._stopped:
                while self._heap and self._heap[0][1] not in self._calls:
                    heapq.heappop(self._heap)
                now = self._clock.now()
                if self._heap and self._heap[0][0] <= now:
                    return self._calls.pop(heapq.heappop(self._heap)[1])
                if not self._heap and now >= idle_until:
                    break
                self._clock.wait(self._cond, self._heap[0][0] if self._heap else idle_until)
            self._thread = None
            return None


def _nothing() -> None:
    """What was never to be called is taken back by doing nothing."""
