"""What can be asked of times, and how they are added up."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.overloads import function, method


@function("_+_", "(duration, duration) -> duration", "(timestamp, duration) -> timestamp")
def _add(left: datetime, right: timedelta) -> datetime:
    return _in_range(lambda: left + right)


@function("_+_", "(duration, timestamp) -> timestamp")
def _add_to(left: timedelta, right: datetime) -> datetime:
    return _in_range(lambda: right + left)


@function("_-_", "(duration, duration) -> duration", "(timestamp, duration) -> timestamp",
          "(timestamp, timestamp) -> duration")  # fmt: skip
def _subtract(left: datetime, right: timedelta) -> datetime:
    return _in_range(lambda: left - right)


@function("-_", "(duration) -> duration")
def _negate(span: timedelta) -> timedelta:
    return -span


def _in_range(compute: Callable[[], datetime]) -> datetime:
    try:
        return compute()
    except OverflowError:
        raise EvaluationError("timestamp overflow") from None


def _zoned(moment: datetime, zone: str) -> datetime:
    """The moment in a time zone: a name, or an offset such as `-08:00`."""
    if not zone:
        return moment.astimezone(UTC)
    try:
        if zone[0] in "+-" or zone[:2].isdigit():
            hours, _, minutes = zone.lstrip("+-").partition(":")
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            return moment.astimezone(timezone(-offset if zone[0] == "-" else offset))
        return moment.astimezone(zoneinfo.ZoneInfo(zone))
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        raise EvaluationError(f"unknown time zone {zone}") from None


_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: (moment.weekday() + 1) % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1000,
}
_LENGTHS = {"getHours": 3600.0, "getMinutes": 60.0, "getSeconds": 1.0, "getMilliseconds": 0.001}


def _part(name: str) -> None:
    take = _PARTS[name]

    @method(name, "(timestamp) -> int", "(timestamp, string) -> int")
    def part(moment: datetime, zone: str = "") -> int:
        return take(_zoned(moment, zone))

    if name in _LENGTHS:

        @method(name, "(duration) -> int")
        def length(span: timedelta) -> int:
            return int(span.total_seconds() / _LENGTHS[name])


for _name in _PARTS:
    _part(_name)
