"""A controller without a manager, a cluster or real time: what it is given are stand-ins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller.controller import Controller
from k8srt.controller.event import CreateEvent, Event
from k8srt.controller.handler import EnqueueForObject, RequestQueue
from k8srt.controller.reasons import because_of
from k8srt.controller.request import Request
from k8srt.testing.clock import FakeClock
from k8srt.util.clock import SYSTEM
from k8srt.util.threads import Stop

LONG = 10.0


def config_map(name: str, namespace: str = "default", **more: Any) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace, uid=f"uid-{name}", **more))


class StubCache:
    """Objects by request."""

    def __init__(self) -> None:
        self.objects: dict[Request, Any] = {}

    def put(self, *objects: Any) -> None:
        self.objects.update({Request.of(obj): obj for obj in objects})

    def get(self, kind: Any, key: Request, **options: Any) -> Any:
        return self.objects.get(key)

    def list(self, kind: Any, **options: Any) -> list[Any]:
        return list(self.objects.values())


class StubClient:
    """Writes down what is written, if it may be."""

    def __init__(self, stop: Stop | None = None, may_write: Callable[[], object] = lambda: None) -> None:
        self.stop = stop
        self._may_write = may_write
        self.written: list[Any] = []

    def acting_as(self, name: str) -> StubClient:
        return self

    def within(self, stop: Stop, may_write: Callable[[], object] = lambda: None) -> StubClient:
        before = self._may_write
        client = StubClient(stop, lambda: (before(), may_write()))
        client.written = self.written
        return client

    def create(self, obj: Any) -> Any:
        self._may_write()
        if self.stop is not None and self.stop.is_set():
            raise errors.Stopped("stopped")
        self.written.append(obj)
        return obj

    def patch(self, obj: Any, patch: Any, **options: Any) -> Any:
        self.create((patch, options))
        return ConfigMap.from_dict({"metadata": {"name": obj.metadata.name, "uid": obj.metadata.uid}})


class ByHand:
    """A source that tells what a test says."""

    def __init__(self, *, fails: Exception | None = None, blocks: bool = False, syncs: bool = True) -> None:
        self.queue: RequestQueue | None = None
        self.started, self.stopped, self.let_go = Stop(), Stop(), Stop()
        self._fails, self._blocks, self._syncs = fails, blocks, syncs

    def start(self, queue: RequestQueue) -> None:
        self.queue = queue
        self.started.set()
        if self._blocks:
            self.let_go.wait()
        if self._fails is not None:
            raise self._fails

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        if not self._syncs:
            self.let_go.wait()

    def stop(self) -> None:
        self.stopped.set()

    def tell(self, event: Event) -> None:
        assert self.queue is not None
        with because_of(event):
            EnqueueForObject().handle(event, self.queue)

    def __repr__(self) -> str:
        return "<ByHand>"


class Recorder:
    """Events that were recorded."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str, str]] = []

    def event(self, obj: Any, kind: str, reason: str, message: str) -> None:
        self.events.append((obj.metadata.name, kind, reason, message))


class Metrics:
    """What was measured."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.told: list[tuple[Any, ...]] = []

    def _note(self, *told: Any) -> None:
        with self._cond:
            self.told.append(told)
            self._cond.notify_all()

    def started(self, controller: str, workers: int) -> None:
        self._note("started", workers)

    def reconciled(self, controller: str, outcome: str, seconds: float, terminal: bool) -> None:
        self._note("reconciled", str(outcome), terminal)

    def active(self, controller: str, change: int) -> None: ...

    def panicked(self, controller: str) -> None:
        self._note("panicked")

    def timed_out(self, controller: str) -> None:
        self._note("timed_out")

    def stuck(self, controller: str, change: int) -> None:
        self._note("stuck", change)

    def wedged(self, controller: str, wedged: bool) -> None:
        self._note("wedged", wedged)

    def reasons(self, controller: str, reasons: tuple[str, ...]) -> None: ...

    def wait_for(self, *told: Any, times: int = 1) -> None:
        """Wait until this was told so often."""
        with self._cond:
            assert self._cond.wait_for(lambda: self.told.count(told) >= times, LONG), self.told

    def count(self, *told: Any) -> int:
        with self._cond:
            return self.told.count(told)


class Rig:
    """A controller that runs within the context, on a clock that is turned by hand."""

    def __init__(
        self, reconcile: Callable[..., Any], *, sources: Iterable[Any] = (), real_time: bool = False, **options: Any
    ) -> None:
        self.clock = FakeClock()
        self.cache, self.client = StubCache(), StubClient()
        self.recorder, self.metrics = Recorder(), Metrics()
        options = {"kind": ConfigMap, "state": None, "metrics": self.metrics, **options}
        self.controller = Controller(
            options.pop("name", "rig"),
            reconcile,
            cache=self.cache,  # type: ignore[arg-type]
            client=self.client,  # type: ignore[arg-type]
            recorder=self.recorder,
            clock=SYSTEM if real_time else self.clock,
            **options,
        )
        self.source = ByHand()
        for source in (self.source, *sources):
            self.controller.watch(source, "for ConfigMap")
        self.stop = Stop()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.controller.start(self.stop)
        except BaseException as err:  # noqa: BLE001 - looked at by the test
            self.error = err

    def __enter__(self) -> Rig:
        self._thread.start()
        return self

    def join(self) -> None:
        self._thread.join(LONG)
        assert not self._thread.is_alive()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.join()

    def create(self, name: str, **more: Any) -> ConfigMap:
        """Have an object appear."""
        obj = config_map(name, **more)
        self.cache.put(obj)
        assert self.source.started.wait(LONG)
        self.source.tell(CreateEvent(obj))
        return obj

    def ended(self, times: int = 1, outcome: str = "success", terminal: bool = False) -> None:
        """Wait until so many reconciles have ended so."""
        self.metrics.wait_for("reconciled", outcome, terminal, times=times)
