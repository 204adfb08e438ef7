"""What all factories do: one informer per resource, started, awaited and ended together.

Contract: INF-52 to INF-57, INF-61.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.errors import WaitTimeout
from k8srt.tools.cache.identity import Identifier, InformerName
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.tools.cache.waiting import wait_for_cache_sync
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.progress import Bar, progress_bar
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

K = TypeVar("K")


class SyncResult(dict[K, bool], Generic[K]):
    """Which caches have synced. Contract: INF-55."""

    def as_error(self) -> WaitTimeout | None:
        """None when all have, else an error that names those which have not."""
        missing = sorted(_name(key) for key, synced in self.items() if not synced)
        return WaitTimeout(f"failed to sync all caches: {', '.join(missing)}") if missing else None

    def raise_for_error(self) -> None:
        """Raises WaitTimeout unless all have synced."""
        error = self.as_error()
        if error is not None:
            raise error


def _name(key: object) -> str:
    return key.__name__ if isinstance(key, type) else str(key)


class InformerFactory(Generic[K]):
    """See the module. Thread-safe. A context manager: entering starts, leaving stops and waits for every thread."""

    def __init__(self, clock: Clock = SYSTEM, informer_name: InformerName | None = None) -> None:
        """`informer_name` is under which the informers publish figures; without it they publish none."""
        self._clock = clock
        self._informer_name = informer_name
        self._lock = threading.RLock()  # guards all below
        self._informers: dict[K, SharedIndexInformer[Any]] = {}
        self._threads: dict[K, threading.Thread] = {}
        self._halt = Stop()
        self._shut_down = False

    def obtain(self, key: K, make: Callable[[], SharedIndexInformer[Any]]) -> SharedIndexInformer[Any]:
        """The informer under `key`, made if there is none yet. Contract: INF-52."""
        with self._lock:
            found = self._informers.get(key)
            if found is None:
                found = self._informers[key] = make()
            return found

    def identifier_of(self, resource: GroupVersionResource) -> Identifier | None:
        """The identity of an informer to be made, for its figures. Contract: INF-64."""
        return self._informer_name.with_resource(resource) if self._informer_name is not None else None

    @property
    def informers(self) -> Mapping[K, SharedIndexInformer[Any]]:
        """The informers registered so far."""
        with self._lock:
            return dict(self._informers)

    def start(self, stop: threading.Event | None = None) -> None:
        """Start every informer that was not started yet, each in its own thread; returns at once.

        They run until `stop` is set; without one, until `shutdown`. After a shutdown this does nothing.
        Contract: INF-53.
        """
        with self._lock:
            if self._shut_down:
                return
            for key, informer in self._informers.items():
                if key not in self._threads:
                    name = f"informer-{_name(key).lower()}"
                    self._threads[key] = spawn(name, informer.run, self._halt if stop is None else stop)

    def wait_for_cache_sync(
        self, timeout: float | None = None, *, stop: threading.Event | None = None, progress: bool = False
    ) -> SyncResult[K]:
        """Wait until the started informers have synced, at most `timeout` seconds; returns which have.

        `progress` shows a bar on stderr, of tqdm if that is installed. Contract: INF-55.
        """
        with self._lock:
            started = {key: self._informers[key] for key in self._threads}
        deadline = None if timeout is None else self._clock.now() + timeout
        bar = progress_bar(len(started)) if progress else None
        try:
            return self._wait_for(started, deadline, stop or self._halt, bar)
        finally:
            if bar is not None:
                bar.close()

    def _wait_for(
        self,
        started: Mapping[K, SharedIndexInformer[Any]],
        deadline: float | None,
        stop: threading.Event,
        bar: Bar | None,
    ) -> SyncResult[K]:
        result: SyncResult[K] = SyncResult()
        for key, informer in started.items():
            left = None if deadline is None else max(deadline - self._clock.now(), 0.0)
            result[key] = wait_for_cache_sync(informer, timeout=left, stop=stop, clock=self._clock)
            if bar is not None and result[key]:
                bar.step(_name(key))
        return result

    def shutdown(self) -> None:
        """End what `start()` without a stop has started, and wait for every informer thread to end.

        Those with a stop of their own are only waited for. Nothing starts after this. Again is fine: INF-56.
        """
        with self._lock:
            self._shut_down = True
            threads = list(self._threads.values())
        self._halt.set()
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()

    def debug_state(self) -> Mapping[str, Any]:
        """What every informer is up to."""
        return {_name(key): informer.debug_state() for key, informer in self.informers.items()}

    def __repr__(self) -> str:
        with self._lock:
            return f"<{type(self).__name__}: {len(self._informers)} informers, {len(self._threads)} started>"
