"""A worker in the background: changes of the storage wake it, it does something about them, one at a time."""

from __future__ import annotations

import logging
import threading
from collections import deque

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.watches import Change

log = logging.getLogger(__name__)


class Worker:
    """The base of controllers. `wants` is asked under the storage's lock, `handle` is called by the one thread."""

    name = "worker"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._cond = threading.Condition()  # guards the queue and the flag
        self._queue: deque[tuple[str, Change]] = deque()
        self._stopping = False
        self._settling = threading.Lock()  # held while somebody handles the queue; before the condition
        self._thread = threading.Thread(target=self._run, name=f"k8srt-apiserver-{self.name}", daemon=True)
        cluster.storage.listen(self._note)

    def wants(self, table: str, change: Change) -> bool:
        """Whether to be woken; must be quick and touch nothing."""
        raise NotImplementedError

    def handle(self, table: str, change: Change) -> None:
        """Do something about a change."""
        raise NotImplementedError

    def resume(self) -> None:
        """Take what the storage holds for new: it was kept from an earlier run, which may have left work undone."""
        for table in self.cluster.storage.resources():
            for stored in self.cluster.storage.page(table).items:
                self._note(table, Change(stored.revision, stored.key, stored, None, stored))

    def start(self) -> None:
        self._thread.start()

    def settle(self) -> bool:
        """Handle what is queued in the calling thread, where the worker has none of its own.

        Returns whether there was anything. A second thread waits until the first is done.
        """
        busy = False
        with self._settling:
            while True:
                with self._cond:
                    if not self._queue:
                        return busy
                    table, change = self._queue.popleft()
                busy = True
                self._handle(table, change)

    def stop(self) -> None:
        """Wait for the thread to end; what is queued is left undone."""
        with self._cond:
            self._stopping = True
            self._cond.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def _note(self, table: str, change: Change) -> None:
        if not self.wants(table, change):
            return
        with self._cond:
            if not self._stopping:
                self._queue.append((table, change))
                self._cond.notify()

    def _run(self) -> None:
        while True:
            with self._cond:
                while not self._queue and not self._stopping:
                    self._cond.wait()
                if self._stopping:
                    return
                table, change = self._queue.popleft()
            self._handle(table, change)

    def _handle(self, table: str, change: Change) -> None:
        try:
            self.handle(table, change)
        except Exception:
            log.exception("%s could not handle %s %s", self.name, table, change.key)
