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
from typing import TYPE_CHECKING

from k8srt.controller.cache.kind_cache import InformerStatus
from k8srt.controller.failures import ForkedProcessError
from k8srt.controller.isolation.here import in_worker
from k8srt.controller.metrics.instruments import Collector, Sample, Snapshot

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

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
        """Raises ForkedProcessError in a process that only reconciles for another one."""
        if in_worker():
            raise ForkedProcessError(
                'a manager is started while its module is imported for run_in="process"; '
                'start it under `if __name__ == "__main__":`'
            )
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
    """What there is to say of the informers of a manager; those of one kind are taken together."""
    rows: dict[tuple[tuple[str, str], ...], list[InformerStatus]] = {}
    for each in manager.cache.status():
        gvk = each.info.gvk
        rows.setdefault((("group", gvk.group), ("version", gvk.version), ("kind", gvk.kind)), []).append(each)
    for name, about, kind, value_of in _TOLD:
        samples = [
            Sample("", labels, float(value)) for labels, row in rows.items() if (value := value_of(row)) is not None
        ]
        yield Snapshot(name, about, kind, samples)
    unseen = sum(each.unseen_writes for row in rows.values() for each in row)
    about = "Written objects that the watch has not told yet."
    yield Snapshot("k8srt_read_your_writes_overlay_objects", about, "gauge", [Sample("", (), float(unseen))])


def shard_figures(manager: Manager) -> Iterator[Snapshot]:
    """What there is to say of the shards that a manager is one of."""
    shard = manager.shard
    return iter(()) if shard is None else shard.figures()


def _age(row: list[InformerStatus]) -> float | None:
    return max((each.seconds_since_event for each in row if each.seconds_since_event is not None), default=None)


_TOLD: tuple[tuple[str, str, str, Callable[[list[InformerStatus]], float | None]], ...] = (
    ("k8srt_informer_objects", "Objects in the cache.", "gauge", lambda row: sum(each.objects for each in row)),
    ("k8srt_informer_last_event_age_seconds", "Since anything was heard of a kind.", "gauge", _age),
    ("k8srt_informer_failures", "Failures in a row.", "gauge", lambda row: max(each.failures for each in row)),
    (
        "k8srt_informer_handler_pending",
        "Notifications that wait for the slowest handler.",
        "gauge",
        lambda row: max(each.pending for each in row),
    ),
    ("k8srt_informer_relists_total", "Lists begun.", "counter", lambda row: sum(each.lists for each in row)),
    (
        "k8srt_informer_watch_restarts_total",
        "Watches begun after the first.",
        "counter",
        lambda row: sum(max(each.watches - 1, 0) for each in row),
    ),
    (
        "k8srt_informer_transform_errors_total",
        "Objects that could not be transformed.",
        "counter",
        lambda row: sum(each.transform_errors for each in row),
    ),
)
