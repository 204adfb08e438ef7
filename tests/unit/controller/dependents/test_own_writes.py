"""Events that tell a reconcile what it has written itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8srt.api.core.v1 import Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller.dependents.own_writes import LIFETIME, OwnWrites, Unechoed
from k8srt.controller.event import CreateEvent, DeleteEvent, Event, GenericEvent, UpdateEvent
from k8srt.controller.handler import EnqueueMapped
from k8srt.controller.request import Request
from k8srt.testing import FakeClock

MINE, THEIRS = Request("shop", "mine"), Request("shop", "theirs")


def at(version: str, name: str = "s") -> Secret:
    return Secret(metadata=ObjectMeta(name=name, namespace="shop", resource_version=version))


class Queue:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.priorities: list[int] = []

    def add_with(self, items: Iterable[Request], *, priority: int = 0, **options: Any) -> None:
        for each in items:
            self.requests.append(each)
            self.priorities.append(priority)


class Rig:
    def __init__(self) -> None:
        self.clock, self.queue = FakeClock(), Queue()
        self.writes = OwnWrites(self.clock)
        self.handler = Unechoed(EnqueueMapped(lambda obj: [MINE, THEIRS]), self.writes)

    def write(self, before: Secret | None, after: Secret) -> None:
        with self.writes.writing(MINE, after) as write:
            write.answered(before, after)

    def led_to(self, event: Event) -> list[Request]:
        self.queue.requests.clear()
        self.handler.handle(event, self.queue)
        return self.queue.requests


def test_dep_05_an_own_update_leads_to_others_only() -> None:
    rig = Rig()
    rig.write(at("5"), at("7"))

    assert rig.led_to(UpdateEvent(at("5"), at("7"))) == [THEIRS]
    assert rig.led_to(UpdateEvent(at("5"), at("7"))) == [THEIRS]  # to another who listens
    assert rig.led_to(UpdateEvent(at("5", "other"), at("7", "other"))) == [MINE, THEIRS]


def test_dep_05_what_somebody_did_in_between_is_told() -> None:
    rig = Rig()
    rig.write(at("5"), at("7"))

    assert rig.led_to(UpdateEvent(at("4"), at("7"))) == [MINE, THEIRS]  # a list that skipped what became 5
    assert rig.led_to(UpdateEvent(at("5"), at("8"))) == [MINE, THEIRS]
    assert rig.led_to(UpdateEvent(at("7"), at("8"))) == [MINE, THEIRS]
    assert rig.led_to(CreateEvent(at("7"))) == [MINE, THEIRS]


def test_dep_05_an_own_creation() -> None:
    rig = Rig()
    rig.write(None, at("3"))

    assert rig.led_to(CreateEvent(at("3"))) == [THEIRS]
    assert rig.led_to(CreateEvent(at("3"), is_in_initial_list=True)) == [MINE, THEIRS]
    assert rig.led_to(UpdateEvent(at("2"), at("3"))) == [MINE, THEIRS]


def test_dep_05_deletions_resyncs_and_what_is_no_event_of_the_cluster_are_told() -> None:
    rig = Rig()
    rig.write(at("7"), at("7"))

    for event in (DeleteEvent(at("7")), UpdateEvent(at("7"), at("7")), GenericEvent(at("7"))):
        assert rig.led_to(event) == [MINE, THEIRS]


def test_dep_05_an_event_that_comes_first_waits_for_the_answer() -> None:
    rig = Rig()

    with rig.writes.writing(MINE, at("")) as write:
        assert rig.led_to(UpdateEvent(at("4"), at("5"))) == [THEIRS]  # somebody else's
        assert rig.led_to(UpdateEvent(at("5"), at("7"))) == [THEIRS]  # ours
        rig.queue.requests.clear()
        write.answered(at("5"), at("7"))

    assert rig.queue.requests == [MINE]
    assert len(rig.writes) == 1


def test_dep_05_two_writes_of_one_object_at_once_lose_nothing() -> None:
    rig = Rig()

    with rig.writes.writing(MINE, at("")) as first:
        with rig.writes.writing(MINE, at("")) as second:
            second.answered(at("5"), at("6"))
            rig.led_to(UpdateEvent(at("6"), at("7")))
            rig.led_to(UpdateEvent(at("5"), at("6")))
            rig.queue.requests.clear()
        assert rig.queue.requests == []
        first.answered(at("7"), at("8"))

    assert rig.queue.requests == [MINE]


def test_dep_05_a_write_that_failed_hides_nothing() -> None:
    rig = Rig()

    try:
        with rig.writes.writing(MINE, at("")):
            rig.led_to(UpdateEvent(at("5"), at("7")))
            raise RuntimeError
    except RuntimeError:
        pass

    assert rig.queue.requests == [THEIRS, MINE]


def test_dep_05_what_was_not_heard_of_is_forgotten() -> None:
    rig = Rig()
    rig.write(at("5"), at("7"))

    rig.clock.advance(LIFETIME + 1.0)

    assert rig.led_to(UpdateEvent(at("5"), at("7"))) == [MINE, THEIRS]
    assert len(rig.writes) == 0
