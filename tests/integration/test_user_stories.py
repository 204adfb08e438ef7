"""What users of other clients suffer from, told as they would tell it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.record import decode_record_list
from k8srt.cli.main import main
from k8srt.errors import Conflict, Expired
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from k8srt.testing.choosing import Server
from k8srt.tools.cache import DeletedFinalStateUnknown

LONG = 20.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def test_usr_05_informers_with_handlers_that_come_and_go(cs: Clientset, namespace: str) -> None:
    """An informer has indices, tombstones and `has_synced`; a handler sees an addition before any update."""
    factory = SharedInformerFactory(cs, namespace=namespace)
    maps = factory.core_v1.config_maps
    maps.informer.add_indexers({"color": lambda obj: [obj.data["color"]] if "color" in obj.data else []})
    told: dict[str, list[str]] = {}
    seen = threading.Condition()

    def tell(obj: Any, what: str) -> None:
        name = obj.obj.metadata.name if isinstance(obj, DeletedFinalStateUnknown) else obj.metadata.name
        with seen:
            told.setdefault(name, []).append(what)
            seen.notify_all()

    client = cs.core_v1.config_maps(namespace)
    client.create(config_map("a", color="red"))
    with factory:
        factory.wait_for_cache_sync(timeout=LONG).raise_for_error()
        registration = maps.informer.add_event_handler(
            on_add=lambda obj, initial: tell(obj, "add"),
            on_update=lambda old, new: tell(new, "update"),
            on_delete=lambda obj: tell(obj, "delete"),
        )
        assert registration.synced.wait(LONG)
        assert registration.has_synced()
        for color in ("blue", "green"):
            client.patch("a", {"data": {"color": color}}, patch_type="merge")
        client.create(config_map("b", color="green"))
        with seen:
            assert seen.wait_for(lambda: told.get("a", [])[-1:] == ["update"] and "b" in told, LONG)
        assert {each.metadata.name for each in maps.informer.indexer.by_index("color", "green")} == {"a", "b"}
        client.delete("a")
        with seen:
            assert seen.wait_for(lambda: told["a"][-1] == "delete", LONG)
        maps.informer.remove_event_handler(registration)

    assert told["a"][0] == "add"
    assert set(told["a"][1:-1]) == {"update"}


def pod_list(count: int) -> bytes:
    container = {
        "name": "main",
        "image": "example.com/app:1",
        "env": [{"name": f"E{n}", "value": "v"} for n in range(30)],
    }
    items = [
        {"metadata": {"name": f"p-{n}", "namespace": "default", "uid": f"u{n}", "resourceVersion": str(n + 1)},
         "spec": {"containers": [container] * 3}, "status": {"phase": "Running"}}
        for n in range(count)
    ]  # fmt: skip
    return json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}).encode()


@pytest.mark.embedded
def test_usr_08_a_big_list_takes_little_more_than_its_bytes() -> None:
    """Nothing of it is decoded but what caches look at; `python -m benchmarks objects` tells the times."""
    text = pod_list(2000)

    found = decode_record_list(text)

    assert len(found.records) == 2000
    parts = [part for record in found.records for part in record.parts.values()]
    assert {type(part) for part in parts} == {bytes}
    assert sum(map(len, parts)) <= 1.2 * len(text)


PROGRAM = """
import sys
import ssl, urllib3

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

before = resident()
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
cs = Clientset(Config(host=sys.argv[1], bearer_token=sys.argv[2]))
cs.core_v1.namespaces().get("default")
print(resident() - before)
"""


@pytest.mark.embedded
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory by /proc")
def test_usr_09_a_client_and_a_call_take_less_than_ten_mebibytes(server: APIServer) -> None:
    command = [sys.executable, "-c", PROGRAM, server.url, server.token]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)

    assert int(done.stdout) < 10 << 20


def test_usr_21_watching_and_reading_write_nothing(cs: Clientset, namespace: str) -> None:
    """No bookkeeping in the objects of users: their versions stay what they were."""
    client = cs.core_v1.config_maps(namespace)
    for number in range(20):
        obj = config_map(f"m-{number}", k="v")
        obj.metadata.labels = {"mine": "yes"}
        client.create(obj)

    def versions() -> dict[str, str]:
        return {each.metadata.name: each.metadata.resource_version for each in client.list(label_selector="mine=yes")}

    before = versions()

    factory = SharedInformerFactory(cs, namespace=namespace, resync_period=1.0)
    informer = factory.core_v1.config_maps.informer
    registration = informer.add_event_handler(on_add=lambda obj: setattr(obj.metadata, "annotations", {"seen": "yes"}))
    with factory:
        assert registration.synced.wait(LONG)
        for obj in factory.core_v1.config_maps.lister.list():
            obj.data["changed"] = "here only"

    assert versions() == before
    assert len(before) == 20


@pytest.mark.embedded
def test_usr_22_a_server_in_the_process_that_pages_expires_and_conflicts(server: APIServer, cs: Clientset) -> None:
    """By the class of client that is used in production."""
    client = cs.core_v1.config_maps("default")
    made = client.create(config_map("a"))
    for number in range(4):
        client.create(config_map(f"m-{number}"))

    assert len(list(client.iterate(page_size=2))) == len(client.list())
    client.patch("a", {"data": {"k": "v"}}, patch_type="merge")
    with pytest.raises(Conflict):
        client.update(made)
    applied = client.apply(config_map("applied", k="v"), field_manager="me")
    assert [entry.operation for entry in applied.metadata.managed_fields] == ["Apply"]
    server.compact()
    with client.watch(resource_version=made.metadata.resource_version) as events, pytest.raises(Expired):
        next(events)


WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gauges.stories.example.com}
spec:
  group: stories.example.com
  scope: Namespaced
  names: {plural: gauges, singular: gauge, kind: Gauge}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
          status: {type: object, properties: {ready: {type: boolean}}}
"""

USES = """
import sys, threading
sys.path.insert(0, sys.argv[1])
from gauges.api.v1 import Gauge, GaugeSpec
from gauges.client import Clientset
from gauges.informers import SharedInformerFactory
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Manager
from k8srt.tools.clientcmd import load_config

config, namespace = load_config(sys.argv[2]).config, sys.argv[3]
cs = Clientset(config)
gauges = cs.resource(Gauge, namespace)
gauges.create(Gauge(metadata=ObjectMeta(name="one"), spec=GaugeSpec(size=3)))
factory = SharedInformerFactory(cs)
informer = factory.resource(Gauge)
informer.informer
with factory:
    factory.wait_for_cache_sync(timeout=20).raise_for_error()
    assert informer.lister.get("one", namespace).spec.size == 3
manager, done = Manager(config), threading.Event()

@manager.controller(Gauge)
def reconcile(obj: Gauge, ctx):
    obj.status.ready = True
    ctx.client.update_status(obj)
    done.set()

with manager:
    assert done.wait(20)
print(gauges.get("one").status.ready)
"""


def test_usr_30_custom_resources_are_first_class(
    cs: Clientset, namespace: str, kubeconfig: Path, tmp_path: Path
) -> None:
    """From a file to typed classes without a cluster; then a client, an informer and a controller of them."""
    (tmp_path / "crd.yaml").write_text(WIDGETS)

    assert main(["generate", str(tmp_path / "crd.yaml"), "--output", str(tmp_path), "--package", "gauges"]) == 0
    cs.apply(WIDGETS)
    command = [sys.executable, "-c", USES, str(tmp_path), str(kubeconfig), namespace]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)

    assert done.stderr == ""
    assert done.stdout == "True\n"


@pytest.mark.server_at_least("1.27")  # aggregated discovery
def test_usr_31_a_kind_is_found_by_two_requests_whoever_asks(server: Server) -> None:
    asked: list[str] = []

    class Counting:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def send(self, method: str, target: str, **options: Any) -> Any:
            asked.append(target.partition("?")[0])
            return self._inner.send(method, target, **options)

    config = server.config
    config.wrap_transport = Counting
    with Clientset(config) as cs:
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(repr(cs.resource("deploy")))) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1
        assert sorted(asked) == ["/api", "/apis"]

        cs.apply(WIDGETS)
        asked.clear()
        assert cs.resource("gauges").info.kind == "Gauge"
        assert len([target for target in asked if target in ("/api", "/apis")]) == 2
