"""Go layouts of times, with examples that Go itself documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8srt.plugin.auth.gotime import RFC3339, parse_time

MOMENT = datetime(2024, 2, 3, 16, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (RFC3339, "2024-02-03T16:05:06Z"),
        (RFC3339, "2024-02-03T17:05:06+01:00"),
        ("2006-01-02 15:04:05.999999999", "2024-02-03 16:05:06"),
        ("2006-01-02 15:04:05.999999999 -0700 MST", "2024-02-03 16:05:06 +0000 UTC"),
        ("Mon Jan _2 15:04:05 2006", "Sat Feb  3 16:05:06 2024"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Saturday, 03-Feb-24 16:05:06 GMT"),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Sat, 03 Feb 2024 16:05:06 UTC"),
        ("January 2, 2006 at 3:04:05pm (MST)", "February 3, 2024 at 4:05:06pm (UTC)"),
        ("1/2/2006 03:04:05 PM", "2/3/2024 04:05:06 PM"),
        ("20060102150405", "20240203160506"),
    ],
)
def test_rest_62_a_time_is_read_as_its_layout_says(layout: str, text: str) -> None:
    assert parse_time(layout, text) == MOMENT


@pytest.mark.parametrize("text", ["2024-02-03T16:05:06.123456789Z", "2024-02-03T16:05:06.123456Z"])
def test_rest_62_a_fraction_may_follow_the_seconds(text: str) -> None:
    assert parse_time(RFC3339, text) == MOMENT.replace(microsecond=123456)
    assert parse_time("2006-01-02T15:04:05Z07:00", text) == MOMENT.replace(microsecond=123456)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (RFC3339, ""),
        (RFC3339, "soon"),
        (RFC3339, "2024-02-30T00:00:00Z"),
        (RFC3339, "2024-02-03 16:05:06Z"),
        ("nonsense", "2024"),
        ("2006 2006", "2024 2024"),
    ],
)
def test_rest_62_what_does_not_fit_is_an_error(layout: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(layout, text)


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60))
def test_rest_62_every_moment_of_rfc_3339_is_read(moment: datetime, minutes: int) -> None:
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    assert parse_time(RFC3339, moment.isoformat()) == moment
