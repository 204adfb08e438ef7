"""Which events count as the same, as similar, or as of one source. Contract: EVT-11, EVT-13, EVT-14."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from k8srt.api.core.v1 import Event

COMBINED = "(combined from similar events): "

Key = tuple[str, ...]
AggregateKeys = Callable[[Event], tuple[Hashable, Hashable]]
KeyFunc = Callable[[Event], Hashable]
MessageFunc = Callable[[Event], str]


def _source(event: Event) -> Key:
    source = event.source
    return (source.component or "", source.host or "") if source else ("", "")


def _object(event: Event) -> Key:
    about = event.involved_object
    return (about.kind or "", about.namespace or "", about.name or "", about.uid or "", about.api_version or "")


def event_key(event: Event) -> Key:
    """Equal for events that say the same of the same: they are counted. EVT-13."""
    said = (event.involved_object.field_path or "", event.type or "", event.reason or "", event.message or "")
    return (*_source(event), *_object(event), *said)


def aggregate_by_reason(event: Event) -> tuple[Key, str]:
    """What similar events have in common, and what tells them apart: the message. EVT-11."""
    who = (event.reporting_component or "", event.reporting_instance or "")
    return (*_source(event), *_object(event), event.type or "", event.reason or "", *who), event.message or ""


def combined_message(event: Event) -> str:
    """What the aggregate of similar events says when the last of them is this one. EVT-12."""
    return f"{COMBINED}{event.message or ''}"


def spam_key(event: Event) -> Key:
    """Events with the same one share a limit. A flood of Normal events leaves room for Warnings. EVT-14."""
    return (*_source(event), *_object(event), event.type or "")
