"""`EventRecorder`: says something about an object, in the name of a component. Contract: EVT-01 to EVT-05.

    recorder.event(foo, "Normal", "Synced", "all replicas are available")
    recorder.eventf(foo, "Warning", "Failed", "%d of %d replicas failed", 2, 3)

Nothing here blocks or raises, so that telling about the work never stops the work. What cannot be told is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from k8srt.api.core.v1 import Event, EventSource, ObjectReference
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.object import Object
from k8srt.tools.record.naming import CLUSTER_SCOPED, TYPES, EventNames, cut, formatted
from k8srt.tools.reference import get_reference

log = logging.getLogger(__name__)

MESSAGE_LIMIT = 32 * 1024
"""How many bytes of a message are kept. The API sets no limit but that of a request; the queue should have one."""

About = Object | ObjectReference


class Recorder(Protocol):
    """What controllers use to record core/v1 events: an EventRecorder, or `k8srt.testing.FakeRecorder`."""

    def event(self, obj: About, event_type: str, reason: str, message: str) -> None: ...
    def eventf(self, obj: About, event_type: str, reason: str, message: str, *args: Any) -> None: ...
    def annotated_eventf(
        self, obj: About, annotations: Mapping[str, str], event_type: str, reason: str, message: str, *args: Any
    ) -> None: ...


class EventRecorder:
    """Records core/v1 events. Made by `EventBroadcaster.new_recorder`; thread-safe."""

    def __init__(self, tell: Callable[[Event], object], names: EventNames, component: str, host: str = "") -> None:
        self._tell = tell
        self._names = names
        self.component = component
        self.host = host

    def event(self, obj: About, event_type: str, reason: str, message: str) -> None:
        """Say `message` about an object, or the object a reference refers to.

        `event_type` is "Normal" or "Warning", `reason` one CamelCase word that programs may look for, `message` text
        for people. The object says which it is by its name, namespace, uid and kind, and is not looked at later.
        """
        self._record(obj, None, event_type, reason, message, ())

    def eventf(self, obj: About, event_type: str, reason: str, message: str, *args: Any) -> None:
        """The same with a message of `message % args`, as `logging` does it."""
        self._record(obj, None, event_type, reason, message, args)

    def annotated_eventf(
        self, obj: About, annotations: Mapping[str, str], event_type: str, reason: str, message: str, *args: Any
    ) -> None:
        """The same, with annotations on the event."""
        self._record(obj, annotations, event_type, reason, message, args)

    def _record(
        self,
        obj: About,
        annotations: Mapping[str, str] | None,
        event_type: str,
        reason: str,
        message: str,
        args: tuple[Any, ...],
    ) -> None:
        try:
            event = self._make(get_reference(obj), annotations, event_type, reason, formatted(message, args))
            self._tell(event)
        except Exception as err:  # noqa: BLE001 - a recorder never raises
            log.error("event %s %s %r about %r is dropped: %s", event_type, reason, message, obj, err)

    def _make(
        self,
        about: ObjectReference,
        annotations: Mapping[str, str] | None,
        event_type: str,
        reason: str,
        message: str,
    ) -> Event:
        if event_type not in TYPES:
            raise ValueError(f"the type of an event is Normal or Warning, not {event_type!r}")
        name, now = self._names.name(about.name or "")
        return Event(
            metadata=ObjectMeta(
                name=name,
                namespace=about.namespace or CLUSTER_SCOPED,
                annotations=dict(annotations) if annotations else unset,
            ),
            involved_object=about,
            type=event_type,
            reason=reason,
            message=cut(message, MESSAGE_LIMIT),
            count=1,
            first_timestamp=now,
            last_timestamp=now,
            source=EventSource(component=self.component, host=self.host or unset),
            reporting_component=self.component,
            reporting_instance=self.host or unset,
        )

    def __repr__(self) -> str:
        return f"<EventRecorder {self.component}{f' on {self.host}' if self.host else ''}>"


class EventRecorderAdapter:
    """A core/v1 recorder in the form of one of `k8srt.tools.events`: `related` and `action` are left out."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def event(
        self,
        regarding: About,
        event_type: str,
        reason: str,
        note: str,
        *,
        action: str = "",
        related: About | None = None,
    ) -> None:
        self.recorder.event(regarding, event_type, reason, note)

    def eventf(
        self,
        regarding: About,
        related: About | None,
        event_type: str,
        reason: str,
        action: str,
        note: str,
        *args: Any,
    ) -> None:
        self.recorder.eventf(regarding, event_type, reason, note, *args)

    def __repr__(self) -> str:
        return f"<EventRecorderAdapter {self.recorder!r}>"
