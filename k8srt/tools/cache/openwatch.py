"""One open watch, from the request to the close."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from k8srt.apimachinery.record import WatchRecord
from k8srt.errors import TransportError
from k8srt.tools.cache.listwatch import WatchStream
from k8srt.tools.cache.verdicts import VeryShortWatchError
from k8srt.util.threads import Stop

log = logging.getLogger(__name__)

SHORT = 1.0
"""Seconds below which a watch without events is suspicious."""


def _nothing() -> None: ...


class OpenWatch:
    """A stream that is closed exactly once: by its reader, or by `halt` from whichever thread sets that.

    Read by one thread. `version` is the one it was opened at, `events` counts those that were accepted. Contract:
    REFL-10, REFL-45.
    """

    def __init__(self, stream: WatchStream, version: str, opened: float, halt: Stop) -> None:
        self.version = version
        self.opened = opened
        self.events = 0
        self.ordered = version not in ("", "0")  # else the first additions come in any order: REFL-43
        self._stream = stream
        self._rest: list[WatchRecord] = []
        self._lock = threading.Lock()  # guards _closed
        self._closed = False
        self._forget: Callable[[], None] = _nothing
        self._forget = halt.on_set(self.close)  # called at once if it is set already

    def read_batch(self) -> list[WatchRecord]:
        """What has arrived; [] when the stream is over, however it ended."""
        if self._rest:
            rest, self._rest = self._rest, []
            return rest
        try:
            return self._stream.read_batch()
        except TransportError as err:  # a lost connection is an end like any other
            log.info("a watch was cut: %s", err)
            return []

    def push_back(self, rest: list[WatchRecord]) -> None:
        """Have these come again with the next read."""
        self._rest = rest

    def check_length(self, name: str, now: float) -> None:
        """Raises VeryShortWatchError if the watch, which has ended, brought nothing and hardly lasted: REFL-36."""
        if self.events == 0 and now - self.opened < SHORT:
            raise VeryShortWatchError(name)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._forget()
        self._stream.close()

    def __enter__(self) -> OpenWatch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
