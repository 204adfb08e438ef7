"""Events: what a controller tells people about an object. `kubectl describe` shows them below it.

Repetition is counted, not repeated: the same thing said of the same object again raises `count` of the Event that is
there. Telling must never stop the work, so what can't be told is logged and forgotten.
"""

from __future__ import annotations

import logging
import threading
import uuid

from cachetools import LRUCache

from k8srt.api.core.v1 import Event, EventSource, ObjectReference
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.wire import format_time
from k8srt.errors import K8srtError, NotFound
from k8srt.kubernetes import Clientset
from k8srt.util.clock import SYSTEM, Clock

log = logging.getLogger(__name__)

REMEMBERED = 4096
"""How many Events are remembered for counting; the one that was longest without a repetition is forgotten first."""

_Said = tuple[str, str, str, str]  # uid of the object, type, reason, message


class EventRecorder:
    """Writes Events in the name of `component`. Thread-safe; blocks for one request."""

    def __init__(self, cs: Clientset, component: str, *, clock: Clock = SYSTEM) -> None:
        self._cs = cs
        self._component = component
        self._clock = clock
        self._lock = threading.Lock()  # guards _written
        self._written: LRUCache[_Said, Event] = LRUCache(REMEMBERED)

    def event(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Say `message` about an object. `kind` is "Normal" or "Warning", `reason` one CamelCase word."""
        said = (about.metadata.uid, kind, reason, message)
        try:
            event = self._repeat(said) or self._create(about, kind, reason, message)
        except K8srtError as err:
            log.warning("event %s for %r not written: %s", reason, about, err)
            return
        with self._lock:
            self._written[said] = event

    def _repeat(self, said: _Said) -> Event | None:
        """Count the Event up, if it was written before and is still there: servers drop Events after an hour."""
        with self._lock:
            event = self._written.get(said)
        if event is None:
            return None
        again = {"count": event.count + 1, "lastTimestamp": format_time(self._clock.time())}
        events = self._cs.core_v1.events(event.metadata.namespace)
        try:
            return events.patch(event.metadata.name, again, patch_type="merge")
        except NotFound:
            return None

    def _create(self, about: Object, kind: str, reason: str, message: str) -> Event:
        now = self._clock.time()
        namespace = about.metadata.namespace or "default"  # where Events about cluster-wide objects go
        event = Event(
            metadata=ObjectMeta(name=f"{about.metadata.name}.{uuid.uuid4().hex[:16]}", namespace=namespace),
            involved_object=_reference(about),
            type=kind,
            reason=reason,
            message=message,
            count=1,
            first_timestamp=now,
            last_timestamp=now,
            source=EventSource(component=self._component),
            reporting_component=self._component,
        )
        return self._cs.core_v1.events(namespace).create(event)


def _reference(obj: Object) -> ObjectReference:
    return ObjectReference(
        api_version=obj.api_version,
        kind=obj.kind,
        namespace=obj.metadata.namespace,
        name=obj.metadata.name,
        uid=obj.metadata.uid,
        resource_version=obj.metadata.resource_version,
    )
