"""Whatever a server does to its watches, who follows a collection ends up knowing what is there, each change once."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ListMeta, Status
from k8srt.apimachinery.record import Record, RecordList, WatchRecord, decode_record
from k8srt.apimachinery.wire import encode
from k8srt.errors import status_error
from k8srt.gentype.forever import watch_forever
from tests.unit.rest.fakes import ImpatientClock

EXPIRED = Status(api_version="v1", kind="Status", status="Failure", code=410, reason="Expired", message="too old")


class Batches:
    def __init__(self, batches: list[list[WatchRecord]]) -> None:
        self._batches = batches

    def read_batch(self) -> list[WatchRecord]:
        return self._batches.pop(0) if self._batches else []

    def close(self) -> None:
        self._batches = []


class Server:
    """Objects that change while they are looked at: each request performs the next few changes."""

    object_class, info, _namespace = Pod, Pod.__info__, ""

    def __init__(self, steps: list[tuple[str, list[tuple[str, str]]]]) -> None:
        self._rest = SimpleNamespace(clock=ImpatientClock())
        self._steps = steps
        self._version = 100
        self._uid = 0
        self._oldest = 0
        self._log: list[tuple[int, WatchRecord]] = []
        self.objects: dict[str, tuple[str, int]] = {}
        self.done = False
        self.halt: Any = None

    def _change(self, kind: str, name: str) -> None:
        self._version += 1
        before = self.objects.get(name)
        if kind == "delete":
            if before is not None:
                del self.objects[name]
                self._log.append((self._version, WatchRecord("DELETED", self._record(name, before[0], self._version))))
            return
        if before is None:
            self._uid += 1
        uid = before[0] if before else f"u{self._uid}"
        self.objects[name] = (uid, self._version)
        event = WatchRecord("MODIFIED" if before else "ADDED", self._record(name, uid, self._version))
        self._log.append((self._version, event))

    @staticmethod
    def _record(name: str, uid: str, version: int) -> Record:
        document = {"metadata": {"name": name, "namespace": "d", "uid": uid, "resourceVersion": str(version)}}
        return decode_record(json.dumps(document).encode())

    def list_records(self, **options: Any) -> RecordList:
        records = [self._record(name, *known) for name, known in self.objects.items()]
        return RecordList("v1", "PodList", ListMeta(resource_version=str(self._version)), records)

    def watch_records(self, *, resource_version: str, **options: Any) -> Batches:
        since = int(resource_version)
        how, changes = self._steps.pop(0) if self._steps else ("end", [])
        self.done = not self._steps
        for kind, name in changes:
            self._change(kind, name)
        if how == "compact":
            self._oldest = self._version
        if since < self._oldest:
            if how == "refuse":
                raise status_error(EXPIRED)
            return Batches([[WatchRecord("ERROR", decode_record(encode(EXPIRED)))]])
        events = [event for version, event in self._log if version > since]
        if how == "cut":
            events = events[: len(events) // 2]
        if self.done:
            self.halt_after(events)
        return Batches([events[:1], events[1:]] if len(events) > 1 else [events] if events else [])

    def halt_after(self, events: list[WatchRecord]) -> None:
        end = decode_record(json.dumps({"metadata": {"resourceVersion": str(self._version)}}).encode())
        events.append(WatchRecord("BOOKMARK", end))


changes = st.lists(st.tuples(st.sampled_from(["write", "write", "delete"]), st.sampled_from("abc")), max_size=6)
steps = st.lists(st.tuples(st.sampled_from(["end", "cut", "compact", "refuse"]), changes), max_size=8)


@given(changes, steps, st.booleans())
def test_usr_03_the_reader_knows_what_is_there_and_hears_of_each_change_once(before, steps, silent):
    server = Server([*steps, ("end", []), ("end", [])])
    for kind, name in before:
        server._change(kind, name)
    known = dict(server.objects) if silent else {}

    with watch_forever(server, allow_watch_bookmarks=True, send_initial_events=False if silent else None) as events:
        for event in events:
            obj = event.object
            if event.type == "BOOKMARK":
                break
            name, now = obj.metadata.name, (obj.metadata.uid, int(obj.metadata.resource_version))
            if event.type == "DELETED":
                assert known.pop(name)[0] == now[0]
                continue
            assert (name in known) == (event.type == "MODIFIED")
            assert known.get(name) != now
            assert name not in known or known[name][0] == now[0]
            known[name] = now

    assert known == server.objects
