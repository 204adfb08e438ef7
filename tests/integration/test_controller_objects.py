"""What controllers do to objects, over HTTP, with the requests that it costs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.controller import Builder, Context, Manager, Request, Result
from k8srt.controller.client.writing import Written, create_or_patch, create_or_update
from k8srt.controller.finalizers import with_finalizer
from k8srt.controller.handler import EnqueueForObject
from k8srt.controller.source import SourceFailed
from k8srt.controller.sources.channel import Channel
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server

LONG = 20.0
MINE, THEIRS = "example.com/mine", "example.com/theirs"


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Told:
    """What happened, for waiting."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.all: list[str] = []

    def add(self, text: str) -> None:
        with self._cond:
            self.all.append(text)
            self._cond.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: self.all.count(text) >= times, timeout=LONG), self.all


class Counting:
    """A transport that counts what changes something."""

    def __init__(self, inner: Any, told: Told) -> None:
        self._inner, self._told = inner, told

    def send(self, method: str, target: str, **options: Any) -> Any:
        if method != "GET":
            self._told.add(f"{method} {target.partition('?')[0]}")
        return self._inner.send(method, target, **options)

    def close(self) -> None:
        self._inner.close()


def config_map(name: str, *finalizers: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, finalizers=list(finalizers)), data=data)


def deployment(owner: ConfigMap) -> Deployment:
    container = {"name": "web", "image": "nginx", "resources": {"requests": {"cpu": "1000m"}}}
    return Deployment.from_dict(
        {
            "metadata": {"name": owner.metadata.name, "namespace": owner.metadata.namespace},
            "spec": {
                "replicas": int(owner.data["replicas"]),
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
            },
        }
    )


def mine(obj: ConfigMap) -> bool:
    return obj.metadata.name == "a"


@pytest.fixture
def made(server: Server, namespace: str) -> Callable[[Told], Manager]:
    def make(writes: Told) -> Manager:
        return Manager(server.config.copy().wrap(lambda inner: Counting(inner, writes)), namespace=namespace)

    return make


@pytest.mark.idle
def test_apl_02_a_steady_state_costs_nothing(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)

    @manager.controller(ConfigMap, owns=[Deployment], where=mine, name="steady")
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        told.add(str(ctx.ensure(deployment(obj))))
        told.add(f"status {ctx.client.get(Deployment, ctx.request).status.replicas}")

    deployments = cs.apps_v1.deployments(namespace)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/a"
    with manager:
        cs.core_v1.config_maps(namespace).create(config_map("a", replicas="2"))
        told.wait_for("created")
        got = deployments.get("a")
        assert got.metadata.owner_references[0].kind == "ConfigMap"
        for count in range(1, 6):
            got.status.replicas = count
            got = deployments.update_status(got)
        told.wait_for("status 5")
        told.wait_for("unchanged")
        assert writes.all == [f"PATCH {path}"]

        deployments.patch("a", {"spec": {"replicas": 9}}, patch_type="merge")
        told.wait_for("updated")
        assert deployments.get("a").spec.replicas == 2
        deployments.delete("a")
        told.wait_for("created", 2)
        assert writes.all == [f"PATCH {path}"] * 3


@pytest.mark.idle
def test_apl_03_body_and_status_by_patches(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)

    @manager.controller(Deployment, name="patching")
    def reconcile(obj: Deployment, ctx: Context) -> None:
        with ctx.patching(obj):
            obj.metadata.labels = {"seen": "yes"}
            obj.status.observed_generation = obj.metadata.generation
        told.add(f"{obj.metadata.labels} {obj.status.observed_generation}")

    owner = config_map("d", replicas="1")
    owner.metadata.namespace = namespace
    with manager:
        cs.apps_v1.deployments(namespace).create(deployment(owner))
        told.wait_for("{'seen': 'yes'} 1", 2)

    path = f"PATCH /apis/apps/v1/namespaces/{namespace}/deployments/d"
    assert writes.all[:2] == [path, f"{path}/status"]
    assert cs.apps_v1.deployments(namespace).get("d").status.observed_generation == 1


def test_fin_02_and_03_a_life_with_a_finalizer(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)
    tries: list[int] = []

    def cleanup(obj: ConfigMap, ctx: Context) -> Result | None:
        tries.append(1)
        told.add("cleanup")
        if len(tries) == 1:
            raise RuntimeError("not reachable")
        return Result(requeue_after=0.01) if len(tries) == 2 else None

    @manager.controller(ConfigMap, where=mine, name="finalizing", backoff=(0.001, 0.01))
    @with_finalizer(MINE, cleanup=cleanup)
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        assert MINE in obj.metadata.finalizers
        told.add(f"reconcile {obj.data['k']}")

    maps = cs.core_v1.config_maps(namespace)
    with manager:
        maps.create(config_map("a", THEIRS, k="1"))
        told.wait_for("reconcile 1")
        maps.patch("a", {"data": {"k": "2"}}, patch_type="merge")
        told.wait_for("reconcile 2")
        maps.delete("a")
        got = maps.wait("a", lambda obj: MINE not in obj.metadata.finalizers, timeout=LONG)
        assert got.metadata.finalizers == [THEIRS]
        maps.patch("a", {"metadata": {"finalizers": []}}, patch_type="merge")
        maps.wait("a", "delete", timeout=LONG)

    # a change that comes before the controller has heard of its own finalizer is looked at twice
    seen = [each for number, each in enumerate(told.all) if each == "cleanup" or each not in told.all[:number]]
    assert seen == ["reconcile 1", "reconcile 2", "cleanup", "cleanup", "cleanup"]
    assert writes.all == [f"PATCH /api/v1/namespaces/{namespace}/configmaps/a"] * 2


def test_fin_02_many_finalizers_come_off_at_once_and_each_takes_its_own(
    cs: Clientset, namespace: str, made: Callable[[Told], Manager]
) -> None:
    told = Told()
    names = [f"example.com/f{number}" for number in range(4)]
    managers = []
    for finalizer in names:
        manager = made(Told())

        def cleanup(obj: ConfigMap, ctx: Context, finalizer: str = finalizer) -> None:
            told.add(finalizer)

        @manager.controller(ConfigMap, where=mine, name=finalizer.replace("/", "-"), backoff=(0.001, 0.01))
        @with_finalizer(finalizer, cleanup=cleanup)
        def reconcile(obj: ConfigMap, ctx: Context) -> None: ...

        managers.append(manager)
    maps = cs.core_v1.config_maps(namespace)
    maps.create(config_map("a", THEIRS))
    for manager in managers:
        manager.start()
    try:
        maps.wait("a", lambda obj: set(obj.metadata.finalizers) == {THEIRS, *names}, timeout=LONG)
        maps.delete("a")
        maps.wait("a", lambda obj: obj.metadata.finalizers == [THEIRS], timeout=LONG)
    finally:
        for manager in managers:
            manager.stop()

    assert sorted(told.all) == names
    maps.patch("a", {"metadata": {"finalizers": []}}, patch_type="merge")


def test_cut_05_and_06_over_http_and_a_cache(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    writes, told = Told(), Told()
    manager = made(writes)

    @manager.controller(ConfigMap, where=mine, name="writing")
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        copy = ConfigMap(metadata=ObjectMeta(name="copy", namespace=namespace))

        def mutate(copy: ConfigMap) -> None:
            copy.data = {"of": obj.data["k"]}

        write = create_or_update if obj.data["k"] != "3" else create_or_patch
        told.add(f"{obj.data['k']} {write(ctx.client, copy, mutate)}")

    maps = cs.core_v1.config_maps(namespace)
    with manager:
        maps.create(config_map("a", k="1"))
        told.wait_for(f"1 {Written.CREATED}")
        for value in "23":
            maps.patch("a", {"data": {"k": value}}, patch_type="merge")
            told.wait_for(f"{value} {Written.UPDATED}")

    assert maps.get("copy").data == {"of": "3"}
    assert [line.partition(" ")[0] for line in writes.all] == ["POST", "PUT", "PATCH"]


def test_src_05_a_channel_leads_to_reconciles(cs: Clientset, namespace: str, made: Callable[[Told], Manager]) -> None:
    told = Told()
    manager = made(Told())
    channel = Channel(EnqueueForObject())

    def reconcile(request: Request, ctx: Context) -> None:
        told.add(f"{request} {ctx.reasons[0].event}")

    Builder(manager).named("outside").watches_raw_source(channel).complete(reconcile)
    channel.send("shop/before")
    with manager:
        told.wait_for("shop/before generic")
        channel.send(Request("shop", "after"))
        told.wait_for("shop/after generic")


def test_src_04_what_is_not_served_is_told_in_words(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    class Nonesuch(Object, gvk="nowhere.example.com/v1/Nonesuch", resource="nonesuches"):
        pass

    manager = Manager(server.config)

    @manager.controller(Nonesuch, cache_sync_timeout=0.3)
    def reconcile(request: Request, ctx: Context) -> None: ...

    with pytest.raises(SourceFailed, match=r"Nonesuch.*has not synced within 0\.3s.*is the CRD installed\?"):
        manager.run()
