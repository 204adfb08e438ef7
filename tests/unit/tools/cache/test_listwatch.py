"""What a reflector reads from."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod, PodList
from k8srt.apimachinery.meta import ListMeta
from k8srt.tools.cache import (
    ListOptions,
    ListWatch,
    new_filtered_list_watch_from_client,
    new_list_watch_from_client,
)
from k8srt.util.threads import Stop
from tests.unit.tools.cache.scripted import added, pod, pod_object, pods, status


class Request:
    """A request of a REST client, written down."""

    def __init__(self, log):
        self.log = log

    def __getattr__(self, name):
        def note(*args):
            self.log.append((name, *args))
            return self

        return note

    def records(self):
        return pods(pod("a"))


class Client:
    def __init__(self):
        self.log = []

    def get(self):
        return Request(self.log)


def test_refl_53_each_function_may_take_the_stop_or_not():
    stop = Stop()
    seen = []
    for list_func in (lambda options: seen.append(None) or [], lambda options, stop: seen.append(stop) or []):
        ListWatch(list_func).list(ListOptions(), stop)

    assert seen == [None, stop]
    with pytest.raises(NotImplementedError):
        ListWatch().watch(ListOptions(), stop)


def test_refl_53_lists_of_objects_become_records():
    watch = ListWatch(lambda options: PodList([pod_object("a")], metadata=ListMeta(resource_version="7")))

    found = watch.list(ListOptions(), Stop())

    assert (found.kind, found.metadata.resource_version) == ("PodList", "7")
    assert [record.key for record in found.records] == ["default/a"]


def test_refl_53_streams_are_closed_by_their_own_close():
    class Events:
        def __init__(self):
            self.closed = False

        def __iter__(self):
            return iter([("ERROR", status(410, "Expired")), added(pod("b")), ("ADDED", pod_object("c").to_dict())])

        def close(self):
            self.closed = True

    events = Events()
    stream = ListWatch(watch_func=lambda options: events).watch(ListOptions(), Stop())

    read = [stream.read_batch()[0] for _ in range(3)]
    assert [event.type for event in read] == ["ERROR", "ADDED", "ADDED"]
    assert read[0].record.text("reason") == "Expired"
    assert read[2].record.key == "default/c"
    stream.close()
    assert events.closed


def test_refl_54_over_a_rest_client():
    client, stop = Client(), Stop()
    watch = new_list_watch_from_client(client, "pods", "ns", "spec.nodeName=n")

    found = watch.list(ListOptions(resource_version="0", limit=500), stop)
    watch.watch(ListOptions(resource_version="9", timeout_seconds=300), stop)

    assert [record.key for record in found.records] == ["default/a"]
    select = {"field_selector": "spec.nodeName=n"}
    assert client.log == [
        ("namespace", "ns"),
        ("resource", "pods"),
        ("options", {**select, "resource_version": "0", "limit": 500}),
        ("do", stop),
        ("namespace", "ns"),
        ("resource", "pods"),
        ("options", {**select, "resource_version": "9", "timeout_seconds": 300, "watch": True}),
        ("watch", stop),
    ]


def test_refl_54_the_modifier_has_the_last_word():
    client, seen = Client(), []

    def tweak(options):
        seen.append(options.watch)
        return ListOptions(label_selector="app=web")

    new_filtered_list_watch_from_client(client, "pods", tweak=tweak).watch(ListOptions(), Stop())

    assert seen == [True]
    assert ("options", {"label_selector": "app=web"}) in client.log
    assert isinstance(pod_object("a"), Pod)
