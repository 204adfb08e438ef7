"""Whatever happens, in whatever order: never two daemons for one object, never more than there may be, and in the end
each object that is to have one has one, or stands in line.

Contract: TMR-03, TMR-05.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from k8srt.controller.context import Context
from k8srt.controller.event import CreateEvent, UpdateEvent
from k8srt.controller.predicate import from_function
from k8srt.controller.request import Request
from k8srt.testing import eventually
from tests.unit.controller.rig import LONG, config_map
from tests.unit.controller.timers.test_daemons import DaemonRig, names_of_threads

KEYS = ("a", "b", "c", "d")
STEPS = st.tuples(st.sampled_from(("wanted", "other wish", "unwanted", "delete", "time")), st.sampled_from(KEYS))
ENDS = st.sampled_from(("stays", "stays", "fails", "returns"))
WANTED = from_function(lambda obj: obj.metadata.labels["tended"] == "yes")


class World:
    """Objects, what becomes of their daemons, and which of these run."""

    def __init__(self, ends: list[str], most: int) -> None:
        self._lock = threading.Lock()
        self._ends = ends
        self._uids = 0
        self._running: Counter[str] = Counter()
        self.wrong: list[Any] = []
        self.most = most
        self.rig = DaemonRig(self.tend, predicates=[WANTED], max_daemons=most, options={"backoff": (1.0, 4.0)})

    def tend(self, request: Request, ctx: Context[Any]) -> None:
        with self._lock:
            self._running[request.name] += 1
            if self._running[request.name] > 1 or self._running.total() > self.most:
                self.wrong.append(dict(self._running))
            end = self._ends.pop() if self._ends else "stays"
        try:
            if end == "fails":
                raise RuntimeError("it fails")
            if end == "stays":
                ctx.stop.wait()
        finally:
            with self._lock:
                self._running[request.name] -= 1

    def step(self, what: str, name: str) -> None:
        rig = self.rig
        old = rig.cache.objects.get(Request("default", name))
        if what == "time":
            rig.clock.advance(1.5)
        elif what == "delete":
            if old is not None:
                rig.delete(name)
        elif old is None:
            self._uids += 1
            new = self._object(name, what, 1, f"uid-{self._uids}")
            rig.tell(CreateEvent(new))
        else:
            generation = old.metadata.generation + (what == "other wish")
            new = self._object(name, what, generation, old.metadata.uid)
            rig.tell(UpdateEvent(old, new))

    def _object(self, name: str, what: str, generation: int, uid: str) -> Any:
        obj = config_map(name, generation=generation, labels={"tended": "no" if what == "unwanted" else "yes"})
        obj.metadata.uid = uid
        self.rig.cache.put(obj)
        return obj

    def settled(self) -> None:
        """All that is wanted runs, waits, or has returned, and nobody waits for a place that is free."""
        self.rig.clock.advance(5.0)
        wanted = {str(key) for key, obj in self.rig.cache.objects.items() if obj.metadata.labels["tended"] == "yes"}
        states = self.rig.states()
        running = {key for key, state in states.items() if state == "running"}
        returned = wanted - set(states)
        assert set(states) <= wanted
        assert all(self.rig.daemons.has_returned(self.rig.cache.objects[_request(key)]) for key in returned)
        assert len(running) == min(self.most, len(wanted - returned))
        assert len(states) == len(wanted - returned)


def _request(key: str) -> Request:
    return Request(*key.split("/"))


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, max_size=25), ends=st.lists(ENDS, max_size=10), most=st.integers(1, 3))
def test_tmr_03_never_two_for_one_object_and_in_the_end_each_has_its_own(
    steps: list[tuple[str, str]], ends: list[str], most: int
) -> None:
    world = World(ends, most)
    with world.rig as rig:
        assert rig.source.started.wait(LONG)
        for what, name in steps:
            world.step(what, name)
        eventually(world.settled, timeout=3 * LONG, interval=0.002)

    assert world.wrong == []
    assert rig.error is None
    assert names_of_threads() == []
