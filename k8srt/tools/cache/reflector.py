"""Keeps a store equal to a collection on a server.

    Reflector(ListWatch(list_pods, watch_pods), Pod, store).run(stop)

It lists, then watches from the version of the list, and reopens the watch from the last version seen whenever it
ends; only when that version has expired, or something is wrong, does it list again. It never goes back in time.

    LISTING ──ok──▶ WATCHING ──end──▶ WATCHING
       ▲                │ expired, or an unknown failure
       └─ BACKING_OFF ◀─┘

The list is in `listing`, or in `streaming` where the server can do that; the watches are in `watching`; what a failure
leads to is in `verdicts`, what an event leads to in `intake`.

Contract: REFL-01 to REFL-50.
"""

from __future__ import annotations

import logging
import math
import random
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from k8srt.tools.cache.course import Course, Phase
from k8srt.tools.cache.expected import Expectation, Expected
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, Indexer, meta_namespace_index
from k8srt.tools.cache.listing import Listing
from k8srt.tools.cache.listwatch import ListerWatcher, watch_list_unsupported
from k8srt.tools.cache.streaming import Streaming
from k8srt.tools.cache.watching import Watching
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import linked
from k8srt.util.wait import Backoff, BackoffManager

log = logging.getLogger(__name__)

INITIAL_BACKOFF, MAX_BACKOFF = 0.8, 30.0
BACKOFF_RESET = 120.0
DEFAULT_BACKOFF = Backoff(
    initial=INITIAL_BACKOFF,
    factor=2.0,
    jitter=1.0,
    cap=MAX_BACKOFF,
    steps=math.ceil(MAX_BACKOFF / INITIAL_BACKOFF),
)

ErrorHandler = Callable[["Reflector", Exception], object]
"""Gets every error that ends a list or a watch phase, before the backoff. It must not block for long."""


class Reflector:
    """See the module. Runs in the thread that calls `run`; may be asked from any."""

    def __init__(
        self,
        source: ListerWatcher,
        expected: Expectation,
        store: Any,
        *,
        resync_period: float = 0.0,
        should_resync: Callable[[], bool] | None = None,
        name: str = "",
        description: str = "",
        min_watch_timeout: float = 0.0,
        page_size: int = 0,
        watch_list: bool = True,
        backoff: Backoff = DEFAULT_BACKOFF,
        max_internal_error_retry: float = 0.0,
        error_handler: ErrorHandler | None = None,
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
    ) -> None:
        """`expected` is the class of the objects, or an example, or a kind, or None for anything.

        `resync_period` in seconds, 0 for none; `min_watch_timeout` in seconds, counts above 5 minutes; `page_size` 0
        leaves the choice to the rules; `watch_list` streams the initial list. Contract: REFL-01 to REFL-04.
        """
        rng = rng or random.Random()
        self.name = name or _caller()
        self._course = Course(
            source,
            Expected(expected, description),
            store,
            name=self.name,
            backoff=BackoffManager(backoff, BACKOFF_RESET, clock=clock, rng=rng),
            min_watch_timeout=min_watch_timeout,
            clock=clock,
            rng=rng,
        )
        streams = watch_list and not watch_list_unsupported(source)
        self._streaming = Streaming(self._course) if streams else None
        self._listing = Listing(self._course, page_size)
        self._watching = Watching(
            self._course,
            resync_period=resync_period,
            should_resync=should_resync,
            max_internal_error_retry=max_internal_error_retry,
        )
        self._error_handler = error_handler or self._course.outage.report

    @property
    def type_description(self) -> str:
        """What is being reflected, for people. Contract: REFL-03."""
        return self._course.expected.description

    def last_sync_resource_version(self) -> str:
        """The last version taken in; "" before the first list. Contract: REFL-14."""
        return self._course.position.version

    def run(self, stop: threading.Event) -> None:
        """List and watch until `stop` is set. Blocks; never raises. Contract: REFL-06, REFL-09."""
        course = self._course
        log.debug("%s: starting", course.about)
        with linked(stop) as linked_stop:
            while not linked_stop.is_set():
                try:
                    self.list_and_watch(linked_stop)
                except Exception as err:  # noqa: BLE001 - the error handler's business
                    self._report(err)
                if course.pause(linked_stop):
                    break
                course.restarted()
        course.enter(Phase.STOPPED)
        log.debug("%s: stopped", course.about)

    def list_and_watch(self, stop: threading.Event) -> None:
        """List once and watch until something demands a new list. Raises what went wrong; being stopped is not."""
        with linked(stop) as linked_stop:
            watch = self._streaming.run(linked_stop) if self._streaming is not None else None
            if watch is None and (linked_stop.is_set() or not self._listing.run(linked_stop)):
                return
            self._watching.run(watch, linked_stop)

    def _report(self, err: Exception) -> None:
        self._course.failed()
        try:
            self._error_handler(self, err)
        except Exception:
            log.exception("%s: the error handler failed", self._course.about)

    def report(self, err: Exception) -> None:
        """What becomes of an error without a handler: a log line for an outage, and one when it is over. REFL-49."""
        self._course.outage.report(self, err)

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: phase, resource version, when it last listed, how often it did what."""
        return self._course.debug_state()

    def __repr__(self) -> str:
        state = self.debug_state()
        version = state["resource_version"]
        at = f" at version {version}" if version else ""
        return f"<Reflector {self.name} of {self.type_description}: {state['phase']}{at}>"


def _caller() -> str:
    """The nearest `file:line` outside this package. Contract: REFL-03."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("k8srt.tools.cache"):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"


def new_namespace_keyed_indexer_and_reflector(
    source: ListerWatcher, expected: Expectation, resync_period: float = 0.0, **options: Any
) -> tuple[Indexer[Any], Reflector]:
    """An indexer with the namespace index, and a reflector that fills it. Contract: REFL-52."""
    kind = Expected(expected).kind
    indexer: Indexer[Any] = Indexer(indexers={NAMESPACE_INDEX: meta_namespace_index}, kind=kind)
    return indexer, Reflector(source, expected, indexer, resync_period=resync_period, **options)
