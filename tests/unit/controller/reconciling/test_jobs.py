"""Reconciles that do not return: stuck ones get a substitute, and a controller that gets nowhere says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.controller.reconciling.jobs import Wedged
from k8srt.controller.request import Request
from tests.unit.controller.rig import LONG, Rig


class Stubborn:
    """A reconciler that does not listen to its stop; names that begin with s wait to be let go."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self, request: Request, ctx: Any) -> None:
        self.began.release()
        if request.name.startswith("s"):
            self.go.wait(LONG)

    def wait(self) -> None:
        assert self.began.acquire(timeout=LONG)


@pytest.fixture
def stubborn() -> Iterator[Stubborn]:
    stubborn = Stubborn()
    yield stubborn
    stubborn.go.set()


def test_thr_05_another_worker_takes_the_place_of_one_that_is_stuck(
    stubborn: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    with Rig(stubborn, timeout=10.0) as rig:
        rig.create("stuck")
        stubborn.wait()
        rig.create("next")
        rig.clock.wait_for_sleepers(1, by=1010.0)
        rig.clock.advance(10.0)  # its time is over
        rig.clock.wait_for_sleepers(1, by=1020.0)
        assert rig.metrics.count("stuck", 1) == 0

        rig.clock.advance(10.0)  # and it has not listened
        rig.metrics.wait_for("stuck", 1)
        stubborn.wait()
        rig.ended()
        rig.create("stuck")  # its key stays locked
        rig.clock.wait_for_sleepers(1, by=1040.0)
        assert [job["request"] for job in rig.controller.debug_state()["active"]] == ["default/stuck"]
        assert rig.controller.debug_state()["active"][0]["stuck"] is True
        assert not rig.controller.wedged

        stubborn.go.set()
        rig.metrics.wait_for("stuck", -1)
        rig.ended(3)

    assert "default/stuck has not returned for 20s" in caplog.text
    assert "self.go.wait(LONG)" in caplog.text
    assert rig.metrics.count("timed_out") == 1


def test_thr_05_its_stack_is_logged_again_at_doubling_intervals(
    stubborn: Stubborn, caplog: pytest.LogCaptureFixture
) -> None:
    with Rig(stubborn, stuck_after=10.0, wedged_after=10_000.0) as rig:
        rig.create("stuck")
        stubborn.wait()
        for seconds, at in ((10.0, 1010.0), (10.0, 1020.0), (20.0, 1040.0)):
            rig.clock.wait_for_sleepers(1, by=at)
            rig.clock.advance(seconds)
        while caplog.text.count("has not returned") < 3:
            threading.Event().wait(0.001)
        stubborn.go.set()

    waits = [record.args[2] for record in caplog.records if "has not returned" in record.msg]  # type: ignore[index]
    assert waits == [10.0, 20.0, 40.0]
    assert rig.metrics.count("stuck", 1) == 1


def test_thr_05_too_many_that_are_stuck_are_the_end_of_it(stubborn: Stubborn) -> None:
    with Rig(stubborn, stuck_after=10.0, wedged_after=10_000.0, max_stuck=1) as rig:
        rig.create("s1")
        stubborn.wait()
        rig.clock.wait_for_sleepers(1, by=1010.0)
        rig.clock.advance(10.0)
        rig.metrics.wait_for("stuck", 1)
        assert not rig.controller.wedged

        rig.create("s2")
        stubborn.wait()
        rig.clock.wait_for_sleepers(1, by=1020.0)
        rig.clock.advance(10.0)
        rig.metrics.wait_for("wedged", True)
        assert rig.controller.wedged
        stubborn.go.set()
        rig.metrics.wait_for("wedged", False)


def test_rec_21_work_and_no_end_for_long_is_a_wedge(stubborn: Stubborn, caplog: pytest.LogCaptureFixture) -> None:
    with Rig(stubborn, workers=2) as rig:
        rig.create("s1")
        stubborn.wait()
        rig.clock.wait_for_sleepers(1, by=1600.0)
        rig.clock.advance(300.0)
        rig.create("other")
        rig.ended()  # something ends, so it gets somewhere
        rig.clock.advance(300.0)
        rig.clock.wait_for_sleepers(1, by=1900.0)
        assert not rig.controller.wedged
        assert rig.controller.seconds_without_end() == 300.0

        rig.clock.advance(300.0)
        rig.metrics.wait_for("wedged", True)
        assert rig.controller.wedged
        assert "wedged" in repr(rig.controller)
        assert caplog.text.count("is wedged: nothing has ended for 600s") == 1
        assert "self.go.wait(LONG)" in caplog.text

        stubborn.go.set()
        rig.metrics.wait_for("wedged", False)
        assert not rig.controller.wedged
        assert rig.controller.seconds_without_end() is None


def test_rec_21_nothing_to_do_is_no_wedge(stubborn: Stubborn) -> None:
    with Rig(stubborn) as rig:
        rig.create("a")
        rig.ended()
        for _ in range(3):
            rig.clock.advance(700.0)
        rig.create("b")
        rig.ended(2)
        assert not rig.controller.wedged
        assert rig.metrics.count("wedged", True) == 0


def test_rec_21_the_limit_follows_the_timeout() -> None:
    assert Rig(Stubborn()).controller.options.quiet_limit() == 600.0
    assert Rig(Stubborn(), timeout=20.0).controller.options.quiet_limit() == 60.0
    assert Rig(Stubborn(), timeout=20.0, wedged_after=5.0).controller.options.quiet_limit() == 5.0
    assert Rig(Stubborn(), timeout=20.0).controller.options.stuck_limit() == 40.0
    assert Rig(Stubborn()).controller.options.stuck_limit() is None


def test_thr_05_a_wedge_may_be_the_end_and_nobody_waits_for_what_is_stuck(stubborn: Stubborn) -> None:
    with Rig(stubborn, wedged_after=60.0, on_wedged="exit") as rig:
        rig.create("stuck")
        stubborn.wait()
        rig.clock.wait_for_sleepers(1, by=1060.0)
        rig.clock.advance(60.0)
        rig.join()

    assert isinstance(rig.error, Wedged)
    assert "nothing has ended for 60s" in str(rig.error)


def test_what_a_stop_waits_for_is_told(stubborn: Stubborn, caplog: pytest.LogCaptureFixture) -> None:
    with Rig(stubborn) as rig:
        rig.create("stuck")
        stubborn.wait()
        rig.stop.set()
        rig.clock.wait_for_sleepers(1, by=1005.0)
        rig.clock.advance(5.0)
        while "waits for default/stuck" not in caplog.text:
            threading.Event().wait(0.001)
        stubborn.go.set()
