"""A reflector, a queue, and what takes things out of the queue.

Contract: INF-01 to INF-06.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from k8srt.errors import QueueClosed
from k8srt.tools.cache.consumer import consume
from k8srt.tools.cache.expected import Expectation, Expected
from k8srt.tools.cache.fifo import DeltaFIFO
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.handlers import Handler
from k8srt.tools.cache.indexer import Indexer, Indexers
from k8srt.tools.cache.listwatch import ListerWatcher
from k8srt.tools.cache.queue import Pending, ProcessBatch, Queue
from k8srt.tools.cache.reflector import Reflector
from k8srt.util.threads import Latch, Stop, linked, spawn

log = logging.getLogger(__name__)

T = TypeVar("T")


class Controller:
    """Runs a reflector into a queue, and `process` on what comes out. See `run`."""

    def __init__(self, queue: Queue, make_reflector: Callable[[], Reflector], process: ProcessBatch, name: str) -> None:
        self.queue = queue
        self._make_reflector = make_reflector
        self._process = process
        self._name = name
        self._lock = threading.Lock()  # guards _reflector
        self._reflector: Reflector | None = None

    @property
    def synced(self) -> Latch:
        """Set once the initial list has been processed."""
        return self.queue.synced

    def has_synced(self) -> bool:
        """Whether the initial list has been taken out of the queue. Contract: INF-05."""
        return self.queue.has_synced()

    def last_sync_resource_version(self) -> str:
        """The reflector's; "" before `run`."""
        with self._lock:
            reflector = self._reflector
        return reflector.last_sync_resource_version() if reflector is not None else ""

    def run(self, stop: threading.Event) -> None:
        """Start the reflector in a thread of its own, and process until `stop` is set. Blocks.

        Returns when both have ended. Raises what `process` raises. Contract: INF-01.
        """
        reflector = self._make_reflector()
        with self._lock:
            self._reflector = reflector
        halt = Stop()
        with linked(stop) as linked_stop:
            forget_stop = linked_stop.on_set(halt.set)
            forget_close = halt.on_set(self.queue.close)
            thread = spawn(f"reflector-{self._name}", reflector.run, halt)
            try:
                self.process_loop(halt)
            finally:
                halt.set()
                forget_stop()
                forget_close()
                thread.join()

    def process_loop(self, stop: threading.Event) -> None:
        """Take batches out of the queue until it is closed and empty, or `stop` is set. Contract: INF-02."""
        while not stop.is_set():
            try:
                self.queue.pop_batch(self._process)
            except QueueClosed:
                return

    def debug_state(self) -> Mapping[str, Any]:
        with self._lock:
            reflector = self._reflector
        return {"queue": self.queue.debug_state(), "reflector": reflector.debug_state() if reflector else None}


def new_informer(
    source: ListerWatcher,
    kind: Expectation,
    handler: Handler,
    *,
    resync_period: float = 0.0,
    indexers: Indexers | None = None,
    transform: Transform | None = None,
    **options: Any,
) -> tuple[Indexer[Any], Controller]:
    """A store and the controller that fills it, with one handler, called in the thread that runs the controller.

    An exception of the handler ends `run`. Nobody else may write to the store. Contract: INF-04, INF-06.
    """
    expected = Expected(kind)
    store: Indexer[Any] = Indexer(indexers=indexers, kind=expected.kind)
    queue: DeltaFIFO[Any] = DeltaFIFO(
        known_objects=store, emit_delta_type_replaced=True, transformer=transform, kind=expected.kind
    )

    def process(batch: Sequence[Pending], initial: bool) -> None:
        for notification in consume(store, batch, initial):
            notification.tell(handler, store.form.thaw)

    def make() -> Reflector:
        return Reflector(source, kind, queue, resync_period=resync_period, **options)

    return store, Controller(queue, make, process, expected.description)
