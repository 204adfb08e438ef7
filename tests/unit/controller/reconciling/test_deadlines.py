"""Calls at given moments, and what reconciles remember and share."""

from __future__ import annotations

import threading

import pytest

from k8srt.controller.reconciling.deadlines import LINGER, Deadlines
from k8srt.controller.reconciling.executor import ContextExecutor
from k8srt.controller.reconciling.memos import Memos
from k8srt.controller.request import Request
from k8srt.errors import Stopped
from k8srt.testing.clock import FakeClock
from k8srt.util.threads import Stop
from tests.unit.controller.rig import LONG


def threads(what: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if what in thread.name]


def test_calls_come_in_their_order_and_not_when_taken_back() -> None:
    clock = FakeClock()
    deadlines = Deadlines("dl-order", clock)
    called: list[str] = []
    done = Stop()
    deadlines.at(1003.0, lambda: (called.append("late"), done.set()))
    deadlines.at(1001.0, lambda: called.append("early"))
    deadlines.at(1001.5, lambda: 1 // 0)  # is logged, and ends nothing
    forget = deadlines.at(1002.0, lambda: called.append("taken back"))
    forget()
    clock.wait_for_sleepers(1, by=1001.0)

    clock.advance(3.0)

    assert done.wait(LONG)
    assert called == ["early", "late"]
    deadlines.stop()
    deadlines.at(0.0, lambda: called.append("never"))()
    assert threads("dl-order") == []


def test_the_thread_is_there_while_it_is_needed() -> None:
    clock = FakeClock()
    deadlines = Deadlines("dl-linger", clock)
    assert threads("dl-linger") == []
    deadlines.at(1000.0, lambda: None)
    clock.wait_for_sleepers(1)
    (thread,) = threads("dl-linger")

    clock.advance(LINGER)
    thread.join(LONG)

    again = Stop()
    deadlines.at(0.0, again.set)
    assert again.wait(LONG)
    deadlines.stop()


def test_what_was_taken_back_does_not_pile_up() -> None:
    deadlines = Deadlines("dl-pile", FakeClock())
    for _ in range(10_000):
        deadlines.at(10_000.0, lambda: None)()
    assert len(deadlines._heap) < 200
    deadlines.stop()


def test_ctx_02_memos_of_what_is_gone_are_cleared_away() -> None:
    there: dict[Request, str] = {Request("", str(n)): f"uid-{n}" for n in range(100)}
    memos = Memos(there.get)
    for request in there:
        memos.of(request)["x"] = 1
    busy, last = Request("", "7"), Request("", "99")
    there.clear()

    memos.ended(last, {busy})

    assert len(memos) == 1
    assert memos.of(busy) == {"x": 1}
    assert memos.of(Request("", "nowhere")) is not memos.of(Request("", "nowhere"))


def test_ctx_01_an_executor_ends_its_threads_and_takes_nothing_more() -> None:
    clock = FakeClock()
    executor = ContextExecutor("ex-idle", 2, clock)
    gate = threading.Event()
    running = [executor.submit(gate.wait, LONG) for _ in range(2)]
    waiting = executor.submit(int, "3")
    assert len(threads("ex-idle")) == 2
    gate.set()
    assert [future.result(LONG) for future in running] == [True, True]
    assert waiting.result(LONG) == 3
    left = threads("ex-idle")
    clock.wait_for_sleepers(2)

    clock.advance(60.0)
    for thread in left:
        thread.join(LONG)

    assert executor.submit(int, "4").result(LONG) == 4
    executor.shutdown()
    assert threads("ex-idle") == []
    with pytest.raises(Stopped, match="shut down"):
        executor.submit(int, "5")
