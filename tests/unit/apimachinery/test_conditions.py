"""Conditions are added and brought up to date. Contract: MACH-37."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from k8srt.api.core.v1 import PodCondition
from k8srt.apimachinery.conditions import (
    find_condition,
    is_condition_false,
    is_condition_present_and_equal,
    is_condition_true,
    remove_condition,
    set_condition,
)
from k8srt.apimachinery.meta import Condition
from k8srt.testing import FakeClock

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def ready(status: str = "True", reason: str = "Up", message: str = "", **more) -> Condition:
    return Condition(type="Ready", status=status, reason=reason, message=message, **more)


def test_mach_37_a_condition_that_is_new_is_added_and_dated():
    clock = FakeClock()
    conditions: list[Condition] = []
    given = ready()

    assert set_condition(conditions, given, clock=clock)

    assert conditions == [ready(last_transition_time=clock.time())]
    assert conditions[0] is not given
    assert given.last_transition_time is None


def test_mach_37_the_time_changes_only_with_the_status():
    clock = FakeClock()
    conditions = [ready(last_transition_time=LONG_AGO)]

    assert set_condition(conditions, ready(reason="StillUp", message="m", observed_generation=2), clock=clock)
    assert conditions == [ready(reason="StillUp", message="m", observed_generation=2, last_transition_time=LONG_AGO)]

    assert set_condition(conditions, ready(status="False", reason="Down"), clock=clock)
    assert conditions[0].last_transition_time == clock.time()


def test_mach_37_a_given_time_of_transition_is_taken():
    given = LONG_AGO + timedelta(days=1)
    conditions = [ready(last_transition_time=LONG_AGO)]

    assert set_condition(conditions, ready(status="False", last_transition_time=given))

    assert conditions[0].last_transition_time == given


def test_mach_37_the_same_again_changes_nothing():
    conditions = [ready(last_transition_time=LONG_AGO)]

    assert not set_condition(conditions, ready(last_transition_time=LONG_AGO + timedelta(days=1)))

    assert conditions == [ready(last_transition_time=LONG_AGO)]


def test_mach_37_conditions_are_found_and_removed_by_their_type():
    other = Condition(type="Synced", status="False")
    conditions = [ready(), other]

    assert find_condition(conditions, "Synced") is other
    assert find_condition(None, "Ready") is None
    assert remove_condition(conditions, "Ready")
    assert not remove_condition(conditions, "Ready")
    assert conditions == [other]


def test_mach_37_what_is_absent_is_neither_true_nor_false():
    conditions = [ready(), Condition(type="Synced", status="False"), Condition(type="Old", status="Unknown")]

    assert (is_condition_true(conditions, "Ready"), is_condition_false(conditions, "Ready")) == (True, False)
    assert (is_condition_true(conditions, "Synced"), is_condition_false(conditions, "Synced")) == (False, True)
    assert (is_condition_true(conditions, "Nope"), is_condition_false(conditions, "Nope")) == (False, False)
    assert is_condition_present_and_equal(conditions, "Old", "Unknown")


def test_mach_37_conditions_of_built_in_kinds_are_conditions_too():
    conditions: list[PodCondition] = []

    assert set_condition(conditions, PodCondition(type="Ready", status="True"))
    assert is_condition_true(conditions, "Ready")
