"""The managers that run in this process: ended when it does, and asked for figures.

Contract: THR-02, MTR-06.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from k8srt.controller.instruments import Collector, Sample, Snapshot

if TYPE_CHECKING:
    from k8srt.controller.manager import Manager

log = logging.getLogger(__name__)

AT_EXIT = 5.0
"""Seconds that managers have at the end of the process, if nobody stopped them before."""


class Living:
    """Managers that were started and have not ended. Thread-safe. Holds none of them alive but for their threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards both below
        self._managers: weakref.WeakSet[Manager] = weakref.WeakSet()
        self._registered = False

    def add(self, manager: Manager) -> None:
        with self._lock:
            self._managers.add(manager)
            if not self._registered:
                atexit.register(self.end_all)
                self._registered = True

    def discard(self, manager: Manager) -> None:
        with self._lock:
            self._managers.discard(manager)

    def all(self) -> list[Manager]:
        with self._lock:
            return list(self._managers)

    def end_all(self) -> None:
        """Stop every manager of this process."""
        for manager in self.all():
            if manager.process != os.getpid():
                continue
            log.warning("%r was not stopped before the end of the process", manager)
            try:
                manager.stop(AT_EXIT)
            except Exception:
                log.exception("%r did not stop", manager)


RUNNING = Living()


def weakly(manager: Manager, figures: Callable[[Manager], Iterable[Snapshot]]) -> Collector:
    """A collector that does not keep the manager alive."""
    reference = weakref.ref(manager)

    def collect() -> Iterable[Snapshot]:
        alive = reference()
        return figures(alive) if alive is not None else ()

    return collect


def informer_figures(manager: Manager) -> Iterator[Snapshot]:
    """What there is to say of the informers of a manager."""
    rows = [(labels, state) for labels, state in _informers(manager)]
    told: tuple[tuple[str, str, str, Callable[[Any], float | None]], ...] = (
        ("k8srt_informer_objects", "Objects in the cache.", "gauge", lambda state: state.get("objects")),
        (
            "k8srt_informer_last_event_age_seconds",
            "Since anything was heard of a kind.",
            "gauge",
            lambda state: _of_reflector(state, "seconds_since_event"),
        ),
        ("k8srt_informer_lists_total", "Lists begun.", "counter", lambda state: _of_reflector(state, "lists")),
        ("k8srt_informer_watches_total", "Watches begun.", "counter", lambda state: _of_reflector(state, "watches")),
        (
            "k8srt_informer_failures_total",
            "Lists and watches that failed.",
            "counter",
            lambda state: _of_reflector(state, "failures"),
        ),
    )
    for name, about, kind, value_of in told:
        values = [(labels, value_of(state)) for labels, state in rows]
        yield Snapshot(name, about, kind, [Sample("", labels, float(v)) for labels, v in values if v is not None])


def _of_reflector(state: Any, key: str) -> float | None:
    value: float | None = (state.get("reflector") or {}).get(key)
    return value


def _informers(manager: Manager) -> Iterator[tuple[tuple[tuple[str, str], ...], Any]]:
    for kind, state in manager.cache.debug_state().items():
        yield (("kind", kind),), state
