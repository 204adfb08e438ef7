"""Starting the sources of a controller: all at the same time, each within a time of its own.

Contract: CTL-05.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from k8srt.controller.handler import RequestQueue
from k8srt.controller.source import Source, SourceFailed
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

_SLACK = 1.0  # seconds for a source to say why it has not synced


class _Start:
    """The start of one source, in a thread of its own."""

    def __init__(self, source: Source, queue: RequestQueue, timeout: float, stop: Stop) -> None:
        self._source, self._queue, self._timeout, self._stop = source, queue, timeout, stop
        self.returned = False
        self.ended = Stop()
        self.error: BaseException | None = None
        self.thread: threading.Thread | None = None

    def run(self) -> None:
        try:
            self._source.start(self._queue)
            self.returned = True
            if not self._stop.is_set():
                self._source.wait_for_sync(self._timeout, self._stop)
        except Exception as err:  # noqa: BLE001 - raised by whoever waits for this
            self.error = err
        finally:
            self.ended.set()


def start_sources(
    name: str, sources: Sequence[tuple[Source, RequestQueue]], timeout: float, stop: Stop, clock: Clock
) -> None:
    """Start sources and wait until each has synced, `timeout` seconds at most. Nothing is wrong once `stop` is set.

    Raises SourceFailed naming the source, and what a source raised.
    """
    starts = []
    deadline = clock.now() + timeout
    for source, queue in sources:
        log.info("starting event source %r", source, extra={"controller": name, "source": repr(source)})
        start = _Start(source, queue, timeout, stop)
        start.thread = spawn(f"source-{name}", start.run)
        starts.append((source, start))
    for source, start in starts:
        ended = _wait(start.ended, deadline, stop, clock)
        if stop.is_set():
            return
        if not ended and not start.returned:
            raise SourceFailed(f"controller {name}: the start of {source!r} has blocked for {timeout:g}s")
        if not ended and not clock.wait_event(start.ended, _SLACK):  # its own wait ends now too, and knows more
            raise SourceFailed(f"controller {name}: {source!r} has not synced within {timeout:g}s")
        if stop.is_set():
            return
        if start.error is not None:
            raise start.error
        if start.thread is not None:
            start.thread.join()


def _wait(ended: Stop, deadline: float, stop: Stop, clock: Clock) -> bool:
    wake = Stop()
    forget = [each.on_set(wake.set) for each in (ended, stop)]
    clock.wait_event(wake, max(deadline - clock.now(), 0.0))
    for each in forget:
        each()
    return ended.is_set()
