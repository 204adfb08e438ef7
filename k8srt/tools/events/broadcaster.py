"""`EventBroadcaster`: events.k8s.io/v1 events from recorders to servers, logs and handlers.

    with EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("foo-controller")
        recorder.eventf(foo, deployment, "Normal", "Scaled", "Scale", "to %d replicas", 3)

Events before the first sink, log or handler was started are lost. Each of these has a queue of 1000; a sink has one
thread, which starts with the first event, and up to 8 while there is much to write. What finds no room is dropped.

Contract: EVT-22 to EVT-30.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
from typing import TYPE_CHECKING

from k8srt.api.events.v1 import Event
from k8srt.apimachinery.names import qualified_name_errors
from k8srt.gentype.events import WritesEvents
from k8srt.tools.events.recorder import WORD_LIMIT, EventRecorder
from k8srt.tools.events.writing import SeriesWriter
from k8srt.tools.record import logs
from k8srt.tools.record.broadcasting import Broadcasting, EventWatch, LogFunction
from k8srt.tools.record.delivery import RETRY_DELAY, Endings
from k8srt.tools.record.naming import EventNames, cut
from k8srt.tools.record.sink import EventSink, sink_for
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)

WRITERS = 8


class EventBroadcaster(Broadcasting[Event]):
    """See the module. Thread-safe; a context manager that shuts down when left.

    After a write that didn't reach its server the next try is `retry_delay` seconds later, or up to a quarter more.
    Setting `stop` ends everything at once; `shutdown` waits for what is queued, and tells how far the series got.
    """

    def __init__(
        self,
        *,
        retry_delay: float = RETRY_DELAY,
        stop: threading.Event | None = None,
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
    ) -> None:
        if retry_delay < 0.0:
            raise ValueError(f"negative {retry_delay=}")
        super().__init__(Event, stop=stop, clock=clock)
        self._retry_delay = retry_delay
        self._random = rng
        self._names = EventNames(clock)

    def new_recorder(self, controller: str, *, instance: str = "") -> EventRecorder:
        """A recorder in the name of a controller ("foo-controller", "example.com/foo").

        `instance` tells which of several it is: the name of the controller and of the host, if you don't say. Raises
        ValueError for a name that the API does not take.
        """
        if errors := qualified_name_errors(controller):
            raise ValueError(f"{controller!r} cannot be the name of a controller that records events: {errors[0]}")
        named = instance or f"{controller}-{socket.gethostname()}"
        return EventRecorder(self.tell, self._names, controller, cut(named, WORD_LIMIT))

    def start_recording_to_sink(self, sink: EventSink[Event] | WritesEvents[Event] | Clientset) -> EventWatch:
        """Write events from now on: to a cluster (`cs` or `cs.events_v1.events()`), or to a sink of your own.

        Raises TypeError for what is no sink, RuntimeError after `shutdown`.
        """
        endings = Endings()
        writer = SeriesWriter(
            sink_for(sink, "events_v1", endings.stopped),
            endings,
            clock=self._clock,
            retry_delay=self._retry_delay,
            rng=self._random,
        )
        return self._watch(
            "events", writer.write, endings, workers=WRITERS, chores=writer.chores, last=writer.tell_the_rest
        )

    def start_logging(self, log: LogFunction) -> EventWatch:
        """Log a line for each event from now on, with `log.info` or what you give."""
        return self._watch("events-log", logs.plain(log, "regarding", "note"))

    def start_structured_logging(self, level: int = logging.INFO, logger: logging.Logger = log) -> EventWatch:
        """Log "Event occurred" and the fields of each event from now on, in the text and as `record.event`."""
        said = ("type", "reason", "action", "note")
        return self._watch("events-log", logs.structured(logger, level, "regarding", said))
