"""Daemons, in a controller on a clock that is turned by hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.controller.context import Context, ReconcileEnded
from k8srt.controller.event import DeleteEvent, Event, UpdateEvent
from k8srt.controller.predicate import Predicate, from_function
from k8srt.controller.request import Request, Result, RetryAfter, TerminalError
from k8srt.controller.timers.daemons import HEALTHY_AFTER, Daemons, Terms
from k8srt.controller.timers.making import attach, is_another_wish
from k8srt.controller.timers.members import Members
from k8srt.testing import eventually
from k8srt.util.threads import Stop
from tests.unit.controller.rig import LONG, Rig, config_map

A = Request("default", "a")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Tend:
    """A daemon: notes that it has begun, and does what `then(ctx)` says; by default it waits to be told to stop."""

    def __init__(self, then: Callable[[Context[Any]], Any] = lambda ctx: ctx.stop.wait() and None) -> None:
        self._cond = threading.Condition()
        self._then = then
        self.began: list[Context[Any]] = []
        self.over: list[str] = []

    def __call__(self, request: Request, ctx: Context[Any]) -> Any:
        with self._cond:
            self.began.append(ctx)
            self._cond.notify_all()
        try:
            return self._then(ctx)
        finally:
            with self._cond:
                self.over.append(request.name)
                self._cond.notify_all()

    def wait_for(self, began: int = 0, over: int = 0) -> None:
        with self._cond:
            reached = self._cond.wait_for(lambda: len(self.began) >= began and len(self.over) >= over, LONG)
            assert reached, (self.began, self.over)


class DaemonRig(Rig):
    """A controller with daemons."""

    def __init__(self, tend: Any, *, predicates: Sequence[Predicate] = (), options: Any = None, **terms: Any) -> None:
        self.members = Members(predicates, is_another_wish, terms.get("finalizer", ""))
        self.daemons: Any = None
        super().__init__(lambda request, ctx: self.daemons(request, ctx), **(options or {}))
        kind = self.controller.kind
        self.daemons = Daemons("rig", tend, kind, self.members, Terms(**terms), self.clock)
        attach(self.controller, self.daemons)

    def tell(self, event: Event) -> None:
        """As an informer does."""
        if self.members.accepts(event):
            self.source.tell(event)

    def update(self, name: str, **more: Any) -> None:
        """Have an object change."""
        old = self.cache.objects[Request("default", name)]
        new = config_map(name, **more)
        self.cache.put(new)
        self.tell(UpdateEvent(old, new))

    def delete(self, name: str) -> None:
        """Have an object go at once."""
        self.tell(DeleteEvent(self.cache.objects.pop(Request("default", name))))

    def states(self) -> dict[str, str]:
        """What `debug_state` tells of the daemons."""
        return {each["request"]: each["state"] for each in self.controller.debug_state()["daemons"]}

    def until(self, **states: str) -> None:
        """Wait until the daemons are as said, by the names of their objects."""
        expected = {f"default/{name}": state for name, state in states.items()}
        eventually(lambda: self.states() == expected, timeout=LONG, interval=0.002)

    def waits(self, name: str, due_in: float) -> None:
        """Wait until an object waits in the queue for so many seconds."""

        def in_the_queue() -> bool:
            found = {each["request"]: each.get("due_in") for each in self.controller.queue_snapshot()}
            left = found.get(f"default/{name}")
            return left is not None and abs(left - due_in) < 0.01

        eventually(in_the_queue, timeout=LONG, interval=0.002)


def names_of_threads() -> list[str]:
    return sorted(each.name for each in threading.enumerate() if each.name.startswith("k8srt-daemon-"))


# ---- its life -------------------------------------------------------------------------------------------------------


def test_tmr_03_each_object_has_a_thread_of_its_own() -> None:
    tend = Tend()
    with DaemonRig(tend) as rig:
        rig.create("a")
        rig.create("b")
        tend.wait_for(began=2)

        assert names_of_threads() == ["k8srt-daemon-rig-0", "k8srt-daemon-rig-1"]
        assert rig.states() == {"default/a": "running", "default/b": "running"}
    assert names_of_threads() == []
    assert sorted(tend.over) == ["a", "b"]


def test_tmr_03_the_stop_is_waited_for_by_the_clock_and_tells_that_the_object_is_gone() -> None:
    rounds = threading.Semaphore(0)

    def then(ctx: Context[Any]) -> None:
        while not ctx.stop.wait(10.0):
            rounds.release()

    tend = Tend(then)
    with DaemonRig(tend) as rig:
        rig.create("a")
        tend.wait_for(began=1)

        def another_round() -> bool:
            rig.clock.advance(10.0)  # again where it did not wait yet
            return rounds.acquire(timeout=0.1)

        for _ in range(3):
            eventually(another_round, timeout=LONG)
        rig.delete("a")
        tend.wait_for(over=1)

        rig.until()
        assert rig.error is None


def test_tmr_03_one_that_is_being_deleted_has_none() -> None:
    tend = Tend()
    with DaemonRig(tend) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.update("a", deletion_timestamp=NOW)
        tend.wait_for(over=1)

        rig.until()


def test_tmr_03_one_that_matches_no_longer_is_stopped_and_begins_anew_when_it_does() -> None:
    wanted = from_function(lambda obj: (obj.metadata.labels or {}).get("tended") == "yes")
    tend = Tend()
    with DaemonRig(tend, predicates=[wanted]) as rig:
        rig.create("a", labels={"tended": "yes"})
        tend.wait_for(began=1)
        rig.update("a", labels={"tended": "no"})
        tend.wait_for(over=1)
        rig.until()
        rig.update("a", labels={"tended": "yes"})
        tend.wait_for(began=2)

        rig.until(a="running")


def test_tmr_03_another_object_of_the_same_name_has_another_daemon() -> None:
    tend = Tend()
    with DaemonRig(tend) as rig:
        old = rig.create("a")
        tend.wait_for(began=1)
        new = config_map("a")
        new.metadata.uid = "another"
        rig.cache.put(new)
        rig.tell(UpdateEvent(old, new))
        tend.wait_for(began=2, over=1)

        rig.until(a="running")
        assert tend.began[0].stop.is_set()
        assert not tend.began[1].stop.is_set()


def test_tmr_03_a_wait_of_the_library_ends_with_it_and_that_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    tend = Tend(lambda ctx: ctx.sleep(3600.0))
    with DaemonRig(tend) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.delete("a")
        tend.wait_for(over=1)
        rig.until()

    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    assert rig.metrics.count("reconciled", "error", False) == 0


def test_tmr_03_what_it_raises_while_it_stops_is_told_and_not_retried(caplog: pytest.LogCaptureFixture) -> None:
    def then(ctx: Context[Any]) -> None:
        ctx.stop.wait()
        raise RuntimeError("the pipe is broken")

    tend = Tend(then)
    with DaemonRig(tend) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.delete("a")
        rig.ended(1, "success")

    assert "the daemon has failed to stop cleanly: the pipe is broken" in caplog.text
    assert len(tend.began) == 1


def test_tmr_03_told_to_stop_it_can_still_write_and_once_over_it_cannot() -> None:
    def then(ctx: Context[Any]) -> None:
        ctx.stop.wait()
        ctx.client.create(config_map("last words"))

    tend = Tend(then)
    with DaemonRig(tend) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.delete("a")
        rig.until()
        tend.wait_for(over=1)

        assert [each.metadata.name for each in rig.client.written] == ["last words"]
        with pytest.raises(ReconcileEnded, match="the daemon of default/a that wants to write is over"):
            tend.began[0].client.create(config_map("afterwards"))


# ---- not ending -----------------------------------------------------------------------------------------------------


def test_tmr_03_one_that_does_not_stop_is_abandoned_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    let_go = Stop()

    def deaf(ctx: Context[Any]) -> None:
        let_go.wait(LONG)

    tend = Tend(deaf)
    with DaemonRig(tend, stop_timeout=7.0) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.delete("a")
        rig.until(a="stopping")
        rig.waits("a", 7.0)

        def wait_for_it() -> None:
            rig.clock.advance(7.0)
            rig.until(a="abandoned")
            eventually(lambda: rig.controller.queue_snapshot() == [], timeout=LONG)

        with pytest.warns(ResourceWarning, match=r"rig of default/a: abandoned> has not ended within 7s(.|\n)*in deaf"):
            wait_for_it()
        with pytest.raises(ReconcileEnded):
            tend.began[0].client.create(config_map("too late"))

        let_go.set()
        rig.until()
    assert "has not ended within 7s" in caplog.text


def test_tmr_03_at_the_end_of_the_controller_all_are_told_and_the_deaf_are_abandoned() -> None:
    let_go = Stop()

    def then(ctx: Context[Any]) -> None:
        if ctx.request.name == "deaf":
            let_go.wait(LONG)
        else:
            ctx.stop.wait()

    tend = Tend(then)
    with DaemonRig(tend, stop_timeout=7.0) as rig:
        for name in ("a", "b", "deaf"):
            rig.create(name)
        tend.wait_for(began=3)

        def end() -> None:
            rig.stop.set()
            tend.wait_for(over=2)
            rig.clock.wait_for_sleepers(1, LONG, by=rig.clock.now() + 7.0)
            rig.clock.advance(7.0)
            rig.join()

        with pytest.warns(ResourceWarning, match="default/deaf"):
            end()
    let_go.set()
    tend.wait_for(over=3)

    assert rig.error is None
    assert sorted(tend.over[:2]) == ["a", "b"]


def test_tmr_03_without_a_time_to_stop_it_is_waited_for() -> None:
    let_go = Stop()
    tend = Tend(lambda ctx: let_go.wait(LONG) and None)
    with DaemonRig(tend, stop_timeout=None) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.delete("a")
        rig.until(a="stopping")
        rig.clock.advance(10_000.0)
        assert rig.states() == {"default/a": "stopping"}

        let_go.set()
        rig.until()


# ---- how many -------------------------------------------------------------------------------------------------------


def test_tmr_03_more_than_max_daemons_wait_in_line_and_are_told_of() -> None:
    tend = Tend()
    with DaemonRig(tend, max_daemons=2) as rig:
        for name in ("a", "b", "c", "d"):
            rig.create(name)
            rig.until(**{each: "running" if each in "ab" else "waiting" for each in "abcd" if each <= name})
        assert [event[:3] for event in rig.recorder.events] == [
            ("c", "Warning", "TooManyDaemons"),
            ("d", "Warning", "TooManyDaemons"),
        ]

        rig.delete("a")
        rig.until(b="running", c="running", d="waiting")
        rig.delete("d")
        rig.until(b="running", c="running")
        assert len(rig.recorder.events) == 2
        assert len(tend.began) == 3


def test_tmr_03_one_that_leaves_the_line_makes_room_for_the_next() -> None:
    tend = Tend()
    with DaemonRig(tend, max_daemons=1) as rig:
        for name in ("a", "b", "c"):
            rig.create(name)
            rig.until(**{each: "running" if each == "a" else "waiting" for each in "abc" if each <= name})
        rig.controller.pause()
        rig.delete("b")
        rig.delete("a")
        rig.controller.resume()

        rig.until(c="running")


@pytest.mark.parametrize(("terms", "message"), [({"max_daemons": 0}, "max_daemons"), ({"stop_timeout": -1.0}, "stop")])
def test_tmr_03_terms_that_make_no_sense_are_refused(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DaemonRig(Tend(), **terms)


# ---- finalizers -----------------------------------------------------------------------------------------------------


def test_tmr_03_a_finalizer_is_there_before_the_daemon_and_goes_after_it() -> None:
    let_go = Stop()

    def then(ctx: Context[Any]) -> None:
        ctx.stop.wait()
        let_go.wait(LONG)

    tend = Tend(then)
    with DaemonRig(tend, finalizer="example.com/tend") as rig:
        rig.create("a", resource_version="1")
        tend.wait_for(began=1)
        [(patch, _)] = rig.client.written
        assert patch["metadata"]["finalizers"] == ["example.com/tend"]
        rig.update("a", resource_version="2", finalizers=["example.com/tend"])
        rig.update("a", resource_version="3", finalizers=["example.com/tend"], deletion_timestamp=NOW)
        rig.until(a="stopping")
        assert len(rig.client.written) == 1

        let_go.set()
        eventually(lambda: len(rig.client.written) == 2, timeout=LONG)
        patch, _ = rig.client.written[1]
        assert patch[-1] == {"op": "remove", "path": "/metadata/finalizers/0"}


def test_tmr_03_the_finalizer_is_released_when_the_daemon_is_abandoned_also_where_warnings_are_errors() -> None:
    let_go = Stop()
    tend = Tend(lambda ctx: let_go.wait(LONG) and None)
    with DaemonRig(tend, finalizer="example.com/tend", stop_timeout=5.0) as rig:
        rig.create("a", resource_version="1", finalizers=["example.com/tend"])
        tend.wait_for(began=1)
        rig.update("a", resource_version="2", finalizers=["example.com/tend"], deletion_timestamp=NOW)
        rig.waits("a", 5.0)
        assert rig.client.written == []
        rig.clock.advance(5.0)
        eventually(lambda: len(rig.client.written) == 1, timeout=LONG)

        patch, _ = rig.client.written[0]
        assert patch[-1]["op"] == "remove"
        let_go.set()
        rig.until()


def test_tmr_03_a_finalizer_of_earlier_times_is_taken_off_what_has_no_daemon() -> None:
    refused = from_function(lambda obj: False)
    with DaemonRig(Tend(), predicates=[refused], finalizer="example.com/tend") as rig:
        assert rig.members.accepts(UpdateEvent(config_map("x"), config_map("x", finalizers=["example.com/tend"])))
        rig.create("a", finalizers=["example.com/others", "example.com/tend"])
        rig.ended(1, "success")

        [(patch, _)] = rig.client.written
        assert patch[-1] == {"op": "remove", "path": "/metadata/finalizers/1"}


# ---- what it sees ---------------------------------------------------------------------------------------------------


def test_tmr_04_current_is_what_the_cache_has_at_each_call() -> None:
    asked, told = threading.Semaphore(0), []
    answered = threading.Semaphore(0)

    def then(ctx: Context[Any]) -> None:
        for _ in range(3):
            assert asked.acquire(timeout=LONG)
            obj = ctx.current()
            told.append(obj and (obj.metadata.labels or {}).get("n"))
            answered.release()
        ctx.stop.wait()

    with DaemonRig(Tend(then)) as rig:
        rig.create("a", labels={"n": "1"})
        for number in ("1", "2"):
            rig.cache.put(config_map("a", labels={"n": number}))
            asked.release()
            assert answered.acquire(timeout=LONG)
        rig.cache.objects.clear()
        asked.release()
        assert answered.acquire(timeout=LONG)

    assert told == ["1", "2", None]


# ---- starting again -------------------------------------------------------------------------------------------------


def test_tmr_05_one_that_returns_is_not_restarted_until_the_generation_changes() -> None:
    tend = Tend(lambda ctx: None)
    with DaemonRig(tend) as rig:
        rig.create("a", generation=1)
        rig.ended(1, "success")
        rig.update("a", generation=1, labels={"changed": "yes"})
        rig.controller.reconcile_all()
        eventually(lambda: rig.controller.queue_snapshot() == [], timeout=LONG)
        assert len(tend.began) == 1

        rig.update("a", generation=2)
        tend.wait_for(began=2)
        rig.ended(2, "success")


def test_tmr_05_of_kinds_without_a_generation_what_they_say_counts() -> None:
    tend = Tend(lambda ctx: None)
    with DaemonRig(tend) as rig:
        old = rig.create("a")
        rig.ended(1, "success")
        new = config_map("a", resource_version="2")
        assert not rig.members.accepts(UpdateEvent(old, new))
        new.data = {"k": "v"}
        rig.cache.put(new)
        rig.tell(UpdateEvent(old, new))

        tend.wait_for(began=2)
        rig.ended(2, "success")


def test_tmr_05_a_change_that_came_as_it_returned_is_not_lost() -> None:
    go = Stop()
    tend = Tend(lambda ctx: go.wait(LONG) and None)
    with DaemonRig(tend) as rig:
        rig.create("a", generation=1)
        tend.wait_for(began=1)
        rig.controller.pause()
        go.set()
        tend.wait_for(over=1)
        eventually(lambda: not names_of_threads(), timeout=LONG)
        rig.update("a", generation=2)
        rig.controller.resume()

        tend.wait_for(began=2)
        rig.ended(2, "success")


def test_tmr_05_one_that_raises_is_restarted_with_a_growing_delay() -> None:
    def then(ctx: Context[Any]) -> None:
        if ctx.attempt < 2:
            raise RuntimeError("not yet")
        ctx.stop.wait()

    tend = Tend(then)
    with DaemonRig(tend, options={"backoff": (1.0, 100.0)}) as rig:
        rig.create("a", generation=1)
        rig.ended(1, "error")
        rig.waits("a", 1.0)
        rig.update("a", generation=1, resource_version="77")
        rig.waits("a", 1.0)
        rig.clock.advance(1.0)
        rig.ended(2, "error")
        rig.waits("a", 2.0)
        rig.clock.advance(2.0)
        tend.wait_for(began=3)

        assert [ctx.attempt for ctx in tend.began] == [0, 1, 2]
        rig.until(a="running")


def test_tmr_05_failures_are_forgotten_once_it_has_run_for_long() -> None:
    def then(ctx: Context[Any]) -> None:
        if ctx.attempt == 0:
            raise RuntimeError("once")
        ctx.stop.wait()

    tend = Tend(then)
    with DaemonRig(tend, options={"backoff": (1.0, 100.0)}) as rig:
        rig.create("a")
        rig.waits("a", 1.0)
        rig.clock.advance(1.0)
        tend.wait_for(began=2)
        rig.waits("a", HEALTHY_AFTER)
        assert rig.metrics.count("reconciled", "success", False) == 0

        rig.clock.advance(HEALTHY_AFTER)
        rig.ended(1, "success")
        rig.until(a="running")
        assert rig.controller.queue_snapshot() == []


def test_tmr_05_a_terminal_error_ends_it_until_something_else_is_wanted() -> None:
    def then(ctx: Context[Any]) -> None:
        raise TerminalError("never")

    tend = Tend(then)
    with DaemonRig(tend) as rig:
        rig.create("a", generation=1)
        rig.ended(1, "error", terminal=True)
        assert rig.controller.queue_snapshot() == []

        rig.update("a", generation=2)
        rig.ended(2, "error", terminal=True)
        assert len(tend.began) == 2


@pytest.mark.parametrize("answer", [Result(requeue_after=30.0), RetryAfter(30.0)])
def test_tmr_05_one_may_say_when_it_wants_to_be_started_again(answer: Any) -> None:
    def then(ctx: Context[Any]) -> Result | None:
        if ctx.clock.now() > 1000.0:
            ctx.stop.wait()
            return None
        if isinstance(answer, RetryAfter):
            raise answer
        return Result(requeue_after=30.0)

    tend = Tend(then)
    with DaemonRig(tend) as rig:
        rig.create("a")
        rig.ended(1, "requeue_after")
        rig.waits("a", 30.0)
        rig.clock.advance(30.0)

        tend.wait_for(began=2)
        rig.until(a="running")


def test_tmr_05_what_ends_a_worker_ends_the_controller() -> None:
    def then(ctx: Context[Any]) -> None:
        raise SystemExit(3)

    with DaemonRig(Tend(then)) as rig:
        rig.create("a")
        rig.join()

    assert isinstance(rig.error, SystemExit)


# ---- looking at it --------------------------------------------------------------------------------------------------


def test_tmr_03_what_it_does_and_since_when_can_be_seen() -> None:
    def waits_here(ctx: Context[Any]) -> None:
        ctx.stop.wait()

    tend = Tend(waits_here)
    with DaemonRig(tend) as rig:
        rig.create("a")
        tend.wait_for(began=1)
        rig.clock.advance(42.0)

        def seen() -> bool:
            [told] = rig.controller.debug_state()["daemons"]
            assert told.items() >= {"request": "default/a", "state": "running", "seconds": 42.0, "attempt": 0}.items()
            assert told["thread"] == "k8srt-daemon-rig-0"
            return bool(told["at"].endswith("in waits_here")) and __file__ in told["at"]

        eventually(seen, timeout=LONG)
