"""What is sent to be applied: the fields that the caller has set, to the byte, and no others."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import Any

import pytest

from k8srt.api._index import GROUP_VERSIONS
from k8srt.api.apps.v1 import Deployment, DeploymentSpec, RollingUpdateDeployment, StatefulSet, StatefulSetSpec
from k8srt.api.batch.v1 import CronJob, CronJobSpec
from k8srt.api.coordination.v1 import Lease, LeaseSpec
from k8srt.api.core.v1 import (
    ConfigMap,
    Container,
    ContainerPort,
    EmptyDirVolumeSource,
    Node,
    NodeSpec,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    Pod,
    PodSpec,
    PodStatus,
    Secret,
    Service,
    ServicePort,
    ServiceSpec,
    Volume,
    VolumeResourceRequirements,
)
from k8srt.api.networking.v1 import NetworkPolicy, NetworkPolicySpec
from k8srt.api.rbac.v1 import ClusterRole, PolicyRule
from k8srt.apimachinery.meta import LabelSelector, ObjectMeta
from k8srt.apimachinery.object import Object
from k8srt.examples.sample_controller.foo.api.v1alpha1 import Foo, FooSpec
from k8srt.gentype.client import ResourceClient
from tests.unit.rest.fakes import FakeReply, fake_client


def resources() -> list[type[Object]]:
    """Every built-in kind that can be applied."""
    found = []
    for module in GROUP_VERSIONS.values():
        for value in vars(importlib.import_module(module)).values():
            if not (isinstance(value, type) and issubclass(value, Object) and value.__module__ == module):
                continue
            if value.__info__ is not None and value.__info__.resource and "patch" in value.__info__.verbs:
                found.append(value)
    return found


def applied(obj: Object) -> bytes:
    """The body of the request that applies an object."""
    client, transport, _ = fake_client(FakeReply(body=obj.encode()))
    info = obj.__info__
    assert info is not None
    namespace = "d" if info.namespaced else ""
    ResourceClient(client, type(obj), namespace).apply(obj, field_manager="me")
    body: bytes = transport.sent[0]["body"]
    return body


@pytest.mark.parametrize("cls", resources(), ids=lambda cls: f"{cls.__info__.api_version}/{cls.__info__.kind}")
def test_cli_11_of_every_kind_a_name_alone_is_a_name_alone(cls: type[Object]) -> None:
    obj = cls(metadata=ObjectMeta(name="x"))
    for part in obj.__wires__:
        getattr(obj, part)  # looking at something sets nothing

    version, kind = obj.api_version, obj.kind
    assert applied(obj) == f'{{"apiVersion":"{version}","kind":"{kind}","metadata":{{"name":"x"}}}}'.encode()


def main(**fields: Any) -> Container:
    return Container(name="c", **fields)


def meta(**fields: Any) -> ObjectMeta:
    return ObjectMeta(name="x", **fields)


SET: dict[str, tuple[Object, str]] = {
    "zero, false and the empty text are values": (
        Deployment(metadata=meta(), spec=DeploymentSpec(replicas=0, paused=False, min_ready_seconds=0)),
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"},'
        '"spec":{"minReadySeconds":0,"paused":false,"replicas":0}}',
    ),
    "an empty text": (
        PersistentVolumeClaim(metadata=meta(), spec=PersistentVolumeClaimSpec(storage_class_name="")),
        '{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x"},"spec":{"storageClassName":""}}',
    ),
    "an empty struct is a value": (
        Pod(metadata=meta(), spec=PodSpec(volumes=[Volume(name="v", empty_dir=EmptyDirVolumeSource())])),
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"volumes":[{"emptyDir":{},"name":"v"}]}}',
    ),
    "a selector of everything": (
        NetworkPolicy(metadata=meta(), spec=NetworkPolicySpec(pod_selector=LabelSelector())),
        '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"x"},"spec":{"podSelector":{}}}',
    ),
    "an optional map that is empty is none": (
        ConfigMap(metadata=meta(labels={}, annotations={}), data={}),
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}',
    ),
    "an optional list that is empty is none": (
        Pod(metadata=meta(), spec=PodSpec(node_name="n", containers=[main(args=[], env=[])])),
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"c"}],"nodeName":"n"}}',
    ),
    "a required list that is empty is sent": (
        ClusterRole(metadata=meta(), rules=[PolicyRule(verbs=[])]),
        '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"x"},'
        '"rules":[{"verbs":[]}]}',
    ),
    "ports by number and by name": (
        Service(metadata=meta(), spec=ServiceSpec(ports=[ServicePort(port=80, target_port="http")])),
        '{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},"spec":{"ports":[{"port":80,"targetPort":"http"}]}}',
    ),
    "names that no rule gives": (
        Node(metadata=meta(), spec=NodeSpec(pod_cidr="10.0.0.0/24", provider_id="p")),
        '{"apiVersion":"v1","kind":"Node","metadata":{"name":"x"},"spec":{"podCIDR":"10.0.0.0/24","providerID":"p"}}',
    ),
    "quantities as they are written": (
        PersistentVolumeClaim(
            metadata=meta(),
            spec=PersistentVolumeClaimSpec(resources=VolumeResourceRequirements(requests={"storage": "1024Mi"})),
        ),
        '{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x"},'
        '"spec":{"resources":{"requests":{"storage":"1024Mi"}}}}',
    ),
    "times in their two forms": (
        Lease(
            metadata=meta(creation_timestamp=datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
            spec=LeaseSpec(renew_time=datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
        ),
        '{"apiVersion":"coordination.k8s.io/v1","kind":"Lease",'
        '"metadata":{"creationTimestamp":"2026-01-02T03:04:05Z","name":"x"},'
        '"spec":{"renewTime":"2026-01-02T03:04:05.000006Z"}}',
    ),
    "bytes as base64": (
        Secret(metadata=meta(), data={"k": b"v"}),
        '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"},"data":{"k":"dg=="}}',
    ),
    "whole objects inside others": (
        StatefulSet(
            metadata=meta(),
            spec=StatefulSetSpec(volume_claim_templates=[PersistentVolumeClaim(metadata=ObjectMeta(name="v"))]),
        ),
        '{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"x"},"spec":{"volumeClaimTemplates":'
        '[{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"v"}}]}}',
    ),
    "nothing for what is not set": (
        CronJob(metadata=meta(), spec=CronJobSpec(schedule="* * * * *", suspend=True, time_zone=None)),
        '{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"x"},'
        '"spec":{"schedule":"* * * * *","suspend":true}}',
    ),
    "of a custom resource": (
        Foo(metadata=meta(), spec=FooSpec(replicas=0)),
        '{"apiVersion":"samplecontroller.k8s.io/v1alpha1","kind":"Foo","metadata":{"name":"x"},"spec":{"replicas":0}}',
    ),
    "the status": (
        Pod(metadata=meta(), status=PodStatus(phase="Running")),
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"status":{"phase":"Running"}}',
    ),
}


@pytest.mark.parametrize("case", SET)
def test_cli_11_exactly_what_was_set_is_sent(case: str) -> None:
    obj, body = SET[case]

    assert applied(obj) == body.encode()


def test_cli_11_what_is_set_step_by_step_is_as_if_set_at_once() -> None:
    obj = Deployment(metadata=meta())
    obj.spec.replicas = 3
    obj.spec.strategy = None
    obj.spec.paused = True
    obj.spec.paused = None
    obj.metadata.labels = {"a": "b"}
    del obj.metadata.labels["a"]

    assert applied(obj) == applied(Deployment(metadata=meta(), spec=DeploymentSpec(replicas=3)))


def test_cli_11_a_part_that_was_emptied_is_still_a_value_and_one_that_was_removed_is_not() -> None:
    obj = Deployment(metadata=meta(), spec=DeploymentSpec(replicas=3))
    obj.spec.replicas = None
    emptied = applied(obj)
    obj.spec = None

    assert emptied.endswith(b'"metadata":{"name":"x"},"spec":{}}')
    assert applied(obj).endswith(b'"metadata":{"name":"x"}}')


def test_cli_11_nested_values_keep_zero_and_one_apart_from_nothing() -> None:
    surge = RollingUpdateDeployment(max_surge=0, max_unavailable="25%")
    ports = [ContainerPort(container_port=80, host_port=0), ContainerPort(container_port=81)]

    assert surge.to_dict() == {"maxSurge": 0, "maxUnavailable": "25%"}
    assert main(ports=ports, stdin=False).to_dict() == {
        "name": "c",
        "ports": [{"containerPort": 80, "hostPort": 0}, {"containerPort": 81}],
        "stdin": False,
    }
