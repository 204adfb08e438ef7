"""The sources of a controller: kept until they are started, together, and stopped with it.

Contract: CTL-04, CTL-05, CTL-08, PQ-10.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from k8srt.controller.options import Options
from k8srt.controller.reasons import Reasons, SourceQueue
from k8srt.controller.reconciling.debouncing import SettlingQueue, debounced
from k8srt.controller.reconciling.gate import Gate
from k8srt.controller.reconciling.starting import start_sources
from k8srt.controller.source import Source
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop


class Watched(NamedTuple):
    """A source, and the queue as it sees it."""

    source: Source
    queue: SourceQueue


class Watching:
    """See the module. Thread-safe."""

    def __init__(
        self, name: str, options: Options, queue: SettlingQueue, reasons: Reasons, halt: Stop, clock: Clock
    ) -> None:
        self.gate: Gate | None = None  # set before anything is watched
        self._name = name
        self._options = options
        self._queue = debounced(queue, options)
        self._reasons = reasons
        self._halt = halt
        self._clock = clock
        self._starting = threading.Lock()  # held by whoever starts all of them
        self._lock = threading.Lock()  # guards all below
        self._watched: list[Watched] = []
        self._started = False

    @property
    def sources(self) -> list[Source]:
        """What is watched."""
        with self._lock:
            return [watched.source for watched in self._watched]

    def add(self, source: Source, why: str) -> None:
        """Keep a source; start it if the others are. Raises SourceFailed."""
        options = self._options
        queue = SourceQueue(
            self._queue,
            self._reasons,
            why or repr(source),
            initial=options.initial_list_priority,
            resync=options.resync_priority,
            flat=not options.priority_queue,
            wanted=self.gate.may_queue if self.gate is not None else None,
        )
        watched = Watched(source, queue)
        with self._lock:
            self._watched.append(watched)
            now = self._started
        if now:
            self._start([watched])

    def remove(self, source: Source) -> None:
        """Take one off, and stop it if it was started. Raises ValueError for one that is not watched."""
        with self._lock:
            watched = next((each for each in self._watched if each.source is source), None)
            if watched is None:
                raise ValueError(f"controller {self._name} does not watch {source!r}")
            self._watched.remove(watched)
            running = self._started
        watched.queue.close()
        if running:
            source.stop()

    def start(self) -> None:
        """Start all and wait until they have synced; nothing if that was done before. Raises SourceFailed."""
        with self._starting:
            with self._lock:
                if self._started:
                    return
                watched = list(self._watched)
            self._start(watched)
            with self._lock:
                self._started = True
                late = self._watched[len(watched) :]
            self._start(late)

    def _start(self, watched: list[Watched]) -> None:
        start_sources(self._name, watched, self._options.cache_sync_timeout, self._halt, self._clock)

    def close(self) -> None:
        """Stop all."""
        with self._lock:
            closed, self._watched = self._watched, []
        for watched in closed:
            watched.queue.close()
            watched.source.stop()
