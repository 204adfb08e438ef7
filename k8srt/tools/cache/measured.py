"""A queue that reports how much waits in it and how long the processing takes.

It stands in front of another queue, so that one which nobody measures does nothing for it. Instruments are told when
no lock of the queue is held. Contract: CACHE-59, INF-65.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from k8srt.tools.cache.delta import Delta, Deltas
from k8srt.tools.cache.forms import Form, Transform
from k8srt.tools.cache.identity import Identifier
from k8srt.tools.cache.metrics import InformerMetricsProvider, informer_provider, tell, version_figure
from k8srt.tools.cache.queue import BATCH_SIZE, Pending, Process, ProcessBatch, Queue
from k8srt.util.clock import Clock


class MeasuredQueue:
    """See the module. As thread-safe as the queue inside. `version` tells that of the consumer's store."""

    def __init__(
        self,
        inner: Queue,
        identifier: Identifier,
        provider: InformerMetricsProvider,
        clock: Clock,
        version: Callable[[], str],
    ) -> None:
        self._inner = inner
        self._identifier = identifier
        self._clock = clock
        self._version = version
        self._queued_items = provider.queued_items(identifier)
        self._latency = provider.processing_latency(identifier)
        self._store_version = provider.store_resource_version(identifier)
        self.synced = inner.synced
        self.name = inner.name
        self.form: Form[Any] = inner.form

    def add(self, obj: Any) -> None:
        self._inner.add(obj)
        self._report_length()

    def update(self, obj: Any) -> None:
        self._inner.update(obj)
        self._report_length()

    def delete(self, obj: Any) -> None:
        self._inner.delete(obj)
        self._report_length()

    def extend(self, changes: Sequence[Delta]) -> Sequence[tuple[Any, Exception]]:
        failed = self._inner.extend(changes)
        self._report_length()
        return failed

    def replace(self, items: Iterable[Any], resource_version: str = "", *, transformed: bool = False) -> None:
        self._inner.replace(items, resource_version, transformed=transformed)
        self._report_length()

    def resync(self) -> None:
        self._inner.resync()
        self._report_length()

    def bookmark(self, resource_version: str) -> None:
        self._inner.bookmark(resource_version)
        self._report_length()

    def pop(self, process: Process) -> Deltas:
        took = _Timer(self._clock)
        try:
            return self._inner.pop(lambda deltas, initial: took.run(process, deltas, initial))
        finally:
            self._report_processed(took)

    def pop_batch(self, process: ProcessBatch, limit: int = BATCH_SIZE) -> int:
        took = _Timer(self._clock)

        def timed(batch: Sequence[Pending], initial: bool) -> None:
            took.run(process, batch, initial)

        try:
            return self._inner.pop_batch(timed, limit)
        finally:
            self._report_processed(took)

    def _report_length(self) -> None:
        if self._identifier.reserved:
            tell(self._queued_items.set, float(len(self._inner)))

    def _report_processed(self, took: _Timer) -> None:
        self._report_length()
        if took.seconds is None or not self._identifier.reserved:
            return
        tell(self._latency.observe, took.seconds)
        figure = version_figure(self._version())
        if figure is not None:
            tell(self._store_version.set, figure)

    def close(self) -> None:
        self._inner.close()

    def has_synced(self) -> bool:
        return self._inner.has_synced()

    def transformer(self) -> Transform | None:
        return self._inner.transformer()

    def debug_state(self) -> Mapping[str, Any]:
        return self._inner.debug_state()

    def __len__(self) -> int:
        return len(self._inner)

    def __repr__(self) -> str:
        return repr(self._inner)


class _Timer:
    """How long something took; None when it was not done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds: float | None = None

    def run(self, work: Callable[..., object], *args: Any) -> None:
        started = self._clock.now()
        try:
            work(*args)
        finally:
            self.seconds = self._clock.now() - started


def measured(queue: Queue, identifier: Identifier | None, clock: Clock, version: Callable[[], str]) -> Queue:
    """The queue, with measurements if there is somebody to tell and a name to tell them under."""
    provider = informer_provider.get()
    if provider is None or identifier is None or not identifier.reserved:
        return queue
    return MeasuredQueue(queue, identifier, provider, clock, version)
