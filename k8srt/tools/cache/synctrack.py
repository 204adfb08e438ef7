"""Whether what must happen before "synced" has happened. Contract: INF-49 to INF-51."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from k8srt.util.threads import Latch

T = TypeVar("T")


class SingleFileTracker:
    """Counts things that are started and finished in one order.

    `synced` is set when upstream is and nothing is unfinished, and stays set. Thread-safe.
    """

    def __init__(self) -> None:
        self.synced = Latch()
        self._lock = threading.Lock()  # guards both below
        self._waiting = 0
        self._upstream = False

    def start(self, count: int = 1) -> None:
        """Before a thing is handed on."""
        with self._lock:
            self._waiting += count

    def finished(self) -> None:
        """After a thing was handled. Raises RuntimeError for more than were started."""
        with self._lock:
            self._waiting -= 1
            if self._waiting < 0:
                raise RuntimeError("synctrack: finished more often than started")
            done = self._upstream and self._waiting == 0
        if done:
            self.synced.set()

    def upstream_has_synced(self) -> None:
        """All there is to start has been started."""
        with self._lock:
            self._upstream = True
            done = self._waiting == 0
        if done:
            self.synced.set()

    def has_synced(self) -> bool:
        return self.synced.is_set()


class AsyncTracker(Generic[T]):
    """The same by key, for things that finish in any order. Thread-safe."""

    def __init__(self) -> None:
        self.synced = Latch()
        self._lock = threading.Lock()  # guards both below
        self._waiting: set[Hashable] = set()
        self._upstream = False

    def start(self, key: Hashable) -> None:
        """Twice with one key needs one `finished`. Nothing after it is synced."""
        with self._lock:
            if not self.synced.is_set():
                self._waiting.add(key)

    def finished(self, key: Hashable) -> None:
        """Harmless for a key that was not started."""
        with self._lock:
            self._waiting.discard(key)
            done = self._upstream and not self._waiting
        if done:
            self.synced.set()

    def upstream_has_synced(self) -> None:
        with self._lock:
            self._upstream = True
            done = not self._waiting
        if done:
            self.synced.set()

    def has_synced(self) -> bool:
        return self.synced.is_set()


class Lazy(Generic[T]):
    """A value that is computed when asked for, once until `notify`. Errors are not kept. Thread-safe."""

    def __init__(self, evaluate: Callable[[], T]) -> None:
        self._evaluate = evaluate
        self._cond = threading.Condition()  # guards all below
        self._generation = 0
        self._evaluating = False
        self._value: tuple[int, T] | None = None

    def notify(self) -> None:
        """What is known may be wrong: the next `get` computes it anew."""
        with self._cond:
            self._generation += 1

    def get(self) -> T:
        """The value; those who ask at the same time share one computation. Raises what it raises."""
        with self._cond:
            while True:
                if self._value is not None and self._value[0] == self._generation:
                    return self._value[1]
                if not self._evaluating:
                    break
                self._cond.wait()
            self._evaluating = True
            generation = self._generation
        try:
            value = self._evaluate()
            with self._cond:
                self._value = (generation, value)
            return value
        finally:
            with self._cond:
                self._evaluating = False
                self._cond.notify_all()
