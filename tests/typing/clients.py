"""The public surface as users write it. Checked by mypy, never run."""

from __future__ import annotations

from datetime import datetime
from typing import assert_type

import k8srt
from k8srt import errors
from k8srt.api.apps.v1 import Deployment, DeploymentSpec
from k8srt.api.core.v1 import ConfigMap, Container, Pod, PodSpec, PodTemplateSpec
from k8srt.apimachinery.meta import LabelSelector, ObjectMeta
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes import Clientset
from k8srt.kubernetes.typed.core.v1 import PodClient
from k8srt.rest import Config


def typed_clients(cs: Clientset) -> None:
    assert_type(cs.core_v1.pods("default"), PodClient)
    pod = cs.core_v1.pods("default").get("web-0")
    assert_type(pod, Pod)
    assert_type(pod.metadata.name, str)
    assert_type(pod.metadata.creation_timestamp, datetime)
    assert_type(pod.spec.containers[0].image, str)
    assert_type(pod.status.phase, str)
    for item in cs.core_v1.pods().list(label_selector="app=web"):
        assert_type(item, Pod)
    for item in cs.core_v1.pods().iterate(page_size=500):
        assert_type(item.spec.node_name, str)
    with cs.core_v1.pods("default").watch(resource_version="0", allow_watch_bookmarks=True) as events:
        for event in events:
            assert_type(event.object, Pod)
    assert_type(cs.resource(Deployment, namespace="default"), ResourceClient[Deployment])


def constructing() -> Deployment:
    labels = {"app": "web"}
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels=labels), spec=PodSpec(containers=[Container(name="main", image="example.com/app:1")])
    )
    return Deployment(
        metadata=ObjectMeta(name="web"),
        spec=DeploymentSpec(replicas=2, selector=LabelSelector(match_labels=labels), template=template),
    )


def mistakes() -> None:
    Pod(sped=PodSpec())  # type: ignore[call-arg]
    PodSpec(node_nam="x")  # type: ignore[call-arg]
    ObjectMeta(name=5)  # type: ignore[arg-type]


def errors_are_classes(cs: Clientset) -> str:
    try:
        cs.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name="cfg"), data={"a": "1"}))
    except errors.AlreadyExists as err:
        assert_type(err.code, int)
        return err.message
    except errors.StatusError as err:
        assert_type(err.retry_after, float | None)
    return ""


def connecting() -> Clientset:
    assert_type(k8srt.connect(context="staging", namespace="web"), Clientset)
    return Clientset(Config(host="https://example.com", bearer_token="x"))
