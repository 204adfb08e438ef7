"""Which spans led to what waits in a queue."""

from __future__ import annotations

from typing import Any

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller.event import CreateEvent, GenericEvent
from k8srt.controller.request import Request
from k8srt.controller.tracing.causes import LIMIT, Causes, Writes

A, B = Request("default", "a"), Request("default", "b")


def written(version: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="a", uid="some", resource_version=version))


def test_trc_02_an_event_that_shows_what_was_written_leads_to_the_span_of_the_write() -> None:
    writes, causes = Writes(), Causes(lambda: None)

    causes.note([A, B], CreateEvent(written("7")))
    writes.note(written("7"), "span")  # the answer comes after the event

    assert [writes.of(cause) for cause in causes.take(A)] == ["span"]
    assert [writes.of(cause) for cause in causes.take(B)] == ["span"]
    assert causes.take(A) == []


def test_trc_02_what_others_wrote_leads_nowhere() -> None:
    writes, causes = Writes(), Causes(lambda: None)

    causes.note([A], CreateEvent(written("8")))
    writes.note(written("7"), "span")

    assert [writes.of(cause) for cause in causes.take(A)] == [None]


def test_trc_02_what_is_asked_for_within_a_span_has_that_as_its_cause() -> None:
    here: list[Any] = ["span"]
    causes = Causes(lambda: here[0])

    causes.note([A], None)
    here[0] = "another"
    causes.note([A], GenericEvent(object()))
    here[0] = None
    causes.note([A], GenericEvent(object()))

    assert causes.take(A) == ["span", "another"]


def test_trc_02_a_few_causes_are_kept_and_each_once() -> None:
    numbers = iter([1, 1, *range(2, 100)])
    causes = Causes(lambda: next(numbers))

    for _ in range(50):
        causes.note([A], None)

    assert causes.take(A) == list(range(1, LIMIT + 1))


def test_trc_02_what_is_cleared_is_gone() -> None:
    causes = Causes(lambda: "span")
    causes.note([A], None)

    causes.clear()

    assert causes.take(A) == []
