"""The same work on many numbered pieces. Contract: WQ-48, WQ-49. After client-go util/workqueue, parallelizer.go."""

from __future__ import annotations

import threading
from collections.abc import Callable

from k8srt.util.threads import spawn


def parallelize_until(
    stop: threading.Event | None,
    workers: int,
    pieces: int,
    fn: Callable[[int], object],
    chunk_size: int = 1,
) -> None:
    """Call `fn(i)` once for each `0 <= i < pieces`, in up to `workers` threads, and return when all have ended.

    Threads take `chunk_size` pieces (at least 1) at a time. When `stop` is set the calls that run are finished and
    the rest are left out. If `fn` raises, no more calls are begun and the first exception is raised at the end.
    """
    if pieces <= 0:
        return
    chunk_size = max(chunk_size, 1)
    chunks = -(-pieces // chunk_size)
    run = _Run(stop, pieces, chunk_size, fn)
    threads = [spawn("parallelize", run.work) for _ in range(max(min(workers, chunks), 1))]
    try:
        for thread in threads:
            thread.join()
    finally:
        run.cancel()
    run.raise_failure()


class _Run:
    """One call of `parallelize_until`, as its threads see it."""

    def __init__(self, stop: threading.Event | None, pieces: int, chunk_size: int, fn: Callable[[int], object]) -> None:
        self._stop = stop
        self._pieces = pieces
        self._chunk_size = chunk_size
        self._fn = fn
        self._lock = threading.Lock()  # guards the three below
        self._next = 0
        self._cancelled = False
        self._failure: BaseException | None = None

    def work(self) -> None:
        """Take chunks and call the function until there is nothing left to do."""
        while chunk := self._take():
            for piece in chunk:
                if self._ended():
                    return
                try:
                    self._fn(piece)
                except BaseException as err:  # noqa: BLE001 - raised in the caller's thread
                    self._fail(err)
                    return

    def cancel(self) -> None:
        """Begin no more calls."""
        with self._lock:
            self._cancelled = True

    def raise_failure(self) -> None:
        """Raise the first exception, if there was one."""
        with self._lock:
            failure = self._failure
        if failure is not None:
            raise failure

    def _take(self) -> range:
        with self._lock:
            start = self._next
            self._next = min(start + self._chunk_size, self._pieces)
            return range(start, self._next)

    def _ended(self) -> bool:
        if self._stop is not None and self._stop.is_set():
            return True
        with self._lock:
            return self._cancelled

    def _fail(self, err: BaseException) -> None:
        with self._lock:
            self._cancelled = True
            if self._failure is None:
                self._failure = err
