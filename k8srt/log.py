"""Logs of a program, set up in one line.

    k8srt.log.setup()                           # text on standard error, level INFO
    k8srt.log.setup(format="json", level="DEBUG")

The library logs to the standard `logging` tree below `k8srt`, and configures nothing by itself. What a record has
beyond its text (`extra=`: the controller, the object, the reconcile id) is written after it: as `key=value`, or as
fields of a JSON object. `fields` are those that every record has which is made within a context, whoever makes it.

Objects of the API show their kind, namespace and name, and nothing of what they hold.

Contract: LOG-01, LOG-03, LOG-04.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, TextIO

ROOT = "k8srt"

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_fields: ContextVar[Mapping[str, Any]] = ContextVar("k8srt-log-fields", default=MappingProxyType({}))


def current_fields() -> Mapping[str, Any]:
    """What every record has that is made here."""
    return _fields.get()


@contextmanager
def fields(**more: Any) -> Iterator[None]:
    """Within the context, records have these fields, too."""
    token = _fields.set({**_fields.get(), **more})
    try:
        yield
    finally:
        _fields.reset(token)


class FieldsFilter(logging.Filter):
    """Adds the fields of the context to each record, where it has none of that name."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _fields.get().items():
            if name not in record.__dict__:
                setattr(record, name, value)
        return True


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record has beyond the standard."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD and not name.startswith("_")}


class TextFormatter(logging.Formatter):
    """Time, level, logger and text in a line, and the fields after it."""

    def format(self, record: logging.LogRecord) -> str:
        first, newline, rest = super().format(record).partition("\n")
        pairs = "".join(f" {name}={_shown(value)}" for name, value in fields_of(record).items())
        return f"{_moment(record)} {record.levelname:<7} {record.name}: {first}{pairs}{newline}{rest}"


class JSONFormatter(logging.Formatter):
    """A JSON object in a line: `ts`, `level`, `logger`, `msg`, the fields; `error` and `stacktrace` of exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "ts": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            said["error"] = str(record.exc_info[1])
            said["stacktrace"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str, ensure_ascii=False)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, (dict, list, tuple)) else str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text and not text.startswith(("{", "[")) else text


def setup(
    *,
    format: Literal["text", "json"] = "text",
    level: int | str = logging.INFO,
    verbosity: int | None = None,
    stream: TextIO | None = None,
    logger: str = "",
) -> logging.Handler:
    """Have everything logged to `stream`, standard error by default; returns the handler. Again replaces the last one.

    `verbosity` is klog's: 0 is INFO, 1 and more DEBUG for the library. `logger` is the one that is set up, by default
    the root, so that it is that of the program as well. Raises ValueError for another format.
    """
    if format not in ("text", "json"):
        raise ValueError(f"format: expected 'text' or 'json', not {format!r}")
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JSONFormatter() if format == "json" else TextFormatter())
    handler.addFilter(FieldsFilter())
    handler.set_name("k8srt")
    target = logging.getLogger(logger or None)
    for old in [each for each in target.handlers if each.get_name() == "k8srt"]:
        target.removeHandler(old)
    target.addHandler(handler)
    target.setLevel(level)
    if verbosity is not None:
        logging.getLogger(ROOT).setLevel(logging.DEBUG if verbosity > 0 else logging.INFO)
    return handler
