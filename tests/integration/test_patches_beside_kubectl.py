"""The patches that a real kubectl sends, and those made here of the same objects.

Every case has kubectl change an object on the embedded server. The patch it sends is taken down, and compared with
the one that `k8srt.apimachinery.patch` makes of what kubectl had before it: equal, byte order of keys aside.
"""

from __future__ import annotations

import copy
import json
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from k8srt.apimachinery.patch import (
    create_merge_patch,
    create_strategic_patch,
    create_three_way_merge_patch,
    create_three_way_strategic_patch,
)
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.dynamic.client import DynamicResourceClient
from k8srt.testing import APIServer
from k8srt.testing.apiserver import patches
from tests.integration.programs import Kubectl, binaries, number

pytestmark = [pytest.mark.embedded, pytest.mark.kubectl, pytest.mark.timeout(120)]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
RESOURCES = {
    "Boat": GroupVersionResource("example.com", "v1", "boats"),
    "ConfigMap": GroupVersionResource("", "v1", "configmaps"),
    "Deployment": GroupVersionResource("apps", "v1", "deployments"),
    "Pod": GroupVersionResource("", "v1", "pods"),
    "Service": GroupVersionResource("", "v1", "services"),
}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boats.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "boats", "kind": "Boat"},
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

JSON = dict[str, Any]
Change = Callable[[JSON], None]


class Cluster:
    """A server, and the patches that were sent to it."""

    def __init__(self, server: APIServer, folder: Path) -> None:
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(server.kubeconfig())
        self.dynamic = DynamicClient(server.config)
        self.sent: list[tuple[str, Any]] = []


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not binaries():
        pytest.skip("there is no kubectl on the PATH")
    monkeypatch = pytest.MonkeyPatch()
    with APIServer() as server, monkeypatch.context() as patching:
        made = Cluster(server, tmp_path_factory.mktemp("cluster"))

        def taken_down(request: Any, media: str) -> Any:
            made.sent.append((media.rpartition("/")[2].partition("+")[0], msgspec.json.decode(request.body)))
            return read(request, media)

        read = patches.read_patch
        patching.setattr(patches, "read_patch", taken_down)
        made.dynamic.resource(GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")).create(
            CRD
        )
        with made.dynamic:
            yield made


@pytest.fixture(scope="module", params=binaries() or [None], ids=lambda binary: number(binary) if binary else "none")
def kubectl(request: Any, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    return Kubectl(request.param, cluster.kubeconfig, tmp_path_factory.mktemp("home"), "default")


# ---- the objects --------------------------------------------------------------------------------------------------


def deployment(*containers: JSON, volumes: list[JSON] | None = None, **spec: Any) -> JSON:
    pod: JSON = {"containers": list(containers)} | ({"volumes": volumes} if volumes else {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
            **spec,
        },
    }


def pod(*containers: JSON, **spec: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": list(containers), **spec}}


def service(*ports: JSON, **spec: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "Service", "spec": {"ports": list(ports), "selector": {"a": "b"}, **spec}}


def config_map(meta: JSON | None = None, **data: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta or {}, "data": data}


def boat(**spec: Any) -> JSON:
    return {"apiVersion": "example.com/v1", "kind": "Boat", "spec": spec}


MAIN = {"name": "main", "image": "a:1", "args": ["x", "y"], "env": [{"name": "A", "value": "1"}]}
SIDE = {"name": "side", "image": "b:1"}
WEB = {"name": "web", "port": 80, "targetPort": 8080}
TLS = {"name": "tls", "port": 443, "targetPort": "https"}
DNS = {"name": "dns", "port": 53, "protocol": "UDP"}
SCRATCH = {"name": "v", "emptyDir": {}}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}


def with_env(*env: JSON) -> JSON:
    return {**MAIN, "env": list(env)}


# ---- kubectl apply ------------------------------------------------------------------------------------------------

APPLIED: dict[str, tuple[JSON, JSON, Any]] = {
    # what was applied, what is applied now, and what somebody else has changed between (a merge patch)
    "an image changes": (deployment(MAIN), deployment({**MAIN, "image": "a:2"}), None),
    "a container comes": (deployment(MAIN), deployment(MAIN, SIDE), None),
    "a container comes first": (deployment(MAIN), deployment(SIDE, MAIN), None),
    "a container goes": (deployment(MAIN, SIDE), deployment(MAIN), None),
    "containers change places": (deployment(MAIN, SIDE), deployment(SIDE, MAIN), None),
    "a variable comes and one goes": (
        deployment(MAIN),
        deployment(with_env({"name": "B", "value": "2"}, {"name": "C", "value": "3"})),
        None,
    ),
    "variables change places": (
        deployment(with_env({"name": "B", "value": "1"}, {"name": "A", "value": "1"})),
        deployment(with_env({"name": "A", "value": "1"}, {"name": "B", "value": "1"})),
        None,
    ),
    "variables go": (deployment(MAIN), deployment({"name": "main", "image": "a:1"}), None),
    "arguments are replaced": (deployment(MAIN), deployment({**MAIN, "args": ["z"]}), None),
    "the strategy changes": (
        deployment(MAIN, strategy=ROLLING),
        deployment(MAIN, strategy={"type": "Recreate"}),
        None,
    ),
    "a volume changes its kind": (
        deployment(MAIN, volumes=[SCRATCH]),
        deployment(MAIN, volumes=[{"name": "v", "configMap": {"name": "cfg"}}]),
        None,
    ),
    "a volume goes": (deployment(MAIN, volumes=[SCRATCH, {"name": "w", "emptyDir": {}}]), deployment(MAIN), None),
    "replicas are no longer said": (deployment(MAIN, replicas=3), deployment(MAIN), None),
    "somebody else scaled it": (
        deployment(MAIN, replicas=3),
        deployment(MAIN, replicas=3, paused=True),
        {"spec": {"replicas": 5}},
    ),
    "somebody else added labels": (
        deployment(MAIN),
        {**deployment(MAIN), "metadata": {"labels": {"mine": "1"}}},
        {"metadata": {"labels": {"theirs": "1"}, "annotations": {"note": "x"}}},
    ),
    "a port comes": (service(WEB), service(WEB, TLS), None),
    "a port goes and one changes": (service(WEB, TLS, DNS), service({**WEB, "targetPort": "http"}, DNS), None),
    "ports change places": (service(WEB, TLS), service(TLS, WEB), None),
    "the selector changes": (service(WEB), service(WEB, selector={"a": "c", "tier": "fe"}), None),
    "the type changes": (service(WEB), service(WEB, type="NodePort", sessionAffinity="ClientIP"), None),
    "an image of a pod changes": (pod(MAIN, SIDE), pod(MAIN, {**SIDE, "image": "b:2"}), None),
    "a toleration comes": (
        pod(MAIN),
        pod(MAIN, tolerations=[{"key": "k", "operator": "Exists", "effect": "NoSchedule"}]),
        None,
    ),
    "data changes, comes and goes": (config_map(a="1", b="2"), config_map(a="2", c="3"), None),
    "all data goes": (config_map(a="1"), config_map(), None),
    "somebody else added data": (config_map(a="1"), config_map(a="2"), {"data": {"theirs": "x", "a": "9"}}),
    "finalizers come and go": (
        config_map({"finalizers": ["x/a", "x/b"]}),
        config_map({"finalizers": ["x/c", "x/b"]}),
        {"metadata": {"finalizers": ["x/a", "x/b", "x/theirs"]}},
    ),
    "labels and annotations go": (
        config_map({"labels": {"a": "1", "b": "2"}, "annotations": {"n": "x"}}),
        config_map({"labels": {"b": "3"}}),
        None,
    ),
    "a sidecar was injected": (
        deployment(MAIN, SIDE),
        deployment(SIDE, {**MAIN, "image": "a:2"}),
        {"spec": {"template": {"spec": {"containers": [MAIN, {"name": "injected", "image": "i"}, SIDE]}}}},
    ),
    "a sidecar was injected and a container goes": (
        deployment(MAIN, SIDE),
        deployment(MAIN),
        {"spec": {"template": {"spec": {"containers": [{"name": "injected", "image": "i"}, MAIN, SIDE]}}}},
    ),
    "somebody else removed what goes": (
        deployment(MAIN, SIDE),
        deployment({**MAIN, "image": "a:2"}),
        {"spec": {"template": {"spec": {"containers": [MAIN]}}}},
    ),
    "somebody else removed what stays": (
        deployment(MAIN, SIDE),
        deployment(MAIN, SIDE, paused=True),
        {"spec": {"template": {"spec": {"containers": [MAIN]}}}},
    ),
    "a volume is another and somebody added one": (
        deployment(MAIN, volumes=[SCRATCH]),
        deployment(MAIN, volumes=[{"name": "v", "hostPath": {"path": "/x"}}, {"name": "w", "emptyDir": {}}]),
        {"spec": {"template": {"spec": {"volumes": [SCRATCH, {"name": "theirs", "emptyDir": {}}]}}}},
    ),
    "the strategy was defaulted": (deployment(MAIN), deployment(MAIN, strategy={"type": "Recreate"}), None),
    "container ports, mounts and probes": (
        deployment({**MAIN, "ports": [{"containerPort": 80}, {"containerPort": 81}]}, volumes=[SCRATCH]),
        deployment(
            {
                **MAIN,
                "ports": [{"containerPort": 81}, {"containerPort": 82}],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
                "securityContext": {"runAsUser": 5, "capabilities": {"add": ["NET_ADMIN"]}},
                "resources": {"limits": {"cpu": "500m"}},
            },
            volumes=[SCRATCH],
        ),
        None,
    ),
    "host aliases, pull secrets and spread": (
        deployment(MAIN),
        {
            **deployment(MAIN),
            "spec": {
                **deployment(MAIN)["spec"],
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [MAIN],
                        "initContainers": [{"name": "init", "image": "i"}],
                        "imagePullSecrets": [{"name": "s"}],
                        "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}],
                        "topologySpreadConstraints": [
                            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
                        ],
                        "tolerations": [{"operator": "Exists"}],
                        "nodeSelector": {"a": "b"},
                    },
                },
            },
        },
        None,
    ),
    "owners come": (
        config_map(a="1"),
        config_map({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u-1"}]}, a="1"),
        None,
    ),
    "nothing is left of a map": (
        config_map({"labels": {"a": "1"}, "annotations": {"n": "x"}}, a="1"),
        config_map({"labels": {}, "annotations": {}}, a="1"),
        {"metadata": {"labels": {"theirs": "1"}}},
    ),
    "a custom resource changes": (
        boat(size=1, crew=[{"name": "ann"}], hull={"colour": "red", "wood": "oak"}),
        boat(size=2, crew=[{"name": "bob"}, {"name": "ann"}], hull={"colour": "red"}),
        {"spec": {"hull": {"theirs": 1}}},
    ),
    "a custom resource gets something empty": (boat(a=1), boat(a=1, b={}, c=[]), None),
    "a custom resource changes types": (boat(a={"b": 1}, c=[1]), boat(a="text", c={"d": 1}), None),
}


@pytest.mark.parametrize("case", APPLIED)
def test_mach_43_apply_makes_the_patch_that_kubectl_makes(cluster: Cluster, kubectl: Kubectl, case: str) -> None:
    before, after, theirs = copy.deepcopy(APPLIED[case])
    with made(cluster, kubectl, before) as (client, name):
        if theirs:
            client.patch(name, theirs, patch_type="merge")
        current = client.get(name).to_dict()
        cluster.sent.clear()

        kubectl("apply", "-f", "-", stdin=named(after, name))

        ((kind, sent),) = cluster.sent
        original = json.loads(current["metadata"]["annotations"][LAST_APPLIED])
        text = sent["metadata"]["annotations"][LAST_APPLIED]
        modified = json.loads(text)
        modified["metadata"].setdefault("annotations", {})[LAST_APPLIED] = text
        if current["kind"] == "Boat":
            assert kind == "merge-patch"
            assert create_three_way_merge_patch(original, modified, current) == sent
        else:
            assert kind == "strategic-merge-patch"
            assert create_three_way_strategic_patch(original, modified, current) == sent


def named(obj: JSON, name: str) -> str:
    return json.dumps({**obj, "metadata": {**obj.get("metadata", {}), "name": name}})


@contextmanager
def made(cluster: Cluster, kubectl: Kubectl, obj: JSON) -> Iterator[tuple[DynamicResourceClient, str]]:
    """An object that kubectl applied, and its client."""
    client = cluster.dynamic.resource(RESOURCES[obj["kind"]], "default")
    kubectl("apply", "-f", "-", stdin=named(obj, "one"))
    try:
        yield client, "one"
    finally:
        client.patch("one", {"metadata": {"finalizers": None}}, patch_type="merge")
        client.delete("one", grace_period_seconds=0)


# ---- kubectl edit, set, label -------------------------------------------------------------------------------------


EDITOR = """#!/bin/sh
sed -i '{script}' "$1"
cp "$1" '{copy}'
"""

EDITED: dict[str, tuple[JSON, str]] = {
    "an image changes": (deployment(MAIN, SIDE), "s/a:1/a:2/"),
    "replicas change": (deployment(MAIN), "s/replicas: 1/replicas: 4/"),
    "a container is called otherwise": (deployment(MAIN, SIDE), "s/name: side/name: other/"),
    "a variable is called otherwise": (deployment(MAIN), "s/name: A$/name: B/"),
    "an argument goes": (deployment(MAIN), '/^ *- "\\{0,1\\}y"\\{0,1\\}$/d'),
    "the volume is another": (deployment(MAIN, volumes=[SCRATCH]), "s/emptyDir: {}/hostPath: {path: \\/tmp}/"),
    "a port is another": (service(WEB, TLS), "s/port: 443/port: 444/"),
    "data changes": (config_map(a="1", b="2"), "s/^  a: .*/  c: new/"),
    "a custom resource changes": (boat(size=1, crew=["ann"]), "s/size: 1/size: 2/;s/- ann/- bob/"),
}


@pytest.mark.parametrize("case", EDITED)
def test_mach_43_edit_makes_the_patch_that_kubectl_makes(
    cluster: Cluster, kubectl: Kubectl, case: str, tmp_path: Path
) -> None:
    before, script = EDITED[case]
    edited = tmp_path / "edited"
    editor = tmp_path / "editor"
    editor.write_text(EDITOR.format(script=script, copy=edited))
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    with made(cluster, kubectl, before) as (client, name):
        original = client.get(name).to_dict()
        del original["metadata"]["managedFields"]
        cluster.sent.clear()

        kubectl("edit", before["kind"].lower(), name, "--validate=false", KUBE_EDITOR=str(editor))

        ((kind, sent),) = cluster.sent
        modified = yaml.load(edited.read_text(), yaml.SafeLoader)
        modified["metadata"]["creationTimestamp"] = original["metadata"]["creationTimestamp"]
        if before["kind"] == "Boat":
            assert kind == "merge-patch"
            assert create_merge_patch(original, modified) == sent
        else:
            assert kind == "strategic-merge-patch"
            assert create_strategic_patch(original, modified) == sent


def image(obj: JSON) -> None:
    obj["spec"]["template"]["spec"]["containers"][1]["image"] = "c:1"


def pause(obj: JSON) -> None:
    obj["spec"]["paused"] = True


def labels(obj: JSON) -> None:
    obj["metadata"]["labels"] = {"tier": "fe"}


def env(obj: JSON) -> None:
    (container,) = obj["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "B", "value": "2"}]


SET: dict[str, tuple[JSON, list[str], Change]] = {
    "set image": (deployment(MAIN, SIDE), ["set", "image", "deployment/one", "side=c:1"], image),
    "set env": (deployment(MAIN), ["set", "env", "deployment/one", "B=2", "A-"], env),
    "label": (deployment(MAIN), ["label", "deployment/one", "tier=fe"], labels),
    "label a custom resource": (boat(a=1), ["label", "boat/one", "tier=fe"], labels),
    "rollout pause": (deployment(MAIN), ["rollout", "pause", "deployment/one"], pause),
}


@pytest.mark.parametrize("case", SET)
def test_mach_43_commands_that_set_something_send_the_same_patch(cluster: Cluster, kubectl: Kubectl, case: str) -> None:
    before, words, change = SET[case]
    with made(cluster, kubectl, before) as (client, name):
        original = client.get(name).to_dict()
        modified = copy.deepcopy(original)
        change(modified)
        cluster.sent.clear()

        kubectl(*words)

        ((kind, sent),) = cluster.sent
        if kind == "merge-patch":
            assert create_merge_patch(original, modified) == sent
        else:
            assert create_strategic_patch(original, modified) == sent
