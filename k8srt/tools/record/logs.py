"""Events in a log, beside or instead of a server. Contract: EVT-21."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from k8srt.api.core.v1 import Event, ObjectReference
from k8srt.tools.record.broadcasting import LogFunction


def plain(log: LogFunction) -> Callable[[Event], None]:
    """A handler that calls `log` with a format and its arguments, one line for each event."""

    def write(event: Event) -> None:
        about = describe(event.involved_object)
        log("Event(%s): type: '%s' reason: '%s' %s", about, event.type, event.reason, event.message or "")

    return write


def structured(log: logging.Logger, level: int) -> Callable[[Event], None]:
    """A handler that logs "Event occurred" and the fields of the event, in the text and as `record.event`."""

    def write(event: Event) -> None:
        log_fields(log, level, about_fields(event.involved_object) | said_fields(event, "message"))

    return write


def about_fields(about: ObjectReference, *, part: bool = True) -> dict[str, str]:
    """What an event is about."""
    name = f"{about.namespace}/{about.name or ''}" if about.namespace else about.name or ""
    field = {"fieldPath": about.field_path or ""} if part else {}
    return {"object": name, **field, "kind": about.kind or "", "apiVersion": about.api_version or ""}


def said_fields(event: Any, text: str, *more: str) -> dict[str, str]:
    """What an event says; `text` is the name that its message has."""
    return {name: getattr(event, name) or "" for name in ("type", "reason", *more, text)}


def log_fields(log: logging.Logger, level: int, fields: dict[str, str]) -> None:
    shown = " ".join(f"{name}={value!r}" for name, value in fields.items())
    log.log(level, "Event occurred %s", shown, extra={"event": fields})


def describe(about: ObjectReference) -> str:
    """A reference in one line: `v1 Pod shop/web-0 spec.containers{web}`."""
    fields = about_fields(about)
    return " ".join(fields[key] for key in ("apiVersion", "kind", "object", "fieldPath") if fields[key])
