"""Timers, in a controller on a clock that is turned by hand."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from k8srt.controller.event import CreateEvent, DeleteEvent, UpdateEvent
from k8srt.controller.predicate import Predicate, from_function
from k8srt.controller.request import Request, Result, RetryAfter, TerminalError
from k8srt.controller.timers.making import changes_for
from k8srt.controller.timers.members import Members
from k8srt.controller.timers.timer import Timer
from k8srt.controller.timers.timetable import Plan
from k8srt.testing import eventually
from tests.unit.controller.rig import LONG, Rig, config_map

PATIENT = 300.0


class Runs:
    """A function that a timer calls. `then(request, ctx)` says what it answers."""

    def __init__(self, then: Any = lambda request, ctx: None) -> None:
        self._cond = threading.Condition()
        self._then = then
        self.moments: list[tuple[str, float]] = []

    def __call__(self, request: Request, ctx: Any) -> Any:
        with self._cond:
            self.moments.append((request.name, ctx.clock.now() - 1000.0))
            self._cond.notify_all()
        return self._then(request, ctx)

    def wait_for(self, count: int, timeout: float = LONG) -> list[tuple[str, float]]:
        with self._cond:
            assert self._cond.wait_for(lambda: len(self.moments) >= count, timeout), len(self.moments)
            return list(self.moments)


class TimerRig(Rig):
    """A controller with a timer, on its own without variations."""

    def __init__(self, runs: Any, *, predicates: Sequence[Predicate] = (), options: Any = None, **plan: Any) -> None:
        self.plan = Plan(**{"interval": 10.0, "jitter": 0.0, **plan})
        self.members = Members(predicates, changes_for(self.plan))
        timer = Timer(runs, None, self.plan, self.members)
        super().__init__(timer, **(options or {}))
        self.controller.when_given_up(timer.given_up)

    def wait_until_waiting(self, name: str, due_in: float) -> None:
        """Wait until an object waits in the queue for so many seconds more."""

        def waits() -> bool:
            found = {each["request"]: each.get("due_in") for each in self.controller.queue_snapshot()}
            left = found.get(f"default/{name}")
            return left is not None and abs(left - due_in) < 0.01

        eventually(waits, timeout=LONG, interval=0.002)

    def update(self, name: str, **more: Any) -> None:
        old = self.cache.objects[Request("default", name)]
        new = config_map(name, **more)
        self.cache.put(new)
        event = UpdateEvent(old, new)
        if self.members.accepts(event):
            self.source.tell(event)


def test_tmr_01_it_runs_at_once_and_then_at_its_interval() -> None:
    runs = Runs()
    with TimerRig(runs) as rig:
        rig.create("a")
        for count, moment in enumerate((0.0, 10.0, 20.0), 1):
            assert runs.wait_for(count)[-1] == ("a", moment)
            rig.ended(count, "requeue_after")
            rig.wait_until_waiting("a", 10.0)
            rig.clock.advance(9.0)
            assert len(runs.moments) == count
            rig.wait_until_waiting("a", 1.0)
            rig.clock.advance(1.0)


def test_tmr_01_an_object_that_is_gone_has_no_timer() -> None:
    runs = Runs()
    with TimerRig(runs) as rig:
        obj = rig.create("a")
        rig.ended(1, "requeue_after")
        rig.cache.objects.clear()
        rig.source.tell(DeleteEvent(obj))
        rig.ended(1, "success")

        assert rig.controller.queue_snapshot() == []
        assert len(runs.moments) == 1


def test_tmr_01_one_that_matches_no_longer_has_none_until_it_matches_again() -> None:
    runs = Runs()
    wanted = from_function(lambda obj: (obj.metadata.labels or {}).get("timed") == "yes")
    with TimerRig(runs, predicates=[wanted], initial_delay=5.0) as rig:
        rig.create("a", labels={"timed": "yes"})
        rig.wait_until_waiting("a", 5.0)
        rig.clock.advance(5.0)
        rig.ended(1, "requeue_after")

        rig.update("a", labels={"timed": "no"})
        rig.ended(1, "success")
        assert rig.controller.queue_snapshot() == []

        rig.update("a", labels={"timed": "yes"})
        rig.wait_until_waiting("a", 5.0)
        assert len(runs.moments) == 1


def test_tmr_01_another_object_of_the_same_name_begins_anew() -> None:
    runs = Runs()
    with TimerRig(runs, initial_delay=5.0) as rig:
        rig.create("a")
        rig.wait_until_waiting("a", 5.0)
        rig.clock.advance(3.0)

        old = rig.cache.objects[Request("default", "a")]
        new = config_map("a")
        new.metadata.uid = "another"
        rig.cache.put(new)
        assert rig.members.accepts(UpdateEvent(old, new))
        rig.source.tell(UpdateEvent(old, new))

        rig.wait_until_waiting("a", 5.0)
        assert runs.moments == []


def test_tmr_01_changes_lead_to_nothing_unless_they_matter() -> None:
    def accepts(**plan: Any) -> bool:
        members = Members([], changes_for(Plan(**plan)))
        old, new = config_map("a", resource_version="1"), config_map("a", resource_version="2", labels={"x": "y"})
        return members.accepts(UpdateEvent(old, new))

    assert not accepts(interval=10.0)
    assert accepts(interval=10.0, idle=5.0)
    assert accepts(interval=lambda obj: 10.0)


def test_tmr_01_an_idle_timer_waits_for_quiet() -> None:
    runs = Runs()
    with TimerRig(runs, idle=30.0) as rig:
        rig.create("a")
        rig.wait_until_waiting("a", 30.0)
        rig.clock.advance(20.0)
        rig.update("a", labels={"changed": "yes"})
        rig.wait_until_waiting("a", 30.0)
        rig.clock.advance(20.0)
        rig.update("a", labels={"changed": "yes"}, resource_version="3")
        rig.wait_until_waiting("a", 10.0)
        rig.clock.advance(10.0)

        assert runs.wait_for(1) == [("a", 50.0)]
        rig.ended(1, "requeue_after")


def test_tmr_01_never_two_at_once_for_one_object() -> None:
    at_once: list[int] = []
    running = threading.Semaphore(1)

    def then(request: Request, ctx: Any) -> None:
        free = running.acquire(blocking=False)
        at_once.append(1 if free else 2)
        ctx.sleep(25.0)
        running.release()

    runs = Runs(then)
    with TimerRig(runs, sharp=True, options={"workers": 4}) as rig:
        obj = rig.create("a")
        runs.wait_for(1)
        rig.clock.wait_for_sleepers(1, LONG, by=rig.clock.now() + 25.0)
        rig.source.tell(CreateEvent(obj))
        rig.controller.enqueue("default/a")
        rig.clock.advance(25.0)
        rig.ended(1, "requeue_after")

        rig.wait_until_waiting("a", 5.0)
        assert runs.moments == [("a", 0.0)]
        assert at_once == [1]


def test_tmr_01_a_failure_is_retried_and_does_not_wait_for_the_interval() -> None:
    def then(request: Request, ctx: Any) -> None:
        if ctx.attempt < 2:
            raise RuntimeError("not yet")

    runs = Runs(then)
    with TimerRig(runs, options={"backoff": (1.0, 100.0)}) as rig:
        rig.create("a")
        rig.ended(1, "error")
        rig.wait_until_waiting("a", 1.0)
        rig.clock.advance(1.0)
        rig.ended(2, "error")
        rig.wait_until_waiting("a", 2.0)
        rig.clock.advance(2.0)
        rig.ended(1, "requeue_after")

        assert [moment for _, moment in runs.moments] == [0.0, 1.0, 3.0]
        rig.wait_until_waiting("a", 10.0)


@pytest.mark.parametrize("options", [{}, {"on_error": lambda obj, err, ctx: Result()}])
def test_tmr_01_what_is_not_to_be_retried_has_its_turn_at_the_next_interval(options: dict[str, Any]) -> None:
    def then(request: Request, ctx: Any) -> None:
        raise TerminalError("never") if not options else RuntimeError("never")

    runs = Runs(then)
    with TimerRig(runs, options=options) as rig:
        rig.create("a")
        for count in (1, 2, 3):
            rig.ended(count, "error", terminal=not options)
            rig.wait_until_waiting("a", 10.0)
            rig.clock.advance(10.0)

        assert [moment for _, moment in runs.wait_for(4)] == [0.0, 10.0, 20.0, 30.0]


def test_tmr_01_after_giving_up_each_interval_is_one_attempt() -> None:
    runs = Runs(lambda request, ctx: 1 / 0)
    with TimerRig(runs, options={"max_attempts": 2, "backoff": (1.0, 1.0)}) as rig:
        rig.create("a")
        rig.ended(1, "error")
        rig.wait_until_waiting("a", 1.0)
        rig.clock.advance(1.0)
        rig.ended(1, "error", terminal=True)
        rig.wait_until_waiting("a", 10.0)
        rig.clock.advance(10.0)
        rig.ended(2, "error", terminal=True)
        rig.wait_until_waiting("a", 10.0)

        assert [moment for _, moment in runs.moments] == [0.0, 1.0, 11.0]


def test_tmr_01_a_run_may_say_when_the_next_is() -> None:
    def then(request: Request, ctx: Any) -> Result | None:
        if ctx.clock.now() == 1000.0:
            return Result(requeue_after=3.0)
        if ctx.clock.now() == 1003.0:
            raise RetryAfter(4.0)
        return None

    runs = Runs(then)
    with TimerRig(runs) as rig:
        rig.create("a")
        rig.ended(1, "requeue_after")
        rig.wait_until_waiting("a", 3.0)
        rig.clock.advance(3.0)
        rig.ended(2, "requeue_after")
        rig.wait_until_waiting("a", 4.0)
        rig.controller.enqueue("default/a")
        rig.wait_until_waiting("a", 4.0)
        rig.clock.advance(4.0)
        rig.ended(3, "requeue_after")
        rig.wait_until_waiting("a", 10.0)

        assert [moment for _, moment in runs.moments] == [0.0, 3.0, 7.0]


def test_tmr_01_an_interval_that_cannot_be_told_is_a_failure_that_is_retried() -> None:
    def interval(obj: Any) -> float:
        return float(obj.data["every"])

    runs = Runs()
    with TimerRig(runs, interval=interval) as rig:
        rig.create("a")
        rig.ended(1, "error")
        obj = config_map("a", resource_version="2")
        obj.data = {"every": "7"}
        rig.cache.put(obj)
        rig.source.tell(CreateEvent(obj))
        rig.ended(1, "requeue_after")

        rig.wait_until_waiting("a", 7.0)


def test_tmr_02_ten_thousand_timed_objects_need_no_more_threads_than_workers() -> None:
    many, workers = 10_000, 4
    runs = Runs()

    def of_the_rig() -> list[str]:
        return [each.name for each in threading.enumerate() if each.name.startswith("k8srt-worker-rig")]

    with TimerRig(runs, interval=60.0, options={"workers": workers, "metrics": None}) as rig:
        assert rig.source.started.wait(LONG)
        rig.create("o0")
        runs.wait_for(1, PATIENT)
        before = set(threading.enumerate())  # with what a controller has anyway, such as one for its deadlines
        for number in range(1, many):
            rig.create(f"o{number}")
        runs.wait_for(many, PATIENT)
        eventually(lambda: f"0 ready, {many} waiting, 0 working" in repr(rig.controller.queue), timeout=PATIENT)

        assert len(of_the_rig()) <= workers
        assert len(set(threading.enumerate()) - before) <= workers

        rig.clock.advance(60.0)
        runs.wait_for(2 * many, PATIENT)
        eventually(lambda: f"0 ready, {many} waiting, 0 working" in repr(rig.controller.queue), timeout=PATIENT)

        assert len(of_the_rig()) <= workers
        assert {moment for _, moment in runs.moments} == {0.0, 60.0}
