"""Times that are written as a Go layout says: "2006-01-02 15:04:05.999999999"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

RFC3339 = "2006-01-02T15:04:05.999999999Z07:00"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = "mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun"
_FRACTION = r"[.,]\d+"
_OFFSET = r"[+-]\d\d:?\d\d"
_ELEMENTS = {
    "January": rf"(?P<name>(?:{'|'.join(_MONTHS)})[a-z]*)",
    "Jan": rf"(?P<name>{'|'.join(_MONTHS)})",
    "Monday": rf"(?:{_DAY_NAMES})day",
    "Mon": "(?:mon|tue|wed|thu|fri|sat|sun)",
    "MST": r"(?P<zone>[a-z]{3,5})",
    "2006": r"(?P<year>\d{4})",
    "Z07:00": rf"(?P<offset>z|{_OFFSET})",
    "Z0700": rf"(?P<offset>z|{_OFFSET})",
    "-07:00": rf"(?P<offset>{_OFFSET})",
    "-0700": rf"(?P<offset>{_OFFSET})",
    "01": r"(?P<month>\d{2})",
    "02": r"(?P<day>\d{2})",
    "_2": r"\s*(?P<day>\d{1,2})",
    "15": r"(?P<hour>\d{2})",
    "03": r"(?P<hour>\d{2})",
    "04": r"(?P<minute>\d{2})",
    "05": rf"(?P<second>\d{{2}})(?P<fraction>{_FRACTION})?",
    "06": r"(?P<short>\d{2})",
    "PM": "(?P<half>am|pm)",
    "pm": "(?P<half>am|pm)",
    "1": r"(?P<month>\d{1,2})",
    "2": r"(?P<day>\d{1,2})",
    "3": r"(?P<hour>\d{1,2})",
    "4": r"(?P<minute>\d{1,2})",
    "5": rf"(?P<second>\d{{1,2}})(?P<fraction>{_FRACTION})?",
}
_SPLIT = re.compile(rf"([.,](?:0+|9+)(?!\d)|{'|'.join(map(re.escape, _ELEMENTS))})")


def parse_time(layout: str, text: str) -> datetime:
    """The moment that `text` is, aware; without a zone it is in UTC. Raises ValueError for what does not fit."""
    pattern = "".join(_pattern(part) for part in _SPLIT.split(layout))
    try:
        match = re.fullmatch(pattern, text.strip(), re.IGNORECASE)
    except re.error as err:
        raise ValueError(f"{layout!r} is no layout of a time: {err}") from None
    if match is None:
        raise ValueError(f"the time is not written as {layout!r} says")
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    year = int(found.get("year", 0)) or _century(found.get("short", "01"))
    month = _MONTHS.index(found["name"][:3].lower()) + 1 if "name" in found else int(found.get("month", 1))
    hour = int(found.get("hour", 0))
    if "half" in found:
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    micro = int((found["fraction"][1:] + "000000")[:6]) if "fraction" in found else 0
    clock = hour, int(found.get("minute", 0)), int(found.get("second", 0)), micro
    return datetime(year, month, int(found.get("day", 1)), *clock, tzinfo=_zone(found))


def _pattern(part: str) -> str:
    if part[:1] in (".", ",") and part[1:].strip("09") == "" and len(part) > 1:
        return ""  # a fraction may follow the seconds anyway, as in Go
    return _ELEMENTS.get(part) or re.escape(part)


def _century(short: str) -> int:
    return int(short) + (1900 if int(short) >= 69 else 2000)


def _zone(found: dict[str, str]) -> timezone:
    offset = found.get("offset", "z")
    if offset.lower() == "z":
        return UTC
    digits = offset[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-delta if offset[0] == "-" else delta)
