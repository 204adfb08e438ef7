"""One reconcile: what it has, how it ends, and what follows from that."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Event
from k8srt.apimachinery.meta import ObjectMeta, Status
from k8srt.controller.context import (
    Context,
    ReconcileEnded,
    ReconcileTimeout,
    StopRequested,
    current,
    reconcile_id_from_context,
)
from k8srt.controller.controller import Panic
from k8srt.controller.reasons import Reason
from k8srt.controller.reconciling.reporting import has_conditions
from k8srt.controller.request import Request, Result, RetryAfter, TerminalError
from k8srt.errors import Conflict, Stopped, WaitTimeout
from k8srt.util.ambient import ambient_stop
from k8srt.util.threads import Stop
from tests.unit.controller.rig import LONG, Rig, config_map

A = Request("default", "a")


def conflict() -> Conflict:
    return Conflict(Status(status="Failure", code=409, reason="Conflict", message="changed"))


class Script:
    """A reconciler that does one thing after the other: raises what is an error, returns what is not."""

    def __init__(self, *steps: Any) -> None:
        self._steps = list(steps)
        self.contexts: list[Context[Any]] = []

    def __call__(self, request: Request, ctx: Context[Any]) -> Any:
        self.contexts.append(ctx)
        step = self._steps.pop(0) if self._steps else None
        if isinstance(step, BaseException):
            raise step
        return step(ctx) if callable(step) else step


# ---- failures -------------------------------------------------------------------------------------------------------


def test_rec_07_a_failure_is_logged_once_and_a_success_only_for_those_who_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with Rig(Script(ValueError("boom"))) as rig:
        rig.create("a")
        rig.ended(outcome="error")
        rig.clock.advance(1.0)
        rig.ended()

    lines = [record for record in caplog.records if record.name == "k8srt.controller.rig"]
    assert [record.getMessage() for record in lines] == ["rig default/a: Reconciler error: boom"]
    assert lines[0].exc_info is not None


def test_log_02_lines_say_which_reconcile_they_are_of(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(lambda ctx: ctx.log.warning("look"))
    with Rig(script) as rig:
        rig.create("a")
        rig.ended()

    record: Any = next(record for record in caplog.records if record.getMessage().endswith("look"))
    assert (record.controller, record.controllerGroup, record.controllerKind) == ("rig", "", "ConfigMap")
    assert record.ConfigMap == {"namespace": "default", "name": "a"}
    assert record.reconcileID == script.contexts[0].reconcile_id


@pytest.mark.parametrize(
    "raised", [RecursionError("too deep"), MemoryError(), GeneratorExit(), BaseException("odd")], ids=repr
)
def test_rec_08_what_is_no_ordinary_error_is_recovered_and_counted(
    raised: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script(raised)
    with Rig(script) as rig:
        rig.create("a")
        rig.ended(outcome="error")
        rig.clock.advance(1.0)
        rig.ended()

    assert rig.metrics.count("panicked") == 1
    assert isinstance(script.contexts[1].retry.last_error, Panic)
    assert "panic: " in caplog.text
    assert "[recovered]" in caplog.text


def test_rec_08_without_recovery_it_ends_the_controller() -> None:
    with Rig(Script(RecursionError("too deep")), recover_panic=False) as rig:
        rig.create("a")
        rig.ended(outcome="error")

    with Rig(Script(GeneratorExit()), recover_panic=False) as rig:
        rig.create("a")
        rig.join()

    assert isinstance(rig.error, GeneratorExit)


@pytest.mark.parametrize("raised", [SystemExit(4), KeyboardInterrupt()], ids=repr)
def test_rec_08_who_exits_ends_the_controller_always(raised: BaseException) -> None:
    with Rig(Script(raised), workers=3) as rig:
        rig.create("a")
        rig.join()

    assert rig.error is raised


def test_rec_17_what_went_before_is_known(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(ValueError("one"), ValueError("two"), None, None)
    with Rig(script) as rig:
        began = rig.clock.time()
        rig.create("a")
        rig.ended(outcome="error")
        rig.clock.advance(1.0)
        rig.ended(2, outcome="error")
        rig.clock.advance(1.0)
        rig.ended()
        rig.create("a")
        rig.ended(2)

    retries = [(ctx.retry.attempt, ctx.retry.first_failure, str(ctx.retry.last_error)) for ctx in script.contexts]
    assert retries == [(0, None, "None"), (1, began, "one"), (2, began, "two"), (0, None, "None")]
    assert [ctx.attempt for ctx in script.contexts] == [0, 1, 2, 0]


def test_rec_18_reasons_merge_and_tell_of_retries() -> None:
    script = Script(ValueError("x"), Result(requeue_after=5.0), Result(requeue=True))
    with Rig(script) as rig:
        assert rig.source.started.wait(LONG)
        rig.controller.pause()
        rig.create("a")
        rig.create("a")
        rig.controller.enqueue(A)
        rig.controller.resume()
        rig.ended(outcome="error")
        rig.clock.advance(1.0)
        rig.ended(outcome="requeue_after")
        rig.clock.wait_for_sleepers(1)
        rig.clock.advance(5.0)
        rig.ended(outcome="requeue")
        rig.clock.advance(1.0)
        rig.ended()

    told = [[str(reason) for reason in ctx.reasons] for ctx in script.contexts]
    assert told == [["for ConfigMap default/a created", "manual"], ["retry 1"], ["requeue_after"], ["requeue"]]


def test_rec_18_so_many_and_not_at_all() -> None:
    script = Script()
    with Rig(script) as rig:
        rig.create("b")
        rig.ended()
        rig.controller.pause()
        for number in range(20):
            rig.controller._reasons.add([A], Reason("", str(number)))
        rig.controller.enqueue(A)
        rig.controller.resume()
        rig.ended(2)
    assert len(script.contexts[1].reasons) == 8

    script = Script()
    with Rig(script, record_reasons=False) as rig:
        rig.create("a")
        rig.ended()
    assert script.contexts[0].reasons == ()


def test_rty_01_and_rty_04_what_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Rig(Script(RetryAfter(3.0, "not there yet"), conflict(), conflict()), events_on_error=True) as rig:
        rig.create("a")
        rig.ended(outcome="requeue_after")
        rig.clock.wait_for_sleepers(1)
        rig.clock.advance(3.0)
        rig.ended(outcome="requeue")  # the first conflict, and at once:
        rig.ended(outcome="error")
        assert len(rig.recorder.events) == 1

    levels = [record.levelname for record in caplog.records if record.name == "k8srt.controller.rig"]
    assert levels == ["INFO", "ERROR"]


def test_rty_02_and_03_it_gives_up_and_tries_once_for_each_event(caplog: pytest.LogCaptureFixture) -> None:
    with Rig(Script(*[ValueError("x")] * 4), max_attempts=2) as rig:
        rig.create("a")
        rig.ended(outcome="error")
        rig.clock.advance(1.0)
        rig.ended(outcome="error", terminal=True)
        assert rig.controller.queue_snapshot() == []

        rig.create("a")
        rig.ended(2, outcome="error", terminal=True)
        assert rig.controller.queue_snapshot() == []

    assert "Reconciler error, given up after 2 attempts, 2 times the same in a row: x" in caplog.text


def test_rty_02_who_is_told_may_say_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []

    def on_error(obj: Any, err: BaseException, ctx: Context[Any]) -> Any:
        told.append((obj.metadata.name, str(err), ctx.request))
        ctx.client.create(obj)
        if str(err) == "wait":
            return Result(requeue_after=7.0)
        if str(err) == "odd":
            return "nonsense"
        raise RuntimeError("the one who is told fails as well")

    with Rig(Script(ValueError("wait"), ValueError("odd"), ValueError("fails")), on_error=on_error) as rig:
        rig.create("a")
        rig.ended(outcome="error")
        assert rig.controller.queue_snapshot()[0]["due_in"] == 7.0
        rig.clock.wait_for_sleepers(1)
        rig.clock.advance(7.0)
        rig.ended(2, outcome="error")
        rig.clock.wait_for_sleepers(1)
        rig.clock.advance(7.0)
        rig.ended(3, outcome="error")

    assert told == [("a", "wait", A), ("a", "odd", A), ("a", "fails", A)]
    assert len(rig.client.written) == 3
    assert "on_error failed" in caplog.text
    assert "a Result or None, not 'nonsense'" in caplog.text


def test_rty_02_who_is_told_of_a_deadline_can_write_all_the_same() -> None:
    written = Stop()

    def on_error(obj: Any, err: BaseException, ctx: Context[Any]) -> None:
        assert isinstance(err, ReconcileTimeout)
        ctx.client.create(obj)
        written.set()

    with Rig(Script(lambda ctx: ctx.sleep(100.0)), timeout=10.0, on_error=on_error) as rig:
        rig.create("a")
        rig.clock.wait_for_sleepers(2, by=1100.0)
        rig.clock.advance(10.0)
        assert written.wait(LONG)


def test_rty_05_events_tell_of_failures_and_of_their_end() -> None:
    with Rig(Script(ValueError("x" * 3000), ValueError("y")), events_on_error=True) as rig:
        rig.create("a")
        rig.ended(outcome="error")
        rig.clock.advance(1.0)
        rig.ended(2, outcome="error")
        rig.clock.advance(1.0)
        rig.ended()

    assert [event[:3] for event in rig.recorder.events] == [
        ("a", "Warning", "ReconcileError"),
        ("a", "Warning", "ReconcileError"),
        ("a", "Normal", "ReconcileRecovered"),
    ]
    assert len(rig.recorder.events[0][3]) == 1024


def test_rty_05_not_about_events() -> None:
    with Rig(Script(ValueError("x")), events_on_error=True, kind=Event) as rig:
        rig.create("a")
        rig.ended(outcome="error")

    assert rig.recorder.events == []


def test_rty_06_a_condition_becomes_false() -> None:
    with Rig(Script(ValueError("no image")), conditions_on_error="Ready", kind=Deployment) as rig:
        deployment = Deployment(metadata=ObjectMeta(name="a", namespace="default", resource_version="7"))
        rig.cache.put(deployment)
        rig.controller.enqueue(A)
        rig.ended(outcome="error")

    ((patch, options),) = rig.client.written
    assert options == {"patch_type": "merge", "subresource": "status"}
    assert patch["metadata"] == {"resourceVersion": "7"}
    assert patch["status"]["conditions"] == [
        {
            "type": "Ready",
            "status": "False",
            "reason": "ValueError",
            "message": "no image",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]


def test_rty_06_only_kinds_that_have_conditions() -> None:
    assert has_conditions(Deployment)
    assert not has_conditions(ConfigMap)
    with Rig(Script(ValueError("x")), conditions_on_error="Ready") as rig:
        rig.create("a")
        rig.ended(outcome="error")

    assert rig.client.written == []


def test_a_result_that_is_none_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with Rig(Script(lambda ctx: "done")) as rig:
        rig.create("a")
        rig.ended(outcome="error")

    assert "returns a Result or None, not 'done'" in caplog.text


def test_rec_06_terminal_errors_are_counted_as_such() -> None:
    with Rig(Script(TerminalError("never"))) as rig:
        rig.create("a")
        rig.ended(outcome="error", terminal=True)


# ---- contexts -------------------------------------------------------------------------------------------------------


def test_ctx_01_and_03_and_rec_11_all_is_at_hand_below_a_reconcile() -> None:
    seen: dict[str, Any] = {}

    def look(ctx: Context[Any]) -> None:
        seen.update(current=current() is ctx, stop=ambient_stop() is ctx.stop, id=reconcile_id_from_context())

    script = Script(look)
    state = object()
    with Rig(script, state=state, timeout=5.0) as rig:
        rig.create("a")
        rig.ended()

    (ctx,) = script.contexts
    assert seen == {"current": True, "stop": True, "id": ctx.reconcile_id}
    assert len(ctx.reconcile_id) == 36
    assert ctx.state is state
    assert ctx.deadline == 1005.0
    assert (current(), reconcile_id_from_context(), ambient_stop()) == (None, "", None)


def test_ctx_01_and_log_03_the_executor_has_the_context() -> None:
    def fan_out(ctx: Context[Any]) -> None:
        assert list(ctx.executor.map(lambda n: (n, current() is ctx), range(20))) == [(n, True) for n in range(20)]
        future: Future[int] = ctx.executor.submit(lambda: 1 // 0)
        assert isinstance(future.exception(LONG), ZeroDivisionError)

    with Rig(Script(fan_out), executor_threads=3) as rig:
        rig.create("a")
        rig.ended()
        assert len([t for t in threading.enumerate() if "executor-rig" in t.name]) <= 3

    assert not [t for t in threading.enumerate() if "executor-rig" in t.name]


def test_ctx_02_a_memo_stays_with_its_object() -> None:
    memos: list[dict[Any, Any]] = []

    def count(ctx: Context[Any]) -> None:
        ctx.memo["n"] = ctx.memo.get("n", 0) + 1
        memos.append(dict(ctx.memo))

    with Rig(Script(*[count] * 5)) as rig:
        rig.create("a")
        rig.ended()
        rig.create("a")
        rig.ended(2)
        del rig.cache.objects[A]
        rig.controller.enqueue(A)
        rig.ended(3)
        rig.create("a")
        rig.ended(4)
        again = config_map("a")
        again.metadata.uid = "another"
        rig.cache.put(again)
        rig.controller.enqueue(A)
        rig.ended(5)

    assert memos == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 1}, {"n": 1}]


def test_ctx_04_what_is_left_behind_ends_and_cannot_write() -> None:
    left: dict[str, Any] = {}

    def leak(ctx: Context[Any]) -> None:
        def run() -> None:
            try:
                ctx.sleep(1000.0)
            except Stopped as err:
                left["woken"] = err
            try:
                ctx.client.create(config_map("late"))
            except ReconcileEnded as err:
                left["refused"] = err

        left["thread"] = threading.Thread(target=run, daemon=True)
        left["thread"].start()

    with Rig(Script(leak)) as rig:
        rig.create("a")
        rig.ended()
        left["thread"].join(LONG)

    assert isinstance(left["woken"], StopRequested)
    assert "has ended" in str(left["refused"])
    assert rig.client.written == []


def test_ctx_04_unless_it_was_detached() -> None:
    script = Script(lambda ctx: ctx.detach())
    with Rig(script) as rig:
        rig.create("a")
        rig.ended()
        script.contexts[0].client.create(config_map("late"))
        assert not script.contexts[0].stop.is_set()

    assert len(rig.client.written) == 1
    assert script.contexts[0].stop.is_set()


def test_rec_10_errors_of_deadlines_and_stops_are_what_callers_catch() -> None:
    for error in (ReconcileTimeout, StopRequested):
        assert issubclass(error, Stopped)
    assert issubclass(ReconcileTimeout, WaitTimeout)


def test_rec_09_only_a_deadline_that_passed_is_counted() -> None:
    began = Stop()

    def slow(ctx: Context[Any]) -> Result:
        began.set()
        ctx.clock.wait_event(ctx.stop, 1000.0)
        return Result(requeue_after=9.0)

    with Rig(Script(slow), timeout=10.0) as rig:
        rig.create("a")
        rig.clock.wait_for_sleepers(2, by=2000.0)
        rig.clock.advance(10.0)
        rig.ended(outcome="requeue_after")  # what it has to say is used all the same
        assert rig.metrics.count("timed_out") == 1

    began = Stop()
    with Rig(Script(slow), timeout=10.0) as rig:
        rig.create("a")
        assert began.wait(LONG)
    assert rig.metrics.count("timed_out") == 0
