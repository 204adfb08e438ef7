"""The cache and the client of a manager over HTTP: a server that is slow, watches that end, kinds that come later."""

from __future__ import annotations

import threading

import pytest

from k8srt.api.core.v1 import ConfigMap, Namespace
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller import Builder, EnqueueForObject, Manager, Request, merge_from, metadata_only
from k8srt.controller.cache.cache import NamespaceNotCached
from k8srt.controller.context import Context
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from k8srt.testing.choosing import Server
from k8srt.util.threads import Latch
from k8srt.util.wait import Backoff

LONG = 20.0
SOON = Backoff(initial=0.05, factor=1.0, steps=1000)
WIDGET = GroupVersionKind("example.com", "v1", "Widget")
WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


def config_map(name: str, namespace: str = "default", **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, namespace=namespace), data=data)


@pytest.mark.embedded
def test_crc_09_a_program_reads_what_it_writes_whatever_the_watch_does(server: APIServer) -> None:
    manager = Manager(server.config)
    with manager:
        client = manager.client
        client.create(config_map("a", n="0"))
        for number in range(1, 101):
            obj = client.get(ConfigMap, "default/a")
            assert obj.data["n"] == str(number - 1)
            base = obj.copy()
            obj.data = {"n": str(number)}
            client.patch(obj, merge_from(base, optimistic_lock=True))
            if number == 25:
                server.faults.drop_watches("configmaps", events=3, abruptly=True)
            if number == 60:
                server.faults.clear()
                server.faults.stall_watches("configmaps")
        for _ in range(20):
            client.create(config_map("b"))
            assert client.exists(ConfigMap, "default/b")
            client.delete(config_map("b"))
            assert not client.exists(ConfigMap, "default/b")
        server.faults.clear()
        manager.cache.wait_for(client.get(ConfigMap, "default/a"))
        (status,) = manager.cache.status()

    assert (status.kind, status.synced, status.unseen_writes) == ("ConfigMap", True, 0)


def test_crc_11_no_reader_ever_sees_a_key_go_back(server: Server) -> None:
    manager = Manager(server.config)
    with manager:
        client = manager.client
        client.create(config_map("a", n="0"))
        over, wrong = threading.Event(), []

        def read() -> None:
            last = -1
            while not over.is_set():
                now = int(client.get(ConfigMap, "default/a").data["n"])
                if now < last:
                    wrong.append((last, now))
                last = now

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(1, 200):
            client.patch(config_map("a"), {"data": {"n": str(number)}}, patch_type="merge")
        over.set()
        for reader in readers:
            reader.join()

    assert wrong == []


def test_cch_09_namespaces_that_are_cached_and_one_that_is_not(server: Server, cs: Clientset) -> None:
    x, y, z = (
        cs.core_v1.namespaces().create(Namespace(metadata=ObjectMeta(generate_name="t-"))).metadata.name
        for _ in range(3)
    )
    for name in (x, y, z):
        cs.core_v1.config_maps(name).create(config_map("m", name))
    manager = Manager(server.config, default_namespaces=[x, y])

    with manager:
        found = where_m_is(manager)
        with pytest.raises(NamespaceNotCached):
            manager.client.get(ConfigMap, f"{z}/m")
        manager.cache.set_namespaces(metadata_only(ConfigMap), [z], wait=True)
        later = where_m_is(manager)

    assert found == {x, y}
    assert later == {z}


def where_m_is(manager: Manager) -> set[str]:
    """The namespaces in which the cache knows a config map of this name."""
    found = manager.client.list(metadata_only(ConfigMap))
    return {each.metadata.namespace for each in found if each.metadata.name == "m"}


def test_cch_15_a_kind_that_comes_later_is_watched_then(server: Server, cs: Clientset) -> None:
    manager = Manager(server.config, on_missing_kind="wait", backoff=SOON)
    seen = Latch()
    told: list[str] = []

    def on_add(obj: object, is_in_initial_list: bool) -> None:
        told.append(repr(obj))
        seen.set()

    manager.cache.informer(WIDGET).add_event_handler(on_add=on_add)
    with manager:
        assert manager.state == "running"
        cs.apply(WIDGETS)
        cs.discovery.invalidate()
        cs.resource(WIDGET, "default").create({"metadata": {"name": "w"}})
        assert seen.wait(LONG)

    assert told[0].startswith("<Unstructured Widget default/w")


def test_cch_15_a_controller_runs_while_a_kind_that_it_watches_is_missing(server: Server, cs: Clientset) -> None:
    manager = Manager(server.config, backoff=SOON)
    seen: list[str] = []
    first, second = Latch(), Latch()

    def reconcile(request: Request, ctx: Context) -> None:
        seen.append(request.name)
        (second if request.name == "w" else first).set()

    Builder(manager).for_(ConfigMap, where=lambda obj: obj.metadata.name == "a").watches(
        WIDGET, EnqueueForObject(), optional=True
    ).named("optional").complete(reconcile)

    with manager:
        cs.core_v1.config_maps("default").create(config_map("a"))
        assert first.wait(LONG)
        cs.apply(WIDGETS)
        cs.discovery.invalidate()
        cs.resource(WIDGET, "default").create({"metadata": {"name": "w"}})
        assert second.wait(LONG)

    assert set(seen) == {"a", "w"}


def test_rec_10_a_reconcile_reads_what_it_wrote(server: Server, cs: Clientset) -> None:
    manager = Manager(server.config)
    done, found = Latch(), []

    @manager.controller(ConfigMap, name="ryw", where=lambda obj: obj.metadata.name == "a")
    def reconcile(request: Request, ctx: Context) -> None:
        obj = ctx.client.get(ConfigMap, request)
        if "seen" in obj.data:
            done.set()
            return
        obj.data["seen"] = "yes"
        ctx.client.update(obj)
        found.append(ctx.cache.get(ConfigMap, request).data)

    with manager:
        cs.core_v1.config_maps("default").create(config_map("a", k="v"))
        assert done.wait(LONG)

    assert found == [{"k": "v", "seen": "yes"}]
