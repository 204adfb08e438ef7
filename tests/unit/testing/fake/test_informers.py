"""Informers, listers and reflectors on a fake."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.informers import DynamicSharedInformerFactory, MetadataSharedInformerFactory, SharedInformerFactory
from k8srt.testing import FakeClientset, FakeWatcher
from tests.unit.testing.fake.things import CONFIG_MAPS, WIDGET_DEFINITION, WIDGETS, Widget, config_map

WAIT = 10.0


@pytest.fixture
def fake() -> Iterator[FakeClientset]:
    with FakeClientset(config_map("a", x="1")) as made:
        yield made


class Seen:
    """Writes down what an informer tells."""

    def __init__(self) -> None:
        self._events: queue.Queue[str] = queue.Queue()

    def on_add(self, obj: ConfigMap, is_in_initial_list: bool) -> None:
        self._events.put(f"add {obj.metadata.name}{' at first' if is_in_initial_list else ''}")

    def on_update(self, old: ConfigMap, new: ConfigMap) -> None:
        self._events.put(f"update {new.metadata.name}")

    def on_delete(self, obj: ConfigMap) -> None:
        self._events.put(f"delete {obj.metadata.name}")

    def next(self) -> str:
        return self._events.get(timeout=WAIT)


def test_cli_33_an_informer_syncs_and_sees_changes(fake: FakeClientset) -> None:
    factory = SharedInformerFactory(fake, namespace="default")
    maps, seen = factory.core_v1.config_maps, Seen()
    maps.informer.add_event_handler(on_add=seen.on_add, on_update=seen.on_update, on_delete=seen.on_delete)

    with factory:
        assert factory.wait_for_cache_sync(timeout=WAIT)
        assert seen.next() == "add a at first"
        client = fake.core_v1.config_maps("default")
        changed = client.create(config_map("b"))
        assert seen.next() == "add b"
        changed.data = {"y": "1"}
        client.update(changed)
        assert seen.next() == "update b"
        client.delete("a")
        assert seen.next() == "delete a"
        assert [each.metadata.name for each in maps.lister.list()] == ["b"]


def test_cli_33_an_informer_may_stream_its_first_list(fake: FakeClientset) -> None:
    with fake.core_v1.config_maps("default").watch(
        send_initial_events=True, resource_version_match="NotOlderThan", allow_watch_bookmarks=True
    ) as events:
        first, bookmark = next(events), next(events)

    assert (str(first.type), first.object.metadata.name, str(bookmark.type)) == ("ADDED", "a", "BOOKMARK")


def test_dynamic_and_metadata_informers(fake: FakeClientset) -> None:
    fake.load(WIDGET_DEFINITION, Widget.from_dict({"metadata": {"name": "w", "namespace": "default"}, "spec": {}}))
    dynamic = DynamicSharedInformerFactory(fake.dynamic)
    metadata = MetadataSharedInformerFactory(fake.metadata)
    widgets, maps = dynamic.for_resource(WIDGETS), metadata.for_resource(CONFIG_MAPS)
    _ = widgets.informer, maps.informer

    with dynamic, metadata:
        assert dynamic.wait_for_cache_sync(timeout=WAIT)
        assert metadata.wait_for_cache_sync(timeout=WAIT)

        assert [each["spec"]["size"] for each in widgets.lister.list()] == [3]
        assert "a" in [each.metadata.name for each in maps.lister.list()]


def test_what_an_informer_asks_is_recorded_and_told_from_what_a_controller_does(fake: FakeClientset) -> None:
    factory = SharedInformerFactory(fake, namespace="default")
    _ = factory.core_v1.config_maps.informer

    with factory:
        factory.wait_for_cache_sync(timeout=WAIT)
        fake.core_v1.config_maps("default").create(config_map("b"))

    assert fake.actions.lines()[0] == "watch configmaps default/*"  # its list is streamed
    assert fake.actions.writes().lines() == ["create configmaps default/b"]


def test_cli_33_a_watch_fed_by_hand_drives_an_informer(fake: FakeClientset) -> None:
    watcher, seen = FakeWatcher(), Seen()
    fake.prepend_watch_reactor("configmaps", lambda action: watcher)
    factory = SharedInformerFactory(fake, namespace="default")
    factory.core_v1.config_maps.informer.add_event_handler(on_add=seen.on_add)

    with factory:
        factory.wait_for_cache_sync(timeout=WAIT)
        assert seen.next() == "add a at first"
        from_outside = config_map("from-outside")
        from_outside.metadata.resource_version = "1000"
        watcher.add(from_outside)

        assert seen.next() == "add from-outside"
        assert watcher.wait_until_watched(WAIT)
        assert "list configmaps default/*" in fake.actions.lines()


def test_cli_33_a_reactor_of_lists_answers_an_informer_too(fake: FakeClientset) -> None:
    fake.prepend_reactor("list", "configmaps", lambda action: [config_map("from-the-reactor")])
    factory = SharedInformerFactory(fake, namespace="default")
    maps = factory.core_v1.config_maps
    _ = maps.informer

    with factory:
        factory.wait_for_cache_sync(timeout=WAIT)

        assert [each.metadata.name for each in maps.lister.list()] == ["from-the-reactor"]


def test_closing_the_fake_first_leaves_no_thread() -> None:
    fake = FakeClientset()
    factory = SharedInformerFactory(fake)
    _ = factory.core_v1.pods.informer
    factory.start()
    factory.wait_for_cache_sync(timeout=WAIT)

    fake.close()

    factory.shutdown()
