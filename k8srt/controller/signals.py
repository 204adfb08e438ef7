"""SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.

    with StopSignals(mgr.stop): ...             # what `mgr.run()` does
    stop = setup_signal_handler()               # a stop for the whole program, once

Python runs handlers in the main thread, between two steps of it, wherever that may be: also where it holds a lock, and
not at all if it went to sleep at the wrong moment. So the handlers do nothing. What counts is the byte that is written
for each signal to a pipe, whatever the main thread does; a thread reads it, and does the rest.

Contract: SIG-01 to SIG-05.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from k8srt.errors import AlreadyStarted
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

HANDLED = (signal.SIGTERM, signal.SIGINT)
_OVER = 0  # no signal has this number


class StopSignals:
    """Within the context, calls `stop` at the first signal; puts back the handlers that were there before.

    Off the main thread, where Python takes no signals, it does nothing.
    """

    def __init__(self, stop: Callable[[], object], *, end: Callable[[int], object] = os._exit) -> None:
        self._stop = stop
        self._end = end
        self._before: dict[signal.Signals, Any] = {}
        self._asked = False  # by the thread that reads
        self._poked = threading.Event()
        self._pipe: tuple[int, int] | None = None
        self._others = -1  # where bytes went before, and still go
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            log.debug("signals are taken in the main thread only: this one is stopped by stop()")
            return self
        reading, writing = self._pipe = os.pipe()
        os.set_blocking(writing, False)
        self._others = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        self._thread = spawn("signals", self._read, reading)
        for number in HANDLED:
            self._before[number] = signal.signal(number, _nothing)
        return self

    def _read(self, pipe: int) -> None:
        while True:
            for number in os.read(pipe, 1):
                if number == _OVER:
                    return
                self._heard(number)

    def _heard(self, number: int) -> None:
        if self._others >= 0:
            try:
                os.write(self._others, bytes([number]))
            except OSError:
                log.debug("nobody else hears of signals any more")
        if number in HANDLED:
            if self._asked:
                self._end(1)
            else:
                self._asked = True
                log.info("%s: stopping; once more ends the process at once", signal.Signals(number).name)
                self._stop()
        self._poked.set()

    def wait(self, stop: Stop) -> None:
        """Wait for `stop`. In the main thread, handlers of other signals run meanwhile, at once: SIG-04, SIG-05."""
        forget = stop.on_set(self._poked.set)
        try:
            while not stop.is_set():
                self._poked.wait()
                self._poked.clear()
        finally:
            forget()

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            if handler is not None:  # None: it was not set from Python, and cannot be put back
                signal.signal(number, handler)
        self._before.clear()
        if self._pipe is None:
            return
        signal.set_wakeup_fd(self._others)
        os.write(self._pipe[1], bytes([_OVER]))
        if self._thread is not None:
            self._thread.join()
        for end in self._pipe:
            os.close(end)
        self._pipe = None


def _nothing(number: int, frame: FrameType | None) -> None:
    """Keeps a signal from ending the process, and a system call from going on."""


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
