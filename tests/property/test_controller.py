"""Whatever happens, in whatever order: never two workers on one key, and in the end each key was reconciled as it is.

Contract: REC-02, REC-03, USR-20.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8srt.apimachinery.meta import Status
from k8srt.controller.event import UpdateEvent
from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.errors import Conflict
from tests.unit.controller.rig import LONG, Rig, config_map

KEYS = ("a", "b", "c")
STEPS = st.one_of(
    st.tuples(st.just("change"), st.sampled_from(KEYS)),
    st.tuples(st.sampled_from(("pause", "resume", "all", "wait")), st.just("")),
)
ENDS = st.sampled_from(("done", "done", "fails", "conflict", "requeue", "later", "retry", "changes", "exits"))


class World:
    """Versions of objects, and those that were reconciled."""

    def __init__(self, ends: list[str]) -> None:
        self._cond = threading.Condition()
        self._ends = ends
        self.now: Counter[str] = Counter()
        self.reconciled: Counter[str] = Counter()
        self.busy: set[str] = set()
        self.clashes: list[str] = []
        self.rig: Any = None

    def change(self, key: str) -> None:
        with self._cond:
            self.now[key] += 1
        obj = config_map(key)
        self.rig.cache.put(obj)
        self.rig.source.tell(UpdateEvent(obj, obj))

    def reconcile(self, request: Request, ctx: Any) -> Result | None:
        key = request.name
        with self._cond:
            if key in self.busy:
                self.clashes.append(key)
            self.busy.add(key)
            version = self.now[key]
            end = self._ends.pop() if self._ends else "done"
        try:
            return self._finish(key, version, end)
        finally:
            with self._cond:
                self.busy.discard(key)
                self._cond.notify_all()

    def _finish(self, key: str, version: int, end: str) -> Result | None:
        match end:
            case "fails":
                raise ValueError("x")
            case "conflict":
                raise Conflict(Status(status="Failure", code=409, reason="Conflict"))
            case "exits":
                raise GeneratorExit
            case "retry":
                raise RetryAfter(0.001)
            case "requeue":
                return Result(requeue=True)
            case "later":
                return Result(requeue_after=0.001)
            case "changes":
                self.change(key)  # while it is reconciled, so that what was seen is the past already
        with self._cond:
            self.reconciled[key] = max(self.reconciled[key], version)
        return None

    def settle(self) -> None:
        """Wait until each key was reconciled as it is."""
        with self._cond:
            assert self._cond.wait_for(lambda: self.reconciled == self.now, LONG), (self.reconciled, self.now)

    def wait_for_idle(self) -> None:
        """Wait until a worker stands at the queue, so that it is there that a pause meets it."""
        while not self.rig.controller._workers._idle:
            threading.Event().wait(0.0002)


@given(st.lists(STEPS, max_size=25), st.lists(ENDS, max_size=25), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_rec_02_and_usr_20_all_is_reconciled_and_by_one_at_a_time(
    steps: list[tuple[str, str]], ends: list[str], workers: int
) -> None:
    world = World(ends)
    with Rig(world.reconcile, real_time=True, workers=workers, backoff=(0.0, 0.001)) as rig:
        world.rig = rig
        assert rig.controller.ready.wait(LONG)
        world.wait_for_idle()
        for step, key in steps:
            match step:
                case "change":
                    world.change(key)
                case "pause":
                    rig.controller.pause()
                case "resume":
                    rig.controller.resume()
                case "all":
                    rig.controller.reconcile_all()
                case "wait":
                    rig.controller.resume()
                    world.settle()
                    world.wait_for_idle()
        rig.controller.resume()
        world.settle()

    assert world.clashes == []
    assert rig.error is None


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), max_size=20))
@settings(max_examples=30, deadline=None)
def test_ctl_09_what_is_put_aside_is_reconciled_once_it_may_be(changes: list[tuple[str, bool]]) -> None:
    world = World([])
    paused: set[str] = set()
    with Rig(world.reconcile, real_time=True, workers=2, pause_when=lambda request: request.name in paused) as rig:
        world.rig = rig
        assert rig.controller.ready.wait(LONG)
        for key, pause in changes:
            (paused.add if pause else paused.discard)(key)
            world.change(key)
        paused.clear()
        for key in set(world.now):
            rig.controller.enqueue(Request("default", key))
        world.settle()

    assert world.clashes == []
