"""Events: whatever is said, when and in which order, a server that may forget counts each exactly once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt import errors
from k8srt.api.core.v1 import Event, ObjectReference
from k8srt.api.events.v1 import Event as SeriesEvent
from k8srt.apimachinery.meta import ObjectMeta, Status
from k8srt.testing import FakeClock
from k8srt.tools.events.writing import SeriesWriter
from k8srt.tools.record import CorrelatorOptions, EventCorrelator
from k8srt.tools.record.delivery import Endings
from k8srt.tools.record.naming import EventNames
from k8srt.tools.record.writing import SinkWriter

MESSAGES = st.integers(0, 9)
PAUSES = st.floats(0.0, 900.0)
FORGET = st.just("forget")
STEPS = st.lists(st.one_of(MESSAGES, PAUSES, FORGET), max_size=60)


class Server:
    """Keeps the count of each event by its name; what is forgotten is not there to be patched."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.forgotten: dict[str, int] = {}

    def create(self, event: Any) -> Any:
        assert event.metadata.name not in self.counts
        self._keep(event)
        return event.copy()

    def patch(self, event: Any, patch: dict[str, Any]) -> Any:
        if event.metadata.name not in self.counts:
            raise errors.NotFound(Status(code=404, message="it is gone"))
        assert self._told(event) == patch.get("count", patch.get("series", {}).get("count"))
        self._keep(event)
        return event.copy()

    def _keep(self, event: Any) -> None:
        self.forgotten.pop(event.metadata.name, None)
        self.counts[event.metadata.name] = self._told(event)

    @staticmethod
    def _told(event: Any) -> int:
        return (event.count if isinstance(event, Event) else event.series.count) or 1

    def forget(self) -> None:
        self.forgotten |= self.counts
        self.counts.clear()

    def total(self) -> int:
        return sum(self.counts.values()) + sum(self.forgotten.values())


@given(STEPS, st.integers(2, 6))
def test_evt_12_13_and_17_each_core_event_counts_once(steps: list[Any], max_events: int) -> None:
    clock, server = FakeClock(), Server()
    names = EventNames(clock)
    correlator = EventCorrelator(CorrelatorOptions(burst=1000, max_events=max_events), clock=clock)
    writer = SinkWriter(server, correlator, Endings(), clock=clock)
    said: Counter[int] = Counter()

    for step in steps:
        if isinstance(step, float):
            clock.advance(step)
        elif step == "forget":
            server.forget()
        else:
            said[step] += 1
            name, now = names.name("web-0")
            about = ObjectReference(kind="Pod", name="web-0", namespace="shop")
            meta = ObjectMeta(name=name, namespace="shop")
            fields: dict[str, Any] = {"type": "Normal", "reason": "R", "count": 1, "message": f"m{step}"}
            times = {"first_timestamp": now, "last_timestamp": now}
            writer.write(Event(metadata=meta, involved_object=about, **fields, **times))
        assert server.total() == said.total()


@given(STEPS)
def test_evt_24_25_and_30_each_event_of_a_series_counts_once(steps: list[Any]) -> None:
    clock, server = FakeClock(), Server()
    names = EventNames(clock)
    writer = SeriesWriter(server, Endings(), clock=clock)
    said: Counter[int] = Counter()

    for step in steps:
        if isinstance(step, float):
            clock.advance(step)
            writer.finish()
        elif step == "forget":
            server.forget()
        else:
            said[step] += 1
            name, now = names.name("web-0")
            about = ObjectReference(kind="Pod", name="web-0", namespace="shop")
            meta = ObjectMeta(name=name, namespace="shop")
            writer.write(SeriesEvent(metadata=meta, regarding=about, event_time=now, reason=f"R{step}", note="m"))

    writer.tell_the_rest()
    assert server.total() == said.total()
