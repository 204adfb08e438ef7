"""The same program on a fake and over HTTP: what it sees is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Namespace, Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.errors import K8srtError
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient
from k8srt.scale import ScaleClient
from k8srt.testing import APIServer, FakeClientset

pytestmark = pytest.mark.embedded

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main", "image": "app"}]}}
DEPLOYMENT = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD["spec"]},
    },
}
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


@pytest.fixture
def both() -> Iterator[list[Clientset]]:
    with APIServer(seed=1) as server, FakeClientset(seed=1) as fake, Clientset(server.config) as cs:
        yield [fake, cs]


def test_the_same_calls_have_the_same_answers(both: list[Clientset]) -> None:
    told = [[_told(step, cs) for step in STEPS] for cs in both]

    for number, (on_a_fake, over_http) in enumerate(zip(*told, strict=True)):
        assert on_a_fake == over_http, f"step {number}"


def _told(step: Callable[[Clientset], Any], cs: Clientset) -> str:
    """What a call returned or raised, without what is new each time."""
    try:
        found = step(cs)
    except K8srtError as err:
        found = {"raised": type(err).__name__, "said": str(err), "details": getattr(err, "reason", "")}
    if isinstance(found, Object):
        found = found.to_dict()
    elif hasattr(found, "items") and not isinstance(found, dict):
        found = [each.to_dict() for each in found]
    text = json.dumps(found, sort_keys=True, default=str)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID", text)
    text = re.sub(r"kube-api-access-\w{5}", "kube-api-access-RANDOM", text)
    text = re.sub(r"http://[\w.:]+/", "HOST/", text)
    text = re.sub(r"gen-\w{5}", "gen-RANDOM", text)
    return re.sub(r'"resourceVersion": "\d+"', '"resourceVersion": "VERSION"', text)


def _conflict(cs: Clientset) -> Any:
    maps = cs.core_v1.config_maps("shop")
    old = maps.get("a")
    maps.label("a", x="1")
    return maps.update(old)


def _watched(cs: Clientset) -> list[str]:
    with cs.core_v1.config_maps("shop").watch(resource_version="0", label_selector="x=1") as events:
        return [str(next(events).type)]


STEPS: list[Callable[[Clientset], Any]] = [
    lambda cs: cs.core_v1.namespaces().create(Namespace(metadata=ObjectMeta(name="shop"))),
    lambda cs: cs.core_v1.config_maps("shop").create(ConfigMap(metadata=ObjectMeta(name="a"), data={"x": "1"})),
    lambda cs: cs.core_v1.config_maps("shop").create({"metadata": {"generateName": "gen-"}}),
    lambda cs: cs.core_v1.config_maps("shop").create(ConfigMap(metadata=ObjectMeta(name="a"))),
    lambda cs: cs.core_v1.config_maps("nowhere").create(ConfigMap(metadata=ObjectMeta(name="a"))),
    lambda cs: cs.core_v1.config_maps("shop").get("nope"),
    _conflict,
    _watched,
    lambda cs: cs.core_v1.config_maps("shop").list(label_selector="x=1"),
    lambda cs: cs.core_v1.config_maps("shop").list(label_selector="x in"),
    lambda cs: cs.core_v1.config_maps("shop").list(limit=1),
    lambda cs: cs.core_v1.pods("shop").create(Pod.from_dict(POD)),
    lambda cs: cs.core_v1.pods("shop").create(Pod.from_dict({**POD, "spec": {"containers": []}})),
    lambda cs: cs.core_v1.pods("shop").patch("web", {"spec": {"nodeName": "n"}}, patch_type="merge"),
    lambda cs: cs.core_v1.pods("shop").list(field_selector="spec.nonsense=1"),
    lambda cs: cs.core_v1.pods("shop").evict("web"),
    lambda cs: cs.apps_v1.deployments("shop").create(DEPLOYMENT),
    lambda cs: cs.apps_v1.deployments("shop").get_scale("web"),
    lambda cs: cs.apps_v1.deployments("shop").apply({**DEPLOYMENT, "spec": {"replicas": 3}}, field_manager="you"),
    lambda cs: ScaleClient(cs.config).resource(DEPLOYMENTS, "shop").get("web"),
    lambda cs: DynamicClient(cs.config).resource(DEPLOYMENTS, "shop").get("web"),
    lambda cs: MetadataClient(cs.config).resource(DEPLOYMENTS, "shop").list(),
    lambda cs: MetadataClient(cs.config).resource(DEPLOYMENTS._replace(resource="nothing"), "shop").list(),
    lambda cs: [[row.resource, *row.short_names] for row in cs.api_resources()],
    lambda cs: str(cs.discovery.server_version()),
    lambda cs: cs.core_v1.config_maps("shop").delete("a", preconditions={"uid": "another"}),
    lambda cs: cs.core_v1.config_maps("shop").delete_collection(label_selector="x=1"),
    lambda cs: cs.core_v1.config_maps("shop").list(),
]
