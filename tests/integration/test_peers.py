"""Clients by others against the embedded server, each doing what it is made for; those not installed are skipped.

The official client (typed, dynamic, watch, informer, leader election), lightkube, kr8s, an operator by kopf, and kpt.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from tests.integration.programs import LIMIT

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(90), pytest.mark.filterwarnings("default")]

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
}
WIDGET = {"apiVersion": "example.com/v1", "kind": "Widget"}
STATUS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SPEC = {"type": "object", "properties": {"size": {"type": "integer"}}}
SCALE = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
WIDGETS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}, "scale": SCALE},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}},
            }
        ],
    },
}


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        server.load(WIDGETS)
        yield server


@pytest.fixture
def kubeconfig(server: APIServer, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(server.kubeconfig())
    return path


@pytest.fixture
def ours(server: APIServer) -> Iterator[Clientset]:
    """This package's client, to see with and to act beside the others."""
    with Clientset(server.config) as clientset:
        yield clientset


@pytest.fixture
def namespace(ours: Clientset) -> str:
    ours.core_v1.namespaces().create({"metadata": {"name": "peers"}})
    return "peers"


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Does something in another thread, and is done before the test is."""
    threads = []

    def start(work: Callable[[], Any]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(LIMIT)


# ---- the official client


@pytest.fixture
def official(kubeconfig: Path) -> Iterator[Any]:
    kubernetes = pytest.importorskip("kubernetes", reason="the official client is not installed")
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    with kubernetes.client.ApiClient(configuration) as api:
        yield api


def test_official_typed(official, namespace):
    from kubernetes import client

    core, apps = client.CoreV1Api(official), client.AppsV1Api(official)
    meta = client.V1ObjectMeta(generate_name="cfg-", labels={"tier": "web"})

    made = core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta, data={"a": "1"}))
    name = made.metadata.name
    assert name.startswith("cfg-")
    assert made.metadata.creation_timestamp.tzinfo is not None
    assert core.patch_namespaced_config_map(name, namespace, {"data": {"b": "2"}}).data == {"a": "1", "b": "2"}
    stale = core.read_namespaced_config_map(name, namespace)
    core.replace_namespaced_config_map(name, namespace, stale)
    stale.data = {"c": "3"}
    assert core.replace_namespaced_config_map(name, namespace, stale).data == {"c": "3"}
    with pytest.raises(client.ApiException) as conflict:
        core.replace_namespaced_config_map(name, namespace, stale)
    assert (conflict.value.status, json.loads(conflict.value.body)["reason"]) == (409, "Conflict")
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "other"}})
    page = core.list_namespaced_config_map(namespace, limit=1)
    rest = core.list_namespaced_config_map(namespace, limit=1, _continue=page.metadata._continue)
    assert {item.metadata.name for item in (*page.items, *rest.items)} == {name, "other"}
    assert page.metadata.remaining_item_count == 1

    apps.create_namespaced_deployment(namespace, DEPLOYMENT)
    scale = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    assert scale.spec.replicas == 3
    ready = apps.patch_namespaced_deployment_status("web", namespace, {"status": {"replicas": 3, "readyReplicas": 2}})
    assert ready.status.ready_replicas == 2
    core.delete_collection_namespaced_config_map(namespace, label_selector="tier=web")
    assert [each.metadata.name for each in core.list_namespaced_config_map(namespace).items] == ["other"]
    options = client.V1DeleteOptions(propagation_policy="Foreground")
    apps.delete_namespaced_deployment("web", namespace, body=options)
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("nope", namespace)
    assert missing.value.status == 404


def test_official_custom_objects(official, namespace):
    from kubernetes import client

    custom = client.CustomObjectsApi(official)
    where = ("example.com", "v1", namespace, "widgets")
    widget = {**WIDGET, "metadata": {"name": "w"}, "spec": {"size": 1}}

    custom.create_namespaced_custom_object(*where, widget)
    assert custom.patch_namespaced_custom_object(*where, "w", {"spec": {"size": 2}})["spec"] == {"size": 2}
    custom.patch_namespaced_custom_object_status(*where, "w", {"status": {"phase": "Fine"}})
    found = custom.list_namespaced_custom_object(*where)["items"]

    assert [(each["spec"], each["status"]) for each in found] == [({"size": 2}, {"phase": "Fine"})]
    with pytest.raises(client.ApiException) as refused:
        custom.patch_namespaced_custom_object(*where, "w", {"spec": {"size": "big"}})
    assert refused.value.status == 422


def test_official_dynamic(official, namespace):
    from kubernetes import dynamic

    client = dynamic.DynamicClient(official)
    configs = client.resources.get(api_version="v1", kind="ConfigMap")
    configs.create(body={"metadata": {"name": "d"}, "data": {"a": "1"}}, namespace=namespace)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"a": "2"}}

    with pytest.raises(dynamic.exceptions.ConflictError):
        configs.server_side_apply(namespace=namespace, name="d", body=body, field_manager="me")
    applied = configs.server_side_apply(
        namespace=namespace, name="d", body=body, field_manager="me", force_conflicts=True
    )
    assert applied.data.a == "2"
    assert [item.metadata.name for item in configs.get(namespace=namespace).items] == ["d"]
    widgets = client.resources.get(api_version="example.com/v1", kind="Widget")
    widget = {**WIDGET, "metadata": {"name": "w"}, "spec": {"size": 1}}
    widgets.create(body=widget, namespace=namespace)
    assert widgets.scale.get(name="w", namespace=namespace).spec.replicas == 1
    assert configs.delete(name="d", namespace=namespace).status == "Success"
    with pytest.raises(dynamic.exceptions.NotFoundError):
        configs.get(name="d", namespace=namespace)


def test_official_watch(official, namespace, ours, meanwhile):
    from kubernetes import client, watch

    core = client.CoreV1Api(official)
    configs = ours.core_v1.config_maps(namespace)
    configs.create({"metadata": {"name": "a"}})
    start = core.list_namespaced_config_map(namespace).metadata.resource_version

    def change() -> None:
        configs.create({"metadata": {"name": "b"}})
        configs.patch("a", {"data": {"x": "1"}}, patch_type="merge")
        configs.delete("a")

    meanwhile(change)
    seen = []
    watcher = watch.Watch()
    stream = watcher.stream(
        core.list_namespaced_config_map, namespace, resource_version=start, timeout_seconds=int(LIMIT)
    )
    for event in stream:
        seen.append((event["type"], event["object"].metadata.name))
        if event["type"] == "DELETED":
            watcher.stop()

    assert seen == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_official_watch_of_the_forgotten_past(official, namespace, server, ours):
    from kubernetes import client, watch

    core = client.CoreV1Api(official)
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    ours.core_v1.config_maps(namespace).create({"metadata": {"name": "a"}})
    server.compact()

    with pytest.raises(client.ApiException) as expired:
        list(watch.Watch().stream(core.list_namespaced_config_map, namespace, resource_version=start))

    assert expired.value.status == 410


def test_official_informer(official, namespace, ours):
    informers = pytest.importorskip("kubernetes.informer", reason="this official client has no informer")
    from kubernetes import client

    core = client.CoreV1Api(official)
    configs = ours.core_v1.config_maps(namespace)
    configs.create({"metadata": {"name": "a"}})
    seen: queue.Queue[tuple[object, ...]] = queue.Queue()
    informer = informers.SharedInformer(core.list_namespaced_config_map, namespace=namespace, resync_period=1)
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        informer.add_event_handler(kind, lambda obj, kind=kind: seen.put((kind, obj.metadata.name, obj.data)))

    def expect(*change: object) -> None:
        """Wait for a change; it tells what it has once more from time to time."""
        while seen.get(timeout=LIMIT) != change:
            pass

    informer.start()
    try:
        expect("ADDED", "a", None)
        configs.patch("a", {"data": {"x": "1"}}, patch_type="merge")
        expect("MODIFIED", "a", {"x": "1"})
        assert [each.metadata.name for each in informer.cache.list()] == ["a"]
        configs.delete("a")
        expect("DELETED", "a", {"x": "1"})
        assert informer.cache.list() == []
    finally:
        informer.stop()


class Program:
    """A program of `peers.py` that runs beside the tests."""

    def __init__(self, kubeconfig: Path, *words: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("peers.py")), *words]
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self._alarm = threading.Timer(LIMIT, self._process.kill)
        self._alarm.start()

    def wait_for(self, text: str) -> None:
        """Read what it writes until it writes this."""
        assert self._process.stdout is not None
        read = []
        for line in self._process.stdout:
            read.append(line)
            if text in line:
                return
        pytest.fail(f"it never wrote {text!r} but\n{''.join(read)}")

    def kill(self) -> None:
        self._alarm.cancel()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_official_leader_election(kubeconfig, ours):
    pytest.importorskip("kubernetes.leaderelection.resourcelock.leaselock", reason="no client that elects by leases")
    lease = ours.coordination_v1.leases("default")
    first = Program(kubeconfig, "contend", "first")
    try:
        first.wait_for("leading")
        second = Program(kubeconfig, "contend", "second")
        try:
            second.wait_for("contending")
            assert lease.get("leader").spec.holder_identity == "first"

            first.kill()

            second.wait_for("leading")
            assert lease.get("leader").spec.holder_identity == "second"
        finally:
            second.kill()
    finally:
        first.kill()


# ---- lightkube


@pytest.fixture
def lightkube(kubeconfig: Path, namespace: str) -> Any:
    package = pytest.importorskip("lightkube", reason="lightkube is not installed")
    config = package.KubeConfig.from_file(str(kubeconfig))
    return package.Client(config=config, namespace=namespace, field_manager="lightkube")


def test_lightkube(lightkube, namespace, ours, meanwhile):
    from lightkube import codecs
    from lightkube.core.exceptions import ApiError
    from lightkube.generic_resource import create_namespaced_resource
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.apps_v1 import Deployment
    from lightkube.resources.core_v1 import ConfigMap
    from lightkube.types import CascadeType, PatchType

    lightkube.create(ConfigMap(metadata=ObjectMeta(name="a", labels={"tier": "web"}), data={"a": "1"}))
    patched = lightkube.patch(
        ConfigMap, "a", [{"op": "add", "path": "/data/b", "value": "2"}], patch_type=PatchType.JSON
    )
    assert patched.data == {"a": "1", "b": "2"}
    lightkube.apply(ConfigMap(metadata=ObjectMeta(name="b"), data={"a": "1"}))
    applied = lightkube.apply(ConfigMap(metadata=ObjectMeta(name="b"), data={"c": "1"}))
    assert applied.data == {"c": "1"}
    assert [each.metadata.name for each in lightkube.list(ConfigMap, labels={"tier": "web"})] == ["a"]
    assert [each.metadata.name for each in lightkube.list(ConfigMap, chunk_size=1)] == ["a", "b"]

    lightkube.create(codecs.from_dict(DEPLOYMENT))
    assert lightkube.patch(Deployment.Scale, "web", {"spec": {"replicas": 2}}).spec.replicas == 2
    condition = {"status": {"conditions": [{"type": "Available", "status": "True"}]}}
    meanwhile(
        lambda: ours.apps_v1.deployments(namespace).patch("web", condition, patch_type="merge", subresource="status")
    )
    assert lightkube.wait(Deployment, "web", for_conditions=["Available"]).status.conditions[0].status == "True"

    meanwhile(lambda: ours.core_v1.config_maps(namespace).create({"metadata": {"name": "late"}}))
    events = lightkube.watch(ConfigMap, server_timeout=int(LIMIT))
    assert next(kind for kind, obj in events if obj.metadata.name == "late") == "ADDED"

    widgets = create_namespaced_resource("example.com", "v1", "Widget", "widgets")
    lightkube.create(widgets(metadata={"name": "w"}, spec={"size": 3}))
    assert lightkube.get(widgets, "w").spec == {"size": 3}
    lightkube.deletecollection(ConfigMap)
    lightkube.delete(Deployment, "web", cascade=CascadeType.BACKGROUND)
    with pytest.raises(ApiError, match='configmaps "a" not found') as missing:
        lightkube.get(ConfigMap, "a")
    assert missing.value.status.reason == "NotFound"


# ---- kr8s


def test_kr8s(kubeconfig, namespace, ours, meanwhile):
    kr8s = pytest.importorskip("kr8s", reason="kr8s is not installed")
    from kr8s.objects import ConfigMap, Deployment, Pod, new_class

    api = kr8s.api(kubeconfig=str(kubeconfig), namespace=namespace)
    config = ConfigMap({"metadata": {"name": "a", "namespace": namespace}, "data": {"a": "1"}}, api=api)
    config.create()
    config.patch({"data": {"b": "2"}})
    config.label({"tier": "web"})
    config.annotate(note="x")
    assert dict(config.data) == {"a": "1", "b": "2"}
    assert [each.name for each in api.get("configmaps", namespace=namespace, label_selector={"tier": "web"})] == ["a"]

    web = Deployment({**DEPLOYMENT, "metadata": {"name": "web", "namespace": namespace}}, api=api)
    web.create()
    status = {"status": {"replicas": 3, "readyReplicas": 3, "observedGeneration": 9}}
    meanwhile(
        lambda: ours.apps_v1.deployments(namespace).patch("web", status, patch_type="merge", subresource="status")
    )
    web.scale(3)
    web.refresh()
    assert web.replicas == 3

    pod = Pod({"metadata": {"name": "p", "namespace": namespace}, "spec": TEMPLATE["spec"]}, api=api)
    pod.create()
    assert pod.status.phase == "Pending"
    pod.delete()
    assert not pod.exists()

    meanwhile(lambda: ours.core_v1.config_maps(namespace).create({"metadata": {"name": "late"}}))
    events = api.watch("configmaps", namespace=namespace)
    assert next(kind for kind, obj in events if obj.name == "late") == "ADDED"

    widget = new_class("Widget", version="example.com/v1", namespaced=True)(
        {"metadata": {"name": "w", "namespace": namespace}, "spec": {"size": 3}}, api=api
    )
    widget.create()
    assert [each.raw["spec"]["size"] for each in api.get("widgets.example.com", namespace=namespace)] == [3]
    with pytest.raises(kr8s.NotFoundError):
        ConfigMap.get("nope", namespace=namespace, api=api)


# ---- kopf


def test_kopf_operator(kubeconfig, namespace, ours):
    pytest.importorskip("kopf", reason="kopf is not installed")
    pytest.importorskip("kubernetes", reason="the operator acts with the official client")
    widgets = ours.resource("widgets.example.com", namespace)
    configs = ours.core_v1.config_maps(namespace)
    operator = Program(kubeconfig, "operate", namespace)
    try:
        widgets.create(
            {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
        )
        made = widgets.wait("w", "jsonpath={.status.created.child}=w", timeout=LIMIT)
        assert made.metadata.finalizers == ["kopf.zalando.org/KopfFinalizerMarker"]
        child = configs.get("w")
        assert child.data == {"size": "1"}
        assert child.metadata.owner_references[0].uid == made.metadata.uid

        widgets.patch("w", {"spec": {"size": 5}}, patch_type="merge")
        widgets.wait("w", "jsonpath={.status.size}=5", timeout=LIMIT)
        assert configs.get("w").data == {"size": "5"}

        widgets.delete("w")
        operator.wait_for("gone w")
        widgets.wait("w", "delete", timeout=LIMIT)
        configs.wait("w", "delete", timeout=LIMIT)  # by the garbage collector
    finally:
        operator.kill()

    reasons = {each.reason for each in ours.core_v1.events(namespace).list().items}
    assert "Made" in reasons


# ---- kpt


def test_kpt(kubeconfig, namespace, ours, tmp_path):
    kpt = shutil.which("kpt") or shutil.which("kpt", path=str(Path(shutil.which("kubectl") or "/").resolve().parent))
    if kpt is None:
        pytest.skip("kpt is not installed")
    package = tmp_path / "package"
    package.mkdir()
    (package / "Kptfile").write_text("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: package\n")
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: {}\n"
    for name in ("a", "b"):
        (package / f"{name}.yaml").write_text(manifest.format(name, namespace))

    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig)}

    def live(*words: str) -> str:
        command = [kpt, "live", *words]
        done = subprocess.run(
            command, cwd=package, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    live("init", "--namespace", namespace)
    definitions = ours.apiextensions_v1.custom_resource_definitions()
    with (
        definitions.watch(field_selector="metadata.name=resourcegroups.kpt.dev") as events,
        subprocess.Popen([kpt, "live", "install-resource-group"], env=environment) as install,
    ):
        assert next(events).type == "ADDED"
        install.kill()  # it would look again every two seconds, for ten
    definitions.wait("resourcegroups.kpt.dev", "condition=Established", timeout=LIMIT)
    assert "2 attempted, 2 successful" in live("apply")
    assert [each.metadata.name for each in ours.core_v1.config_maps(namespace).list().items] == ["a", "b"]
    live("destroy")
    assert ours.core_v1.config_maps(namespace).list().items == []
