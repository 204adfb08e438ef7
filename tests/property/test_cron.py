"""Cron lines against looking at every minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from k8srt.controller.sources.cron import Cron

LIMITS = ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))


@st.composite
def fields(draw: st.DrawFn) -> list[tuple[str, set[int]]]:
    found = []
    for low, high in LIMITS:
        kind = draw(st.sampled_from(["*", "one", "range", "step", "list"]))
        first, last = sorted(draw(st.tuples(st.integers(low, high), st.integers(low, high))))
        step = draw(st.integers(1, 7))
        match kind:
            case "*":
                found.append(("*", set(range(low, high + 4))))
            case "one":
                found.append((f"{first}", {first}))
            case "range":
                found.append((f"{first}-{last}", set(range(first, last + 1))))
            case "step":
                found.append((f"{first}-{last}/{step}", set(range(first, last + 1, step))))
            case _:
                found.append((f"{first},{last}", {first, last}))
    return found


def due(moment: datetime, parsed: list[tuple[str, set[int]]]) -> bool:
    (_, minutes), (_, hours), (day_text, days), (_, months), (weekday_text, weekdays) = parsed
    if moment.minute not in minutes or moment.hour not in hours or moment.month not in months:
        return False
    by_day, by_weekday = moment.day in days, moment.isoweekday() % 7 in weekdays
    if day_text != "*" and weekday_text != "*":
        return by_day or by_weekday
    return by_day and by_weekday


@given(fields(), st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))
def test_src_06_nothing_is_due_in_between(parsed: list[tuple[str, set[int]]], moment: datetime) -> None:
    found = Cron(" ".join(text for text, _ in parsed)).after(moment)

    assert found > moment
    assert (found.second, found.microsecond) == (0, 0)
    assert due(found, parsed)
    between = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(3000):
        if between >= found:
            break
        assert not due(between, parsed)
        between += timedelta(minutes=1)
