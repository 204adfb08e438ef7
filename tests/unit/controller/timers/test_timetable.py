"""When a timer runs next."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.controller.timers.timetable import Plan, Timetable
from tests.unit.controller.rig import config_map

OBJ = config_map("a")


def plan(**options: Any) -> Plan:
    return Plan(**{"interval": 10.0, "jitter": 0.0, **options})


def ran(table: Timetable, began: float, ended: float) -> float:
    """How many seconds are left after a run."""
    table.begin(began)
    table.end(ended)
    return table.look(OBJ, "same", ended)


def test_tmr_01_the_first_run_is_after_the_initial_delay() -> None:
    assert Timetable(plan(), OBJ, "same", 100.0).look(OBJ, "same", 100.0) == 0.0

    table = Timetable(plan(initial_delay=5.0), OBJ, "same", 100.0)

    assert table.look(OBJ, "same", 100.0) == 5.0
    assert table.look(OBJ, "same", 104.0) == 1.0
    assert table.look(OBJ, "same", 106.0) == 0.0


def test_tmr_01_the_interval_is_from_the_end_of_a_run() -> None:
    table = Timetable(plan(), OBJ, "same", 100.0)
    table.look(OBJ, "same", 100.0)

    assert ran(table, 100.0, 104.0) == 10.0
    assert table.look(OBJ, "same", 113.0) == 1.0


def test_tmr_01_a_sharp_one_counts_from_start_to_start_and_leaves_out_what_it_has_missed() -> None:
    table = Timetable(plan(sharp=True), OBJ, "same", 100.0)
    table.look(OBJ, "same", 100.0)

    assert ran(table, 100.0, 104.0) == 6.0
    assert ran(table, 110.0, 135.0) == 5.0
    assert ran(table, 140.0, 150.0) == 10.0


def test_tmr_01_an_idle_one_waits_until_nothing_has_changed_for_that_long() -> None:
    table = Timetable(plan(idle=30.0), OBJ, "one", 100.0)

    assert table.look(OBJ, "one", 110.0) == 20.0
    assert table.look(OBJ, "other", 120.0) == 30.0
    assert table.look(OBJ, "other", 150.0) == 0.0
    table.begin(150.0)
    table.end(150.0)
    assert table.look(OBJ, "other", 150.0) == 10.0


def test_tmr_01_delays_may_be_functions_of_the_object() -> None:
    def delay(obj: Any) -> float:
        return float(obj.data["delay"])

    slow, fast = config_map("a"), config_map("a")
    slow.data, fast.data = {"delay": "60"}, {"delay": "5"}
    table = Timetable(plan(interval=delay, initial_delay=delay), slow, "same", 100.0)
    assert table.look(slow, "same", 100.0) == 60.0
    table.begin(160.0)
    table.end(160.0)

    assert table.look(slow, "same", 161.0) == 59.0
    assert table.look(fast, "same", 161.0) == 4.0


@pytest.mark.parametrize(("drawn", "left"), [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)])
def test_tmr_01_the_interval_varies_by_a_tenth(drawn: float, left: float) -> None:
    table = Timetable(Plan(interval=10.0, random=lambda: drawn), OBJ, "same", 100.0)
    table.look(OBJ, "same", 100.0)

    assert ran(table, 100.0, 100.0) == pytest.approx(left)


def test_tmr_01_a_run_that_asks_for_a_moment_gets_it_once() -> None:
    table = Timetable(plan(), OBJ, "same", 100.0)
    table.look(OBJ, "same", 100.0)
    table.begin(100.0)
    table.end(100.0)
    table.ask_for(103.0)

    assert table.look(OBJ, "same", 100.0) == 3.0
    assert ran(table, 103.0, 103.0) == 10.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": 0.0}, "interval"),
        ({"interval": -1.0}, "interval"),
        ({"interval": "10s"}, "interval"),
        ({"interval": True}, "interval"),
        ({"interval": float("nan")}, "interval"),
        ({"interval": 1.0, "idle": float("inf")}, "idle"),
        ({"interval": 1.0, "initial_delay": -1.0}, "initial_delay"),
        ({"interval": 1.0, "jitter": 1.0}, "jitter"),
    ],
)
def test_tmr_01_delays_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        Plan(**options)


def test_tmr_01_a_function_that_gives_such_a_delay_is_told_by_its_name() -> None:
    with pytest.raises(ValueError, match="initial_delay: 0 or more seconds, not -1"):
        Timetable(plan(initial_delay=lambda obj: -1), OBJ, "same", 100.0)
