"""Events in a log, beside or instead of a server. Contract: EVT-21."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from k8srt.api.core.v1 import ObjectReference
from k8srt.tools.record.broadcasting import LogFunction


def plain(log: LogFunction, about: str = "involved_object", text: str = "message") -> Callable[[Any], None]:
    """A handler that calls `log` with a format and its arguments, one line for each event.

    `about` and `text` are where the event has its object and its message.
    """

    def write(event: Any) -> None:
        object_ = describe(getattr(event, about))
        log("Event(%s): type: '%s' reason: '%s' %s", object_, event.type, event.reason, getattr(event, text) or "")

    return write


def structured(
    log: logging.Logger,
    level: int,
    about: str = "involved_object",
    said: tuple[str, ...] = ("type", "reason", "message"),
) -> Callable[[Any], None]:
    """A handler that logs "Event occurred" and the fields of the event, in the text and as `record.event`."""

    def write(event: Any) -> None:
        log_fields(
            log, level, about_fields(getattr(event, about)) | {name: getattr(event, name) or "" for name in said}
        )

    return write


def about_fields(about: ObjectReference) -> dict[str, str]:
    """What an event is about."""
    name = f"{about.namespace}/{about.name or ''}" if about.namespace else about.name or ""
    return {
        "object": name,
        "fieldPath": about.field_path or "",
        "kind": about.kind or "",
        "apiVersion": about.api_version or "",
    }


def log_fields(log: logging.Logger, level: int, fields: dict[str, str]) -> None:
    shown = " ".join(f"{name}={value!r}" for name, value in fields.items())
    log.log(level, "Event occurred %s", shown, extra={"event": fields})


def describe(about: ObjectReference) -> str:
    """A reference in one line: `v1 Pod shop/web-0 spec.containers{web}`."""
    fields = about_fields(about)
    return " ".join(fields[key] for key in ("apiVersion", "kind", "object", "fieldPath") if fields[key])
