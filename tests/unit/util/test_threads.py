"""Threads, latches and stops."""

from __future__ import annotations

import logging
import threading

import pytest

from k8srt.util.threads import Gate, Latch, Stop, linked, spawn


def test_a_spawned_thread_is_a_daemon_with_the_lowest_free_number() -> None:
    go = threading.Event()
    first, second = spawn("trial", go.wait), spawn("trial", go.wait)

    assert (first.name, second.name) == ("k8srt-trial-0", "k8srt-trial-1")
    assert first.daemon
    go.set()
    first.join(5.0)
    second.join(5.0)

    third = spawn("trial", go.wait)
    third.join(5.0)
    assert third.name == "k8srt-trial-0"


def test_thr_04_an_error_in_a_thread_is_logged_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    def fail(why: str) -> None:
        raise RuntimeError(why)

    spawn("failing", fail, "for a reason").join(5.0)

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "k8srt-failing-0" in record.getMessage()
    assert "for a reason" in caplog.text


def test_a_stop_calls_back_once_in_order_and_outside_its_lock() -> None:
    stop = Stop()
    seen: list[str] = []
    stop.on_set(lambda: seen.append(f"first, set={stop.is_set()}"))
    take_back = stop.on_set(lambda: seen.append("taken back"))
    stop.on_set(lambda: stop.on_set(lambda: seen.append("from a callback")))
    take_back()
    take_back()

    stop.set()
    stop.set()

    assert seen == ["first, set=True", "from a callback"]


def test_a_callback_given_to_a_set_stop_is_called_at_once() -> None:
    stop = Stop()
    stop.set()
    seen: list[str] = []

    take_back = stop.on_set(lambda: seen.append("late"))
    take_back()

    assert seen == ["late"]


def test_a_callback_that_fails_keeps_no_other_from_running(caplog: pytest.LogCaptureFixture) -> None:
    stop = Stop()
    seen: list[str] = []

    def fail() -> None:
        raise RuntimeError("no")

    stop.on_set(fail)
    stop.on_set(lambda: seen.append("ran"))
    stop.set()

    assert seen == ["ran"]
    assert "failed" in caplog.text


def test_a_stop_is_an_event_that_stays_set() -> None:
    stop = Stop()

    assert isinstance(stop, threading.Event)
    assert not stop.wait(0.001)
    stop.set()
    assert stop.wait()
    with pytest.raises(RuntimeError, match="cleared"):
        stop.clear()


def test_a_callback_runs_exactly_once_however_set_and_subscribe_race() -> None:
    for _ in range(200):
        stop, calls = Stop(), []
        setter = threading.Thread(target=stop.set)
        setter.start()
        stop.on_set(lambda calls=calls: calls.append(1))
        setter.join(5.0)
        assert calls == [1]


def test_a_latch_is_set_once_and_tells() -> None:
    latch = Latch()
    seen: list[str] = []
    latch.on_set(lambda: seen.append("set"))
    latch.on_set(lambda: seen.append("not wanted"))()

    assert not latch.wait(0.001)
    assert "unset" in repr(latch)
    latch.set()
    latch.set()

    assert latch.is_set()
    assert latch.wait()
    assert seen == ["set"]
    assert repr(latch) == "<Latch set>"


def test_a_stop_is_linked_to_itself() -> None:
    stop = Stop()

    with linked(stop) as same:
        assert same is stop


def test_a_plain_event_gets_a_stop_that_follows_it() -> None:
    event, heard = threading.Event(), threading.Event()

    with linked(event) as stop:
        stop.on_set(heard.set)
        event.set()
        assert heard.wait(5.0)

    with linked(event) as stop:
        assert stop.is_set()


def test_leaving_a_link_ends_its_thread_and_wakes_nobody_else(pool) -> None:
    event = threading.Event()
    other = pool.submit(event.wait)
    alive = {t for t in threading.enumerate() if t.name.startswith("k8srt-")}

    with linked(event) as stop, linked(event) as second:
        pass

    assert {t for t in threading.enumerate() if t.name.startswith("k8srt-")} <= alive
    event.set()
    assert other.result(timeout=5.0)
    assert not stop.is_set()
    assert not second.is_set()


def test_a_gate_is_opened_alone_or_with_the_others(pool) -> None:
    cond = threading.Condition()

    def wait(gate: Gate) -> None:
        with cond:
            gate.wait()

    with cond:
        gates = [Gate(cond) for _ in range(3)]
        assert gates[1].open()
        assert not gates[1].open()
    wait(gates[1])
    waiting = [pool.submit(wait, gate) for gate in (gates[0], gates[2])]
    with cond:
        cond.notify_all()

    for future in waiting:
        future.result(timeout=5.0)


def test_a_link_may_be_left_from_a_callback() -> None:
    event, left = threading.Event(), threading.Event()
    context = linked(event)
    stop = context.__enter__()

    def leave() -> None:
        context.__exit__(None, None, None)
        left.set()

    stop.on_set(leave)
    event.set()

    assert left.wait(5.0)
