"""Names and lengths of events. Contract: EVT-02, EVT-04."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from k8srt.testing import FakeClock
from k8srt.tools.record.naming import EventNames, cut, formatted


def test_evt_04_a_name_is_that_of_the_object_and_the_nanoseconds_in_hexadecimal():
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    names = EventNames(FakeClock(time=moment))

    name, when = names.name("web-0")

    assert name == f"web-0.{1767323045678901000:x}"
    assert when == moment


def test_evt_04_events_of_one_moment_have_different_names():
    names = EventNames(FakeClock())

    given = [names.name("web-0")[0] for _ in range(3)]

    assert len(set(given)) == 3
    assert given == sorted(given)


def test_evt_04_recorders_that_share_a_clock_share_no_name():
    clock = FakeClock()

    assert EventNames(clock).name("web-0")[0] != EventNames(clock).name("web-0")[0]


def test_evt_04_a_clock_that_is_set_back_gives_no_name_twice():
    clock = FakeClock()
    names = EventNames(clock)
    first, _ = names.name("web-0")

    clock.set_time(datetime(2025, 1, 1, tzinfo=UTC))

    assert names.name("web-0")[0] > first


@pytest.mark.parametrize("about", ["system:node:a", "UPPER", "x" * 240, "", "-"])
def test_evt_04_what_would_be_no_name_becomes_a_random_one(about):
    name, _ = EventNames(FakeClock()).name(about)

    assert str(uuid.UUID(name)) == name


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("short", "short"),
        ("x" * 16, "x" * 16),
        ("x" * 17, "x" * 13 + "..."),
        ("€" * 6, "€€€€..."),
        ("a\ud800b", "a?b"),
        (ValueError("told"), "told"),
    ],
)
def test_texts_are_cut_at_bytes_and_never_within_a_letter(text, kept):
    assert cut(text, 16) == kept
    assert len(cut(text, 16).encode()) <= 16


@pytest.mark.parametrize(
    ("text", "args", "message"),
    [
        ("100% done", (), "100% done"),
        ("%d of %d", (1, 2), "1 of 2"),
        ("%(done)d done", ({"done": 3},), "3 done"),
        ("%s", ({},), "{}"),
        ("%d of %d", (1,), "%d of %d (1,) (not enough arguments for format string)"),
        ("none", (1,), "none (1,) (not all arguments converted during string formatting)"),
        ("%d", ("x",), "%d ('x',) (%d format: a real number is required, not str)"),
    ],
)
def test_evt_01_messages_are_formatted_as_logging_does_it_and_wrong_ones_are_told_all_the_same(text, args, message):
    assert formatted(text, args) == message
