"""Queues that never block who puts something in. Contract: EVT-01, EVT-06, EVT-07, EVT-27."""

from __future__ import annotations

import logging
import threading

import pytest

from k8srt.testing import FakeClock
from k8srt.tools.record.outbox import LINGER, Chore, Outbox

LIMIT = 10.0


def names() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("k8srt-"))


class Gate:
    """A handler that waits until it is let through."""

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.inside = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, item: int) -> None:
        self.inside.release()
        assert self.open.wait(LIMIT)
        self.handled.append(item)


def end(outbox: Outbox[int]) -> None:
    outbox.close()
    assert outbox.wait_for_end(float("inf"))


def test_there_is_no_thread_before_the_first_item_and_none_after_the_end():
    handled: list[int] = []
    outbox = Outbox[int]("box", handled.append)
    assert names() == []

    outbox.put(1)
    assert outbox.flush(None)
    assert names() == ["k8srt-box-0"]

    end(outbox)
    assert handled == [1]


def test_evt_06_what_finds_no_room_is_dropped_and_counted_and_logged_once(caplog):
    caplog.set_level(logging.INFO, "k8srt")
    gate = Gate()
    outbox = Outbox[int]("box", gate, room=2)
    outbox.put(0)
    assert gate.inside.acquire(timeout=LIMIT)

    taken = [outbox.put(item) for item in range(1, 6)]

    assert taken == [True, True, False, False, False]
    assert outbox.dropped == 3
    assert caplog.messages == ["box: 2 wait already, those that come now are dropped"]
    gate.open.set()
    assert outbox.flush(None)
    assert gate.handled == [0, 1, 2]
    end(outbox)
    assert caplog.messages[1:] == ["box: there is room again; dropped meanwhile: 3"]


def test_a_closed_outbox_handles_what_waits_and_takes_no_more():
    gate = Gate()
    outbox = Outbox[int]("box", gate)
    for item in range(3):
        outbox.put(item)

    outbox.close()
    gate.open.set()

    assert not outbox.put(9)
    assert outbox.wait_for_end(float("inf"))
    assert gate.handled == [0, 1, 2]
    assert outbox.ended


def test_an_abandoned_outbox_forgets_what_waits():
    gate = Gate()
    outbox = Outbox[int]("box", gate, last=lambda: gate.handled.append(99))
    for item in range(3):
        outbox.put(item)
    assert gate.inside.acquire(timeout=LIMIT)

    assert outbox.abandon() == 2

    gate.open.set()
    assert outbox.join(LIMIT)
    assert gate.handled == [0]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
def test_a_handler_that_fails_ends_nothing(caplog, error):
    handled: list[int] = []

    def handle(item: int) -> None:
        if item == 0:
            raise error
        handled.append(item)

    outbox = Outbox[int]("box", handle)
    outbox.put(0)
    outbox.put(1)

    end(outbox)
    assert handled == [1]
    assert [record.getMessage() for record in caplog.records] == ["box: a handler failed"]


def test_evt_27_threads_come_while_there_is_nobody_free_and_go_when_they_have_nothing_to_do():
    clock = FakeClock()
    gate = Gate()
    outbox = Outbox[int]("box", gate, workers=3, clock=clock)

    for item in range(5):
        outbox.put(item)
    for _ in range(3):
        assert gate.inside.acquire(timeout=LIMIT)

    assert names() == ["k8srt-box-0", "k8srt-box-1", "k8srt-box-2"]
    assert len(outbox) == 2
    gate.open.set()
    assert outbox.flush(None)
    assert len(names()) == 3
    clock.wait_for_sleepers(2, by=1000.0 + LINGER)
    clock.advance(LINGER)
    for thread in threading.enumerate():
        if thread.name in ("k8srt-box-1", "k8srt-box-2"):
            thread.join(LIMIT)
    assert names() == ["k8srt-box-0"]
    end(outbox)
    assert sorted(gate.handled) == [0, 1, 2, 3, 4]


def test_items_one_after_the_other_need_one_thread_only():
    outbox = Outbox[int]("box", lambda item: None, workers=8)

    for item in range(50):
        outbox.put(item)
        assert outbox.flush(None)

    assert len(names()) == 1
    end(outbox)


def test_chores_are_done_when_due_and_not_before():
    clock = FakeClock()
    done: list[float] = []
    chore = Chore(60.0, lambda: done.append(clock.now()))
    outbox = Outbox[int]("box", lambda item: None, chores=[chore], clock=clock)
    outbox.put(1)
    clock.wait_for_sleepers(1, by=1060.0)

    clock.advance(59.0)
    clock.wait_for_sleepers(1, by=1060.0)
    assert done == []
    clock.advance(1.0)
    clock.wait_for_sleepers(1, by=1120.0)

    assert done == [1060.0]
    end(outbox)
    assert done == [1060.0]


def test_the_last_job_is_done_once_all_is_handled():
    done: list[object] = []
    outbox = Outbox[int]("box", done.append, last=lambda: done.append("last"))
    outbox.put(1)
    outbox.put(2)

    end(outbox)

    assert done == [1, 2, "last"]


def test_the_last_job_waits_for_what_other_threads_do():
    clock = FakeClock()
    done: list[object] = []
    both, open_ = threading.Barrier(2), threading.Event()

    def handle(item: int) -> None:
        both.wait(LIMIT)
        if not threading.current_thread().name.endswith("-0"):
            assert open_.wait(LIMIT)
            done.append("the other")

    outbox = Outbox[int](
        "box", handle, workers=2, chores=[Chore(60.0, list)], last=lambda: done.append("last"), clock=clock
    )
    outbox.put(1)
    outbox.put(2)
    clock.wait_for_sleepers(1)  # the thread that stays is done

    outbox.close()
    clock.advance(120.0)  # chores are not done any more
    clock.wait_for_waiters(1)
    assert done == []

    open_.set()
    assert outbox.wait_for_end(float("inf"))
    assert done == ["the other", "last"]


def test_waiting_for_the_end_has_an_end_itself():
    clock = FakeClock()
    gate = Gate()
    outbox = Outbox[int]("box", gate, clock=clock)
    outbox.put(1)
    assert gate.inside.acquire(timeout=LIMIT)

    assert not outbox.flush(clock.now())
    outbox.close()
    assert not outbox.wait_for_end(clock.now())

    gate.open.set()
    assert outbox.join(LIMIT)


@pytest.mark.parametrize("wrong", [{"room": 0}, {"workers": 0}])
def test_there_must_be_room_and_somebody(wrong):
    with pytest.raises(ValueError, match="there must be room"):
        Outbox[int]("box", lambda item: None, **wrong)
