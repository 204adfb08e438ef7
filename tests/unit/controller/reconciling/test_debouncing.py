"""Events that come in bursts are taken together. Contract: FLT-04."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.controller.event import CreateEvent, DeleteEvent, UpdateEvent
from k8srt.controller.options import Options
from k8srt.controller.request import Request
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import PriorityQueue
from tests.unit.controller.rig import LONG, Rig, config_map

A = Request("default", "a")


class Seen:
    """A reconciler that notes when it was asked for what."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.when: list[tuple[str, float]] = []

    def __call__(self, request: Request, ctx: Any) -> None:
        self.when.append((request.name, self.clock.now() - 1000.0))


def rig(**options: Any) -> tuple[Seen, Rig]:
    seen = Seen()
    made = Rig(seen, **options)
    seen.clock = made.clock
    return seen, made


def change(name: str, **more: Any) -> UpdateEvent:
    return UpdateEvent(config_map(name, resource_version="1"), config_map(name, resource_version="2", **more))


def test_flt_04_a_burst_is_reconciled_once_when_it_is_over() -> None:
    seen, made = rig(debounce=2.0)
    with made:
        assert made.controller.ready.wait(LONG)
        for _ in range(4):
            made.source.tell(change("a"))
            made.clock.advance(1.0)
        made.source.tell(change("b"))
        made.clock.advance(1.0)
        made.metrics.wait_for("reconciled", "success", False)
        assert seen.when == [("a", 5.0)]

        made.clock.advance(1.0)
        made.metrics.wait_for("reconciled", "success", False, times=2)

    assert seen.when == [("a", 5.0), ("b", 6.0)]


def test_flt_04_it_waits_ten_times_as_long_at_most_or_as_long_as_it_is_told() -> None:
    for options, longest in (({"debounce": 2.0}, 20.0), ({"debounce": 2.0, "max_debounce": 5.0}, 5.0)):
        seen, made = rig(**options)
        with made:
            assert made.controller.ready.wait(LONG)
            while made.clock.now() < 1000.0 + longest:
                made.source.tell(change("a"))
                made.clock.advance(1.0)
            made.metrics.wait_for("reconciled", "success", False)

        assert seen.when == [("a", longest)]


@pytest.mark.parametrize(
    "event",
    [
        DeleteEvent(config_map("a")),
        change("a", deletion_timestamp=datetime(2026, 1, 1, tzinfo=UTC)),
        CreateEvent(config_map("a", deletion_timestamp=datetime(2026, 1, 1, tzinfo=UTC))),
    ],
    ids=["gone", "going", "going when it was first seen"],
)
def test_flt_04_a_deletion_does_not_wait(event: Any) -> None:
    seen, made = rig(debounce=60.0)
    with made:
        assert made.source.started.wait(LONG)
        made.source.tell(change("a"))
        made.source.tell(event)
        made.metrics.wait_for("reconciled", "success", False)

    assert seen.when == [("a", 0.0)]


def test_flt_04_what_is_promoted_or_asked_for_by_hand_does_not_wait() -> None:
    seen, made = rig(debounce=60.0)
    with made:
        assert made.source.started.wait(LONG)
        made.source.tell(change("a"))
        made.source.tell(change("b"))
        made.controller.enqueue(A)
        made.metrics.wait_for("reconciled", "success", False)
        assert made.source.queue is not None
        made.source.queue.add_with([Request("default", "b")], priority=1)
        made.metrics.wait_for("reconciled", "success", False, times=2)

    assert seen.when == [("a", 0.0), ("b", 0.0)]


def test_flt_04_a_retry_is_not_put_off_by_what_happens_meanwhile() -> None:
    clock = FakeClock(now=0.0)
    queue = PriorityQueue[str](clock=clock)
    queue.add_with(["a"], after=3.0)

    queue.add_settled(["a"], quiet=5.0, longest=50.0)
    clock.advance(3.0)
    assert queue.get(timeout=0.0) == "a"

    queue.add_settled(["b"], quiet=5.0, longest=50.0)
    queue.add_with(["b"], after=2.0)
    clock.advance(1.0)
    queue.add_settled(["b"], quiet=5.0, longest=50.0)
    clock.advance(1.0)
    assert queue.get(timeout=0.0) == "b"


def test_flt_04_what_is_ready_or_in_work_settles_beside_it() -> None:
    clock = FakeClock(now=0.0)
    queue = PriorityQueue[str](clock=clock)
    queue.add("a")
    queue.add_settled(["a"], quiet=5.0, longest=50.0)
    assert queue.get(timeout=0.0) == "a"

    queue.add_settled(["a"], quiet=5.0, longest=50.0)
    queue.done("a")
    assert len(queue) == 0
    clock.advance(5.0)
    assert queue.get(timeout=0.0) == "a"

    queue.shut_down()
    queue.add_settled(["b"], quiet=5.0, longest=50.0)
    assert queue.debug_state()["waiting"] == []
    with pytest.raises(ValueError, match="None"):
        queue.add_settled([None], quiet=5.0, longest=50.0)  # type: ignore[list-item]


@pytest.mark.parametrize(
    "options", [{"debounce": 0.0}, {"max_debounce": 3.0}, {"debounce": 3.0, "max_debounce": 2.0}, {"max_debounce": -1}]
)
def test_flt_04_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="debounce"):
        Options(**options)
