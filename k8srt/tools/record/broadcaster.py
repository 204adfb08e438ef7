"""`EventBroadcaster`: core/v1 events from recorders to servers, logs and handlers.

    with EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("foo-controller")
        recorder.event(foo, "Normal", "Synced", "all replicas are available")

Events before the first sink, log or handler was started are lost. Each of these has a queue of 1000 and a thread of
its own, which starts with the first event, so one that is slow holds up nobody else. What finds no room is dropped.

Contract: EVT-06 to EVT-21.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING

from k8srt.api.core.v1 import Event
from k8srt.gentype.events import WritesEvents
from k8srt.tools.record import logs
from k8srt.tools.record.broadcasting import Broadcasting, EventWatch, LogFunction
from k8srt.tools.record.correlation.correlator import EventCorrelator
from k8srt.tools.record.correlation.options import CorrelatorOptions
from k8srt.tools.record.delivery import RETRY_DELAY, Endings
from k8srt.tools.record.naming import EventNames
from k8srt.tools.record.recorder import EventRecorder
from k8srt.tools.record.sink import EventSink, sink_for
from k8srt.tools.record.writing import SinkWriter
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)


class EventBroadcaster(Broadcasting[Event]):
    """See the module. Thread-safe; a context manager that shuts down when left.

    `correlator` sets how similar and repeated events are combined and limited, for each sink by itself. After a
    write that didn't reach its server the next try is `retry_delay` seconds later. Setting `stop` ends everything at
    once; `shutdown` waits for what is queued.
    """

    def __init__(
        self,
        *,
        correlator: CorrelatorOptions | None = None,
        retry_delay: float = RETRY_DELAY,
        stop: threading.Event | None = None,
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
    ) -> None:
        if retry_delay < 0.0:
            raise ValueError(f"negative {retry_delay=}")
        super().__init__(Event, stop=stop, clock=clock)
        self._options = correlator
        self._retry_delay = retry_delay
        self._random = rng
        self._names = EventNames(clock)

    def new_recorder(self, component: str, *, host: str = "") -> EventRecorder:
        """A recorder in the name of a component, on a host if that matters: the source of its events."""
        return EventRecorder(self.tell, self._names, component, host)

    def start_recording_to_sink(self, sink: EventSink[Event] | WritesEvents[Event] | Clientset) -> EventWatch:
        """Write events from now on: to a cluster (`cs` or `cs.core_v1.events()`), or to a sink of your own.

        Raises TypeError for what is no sink, RuntimeError after `shutdown`.
        """
        endings = Endings()
        writer = SinkWriter(
            sink_for(sink, "core_v1", endings.stopped),
            EventCorrelator(self._options, clock=self._clock),
            endings,
            clock=self._clock,
            retry_delay=self._retry_delay,
            rng=self._random,
        )
        return self._watch("events", writer.write, endings, last=writer.report)

    def start_logging(self, log: LogFunction) -> EventWatch:
        """Log a line for each event from now on, with `log.info` or what you give."""
        return self._watch("events-log", logs.plain(log))

    def start_structured_logging(self, level: int = logging.INFO, logger: logging.Logger = log) -> EventWatch:
        """Log "Event occurred" and the fields of each event from now on, in the text and as `record.event`."""
        return self._watch("events-log", logs.structured(logger, level))
