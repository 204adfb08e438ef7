"""What type checkers see of models, typed clients and informers; checked, never run."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Binding, ConfigMap, Container, Node, Pod, PodSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.gentype.client import ResourceClient
from k8srt.gentype.shapes import CreateClient, StandardClient, WorkloadClient
from k8srt.informers import ResourceInformer, SharedInformerFactory
from k8srt.kubernetes.clientset import Clientset
from k8srt.kubernetes.typed.apps.v1 import AppsV1
from k8srt.kubernetes.typed.core.v1 import NodeClient, PodClient


def clients(cs: Clientset) -> None:
    assert_type(cs.apps_v1, AppsV1)
    assert_type(cs.core_v1.pods("default"), PodClient)
    assert_type(cs.core_v1.nodes(), NodeClient)
    assert_type(cs.core_v1.bindings("default"), CreateClient[Binding])
    assert_type(cs.core_v1.config_maps("default"), StandardClient[ConfigMap])
    assert_type(cs.apps_v1.deployments("default"), WorkloadClient[Deployment])
    assert_type(cs.core_v1.pods().get("web-0"), Pod)
    assert_type(cs.resource(Deployment, namespace="default"), ResourceClient[Deployment])
    assert_type([pod for pod in cs.core_v1.pods().list()], list[Pod])  # noqa: C416 - the item's type is the point

    cs.core_v1.nodes("default")  # type: ignore[call-arg] # nodes are in no namespace
    cs.core_v1.podz()  # type: ignore[attr-defined]


def informers(cs: Clientset) -> None:
    factory = SharedInformerFactory(cs)
    assert_type(factory.core_v1.pods, ResourceInformer[Pod])
    assert_type(factory.apps_v1.deployments.lister.get("web", "default"), Deployment)
    assert_type(factory.resource(Node).lister.list(), list[Node])


def models() -> None:
    pod = Pod(metadata=ObjectMeta(name="web-0"), spec=PodSpec(containers=[Container(name="web", image="nginx")]))
    assert_type(pod.spec.containers[0].image, str)
    assert_type(pod.spec.containers[0].ports[0].container_port, int)
    assert_type(pod.spec.containers[0].resources.limits, dict[str, str])
    assert_type(pod.metadata.creation_timestamp, datetime)

    Pod(spek=None)  # type: ignore[call-arg]
    Container(nam="web")  # type: ignore[call-arg]
    Container(name=1)  # type: ignore[arg-type]
