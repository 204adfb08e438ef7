"""SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.

    with StopSignals(mgr.stop): ...             # what `mgr.run()` does
    stop = setup_signal_handler()               # a stop for the whole program, once

A handler does next to nothing, since it may interrupt the main thread anywhere, also where that holds a lock: it puts
a word into a queue that is made for this, and a thread does the rest.

Contract: SIG-01 to SIG-05.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any, Self

from k8srt.errors import AlreadyStarted
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

HANDLED = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Within the context, calls `stop` at the first signal; puts back the handlers that were there before.

    Off the main thread, where Python takes no signals, it does nothing.
    """

    def __init__(self, stop: Callable[[], object], *, end: Callable[[int], object] = os._exit) -> None:
        self._stop = stop
        self._end = end
        self._before: dict[signal.Signals, Any] = {}
        self._asked = False
        self._words: SimpleQueue[str] = SimpleQueue()  # its `put` may interrupt itself
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            log.debug("signals are taken in the main thread only: this one is stopped by stop()")
            return self
        self._thread = spawn("signals", self._wait)
        for number in HANDLED:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._end(1)
        self._asked = True
        self._words.put(signal.Signals(number).name)

    def _wait(self) -> None:
        word = self._words.get()
        if word:
            log.info("%s: stopping; once more ends the process at once", word)
            self._stop()

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            if handler is not None:  # None: it was not set from Python, and cannot be put back
                signal.signal(number, handler)
        self._before.clear()
        self._words.put("")
        if self._thread is not None:
            self._thread.join()


_set_up = threading.Lock()  # held for ever once the handlers are there


def setup_signal_handler() -> Stop:
    """A stop that is set by the first SIGTERM or SIGINT; the second ends the process with status 1.

    The handlers stay. Off the main thread the stop is never set by a signal. Raises AlreadyStarted the second time.
    """
    if not _set_up.acquire(blocking=False):
        raise AlreadyStarted("setup_signal_handler was called before: there is one for the whole program")
    stop = Stop()
    StopSignals(stop.set).__enter__()
    return stop
