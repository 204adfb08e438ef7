"""What has `run(stop)` can also run in a thread of its own, and be a context manager."""

from __future__ import annotations

import threading
from typing import Self

from k8srt.errors import AlreadyStarted
from k8srt.util.threads import Stop, spawn


class Running:
    """Adds `start` and `stop` to a class with a `run` that blocks until its event is set. Thread-safe."""

    def __init__(self, thread_name: str) -> None:
        self._thread_name = thread_name
        self._halt = Stop()
        self._thread_lock = threading.Lock()  # guards _thread
        self._thread: threading.Thread | None = None

    def run(self, stop: threading.Event) -> None:
        raise NotImplementedError

    def is_started(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        """Run in a thread of its own, until `stop`. Raises AlreadyStarted."""
        with self._thread_lock:
            if self._thread is not None or self.is_started():
                raise AlreadyStarted(f"{self!r} was started already")
            self._thread = spawn(self._thread_name, self.run, self._halt)

    def stop(self) -> None:
        """Stop, and wait until every thread has ended. Twice is fine."""
        self._halt.set()
        with self._thread_lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
