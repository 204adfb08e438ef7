"""The times that five fields of cron name."""

from __future__ import annotations

from datetime import datetime, timedelta

_MONTH_TEXT, _DAY_TEXT = "jan feb mar apr may jun jul aug sep oct nov dec", "sun mon tue wed thu fri sat"
_MONTHS = {name: number for number, name in enumerate(_MONTH_TEXT.split(), 1)}
_DAYS = {name: number for number, name in enumerate(_DAY_TEXT.split())}
_NAMED = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_FAR = 366 * 5  # days to look ahead, so that a 29th of February is found


class Schedule:
    """Minutes, hours, days of the month, months and days of the week. Raises ValueError for what is none."""

    def __init__(self, text: str) -> None:
        fields = _NAMED.get(text, text).split()
        if len(fields) != 5:
            raise ValueError(f"expected 5 fields: {text!r}")
        minute, hour, day, month, weekday = fields
        self._minutes = _field(minute, 0, 59)
        self._hours = _field(hour, 0, 23)
        self._days = _field(day, 1, 31)
        self._months = _field(month, 1, 12, _MONTHS)
        self._weekdays = {number % 7 for number in _field(weekday, 0, 7, _DAYS)}
        self._either = day[0] not in "*?" and weekday[0] not in "*?"  # then one of the two is enough

    def after(self, moment: datetime) -> datetime | None:
        """The first time later than `moment`; None if there is none in sight."""
        at = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for _ in range(_FAR):
            if self._day_fits(at):
                found = self._in_day(at)
                if found is not None:
                    return found
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
        return None

    def _day_fits(self, day: datetime) -> bool:
        if day.month not in self._months:
            return False
        by_date, by_name = day.day in self._days, day.isoweekday() % 7 in self._weekdays
        return (by_date or by_name) if self._either else (by_date and by_name)

    def _in_day(self, start: datetime) -> datetime | None:
        for hour in sorted(self._hours):
            for minute in sorted(self._minutes):
                if (hour, minute) >= (start.hour, start.minute):
                    return start.replace(hour=hour, minute=minute)
        return None


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            start, _, end = span.partition("-")
            first = _number(start, names)
            last = _number(end, names) if end else (high if step else first)
        if not low <= first <= last <= high:
            raise ValueError(f"out of range: {part!r}")
        found.update(range(first, last + 1, int(step or 1)))
    return found


def _number(text: str, names: dict[str, int] | None) -> int:
    return names[text.lower()] if names and text.lower() in names else int(text)
