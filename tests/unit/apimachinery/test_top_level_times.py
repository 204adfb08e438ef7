"""Times that stand beside the metadata, as those of events do. Contract: MACH-23."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from k8srt.api.core.v1 import Event
from k8srt.errors import DecodeError

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(("micro", "text"), [(0, "000000"), (6, "000006"), (120000, "120000")])
def test_mach_23_micro_times_have_six_digits_also_there(micro, text):
    event = Event(event_time=MOMENT.replace(microsecond=micro))

    assert event.to_dict()["eventTime"] == f"2026-01-02T03:04:05.{text}Z"
    assert Event.decode(event.encode()).event_time == event.event_time


def test_mach_23_times_have_whole_seconds_in_utc_also_there():
    east = timezone(timedelta(hours=2))

    event = Event(first_timestamp=MOMENT.replace(microsecond=678, tzinfo=east))

    assert event.to_dict()["firstTimestamp"] == "2026-01-02T01:04:05Z"


def test_a_time_that_was_only_looked_at_is_sent_as_it_came():
    event = Event.decode(b'{"eventTime":"2026-01-02T05:04:05+02:00"}')

    assert event.event_time == MOMENT
    assert b'"2026-01-02T05:04:05+02:00"' in event.encode()


def test_a_time_without_a_zone_is_refused_with_its_place():
    with pytest.raises(DecodeError, match=r"eventTime.*no time zone"):
        Event(event_time=datetime(2026, 1, 2)).encode()
