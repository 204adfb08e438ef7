"""The client of a manager, over a cluster in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.autoscaling.v1 import Scale
from k8srt.api.core.v1 import ConfigMap, Namespace, Pod
from k8srt.api.policy.v1 import Eviction
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.cache import Cache
from k8srt.controller.cache.scopes import KindScope
from k8srt.controller.client.client import Client
from k8srt.controller.client.patches import merge_from, strategic_merge_from
from k8srt.controller.client.server_warnings import log_warning, warning_handler
from k8srt.controller.client.settings import dry_run, namespaced, with_field_owner, with_field_validation
from k8srt.controller.kinds import metadata_object, metadata_only
from k8srt.controller.manager.manager import Manager
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.rest.config import Config
from k8srt.testing import FakeClientset
from k8srt.util.threads import Stop
from tests.unit.controller.caches import config_map, fake, names, running

CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}]}]},
        },
    },
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}


@pytest.fixture
def cs() -> Iterator[FakeClientset]:
    cs = fake(config_map("a", data={"k": "v"}), DEPLOYMENT, POD)
    yield cs
    cs.close()


@pytest.fixture
def cache(cs: FakeClientset) -> Iterator[Cache]:
    with running(cs) as cache:
        yield cache


@pytest.fixture
def client(cs: FakeClientset, cache: Cache) -> Client:
    return Client(cs, cache, field_manager="tests")


def verbs(cs: FakeClientset, since: int = 0) -> list[str]:
    return [action.verb for action in cs.actions[since:]]


def test_crc_01_reads_come_from_the_cache_and_some_from_the_server(cs: FakeClientset, cache: Cache) -> None:
    client = Client(cs, cache, disable_for=[Pod])
    client.get(ConfigMap, "default/a")
    client.get(metadata_only(ConfigMap), "default/a")
    before = len(cs.actions)

    client.get(ConfigMap, "default/a")
    client.list(metadata_only(ConfigMap))
    assert verbs(cs, before) == []
    client.get(Pod, "default/web")
    client.list(Pod)
    client.get(metadata_only(Pod), "default/web")
    assert verbs(cs, before) == ["get", "list", "get"]
    plain = client.get(CONFIG_MAP, "default/a")
    assert verbs(cs, before)[3:] == ["get"]
    cached = Client(cs, cache, cache_unstructured=True).get(CONFIG_MAP, "default/a")
    assert verbs(cs, before)[4:] == []
    live = Client(cs).list(ConfigMap, label_selector="none=such")

    assert plain == cached
    assert live == []
    assert verbs(cs, before)[4:] == ["list"]
    assert client.resource_of(Pod, "").info.gvr.resource == "pods"


def test_crc_02_metadata_only(client: Client) -> None:
    meta = client.get(metadata_only(ConfigMap), "default/a")

    with pytest.raises(ValueError, match="cannot be created; patch it"):
        client.create(meta)
    with pytest.raises(ValueError, match="cannot be updated; patch it"):
        client.update(meta)
    with pytest.raises(ValueError, match="cannot be read with metadata only"):
        client.status().get(meta)
    changed = meta.copy()
    changed.metadata.labels = {"l": "1"}
    answer = client.patch(changed, merge_from(meta))
    assert (type(answer), answer.gvk, answer.metadata.labels) == (PartialObjectMetadata, CONFIG_MAP, {"l": "1"})
    assert client.get(metadata_only(CONFIG_MAP), "default/a").metadata.labels == {"l": "1"}
    assert client.delete(metadata_object(ConfigMap, "a", "default"))
    assert not client.exists(ConfigMap, "default/a")
    with pytest.raises(ValueError, match="does not say of which kind it is"):
        client.delete(PartialObjectMetadata(metadata=ObjectMeta(name="x")))


def test_crc_03_patches_from_a_base(client: Client, cs: FakeClientset) -> None:
    obj = client.get(ConfigMap, "default/a")
    base = obj.copy()
    obj.data = {"k": "w"}

    assert client.patch(obj, merge_from(base, optimistic_lock=True)).data == {"k": "w"}
    with pytest.raises(errors.Conflict):
        client.patch(obj, merge_from(base, optimistic_lock=True))
    with pytest.raises(ValueError, match="no resource version"):
        merge_from(config_map("a"), optimistic_lock=True)
    with pytest.raises(ValueError, match="cannot be for"):
        client.patch(config_map("b"), merge_from(base))
    with pytest.raises(TypeError, match="patch_type must be said"):
        client.patch(obj, {})
    with pytest.raises(ValueError, match="of type merge, not json"):
        client.patch(obj, merge_from(base), patch_type="json")
    raw = client.patch(obj, [{"op": "add", "path": "/data/x", "value": "y"}], patch_type="json")
    assert raw.data == {"k": "w", "x": "y"}


def test_crc_03_an_empty_difference_is_sent_unless_it_is_to_be_skipped(client: Client, cs: FakeClientset) -> None:
    obj = client.get(ConfigMap, "default/a")
    before = len(cs.actions)

    assert client.patch(obj, merge_from(obj, skip_empty=True, optimistic_lock=True)) == obj
    assert verbs(cs, before) == []
    client.patch(obj, merge_from(obj))

    assert verbs(cs, before) == ["patch"]


def test_crc_03_a_strategic_patch_merges_items_by_their_keys(client: Client) -> None:
    obj = client.get(Deployment, "default/web")
    base = obj.copy()
    obj.spec.template.spec.containers[0].image = "other"
    patch = strategic_merge_from(base)

    sent = patch.data(obj)
    answer = client.patch(obj, patch)

    assert sent["spec"]["template"]["spec"]["containers"] == [{"name": "c", "image": "other"}]
    assert answer.spec.template.spec.containers[0].env[0].name == "A"


def test_crc_04_and_05_what_holds_for_every_call_and_what_a_call_says(client: Client, cs: FakeClientset) -> None:
    dry = dry_run(client)

    dry.create(config_map("dry"))
    dry.patch(config_map("a"), {"data": {"dry": "yes"}}, patch_type="merge")
    assert dry.delete(config_map("a"))
    dry.apply(config_map("dry"))
    assert not client.exists(ConfigMap, "default/dry")
    assert client.get(ConfigMap, "default/a").data == {"k": "v"}
    client.create(config_map("dry2"), dry_run=True)
    assert not client.exists(ConfigMap, "default/dry2")
    assert dry.create(config_map("wet"), dry_run=False) == client.get(ConfigMap, "default/wet")
    owned = with_field_owner(client, "owner").apply(config_map("owned", data={"k": "v"}))
    named = with_field_owner(client, "owner").apply(config_map("named", data={"k": "v"}), field_manager="call")

    assert [entry.manager for entry in owned.metadata.managed_fields] == ["owner"]
    assert [entry.manager for entry in named.metadata.managed_fields] == ["call"]
    assert client.acting_as("me")._settings.field_manager == "me"


def test_crc_04_unknown_fields_are_refused_where_that_is_asked_for(client: Client) -> None:
    spec = {**cast("dict[str, Any]", DEPLOYMENT["spec"]), "nonsense": True}
    odd = Unstructured({**DEPLOYMENT, "metadata": {"name": "odd", "namespace": "default"}, "spec": spec})

    with pytest.raises(errors.BadRequest, match="nonsense"):
        with_field_validation(client, "Strict").create(odd)
    with pytest.raises(ValueError, match="must be Ignore, Warn or Strict"):
        with_field_validation(client, "Maybe")  # type: ignore[arg-type]
    made = with_field_validation(client, "Strict").create(odd, field_validation="Ignore")

    assert made.metadata.uid


def test_crc_05_a_client_of_one_namespace(client: Client, cs: FakeClientset) -> None:
    cs.load(Namespace(metadata=ObjectMeta(name="shop")), config_map("b", "shop"))
    shop = namespaced(client, "shop")

    assert shop.create(config_map("made", "")).metadata.namespace == "shop"
    assert shop.get(ConfigMap, "made").metadata.name == "made"
    assert names(shop.list(ConfigMap)) == ["b", "made"]
    assert shop.delete(config_map("made", ""))
    assert shop.get(Namespace, "shop").metadata.name == "shop"
    with pytest.raises(ValueError, match="the client is for 'shop' only"):
        shop.get(ConfigMap, "default/a")
    with pytest.raises(ValueError, match="the client is for 'shop' only"):
        shop.update(config_map("a"))
    with pytest.raises(ValueError, match="the client is for 'shop' only"):
        shop.list(ConfigMap, namespace="default")


def test_crc_06_status_and_other_subresources(client: Client) -> None:
    web = client.get(Deployment, "default/web")
    web.status.replicas = 3
    version = web.metadata.resource_version

    assert client.status().update(web) is web
    assert web.metadata.resource_version != version
    assert client.get(Deployment, "default/web").status.replicas == 3
    base = web.copy()
    web.status.replicas = 4
    client.status().patch(web, merge_from(base))
    assert client.get(Deployment, "default/web").status.replicas == 4
    scale = client.sub_resource("scale").get(web, Scale)
    scale.spec.replicas = 5
    client.sub_resource("scale").update(web, scale)
    assert scale.status.replicas == 4
    plain = client.sub_resource("scale").patch(web, {"spec": {"replicas": 6}}, patch_type="merge")
    assert (type(plain), plain["spec"]["replicas"]) == (Unstructured, 6)
    with pytest.raises(ValueError, match="patch_type must be said"):
        client.status().patch(web, {})
    pod = client.get(Pod, "default/web")
    client.sub_resource("eviction").create(pod, Eviction())
    with pytest.raises(errors.NotFound):
        client.api_reader.get(Pod, "default/web")
    with pytest.raises(ValueError, match="a subresource has a name"):
        client.sub_resource("")


def test_crc_07_warnings(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    for how in ("log", "dedupe", "drop", lambda code, agent, text: told.append(text)):
        handler = warning_handler(how)  # type: ignore[arg-type]
        handler(299, "-", f"old {how}" if isinstance(how, str) else "old")
        handler(299, "-", f"old {how}" if isinstance(how, str) else "old")
    with pytest.raises(ValueError, match="must be log, dedupe, drop or a function"):
        warning_handler("shout")  # type: ignore[arg-type]
    connected = Client.connect(Config(host="http://none.invalid"), warnings="drop")

    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert lines == ["the server warns: old log"] * 2 + ["the server warns: old dedupe"]
    assert told == ["old", "old"]
    assert "reading live" in repr(connected)


def test_crc_08_without_read_your_writes_the_cache_is_what_it_is(cs: FakeClientset) -> None:
    with running(cs, read_your_writes=False) as cache:
        client = Client(cs, cache)
        client.list(ConfigMap)
        made = client.create(config_map("new"))
        assert cache.status()[0].unseen_writes == 0
        cache.wait_for(made)
        assert client.exists(ConfigMap, "default/new")


def stalled(cs: FakeClientset, cache: Cache) -> None:
    """Have the cache of config maps hear of nothing more."""
    cache.list(ConfigMap)
    for part in cache._shared[CONFIG_MAP, False].parts():
        part.halt.set()
        part.join()


def test_crc_09_what_was_written_is_read_while_the_watch_is_silent(
    client: Client, cs: FakeClientset, cache: Cache
) -> None:
    cache.index_field(ConfigMap, "color", lambda obj: [(obj.data or {}).get("color", "")])
    stalled(cs, cache)

    client.create(config_map("new", data={"color": "red"}, labels={"l": "1"}))
    assert client.get(ConfigMap, "default/new").data == {"color": "red"}
    assert names(client.list(ConfigMap, label_selector="l=1")) == ["new"]
    assert names(client.list(ConfigMap, field_selector="color=red", namespace="default")) == ["new"]
    assert client.list(ConfigMap, label_selector="l=2") == []
    client.patch(config_map("new"), {"data": {"color": "blue"}}, patch_type="merge")
    assert client.list(ConfigMap, field_selector="color=red") == []
    assert names(client.list(ConfigMap, field_selector="color=blue")) == ["new"]
    assert client.get(metadata_only(ConfigMap), "default/new").metadata.labels == {"l": "1"}
    client.delete(config_map("a"))
    assert client.get_or_none(ConfigMap, "default/a") is None
    assert names(client.list(ConfigMap)) == ["new"]
    client.apply(config_map("a", data={"again": "yes"}))
    assert client.get(ConfigMap, "default/a").data == {"again": "yes"}
    assert cache.get(ConfigMap, "default/a") is not None


def test_crc_09_what_is_finalized_is_shown_until_its_last_finalizer_goes(
    client: Client, cs: FakeClientset, cache: Cache
) -> None:
    cs.load(config_map("held", finalizers=["example.com/x"]))
    stalled(cs, cache)

    client.delete(config_map("held"))
    ending = client.get(ConfigMap, "default/held")
    assert ending.metadata.deletion_timestamp is not None
    ending.metadata.finalizers = []
    client.update(ending)

    assert client.get_or_none(ConfigMap, "default/held") is None


def test_crc_09_what_was_written_before_the_first_read_is_read_too(client: Client, cs: FakeClientset) -> None:
    client.create(config_map("new"))

    cs.fail("watch", ConfigMap, errors.InternalError)
    assert client.exists(ConfigMap, "default/new")


def test_crc_09_what_leaves_the_selector_of_the_cache_is_not_read(cs: FakeClientset) -> None:
    cs.load(config_map("mine", labels={"l": "1"}))
    with running(cs, by_object={ConfigMap: KindScope(label_selector="l=1")}) as cache:
        client = Client(cs, cache)
        stalled(cs, cache)
        client.create(config_map("other"))
        client.patch(config_map("mine"), {"metadata": {"labels": {"l": "2"}}}, patch_type="merge")
        assert client.list(ConfigMap) == []


def test_crc_10_a_read_of_at_least_a_version(client: Client, cs: FakeClientset) -> None:
    client.list(ConfigMap)
    changed = cs.core_v1.config_maps("default").patch("a", {"data": {"k": "w"}}, patch_type="merge")
    version = changed.metadata.resource_version

    assert client.get(ConfigMap, "default/a", min_resource_version=version).data == {"k": "w"}
    assert client.api_reader.get(ConfigMap, "default/a", min_resource_version=version).data == {"k": "w"}
    with pytest.raises(errors.WaitTimeout):
        client.get(ConfigMap, "default/a", min_resource_version="99999", timeout=0.01)


def test_crc_12_and_13_what_else_can_be_read(client: Client, cs: FakeClientset) -> None:
    client.create(config_map("b"))

    assert names(client.iterate(ConfigMap, page_size=1)) == ["a", "b"]
    assert [type(each) for each in client.iterate(CONFIG_MAP, namespace="default")] == [Unstructured] * 2
    assert client.exists(ConfigMap, "default/b")
    assert client.get_or_none(ConfigMap, "default/none") is None
    with pytest.raises(errors.NotFound, match='configmaps "none" not found'):
        client.get(ConfigMap, "default/none")
    with client.watch(ConfigMap, namespace="default") as events:
        assert next(iter(events)).type == "ADDED"
    page = client.api_reader.list(ConfigMap, limit=1)
    assert len(page) == 1
    assert len(client.api_reader.list(ConfigMap, limit=1, continue_=page.continue_)) == 1


def test_delete_all_of_needs_a_namespace_and_deletes_what_is_selected(client: Client) -> None:
    client.create(config_map("b", labels={"l": "1"}))

    with pytest.raises(ValueError, match="a namespace must be given"):
        client.delete_all_of(ConfigMap)
    client.delete_all_of(ConfigMap, namespace="default", label_selector="l=1")

    assert names(client.api_reader.list(ConfigMap)) == ["a"]


def test_mgr_10_every_write_needs_leave(client: Client) -> None:
    class Lost(Exception):
        pass

    def refuse() -> None:
        raise Lost

    bound = client.within(Stop(), refuse)
    obj = bound.get(ConfigMap, "default/a")
    calls: list[Any] = [
        lambda: bound.create(config_map("x")),
        lambda: bound.update(obj),
        lambda: bound.update_status(obj),
        lambda: bound.patch(obj, {}, patch_type="merge"),
        lambda: bound.apply(obj),
        lambda: bound.delete(obj),
        lambda: bound.delete_all_of(ConfigMap, namespace="default"),
        lambda: bound.status().update(obj),
        lambda: dry_run(bound).create(config_map("x")),
        lambda: bound.acting_as("me").delete(obj),
        lambda: bound.within(Stop()).delete(obj),
    ]

    for call in calls:
        with pytest.raises(Lost):
            call()


def test_crc_01_and_07_a_manager_passes_on_what_its_client_is_to_do() -> None:
    config = Config(host="http://none.invalid")
    manager = Manager(config, client_options={"disable_for": [ConfigMap], "cache_unstructured": True})

    settings = manager.client._settings
    told = manager.clientset.config.warning_handler
    manager.stop()

    assert (settings.live, settings.cache_unstructured) == (frozenset({CONFIG_MAP}), True)
    assert told is log_warning
    assert config.warning_handler is None
