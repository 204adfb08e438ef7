"""What makes a handler."""

from __future__ import annotations

from k8srt.tools.cache import (
    DeletedFinalStateUnknown,
    DeletedObject,
    FilteringResourceEventHandler,
    ObjectName,
    ResourceEventHandlerFuncs,
    TypedEventHandler,
)
from k8srt.tools.cache.handlers import handler_name
from tests.unit.tools.cache.scripted import Recorder, pod_object


def test_inf_07_missing_functions_are_skipped():
    handler = ResourceEventHandlerFuncs()

    handler.on_add(1, True)
    handler.on_update(1, 2)
    handler.on_delete(1)


def test_inf_07_on_add_gets_the_flag_if_it_has_room():
    seen = []
    for on_add in (seen.append, lambda obj: seen.append(obj), lambda obj, initial: seen.append((obj, initial))):
        ResourceEventHandlerFuncs(on_add=on_add).on_add("x", True)

    assert seen == ["x", "x", ("x", True)]


def test_inf_08_a_filter_turns_updates_into_what_they_are_to_the_handler():
    recorder = Recorder()
    handler = FilteringResourceEventHandler(lambda obj: bool(obj.metadata.labels), recorder)
    inside, outside = pod_object("a", 1, labels={"x": "y"}), pod_object("a", 2)

    for act in (
        lambda: handler.on_add(outside, True),
        lambda: handler.on_add(inside, True),
        lambda: handler.on_update(inside, inside),
        lambda: handler.on_update(inside, outside),
        lambda: handler.on_update(outside, inside),
        lambda: handler.on_update(outside, outside),
        lambda: handler.on_delete(outside),
        lambda: handler.on_delete(inside),
    ):
        act()

    assert recorder.told == [
        ("add", "a", True),
        ("update", "a", "1", "1"),
        ("delete", "a"),
        ("add", "a", False),
        ("delete", "a"),
    ]


def test_inf_08_the_filter_may_be_handed_a_tombstone():
    seen = []
    handler = FilteringResourceEventHandler(lambda obj: not seen.append(obj), Recorder())
    tombstone = DeletedFinalStateUnknown("default/a", pod_object("a"))

    handler.on_delete(tombstone)

    assert seen == [tombstone]


def test_inf_09_deleted_objects():
    tombstone = DeletedFinalStateUnknown("ns/a/b", None)

    assert DeletedObject(pod_object("a")).get_key() == "default/a"
    assert DeletedObject(None, tombstone).get_key() == "ns/a/b"
    assert DeletedObject(None, tombstone).get_object_name() == ObjectName("ns", "a/b")
    assert DeletedObject().get_key() == ""
    assert DeletedObject().get_object_name() == ObjectName("", "")


def test_inf_09_typed_handlers_never_see_a_bare_tombstone():
    seen = []
    handler = TypedEventHandler(ResourceEventHandlerFuncs(on_delete=seen.append))
    obj = pod_object("a")

    handler.on_delete(obj)
    handler.on_delete(DeletedFinalStateUnknown("default/a", obj))

    assert [each.optional_obj for each in seen] == [obj, obj]
    assert [each.final_state_unknown is not None for each in seen] == [False, True]


class Both:
    def on_one(self, obj): ...
    def on_two(self, old, new): ...


def alone(obj): ...


def test_inf_48_names_of_handlers():
    both = Both()

    assert handler_name(ResourceEventHandlerFuncs(both.on_one, both.on_two)) == f"{__name__}.Both"
    assert handler_name(ResourceEventHandlerFuncs(on_add=alone)) == f"{__name__}.alone"
    assert handler_name(ResourceEventHandlerFuncs(alone, both.on_two)) == f"{__name__}.alone+{__name__}.Both.on_two"
    assert handler_name(Recorder()) == "tests.unit.tools.cache.scripted.Recorder"
