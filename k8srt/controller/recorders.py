"""The recorders of a manager: what is said about objects, in the name of a controller, without ever blocking it.

One broadcaster for each form of events, made when it is first used, ended last of all. Contract: EVR-01 to EVR-03.
"""

from __future__ import annotations

import os
import socket
import threading

from k8srt.kubernetes.clientset import Clientset
from k8srt.tools.events.broadcaster import EventBroadcaster
from k8srt.tools.events.recorder import EventRecorder
from k8srt.tools.record.broadcaster import EventBroadcaster as CoreBroadcaster
from k8srt.tools.record.recorder import EventRecorder as CoreRecorder
from k8srt.util.clock import Clock


class Recorders:
    """See the module. Thread-safe. `broadcaster` is used instead of one of its own, and is not ended: EVR-02."""

    def __init__(self, clientset: Clientset, broadcaster: EventBroadcaster | None, clock: Clock) -> None:
        self._clientset = clientset
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._given = broadcaster
        self._events: EventBroadcaster | None = None
        self._core: CoreBroadcaster | None = None

    def recorder(self, controller: str) -> EventRecorder:
        """Records events.k8s.io/v1 events; the reporting instance is the pod, else the host."""
        instance = f"{controller}-{os.environ.get('POD_NAME') or socket.gethostname()}"
        return self._broadcaster().new_recorder(controller, instance=instance)

    def _broadcaster(self) -> EventBroadcaster:
        if self._given is not None:
            return self._given
        with self._lock:
            if self._events is None:
                self._events = EventBroadcaster(clock=self._clock)
                self._events.start_recording_to_sink(self._clientset)
            return self._events

    def core_recorder(self, component: str) -> CoreRecorder:
        """Records core/v1 events."""
        with self._lock:
            if self._core is None:
                self._core = CoreBroadcaster(clock=self._clock)
                self._core.start_recording_to_sink(self._clientset)
            return self._core.new_recorder(component)

    def groups(self) -> list[str]:
        """The API groups in which events are recorded, as far as recorders were asked for."""
        with self._lock:
            used = {"": self._core, "events.k8s.io": self._given or self._events}
        return [group for group, broadcaster in used.items() if broadcaster is not None]

    def shutdown(self) -> None:
        """Write what is left to say, and end. Again is fine."""
        with self._lock:
            broadcasters = [each for each in (self._events, self._core) if each is not None]
        for broadcaster in broadcasters:
            broadcaster.shutdown()
