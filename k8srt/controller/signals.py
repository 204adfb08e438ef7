"""SIGTERM and SIGINT: the first asks to stop, the second ends the process at once.

Contract: SIG-01 to SIG-03.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

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

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            log.debug("signals are taken in the main thread only: this one is stopped by stop()")
            return self
        for number in HANDLED:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._end(1)
        self._asked = True
        self._stop()

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
