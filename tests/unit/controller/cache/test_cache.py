"""The cache of a manager, over a cluster in memory."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Namespace, Node, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionKind, NamespacedName
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.cache import Cache, CacheNotStarted, NamespaceNotCached, NoFieldIndex, ResourceNotCached
from k8srt.controller.cache.scopes import ALL_NAMESPACES, KindScope, Scope, transform_strip_managed_fields
from k8srt.controller.kinds import metadata_only
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.testing import FakeClock
from k8srt.tools.cache.handlers import ResourceEventHandlerFuncs
from k8srt.tools.cache.keys import DeletedFinalStateUnknown
from k8srt.util.threads import Latch, Stop
from tests.unit.controller.caches import LONG, config_map, fake, names, running

CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")


def watches(cs: Any, resource: str = "configmaps") -> int:
    return sum(1 for action in cs.actions if action.verb == "watch" and action.resource.resource == resource)


def in_namespaces(those: str) -> list[Any]:
    """Namespaces, and a config map in each."""
    return [*(Namespace(metadata=ObjectMeta(name=name)) for name in those), *(config_map("m", name) for name in those)]


class Told:
    """A handler that remembers, and says when it has heard something."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self._waits: list[tuple[int, Latch]] = []

    def handler(self) -> ResourceEventHandlerFuncs:
        return ResourceEventHandlerFuncs(
            lambda obj, initial: self._note("added", obj),
            lambda old, new: self._note("updated", new),
            lambda obj: self._note("deleted", obj),
        )

    def _note(self, what: str, obj: Any) -> None:
        self.heard.append((what, obj))
        for count, latch in self._waits:
            if len(self.heard) >= count:
                latch.set()

    def wait(self, count: int) -> list[tuple[str, Any]]:
        latch = Latch()
        self._waits.append((count, latch))
        if len(self.heard) >= count:
            latch.set()
        assert latch.wait(LONG), self.heard
        return self.heard


def test_cch_01_typed_and_unstructured_share_an_informer_and_metadata_joins_it() -> None:
    cs = fake(config_map("a", data={"k": "v"}))

    with running(cs) as cache:
        typed = cache.get(ConfigMap, "default/a")
        plain = cache.get(CONFIG_MAP, "default/a")
        triple = cache.get(("", "v1", "ConfigMap"), "default/a")
        meta = cache.get(metadata_only(ConfigMap), "default/a")
        kinds = [each.kind for each in cache.status()]

    assert typed is not None
    assert typed.data == {"k": "v"}
    assert type(plain) is Unstructured
    assert type(triple) is Unstructured
    assert plain["data"] == {"k": "v"}
    assert plain.gvk == CONFIG_MAP
    assert type(meta) is PartialObjectMetadata
    assert (meta.gvk, meta.metadata.name, "data" in meta.to_dict()) == (CONFIG_MAP, "a", False)
    assert kinds == ["ConfigMap"]
    assert watches(cs) == 1


def test_cch_01_metadata_alone_has_an_informer_of_its_own() -> None:
    cs = fake(config_map("a", data={"k": "v"}))

    with running(cs) as cache:
        meta = cache.get(metadata_only(CONFIG_MAP), "default/a")
        whole = cache.get(ConfigMap, "default/a")
        kinds = [each.kind for each in cache.status()]

    assert meta is not None
    assert meta.gvk == CONFIG_MAP
    assert "data" not in meta.to_dict()
    assert whole is not None
    assert whole.data == {"k": "v"}
    assert kinds == ["the metadata of ConfigMap", "ConfigMap"]


def test_cch_01_handlers_get_the_form_they_asked_for() -> None:
    cs = fake(config_map("a", data={"k": "v"}))
    typed, plain, partial = Told(), Told(), Told()

    with running(cs) as cache:
        cache.informer(ConfigMap).add_event_handler(typed.handler())
        cache.informer(CONFIG_MAP).add_event_handler(plain.handler())
        cache.informer(metadata_only(ConfigMap)).add_event_handler(partial.handler())
        seen = [told.wait(1)[0] for told in (typed, plain, partial)]

    assert [(what, type(obj)) for what, obj in seen] == [
        ("added", ConfigMap),
        ("added", Unstructured),
        ("added", PartialObjectMetadata),
    ]
    assert {obj.gvk for _, obj in seen} == {CONFIG_MAP}
    assert watches(cs) == 1


def test_cch_02_a_first_read_is_logged_with_the_caller_or_refused(caplog: pytest.LogCaptureFixture) -> None:
    cs = fake()

    with caplog.at_level(logging.INFO, "k8srt.controller"), running(cs) as cache:
        cache.list(ConfigMap)
    with running(cs, reader_fail_on_missing_informer=True) as cache:
        with pytest.raises(ResourceNotCached, match="v1, Kind=ConfigMap is not cached") as caught:
            cache.list(ConfigMap)
        cache.get_informer(ConfigMap)
        assert cache.list(ConfigMap) == []

    assert "ConfigMap is read for the first time" in caplog.text
    assert "test_cache.py:" in caplog.text
    assert caught.value.gvk == CONFIG_MAP


def test_cch_02_a_read_waits_no_longer_than_it_may() -> None:
    cs = fake()
    cs.fail("list", ConfigMap, errors.InternalError)
    cs.fail("watch", ConfigMap, errors.InternalError)

    with running(cs) as cache:
        with pytest.raises(errors.WaitTimeout, match="the cache of ConfigMap has not come"):
            cache.list(ConfigMap, timeout=0.01)
        stop = Stop()
        stop.set()
        with pytest.raises(errors.Stopped, match="waiting for the cache of ConfigMap"):
            cache.list(ConfigMap, stop=stop)


def test_cch_03_before_the_start_and_after_the_end_nothing_is_read() -> None:
    cache = Cache(fake())

    with pytest.raises(CacheNotStarted, match="ConfigMap cannot be read"):
        cache.get(ConfigMap, "default/a")

    assert cache.get_informer(ConfigMap) is not None
    assert "not started" in repr(cache)


def test_cch_03_informers_by_object_and_by_kind_and_their_removal() -> None:
    cs = fake(config_map("a"))

    with running(cs) as cache:
        by_object = cache.get_informer(config_map("x"))
        by_kind = cache.get_informer_for_kind(CONFIG_MAP)
        assert by_object.has_synced()
        assert by_object.informers == by_kind.informers
        cache.remove_informer(ConfigMap)
        assert by_object.is_stopped()
        assert cache.status() == []
        cache.remove_informer(ConfigMap)
        assert names(cache.list(ConfigMap)) == ["a"]

    assert watches(cs) == 2


def test_cch_04_keys(caplog: pytest.LogCaptureFixture) -> None:
    cs = fake(Node(metadata=ObjectMeta(name="n")), config_map("a"))

    with running(cs) as cache:
        node = cache.get(Node, NamespacedName("anything", "n"))
        assert node is not None
        assert (node.api_version, node.kind) == ("v1", "Node")
        assert cache.get(Node, "n") == node
        assert cache.get(ConfigMap, "default/none") is None
        with pytest.raises(ValueError, match="a key has a name"):
            cache.get(ConfigMap, "default/")


def test_cch_05_lists() -> None:
    cs = fake(
        config_map("a", labels={"l": "1"}), config_map("b", labels={"l": "2"}), config_map("a", "other"), strict()
    )

    with running(cs) as cache:
        assert names(cache.list(ConfigMap, namespace="default")) == ["a", "b"]
        assert names(cache.list(ConfigMap, label_selector="l in (1,3)")) == ["a"]
        assert len(cache.list(ConfigMap, limit=2)) == 2
        assert cache.list(ConfigMap).continue_ == "continue-not-supported"
        with pytest.raises(ValueError, match="continue option is not supported by the cache"):
            cache.list(ConfigMap, continue_="x")


def strict() -> Namespace:
    return Namespace(metadata=ObjectMeta(name="other"))


def test_cch_06_field_indexes() -> None:
    cs = fake(*(config_map(name, data={"color": color}) for name, color in (("a", "red"), ("b", "blue"), ("c", "red"))))

    with running(cs) as cache:
        cache.index_field(ConfigMap, "data.color", lambda obj: [(obj.data or {})["color"]] if obj.data else [])
        cache.index_field(CONFIG_MAP, "two", lambda obj: ["x", obj.metadata.name])

        def found(selector: str, kind: Any = ConfigMap, **more: Any) -> list[str]:
            return names(cache.list(kind, field_selector=selector, **more))

        assert found("data.color=red") == ["a", "c"]
        assert found("data.color=red", CONFIG_MAP) == ["a", "c"]
        assert found("data.color=red", namespace="default") == ["a", "c"]
        assert found("data.color=red", namespace="other") == []
        assert found("data.color=red,metadata.name!=a") == ["c"]
        assert found("two=x,data.color=blue") == ["b"]
        assert found("two=x,two=c") == ["c"]
        assert found("metadata.name=a") == ["a"]
        assert found("data.color!=red", allow_scan=True) == ["b"]
        with pytest.raises(NoFieldIndex, match="allow_scan=True"):
            found("data.color!=red")
        with pytest.raises(NoFieldIndex, match=r"index_field\(ConfigMap, 'data\.size'"):
            found("data.size=1")


def test_cch_07_an_index_made_late_is_complete_and_a_second_one_is_refused() -> None:
    cs = fake(config_map("a"), config_map("b"))

    with running(cs) as cache:
        assert len(cache.list(ConfigMap)) == 2
        cache.index_field(ConfigMap, "name", lambda obj: [obj.metadata.name])
        assert names(cache.list(ConfigMap, field_selector="name=b")) == ["b"]
        with pytest.raises(ValueError, match="an index of ConfigMap by 'name' already"):
            cache.index_field(ConfigMap, "name", lambda obj: [])


def test_cch_08_the_sync_period_is_jittered_and_bookmarks_can_be_declined() -> None:
    cs = fake()
    cache = Cache(cs, sync_period=100.0)
    periods = {cache.informer(kind).informers[0]._default_period for kind in (ConfigMap, Secret, Node, Namespace)}

    assert len(periods) == 4
    assert all(90.0 <= period < 110.0 for period in periods)


def test_cch_08_selectors_and_transforms_of_kinds() -> None:
    cs = fake(config_map("a", labels={"l": "1"}), config_map("b", labels={"l": "2"}))

    def shout(obj: Any) -> Any:
        obj.data = {"loud": "yes"}
        return obj

    with running(cs, by_object={ConfigMap: KindScope(label_selector="l=1", transform=shout)}) as cache:
        (found,) = cache.list(ConfigMap)
        plain = cache.get(CONFIG_MAP, "default/a")

    assert (found.metadata.name, found.data) == ("a", {"loud": "yes"})
    assert plain is not None
    assert plain["data"] == {"loud": "yes"}


def test_cch_09_several_namespaces_are_merged_and_others_are_not_known() -> None:
    cs = fake(
        *(Namespace(metadata=ObjectMeta(name=name)) for name in "xyz"), *(config_map("m", name) for name in "xyz")
    )

    with running(cs, default_namespaces=["x", "y"]) as cache:
        everything = cache.list(ConfigMap)
        assert sorted(each.metadata.namespace for each in everything) == ["x", "y"]
        assert len(cache.list(ConfigMap, limit=1)) == 1
        assert names(cache.list(ConfigMap, namespace="y")) == ["m"]
        assert cache.get(ConfigMap, "x/m") is not None
        with pytest.raises(NamespaceNotCached, match="ConfigMap of namespace 'z' are not cached, only those of x, y"):
            cache.get(ConfigMap, "z/m")
        with pytest.raises(NamespaceNotCached):
            cache.list(ConfigMap, namespace="z")
        assert names(cache.list(Namespace)) != []


def test_cch_09_all_namespaces_as_a_key_takes_the_rest() -> None:
    cs = fake(
        *(Namespace(metadata=ObjectMeta(name=name)) for name in "xyz"), *(config_map("m", name) for name in "xyz")
    )
    namespaces = {"x": Scope(label_selector="none=such"), ALL_NAMESPACES: Scope()}

    with running(cs, default_namespaces=namespaces) as cache:
        found = sorted(each.metadata.namespace for each in cache.list(ConfigMap))
        of_x = cache.get(ConfigMap, "x/m")

    assert found == ["y", "z"]
    assert of_x is None


def test_cch_10_a_pinned_namespace_is_asked_for_by_its_url() -> None:
    cs = fake(config_map("a"))

    with running(cs, by_object={ConfigMap: KindScope(field_selector="metadata.namespace=default")}) as cache:
        assert names(cache.list(ConfigMap)) == ["a"]

    asked = {action.namespace for action in cs.actions if action.resource.resource == "configmaps"}
    assert asked == {"default"}


def test_cch_11_a_transform_that_raises_leaves_the_object_as_it_came(caplog: pytest.LogCaptureFixture) -> None:
    cs = fake(config_map("a", data={"k": "v"}), config_map("b"))

    def half_way(obj: ConfigMap) -> ConfigMap:
        obj.metadata.labels = {"half": "done"}
        return obj if obj.data is None else 1 / 0  # type: ignore[return-value]

    with running(cs, transform=half_way) as cache:
        found = {each.metadata.name: each.metadata.labels for each in cache.list(ConfigMap)}
        (status,) = cache.status()

    assert found == {"a": None, "b": {"half": "done"}}
    assert status.transform_errors >= 1
    assert "the transform failed for default/a, which is kept as it came" in caplog.text


def test_cch_11_a_strict_transform_keeps_out_what_it_fails_for() -> None:
    cs = fake(config_map("a"))

    def broken(obj: Any) -> Any:
        raise ValueError("no")

    with running(cs, transform=broken, strict_transform=True) as cache:
        assert cache.list(ConfigMap) == []


def test_cch_11_managed_fields_are_stripped_of_what_is_written_too() -> None:
    cs = fake()

    with running(cs, transform=transform_strip_managed_fields) as cache:
        cache.list(ConfigMap)
        made = cs.core_v1.config_maps("default").apply(config_map("a", data={"k": "v"}), field_manager="me")
        cache.wrote(made, CONFIG_MAP)
        found = cache.get(ConfigMap, "default/a")

    assert made.metadata.managed_fields
    assert found is not None
    assert not found.metadata.managed_fields


def test_cch_12_a_resync_tells_of_each_object_as_it_is() -> None:
    cs, clock, told = fake(config_map("a")), FakeClock(), Told()

    with running(cs, sync_period=100.0, clock=clock) as cache:
        cache.informer(ConfigMap).add_event_handler(told.handler())
        told.wait(1)
        clock.wait_for_sleepers(1)
        asked = len(cs.actions)
        clock.advance(120.0)
        (_, added), (what, again) = told.wait(2)[:2]

    assert what == "updated"
    assert again == added
    assert len([each for each in cs.actions[asked:] if each.verb in ("list", "get")]) == 0


def test_cch_14_namespaces_change_while_it_runs_and_handlers_follow() -> None:
    cs = fake(*in_namespaces("xy"))
    told = Told()

    with running(cs, default_namespaces=["x"]) as cache:
        cache.index_field(ConfigMap, "name", lambda obj: [obj.metadata.name])
        cache.informer(ConfigMap).add_event_handler(told.handler())
        told.wait(1)
        cache.set_namespaces(ConfigMap, ["y"], emit_deletes=True, wait=True)
        told.wait(3)
        found = cache.list(ConfigMap, field_selector="name=m")
        with pytest.raises(NamespaceNotCached):
            cache.get(ConfigMap, "x/m")
        with pytest.raises(ValueError, match="Node are in no namespace"):
            cache.set_namespaces(Node, ["x"])

    changes = [
        (what, obj.key if isinstance(obj, DeletedFinalStateUnknown) else obj.metadata.namespace)
        for what, obj in told.heard
    ]
    assert changes[0] == ("added", "x")
    assert sorted(changes[1:]) == [("added", "y"), ("deleted", "x/m")]
    assert [each.metadata.namespace for each in found] == ["y"]


WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.late.example.com"},
    "spec": {
        "group": "late.example.com",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
WIDGET = GroupVersionKind("late.example.com", "v1", "Widget")


def test_cch_15_a_kind_that_may_be_missing_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    cs, clock, told = fake(), FakeClock(), Told()

    with caplog.at_level(logging.INFO, "k8srt.controller"), running(cs, clock=clock) as cache:
        with pytest.raises(errors.NoMatch):
            cache.informer(WIDGET)
        cache.informer(WIDGET, optional=True).add_event_handler(told.handler())
        assert cache.wait_for_sync(timeout=None)
        assert cache.unsynced() == []
        clock.wait_for_sleepers(1)
        cs.load(WIDGETS)
        cs.tracker.resource(WIDGET, "default").create({"metadata": {"name": "w"}})
        clock.advance(60.0)
        ((what, widget),) = told.wait(1)

    assert (what, widget.gvk, widget.metadata.name) == ("added", WIDGET, "w")
    assert "Widget: the server does not have them yet" in caplog.text


def test_cch_16_the_status_of_each_informer() -> None:
    cs, clock = fake(config_map("a")), FakeClock()
    cs.fail("list", Secret, errors.Forbidden)
    cs.fail("watch", Secret, errors.Forbidden)

    failed = Latch()

    with running(cs, clock=clock, watch_error_handler=lambda reflector, err: failed.set()) as cache:
        cache.list(ConfigMap)
        cache.informer(Secret)
        assert failed.wait(LONG)
        fine, broken = cache.status()
        state = cache.debug_state()

    assert (fine.kind, fine.synced, fine.objects, fine.failures, fine.last_error) == ("ConfigMap", True, 1, 0, "")
    assert int(fine.resource_version) > 0
    assert fine.seconds_since_event is not None
    assert (broken.kind, broken.synced, broken.failures >= 1) == ("Secret", False, True)
    assert (broken.error_code, broken.error_reason) == (403, "Forbidden")
    assert len(state) == 2


def test_crc_10_waiting_until_the_cache_is_as_new_as_an_object() -> None:
    cs = fake(config_map("a"))

    with running(cs) as cache:
        cache.list(ConfigMap)
        changed = cs.core_v1.config_maps("default").patch("a", {"data": {"k": "v"}}, patch_type="merge")
        found = cache.get(ConfigMap, "default/a", min_resource_version=changed.metadata.resource_version)
        assert found is not None
        assert found.data == {"k": "v"}
        cache.wait_for(changed)
        with pytest.raises(errors.WaitTimeout, match="ConfigMap default/a at version 999999"):
            cache.get(ConfigMap, "default/a", min_resource_version="999999", timeout=0.01)
        with pytest.raises(ValueError, match="not a resource version"):
            cache.wait_for(config_map("a"))


def test_shr_01_a_handler_that_comes_late_is_told_of_everything_first() -> None:
    cs = fake(config_map("a"), config_map("b"))
    initial: list[bool] = []
    latch = Latch()

    def on_add(obj: ConfigMap, is_in_initial_list: bool) -> None:
        initial.append(is_in_initial_list)
        if len(initial) == 2:
            latch.set()

    with running(cs) as cache:
        cache.list(ConfigMap)
        registration = cache.informer(ConfigMap).add_event_handler(on_add=on_add)
        assert latch.wait(LONG)
        assert registration.synced.wait(LONG)
        cache.informer(ConfigMap).remove_event_handler(registration)

    assert initial == [True, True]
    assert watches(cs) == 1


def test_bad_options_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="either a namespace or default_namespaces"):
        Cache(fake(), namespace="a", default_namespaces=["b"])
    with pytest.raises(ValueError, match="must be fail or wait"):
        Cache(fake(), on_missing_kind="hope")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="no option 'page_sise'"):
        Cache(fake(), page_sise=3)
    with pytest.raises(ValueError, match="not the class of a resource"):
        Cache(fake()).informer(ObjectMeta)  # type: ignore[type-var]
