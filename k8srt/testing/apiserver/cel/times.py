"""Durations and timestamps, as Go writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from k8srt.testing.apiserver.cel.failures import EvaluationError

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ms|us|µs|ns|h|m|s)")


def read_duration(text: str) -> timedelta:
    """`1h30m` as a duration. Raises EvaluationError."""
    body = text.lstrip("+-")
    parts = _PART.findall(body)
    if body == "0":
        return timedelta()
    if not parts or "".join(number + unit for number, unit in parts) != body or len(text) - len(body) > 1:
        raise EvaluationError(f'time: invalid duration "{text}"')
    span = timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    return -span if text.startswith("-") else span


def duration_text(span: timedelta) -> str:
    """In seconds, with a fraction if there is one: `90s`."""
    micros = span // timedelta(microseconds=1)
    sign, micros = ("-" if micros < 0 else ""), abs(micros)
    fraction = f"{micros % 1_000_000:06d}".rstrip("0")
    return f"{sign}{micros // 1_000_000}{'.' + fraction if fraction else ''}s"


def read_timestamp(value: str | int) -> datetime:
    """RFC 3339, or seconds since 1970. Raises EvaluationError."""
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or "T" not in value.upper():
            raise ValueError(value)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        shown = f'"{value}"'
        raise EvaluationError(f'parsing time {shown} as "2006-01-02T15:04:05Z07:00": cannot parse {shown}') from None


def timestamp_text(moment: datetime) -> str:
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"
