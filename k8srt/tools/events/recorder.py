"""`EventRecorder`: says what was done about an object, in the name of a controller. Contract: EVT-22, EVT-29.

    recorder.eventf(pod, node, "Normal", "Scheduled", "Binding", "assigned to %s", node.metadata.name)
    recorder.event(foo, "Normal", "Synced", "all replicas are available")

Nothing here blocks or raises. What cannot be told is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from k8srt.api.core.v1 import ObjectReference
from k8srt.api.events.v1 import Event
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import unset
from k8srt.tools.record.naming import CLUSTER_SCOPED, TYPES, EventNames, cut, formatted
from k8srt.tools.record.recorder import About
from k8srt.tools.reference import get_reference

log = logging.getLogger(__name__)

NOTE_LIMIT = 1024
WORD_LIMIT = 128
"""How many bytes the API takes of a note, and of a reason, an action and a reporting instance. The rest is cut off."""


class Recorder(Protocol):
    """What controllers use: an EventRecorder, the adapter of a core/v1 recorder, or a fake of either."""

    def event(
        self,
        regarding: About,
        event_type: str,
        reason: str,
        note: str,
        *,
        action: str = "",
        related: About | None = None,
    ) -> None: ...

    def eventf(
        self, regarding: About, related: About | None, event_type: str, reason: str, action: str, note: str, *args: Any
    ) -> None: ...


class EventRecorder:
    """Records events.k8s.io/v1 events. Made by `EventBroadcaster.new_recorder`; thread-safe."""

    def __init__(self, tell: Callable[[Event], object], names: EventNames, controller: str, instance: str) -> None:
        self._tell = tell
        self._names = names
        self.controller = controller
        self.instance = instance

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
        """Say `note` about an object; `related` is another that has to do with it.

        `event_type` is "Normal" or "Warning", `reason` one CamelCase word for why, `action` one for what was done.
        Without an action the reason stands for it, since the API asks for one.
        """
        self._record(regarding, related, event_type, reason, action or reason, note, ())

    def eventf(
        self, regarding: About, related: About | None, event_type: str, reason: str, action: str, note: str, *args: Any
    ) -> None:
        """The same in client-go's order, with a note of `note % args`, as `logging` does it."""
        self._record(regarding, related, event_type, reason, action or reason, note, args)

    def _record(
        self,
        regarding: About,
        related: About | None,
        event_type: str,
        reason: str,
        action: str,
        note: str,
        args: tuple[Any, ...],
    ) -> None:
        try:
            about = get_reference(regarding)
            event = self._make(about, self._related(related), event_type, reason, action, formatted(note, args))
            self._tell(event)
        except Exception as err:  # noqa: BLE001 - a recorder never raises
            log.error("event %s %s %r about %r is dropped: %s", event_type, reason, note, regarding, err)

    @staticmethod
    def _related(related: About | None) -> ObjectReference | None:
        if related is None:
            return None
        try:
            return get_reference(related)
        except Exception as err:  # noqa: BLE001 - the event is worth telling without it
            log.debug("the related object %r is left out of an event: %s", related, err)
            return None

    def _make(
        self,
        about: ObjectReference,
        related: ObjectReference | None,
        event_type: str,
        reason: str,
        action: str,
        note: str,
    ) -> Event:
        if event_type not in TYPES:
            raise ValueError(f"the type of an event is Normal or Warning, not {event_type!r}")
        if not reason:
            raise ValueError("an event needs a reason")
        name, now = self._names.name(about.name or "")
        return Event(
            metadata=ObjectMeta(name=name, namespace=about.namespace or CLUSTER_SCOPED),
            regarding=about,
            related=related or unset,
            type=event_type,
            reason=cut(reason, WORD_LIMIT),
            action=cut(action, WORD_LIMIT),
            note=cut(note, NOTE_LIMIT),
            event_time=now,
            reporting_controller=self.controller,
            reporting_instance=self.instance,
        )

    def __repr__(self) -> str:
        return f"<EventRecorder {self.controller} as {self.instance}>"
