"""Telling others what happened, in the order it did, without waiting for them. Contract: LE-06, LE-22."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from k8srt.util.threads import spawn

log = logging.getLogger(__name__)


class Announcer:
    """Makes calls one after the other, in a thread that lives while there is something to tell. Thread-safe."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()  # guards the rest
        self._calls: deque[Callable[[], object]] = deque()
        self._thread: threading.Thread | None = None  # the one that is to make them

    def tell(self, call: Callable[[], object]) -> None:
        """Have `call` made soon. Never blocks and never raises; what the call raises is logged."""
        with self._lock:
            self._calls.append(call)
            if self._thread is None:
                try:
                    self._thread = spawn(self._what, self._run)
                except RuntimeError:
                    log.exception("no thread could be started to tell of %s; it is told next time", self._what)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._calls:
                    self._thread = None
                    return
                call = self._calls.popleft()
            try:
                call()
            except Exception:
                log.exception("callback %r failed", call)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to tell; whether that is so after `timeout` seconds."""
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return thread is None or not thread.is_alive()
