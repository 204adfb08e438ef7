"""`EventBroadcasterAdapter`: events in the newer form where the server takes it, in the older where not. EVT-28."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from k8srt.errors import K8srtError
from k8srt.tools.events.broadcaster import EventBroadcaster
from k8srt.tools.events.recorder import Recorder
from k8srt.tools.record.broadcaster import EventBroadcaster as CoreBroadcaster
from k8srt.tools.record.broadcasting import DRAIN
from k8srt.tools.record.recorder import EventRecorder as CoreRecorder
from k8srt.tools.record.recorder import EventRecorderAdapter
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.kubernetes.clientset import Clientset

log = logging.getLogger(__name__)

GROUP_VERSION = "events.k8s.io/v1"


class EventBroadcasterAdapter:
    """Makes recorders of events.k8s.io/v1, or of core/v1 behind the same methods if the server lacks the former.

    Which it is is found out when this is made, by one question to the server; one that doesn't answer gets core/v1,
    which all have. Thread-safe; a context manager that shuts down when left.
    """

    def __init__(self, cs: Clientset, *, stop: threading.Event | None = None, clock: Clock = SYSTEM) -> None:
        self._cs = cs
        self._clock = clock
        self._newer = EventBroadcaster(stop=stop, clock=clock) if _serves_events(cs) else None
        self._core = CoreBroadcaster(stop=stop, clock=clock)

    @property
    def newer(self) -> bool:
        """Whether events are those of events.k8s.io/v1."""
        return self._newer is not None

    def start_recording_to_sink(self) -> None:
        """Write events to the cluster from now on. Raises RuntimeError after `shutdown`."""
        if self._newer is not None:
            self._newer.start_recording_to_sink(self._cs)
        self._core.start_recording_to_sink(self._cs)

    def new_recorder(self, controller: str, *, instance: str = "") -> Recorder:
        """A recorder in the name of a controller. Raises ValueError for a name that the API does not take."""
        if self._newer is not None:
            return self._newer.new_recorder(controller, instance=instance)
        return EventRecorderAdapter(self._core.new_recorder(controller, host=instance))

    def new_core_recorder(self, component: str, *, host: str = "") -> CoreRecorder:
        """A recorder of core/v1 events, for code that has not changed over."""
        return self._core.new_recorder(component, host=host)

    def flush(self, timeout: float = DRAIN) -> bool:
        """Wait until all events so far are written, at most `timeout` seconds; returns whether they are."""
        deadline = self._clock.now() + timeout
        newer = self._newer is None or self._newer.flush(timeout)
        return self._core.flush(max(deadline - self._clock.now(), 0.0)) and newer

    def shutdown(self, timeout: float = DRAIN) -> None:
        """Take no more events, wait up to `timeout` seconds for those that are queued, and end. Twice is fine."""
        deadline = self._clock.now() + timeout
        if self._newer is not None:
            self._newer.shutdown(timeout)
        self._core.shutdown(max(deadline - self._clock.now(), 0.0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"<EventBroadcasterAdapter {self._newer or self._core!r}>"


def _serves_events(cs: Clientset) -> bool:
    try:
        found = cs.discovery.server_resources_for_group_version(GROUP_VERSION)
    except K8srtError as err:
        log.info("events are recorded in the older form, core/v1: %s", err)
        return False
    return any(resource.name == "events" for resource in found.resources or ())
