"""Times as cron writes them: minute, hour, day of the month, month, day of the week.

    Cron("*/15 8-18 * * mon-fri").after(now)

A field is `*`, a number, a name (jan, mon), a range `a-b`, any of them with `/step`, or several with commas. Sunday is
0 or 7. As in cron, where both days are limited, either will do. `@hourly`, `@daily`, `@weekly`, `@monthly` and
`@yearly` are understood. Contract: SRC-06.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

_SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_YEARS = 8  # the 29th of February comes at least that often


class _Field(NamedTuple):
    what: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


class Cron:
    """See the module. Immutable. Raises ValueError saying which field makes no sense."""

    def __init__(self, line: str) -> None:
        self._line = line
        fields = _SHORT.get(line.strip().lower(), line).split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"cron {line!r}: five fields are needed, or @daily and the like")
        minutes, hours, days, months, weekdays = map(_parse, fields, _FIELDS)
        self._minutes, self._hours, self._days, self._months = sorted(minutes), sorted(hours), days, months
        self._weekdays = {day % 7 for day in weekdays}
        self._either = not fields[2].startswith("*") and not fields[4].startswith("*")
        if not any(self._fits(datetime(2024, 1, 1) + timedelta(days=each)) for each in range(_YEARS * 366)):
            raise ValueError(f"cron {line!r}: there is no such day")

    def after(self, moment: datetime) -> datetime:
        """The first time after a moment, in its time zone."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        while True:
            if self._fits(day):
                for hour in self._hours:
                    for minute in self._minutes:
                        found = day.replace(hour=hour, minute=minute)
                        if found > moment:
                            return found
            day += timedelta(days=1)

    def _fits(self, day: datetime) -> bool:
        if day.month not in self._months:
            return False
        by_day, by_weekday = day.day in self._days, day.isoweekday() % 7 in self._weekdays
        return by_day or by_weekday if self._either else by_day and by_weekday

    def __str__(self) -> str:
        return self._line

    def __repr__(self) -> str:
        return f"Cron({self._line!r})"


def _parse(text: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and (not step.isdecimal() or int(step) == 0):
            raise ValueError(f"cron: {field.what}: {part!r} has no step")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = field.low, field.high
        else:
            low = _number(first, field)
            high = _number(last, field) if dash else field.high if slash else low
        if low > high:
            raise ValueError(f"cron: {field.what}: {part!r} runs backwards")
        found.update(range(low, high + 1, int(step) if slash else 1))
    return found


def _number(text: str, field: _Field) -> int:
    lowered = text.lower()
    if lowered in field.names:
        return field.names.index(lowered) + field.low
    if not text.isdecimal() or not field.low <= int(text) <= field.high:
        raise ValueError(f"cron: {field.what}: {text!r} is not {field.low} to {field.high}")
    return int(text)
