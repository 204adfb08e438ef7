"""Which events are of one series. Contract: EVT-23."""

from __future__ import annotations

from k8srt.api.core.v1 import ObjectReference
from k8srt.api.events.v1 import Event

Key = tuple[str, ...]


def isomorphic_key(event: Event) -> Key:
    """Equal for events of one series: all is the same but the note, and the versions of the objects."""
    said = (event.type, event.action, event.reason, event.reporting_controller, event.reporting_instance)
    return (*(text or "" for text in said), *_object(event.regarding), *_object(event.related))


def _object(about: ObjectReference) -> Key:
    where = (about.api_version, about.kind, about.namespace, about.name, about.uid, about.field_path)
    return tuple(text or "" for text in where)
