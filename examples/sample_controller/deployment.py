"""The Deployment that a Foo asks for, as a pure function: nothing to mock in its tests."""

from __future__ import annotations

from k8srt.api.apps.v1 import Deployment, DeploymentSpec
from k8srt.api.core.v1 import Container, ContainerPort, PodSpec, PodTemplateSpec
from k8srt.apimachinery.meta import LabelSelector, ObjectMeta
from k8srt.apimachinery.owners import new_controller_ref

from .foo.api.v1alpha1 import Foo

IMAGE = "nginx:1.27"


def deployment_for(foo: Foo) -> Deployment:
    """The Deployment as `foo` wants it, owned by it: when the Foo goes, garbage collection takes the Deployment."""
    labels = {"app": foo.spec.deployment_name}  # which names one Foo's Pods: no two Deployments share a name
    return Deployment(
        metadata=ObjectMeta(
            name=foo.spec.deployment_name,
            namespace=foo.metadata.namespace,
            labels=labels,
            owner_references=[new_controller_ref(foo)],
        ),
        spec=DeploymentSpec(
            replicas=foo.spec.replicas,
            selector=LabelSelector(match_labels=labels),
            template=PodTemplateSpec(
                metadata=ObjectMeta(labels=labels),
                spec=PodSpec(
                    containers=[Container(name="nginx", image=IMAGE, ports=[ContainerPort(container_port=80)])]
                ),
            ),
        ),
    )
