"""The loop under the stand-ins: what it calls when, what comes back, how it ends."""

from __future__ import annotations

import queue

from k8srt.errors import ConnectionRefused
from k8srt.examples.stand_ins.loop import Loop
from k8srt.testing.clock import FakeClock

LIMIT = 10.0


def test_a_key_is_worked_on_and_looked_at_again_when_it_wants_to_be():
    clock, seen = FakeClock(), queue.Queue()
    answers = iter([5.0, None])

    def reconcile(key):
        seen.put((key, clock.now()))
        return next(answers)

    began = clock.now()
    with Loop("test", reconcile, clock=clock) as loop:
        loop.add("web/a")
        assert seen.get(timeout=LIMIT) == ("web/a", began)
        clock.wait_for_sleepers(1)
        clock.advance(5.0)
        assert seen.get(timeout=LIMIT) == ("web/a", began + 5.0)


def test_what_fails_is_tried_again_and_the_next_key_is_worked_on(caplog):
    clock, seen = FakeClock(), queue.Queue()
    errors = iter([ConnectionRefused("gone"), KeyError("a bug")])

    def reconcile(key):
        seen.put(key)
        if key == "bad" and (error := next(errors, None)):
            raise error

    with Loop("test", reconcile, clock=clock) as loop:
        loop.add("bad")
        loop.add("good")
        assert [seen.get(timeout=LIMIT) for _ in range(2)] == ["bad", "good"]
        for _ in range(2):
            clock.wait_for_sleepers(1)
            clock.advance(1.0)
            assert seen.get(timeout=LIMIT) == "bad"

    assert [record.levelname for record in caplog.records] == ["ERROR"]  # an absent server is no bug


def test_leaving_does_not_work_off_what_is_queued(pool):
    entered, leave, seen = queue.Queue(), queue.Queue(), []

    def reconcile(key):
        seen.append(key)
        entered.put(None)
        leave.get(timeout=LIMIT)

    loop = Loop("test", reconcile)
    with loop:
        loop.add("first")
        loop.add("second")
        entered.get(timeout=LIMIT)
        leaving = pool.submit(loop.__exit__, None, None, None)
        while not loop.queue.shutting_down():
            pass
        leave.put(None)
        leaving.result(timeout=LIMIT)

    assert seen == ["first"]
