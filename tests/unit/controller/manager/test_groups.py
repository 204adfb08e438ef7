"""Runnables that start and stop together, and one that is taken out."""

from __future__ import annotations

import re
import threading

from k8srt.controller.failures import ShutdownTimeout
from k8srt.controller.manager.groups import Group
from k8srt.testing.clock import FakeClock
from k8srt.util.clock import SYSTEM
from k8srt.util.threads import Stop

LONG = 10.0


class Runs:
    """A runnable that waits for its stop, and then to be let go."""

    def __init__(self, name: str, *, obeys: bool = True) -> None:
        self.name = name
        self.began, self.told, self.let_go = Stop(), Stop(), Stop()
        if obeys:
            self.let_go.set()

    def start(self, stop: threading.Event) -> None:
        self.began.set()
        stop.wait()
        self.told.set()
        self.let_go.wait()

    def __repr__(self) -> str:
        return f"<{self.name}>"


def nothing(runnable: object, err: BaseException) -> None:
    raise AssertionError(f"{runnable!r}: {err}")


def test_thr_10_what_is_taken_out_has_ended_and_the_others_go_on() -> None:
    group = Group("leader", nothing, SYSTEM)
    one, two = Runs("one"), Runs("two")
    group.add(one)
    group.start()
    group.add(two)
    assert two.began.wait(LONG)

    assert group.remove(one)

    assert one.told.is_set()
    assert not two.told.is_set()
    assert "1 runnables" in repr(group)
    group.stop()
    assert group.join(None) == []
    assert two.told.is_set()


def test_thr_10_what_was_not_started_is_only_forgotten() -> None:
    group = Group("leader", nothing, SYSTEM)
    one = Runs("one")
    group.add(one)

    assert group.remove(one)
    assert not group.remove(one)
    group.start()

    assert not one.began.is_set()
    assert "0 runnables" in repr(group)


def test_thr_10_what_does_not_end_in_time_stays_and_is_told() -> None:
    clock = FakeClock()
    group = Group("leader", nothing, clock)
    one = Runs("one", obeys=False)
    group.add(one)
    group.start()
    raised: list[BaseException] = []

    def remove() -> None:
        try:
            group.remove(one, 5.0)
        except BaseException as err:  # noqa: BLE001 - looked at below
            raised.append(err)

    thread = threading.Thread(target=remove, daemon=True)
    thread.start()
    assert one.told.wait(LONG)
    clock.wait_for_sleepers(1, LONG)
    clock.advance(5.0)
    thread.join(LONG)

    assert isinstance(raised[0], ShutdownTimeout)
    assert re.match(r"<one> did not end within 5s, in thread k8srt-runnable-one-\d+:\n", str(raised[0]))
    one.let_go.set()
    group.stop()
    assert group.join(None) == []
