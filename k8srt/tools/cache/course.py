"""What the phases of one reflector share: its source, its target, its position, its patience.

`Course` also knows what the reflector is doing and has done, for those who look at it from outside.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from k8srt.apimachinery.record import Record
from k8srt.tools.cache.expected import Expected
from k8srt.tools.cache.listwatch import ListerWatcher, ListOptions
from k8srt.tools.cache.metrics import ReflectorMetrics, reflector_provider
from k8srt.tools.cache.openwatch import SHORT, OpenWatch
from k8srt.tools.cache.outage import Outage
from k8srt.tools.cache.position import Position
from k8srt.tools.cache.sink import Sink
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop
from k8srt.util.wait import BackoffManager

log = logging.getLogger(__name__)

MIN_WATCH_TIMEOUT = 300.0


class Phase(Enum):
    """What a reflector is doing."""

    IDLE = "idle"
    LISTING = "listing"
    WATCHING = "watching"
    BACKING_OFF = "backing off"
    STOPPED = "stopped"


class Course:
    """See the module. Used by the reflector's thread; `debug_state` by any."""

    def __init__(
        self,
        source: ListerWatcher,
        expected: Expected,
        store: Any,
        *,
        name: str,
        backoff: BackoffManager,
        min_watch_timeout: float,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self.source = source
        self.expected = expected
        self.name = name
        self.about = f"reflector of {expected.description}" + (f" ({name})" if name != expected.description else "")
        self.sink = Sink(store, expected.make, self.about)
        self.metrics = ReflectorMetrics(name, reflector_provider.get())
        self.position = Position(self._moved)
        self.clock = clock
        self.outage = Outage(self.about, clock)
        self._backoff = backoff
        self._rng = rng
        self._min_timeout = int(max(min_watch_timeout, MIN_WATCH_TIMEOUT))
        self._lock = threading.Lock()  # guards all below
        self._phase = Phase.IDLE
        self._counts = {"lists": 0, "watches": 0, "restarts": 0, "failures": 0}
        self._listing_since = clock.now()
        self._last_list: float | None = None
        self._last_watch: float | None = None
        self._last_move: float | None = None  # written by the reflector's thread, without the lock

    def _moved(self, version: str) -> None:
        self._last_move = self.clock.now()
        self.metrics.at_version(version)

    def enter(self, phase: Phase) -> None:
        """Be in a phase; entering LISTING counts as a list."""
        listing = phase is Phase.LISTING
        with self._lock:
            self._phase = phase
            self._counts["lists"] += listing
            self._listing_since = self.clock.now() if listing else self._listing_since
        if listing:
            self.metrics.listing()

    def pause(self, stop: Stop) -> bool:
        """Sleep one step of the one backoff; returns whether stopped. Contract: REFL-08."""
        self.enter(Phase.BACKING_OFF)
        return self.clock.wait_event(stop, self._backoff.step())

    def failed(self) -> None:
        with self._lock:
            self._counts["failures"] += 1

    def restarted(self) -> None:
        """It all begins anew, after a list or a watch that came to its end."""
        with self._lock:
            self._counts["restarts"] += 1

    def take_list(self, items: Sequence[Record], version: str, *, transformed: bool = False) -> None:
        """Make a list the content of the store, and be at its version. Raises what the store raises: REFL-22."""
        self.position.confirm()
        self.sink.replace(items, version, transformed=transformed)
        self.position.move(version)
        self.outage.over()
        now = self.clock.now()
        with self._lock:
            self._last_list = now
            took = now - self._listing_since
        self.metrics.listed(len(items), took)
        log.debug("%s: listed %d at version %s", self.about, len(items), version)

    def watch_options(self, version: str) -> ListOptions:
        """Options of a watch; its length is drawn anew each time, in whole seconds. Contract: REFL-05, REFL-34."""
        timeout = self._rng.randrange(self._min_timeout, 2 * self._min_timeout)
        return ListOptions(resource_version=version, timeout_seconds=timeout, allow_watch_bookmarks=True)

    def open(self, options: ListOptions, halt: Stop) -> OpenWatch:
        """Open a watch, which `halt` closes. Raises what the source raises."""
        opened, version = self.clock.now(), options.resource_version
        with self._lock:
            self._counts["watches"] += 1
            self._last_watch = opened
        self.metrics.watching()
        return OpenWatch(self.source.watch(options, halt), version, opened, halt)

    def ended(self, watch: OpenWatch) -> None:
        """Take the measure of a watch that has come to its end."""
        lasted = self.clock.now() - watch.opened
        self.metrics.watched(watch.events, lasted, short=watch.events == 0 and lasted < SHORT)

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: phase, version, how long ago what happened last, and how often."""
        now = self.clock.now()
        with self._lock:
            return {
                "name": self.name,
                "type": self.expected.description,
                "phase": self._phase.value,
                "resource_version": self.position.version,
                "seconds_since_list": None if self._last_list is None else now - self._last_list,
                "seconds_since_watch": None if self._last_watch is None else now - self._last_watch,
                "seconds_since_event": None if self._last_move is None else now - self._last_move,
                "last_error": self.outage.last_error,
                **self._counts,
            }
