"""Which events are worth a reconcile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.labels import SelectorError
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import predicate as p
from k8srt.controller.event import CreateEvent, DeleteEvent, GenericEvent, UpdateEvent


def thing(**meta: Any) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name="a", **meta))


NEW = CreateEvent(thing())
GONE = DeleteEvent(thing())
SAID = GenericEvent(thing())


def update(old: dict[str, Any], new: dict[str, Any]) -> UpdateEvent:
    return UpdateEvent(thing(**old), thing(**new))


def test_prd_01_what_is_not_answered_is_accepted() -> None:
    funcs = p.Funcs(update=lambda event: False)

    assert funcs.accepts(NEW)
    assert funcs.accepts(GONE)
    assert funcs.accepts(SAID)
    assert not funcs.accepts(update({}, {}))
    assert p.Predicate().accepts(update({}, {}))


def test_prd_02_a_function_is_asked_about_the_new_object() -> None:
    asked = p.from_function(lambda obj: obj.metadata.generation == 2)

    assert asked.accepts(update({"generation": 1}, {"generation": 2}))
    assert not asked.accepts(NEW)


@pytest.mark.parametrize(
    ("predicate", "same", "other"),
    [
        (p.ResourceVersionChanged(), {"resource_version": "1"}, {"resource_version": "2"}),
        (p.GenerationChanged(), {"generation": 1, "labels": {"a": "b"}}, {"generation": 2}),
        (p.AnnotationChanged(), {"annotations": {}}, {"annotations": {"a": "b"}}),
        (p.LabelChanged(), {"labels": {}}, {"labels": {"a": "b"}}),
    ],
)
def test_prd_03_changes_are_looked_for_in_updates_only(
    predicate: p.Predicate, same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert predicate.accepts(NEW)
    assert predicate.accepts(GONE)
    assert predicate.accepts(SAID)
    assert not predicate.accepts(update(same, same))
    assert predicate.accepts(update(same, other))


def test_prd_03_none_is_an_empty_map_and_a_missing_object_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    assert not p.LabelChanged().accepts(update({}, {"labels": {}}))

    assert not p.LabelChanged().accepts(UpdateEvent(None, thing()))
    assert "without an old object" in caplog.text


def test_prd_04_selectors_are_checked_at_once() -> None:
    assert p.label_selector("a=b").accepts(CreateEvent(thing(labels={"a": "b"})))
    assert not p.label_selector("a=b").accepts(NEW)
    with pytest.raises(SelectorError):
        p.label_selector("a==b==c")


def test_prd_05_combinations() -> None:
    yes, no = p.from_function(lambda obj: True), p.from_function(lambda obj: False)

    assert p.and_().accepts(NEW)
    assert not p.or_().accepts(NEW)
    assert (yes & ~no).accepts(NEW)
    assert (no | yes).accepts(NEW)
    assert not (yes & no).accepts(NEW)
    refuses = ~p.GenerationChanged()
    assert not refuses.accepts(NEW)
    assert not refuses.accepts(GONE)
    assert refuses.accepts(update({"generation": 1}, {"generation": 1}))


def test_prd_05_stops_early() -> None:
    def explode(obj: object) -> bool:
        raise AssertionError("asked in vain")

    never = p.from_function(explode)
    assert (p.from_function(lambda obj: True) | never).accepts(NEW)
    assert not (p.from_function(lambda obj: False) & never).accepts(NEW)


def test_prd_06_deletion_and_finalizers_come_through_if_asked_for() -> None:
    deleting = update({"generation": 1}, {"generation": 1, "deletion_timestamp": datetime.now(UTC)})
    finalizers = update({"generation": 1}, {"generation": 1, "finalizers": ["a/b"]})

    assert not p.GenerationChanged().accepts(deleting)
    assert p.GenerationChanged(or_deleting=True).accepts(deleting)
    assert not p.GenerationChanged().accepts(finalizers)
    assert p.GenerationChanged(or_finalizers=True).accepts(finalizers)


def test_where_takes_predicates_functions_and_lists() -> None:
    assert p.as_predicates(None) == []
    assert len(p.as_predicates([p.LabelChanged(), lambda obj: True, None])) == 2
    with pytest.raises(TypeError, match="where"):
        p.as_predicates(3)  # type: ignore[arg-type]
