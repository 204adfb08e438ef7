"""Predicates that remember."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import hashing
from k8srt.controller.event import CreateEvent, DeleteEvent, GenericEvent, UpdateEvent
from k8srt.testing import FakeClock


def thing(name: str = "a", data: dict[str, str] | None = None, **meta: Any) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, uid="u", **meta), data=data or {})


@pytest.mark.parametrize(
    ("make", "one", "other", "none"),
    [
        (hashing.generation, {"generation": 1}, {"generation": 2}, {}),
        (hashing.resource_version, {"resource_version": "1"}, {"resource_version": "2"}, {}),
        (hashing.labels, {"labels": {"a": "1", "b": "2"}}, {"labels": {"a": "2"}}, {"labels": {}}),
        (hashing.annotations, {"annotations": {"a": "1"}}, {"annotations": {"a": "2"}}, {}),
        (hashing.finalizers, {"finalizers": ["x/a", "x/b"]}, {"finalizers": ["x/a"]}, {"finalizers": []}),
        (lambda: hashing.field("data", "k"), {"data": {"k": "1"}}, {"data": {"k": "2"}}, {"data": {"z": "1"}}),
    ],
)
def test_prd_07_a_change_goes_through_once(
    make: Callable[[], hashing.HashPredicate], one: dict[str, Any], other: dict[str, Any], none: dict[str, Any]
) -> None:
    predicate = make()

    assert predicate.accepts(GenericEvent(thing(**one)))
    assert not predicate.accepts(GenericEvent(thing(**one)))
    assert not predicate.accepts(UpdateEvent(thing(**other), thing(**one)))
    assert predicate.accepts(GenericEvent(thing("b", **one)))
    assert predicate.accepts(CreateEvent(thing(**other)))
    assert not predicate.accepts(GenericEvent(thing(**other)))
    for _ in range(2):
        assert predicate.accepts(GenericEvent(thing("c", **none)))


def test_prd_07_what_is_gone_or_old_counts_as_never_seen() -> None:
    clock = FakeClock()
    predicate = hashing.labels(ttl=10.0, clock=clock)
    event = GenericEvent(thing(labels={"a": "1"}))
    assert predicate.accepts(event)

    assert predicate.accepts(DeleteEvent(thing(labels={"a": "1"})))
    assert predicate.accepts(event)
    clock.advance(11.0)
    assert predicate.accepts(event)
    for number in range(5):
        predicate.accepts(GenericEvent(thing(str(number), labels={"a": "1"})))
    assert len(predicate) == 6
    clock.advance(11.0)
    assert predicate.accepts(GenericEvent(thing("late", labels={"a": "1"})))
    assert len(predicate) == 1
    with pytest.raises(ValueError, match="ttl"):
        hashing.labels(ttl=0.0)


def test_prd_07_combinations() -> None:
    either = hashing.labels().combine(hashing.annotations())
    assert either.accepts(GenericEvent(thing(labels={"a": "1"})))
    assert not either.accepts(GenericEvent(thing(labels={"a": "1"})))
    assert either.accepts(GenericEvent(thing(labels={"a": "1"}, annotations={"a": "1"})))
    assert either.accepts(GenericEvent(thing()))
    assert either.accepts(GenericEvent(thing()))

    first = hashing.generation().fallback(hashing.field("data"))
    assert first.accepts(GenericEvent(thing(data={"k": "1"})))
    assert not first.accepts(GenericEvent(thing(data={"k": "1"})))
    assert first.accepts(GenericEvent(thing(data={"k": "2"})))
    with pytest.raises(ValueError, match="path"):
        hashing.field()
