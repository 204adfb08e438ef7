"""A worker that also does things at certain times, by the cluster's clock."""

from __future__ import annotations

import heapq
import logging
from itertools import count
from typing import Any

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.worker import Worker

log = logging.getLogger(__name__)


class TimedWorker(Worker):
    """Handles changes first, then what is left to do (`idle`), then what is due (`due`); else it waits."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._timers: list[tuple[float, int, Any]] = []  # a heap, guarded by the condition
        self._order = count()

    def due(self, what: Any) -> None:
        """Do what was put down with `at`."""
        raise NotImplementedError

    def idle(self) -> bool:
        """Do one thing of what changes have left to do. Returns whether there was any."""
        return False

    def at(self, when: float, what: Any) -> None:
        """Have `due(what)` called when the clock's `now()` has come to `when`. From any thread."""
        with self._cond:
            heapq.heappush(self._timers, (when, next(self._order), what))
            self._cond.notify()

    def after(self, seconds: float, what: Any) -> None:
        self.at(self.cluster.clock.now() + seconds, what)

    def settle(self) -> bool:
        """Handle all there is to do at the present moment in the calling thread."""
        busy = False
        while super().settle() or self._step():
            busy = True
        return busy

    def _step(self) -> bool:
        """Do one thing that is no change. Returns whether there was any."""
        with self._settling:
            if self._guarded(self.idle):
                return True
            with self._cond:
                if not self._timers or self._timers[0][0] > self.cluster.clock.now():
                    return False
                what = heapq.heappop(self._timers)[2]
            self._guarded(lambda: self.due(what))
            return True

    def _run(self) -> None:
        while True:
            with self._cond:
                if self._stopping:
                    return
                change = self._queue.popleft() if self._queue else None
            if change is not None:
                self._handle(*change)
            elif not self._step():
                self._wait()

    def _wait(self) -> None:
        with self._cond:
            if self._queue or self._stopping:
                return
            if self._timers:
                self.cluster.clock.wait(self._cond, self._timers[0][0])
            else:
                self._cond.wait()  # for no time: a clock that is turned by hand need not know

    def _guarded(self, act: Any) -> bool:
        try:
            return bool(act())
        except Exception:
            log.exception("%s could not do what was to do", self.name)
        return True
