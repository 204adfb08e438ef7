"""Deployments → ReplicaSets: one for each version of the Pod template, the newest with all the replicas."""

from __future__ import annotations

import hashlib

from k8srt.api.apps.v1 import Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet, ReplicaSetSpec
from k8srt.apimachinery import wire
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.owners import is_controlled_by, new_controller_ref
from k8srt.errors import NotFound
from k8srt.kubernetes import Clientset
from k8srt.tools.cache import split_meta_namespace_key
from k8srt.util.clock import SYSTEM, Clock

HASH = "pod-template-hash"


class Deployments:
    """Makes the ReplicaSets of Deployments. An update brings up the new one whole, then takes the old ones down."""

    def __init__(self, cs: Clientset, *, clock: Clock = SYSTEM) -> None:
        self._cs = cs
        self._clock = clock

    def reconcile(self, key: str) -> None:
        """Make the ReplicaSets right, then the status."""
        namespace, name = split_meta_namespace_key(key)
        try:
            deployment = self._cs.apps_v1.deployments(namespace).get(name)
        except NotFound:
            return
        if deployment.metadata.deletion_timestamp or deployment.spec.paused:
            return
        owned = self._replica_sets_of(deployment)
        current = self._current(deployment, owned)
        former = [each for each in owned if each.metadata.uid != current.metadata.uid]
        if (current.status.available_replicas or 0) >= _wanted(deployment):
            former = [self._scaled(each, 0) for each in former]
        self._report(deployment, current, former)

    def _replica_sets_of(self, owner: Deployment) -> list[ReplicaSet]:
        client = self._cs.apps_v1.replica_sets(owner.metadata.namespace)
        return [each for each in client.list(label_selector=owner.spec.selector) if is_controlled_by(each, owner)]

    def _current(self, deployment: Deployment, owned: list[ReplicaSet]) -> ReplicaSet:
        """The ReplicaSet of the template as it is now, with all the replicas."""
        new = _replica_set(deployment)
        for each in owned:
            if each.metadata.name == new.metadata.name:
                return self._scaled(each, _wanted(deployment))
        return self._cs.apps_v1.replica_sets(deployment.metadata.namespace).create(new)

    def _scaled(self, replica_set: ReplicaSet, replicas: int) -> ReplicaSet:
        if replica_set.spec.replicas == replicas:
            return replica_set
        replica_set.spec.replicas = replicas
        return self._cs.apps_v1.replica_sets(replica_set.metadata.namespace).update(replica_set)

    def _report(self, deployment: Deployment, current: ReplicaSet, former: list[ReplicaSet]) -> None:
        every = [current, *former]
        wanted = _wanted(deployment)
        available = sum(each.status.available_replicas or 0 for each in every)
        status = DeploymentStatus(  # a zero is left out, as the real one does
            replicas=sum(each.status.replicas or 0 for each in every) or unset,
            updated_replicas=current.status.replicas or unset,
            ready_replicas=sum(each.status.ready_replicas or 0 for each in every) or unset,
            available_replicas=available or unset,
            unavailable_replicas=max(wanted - available, 0) or unset,
            observed_generation=deployment.metadata.generation,
        )
        status.conditions = self._conditions(deployment, current, available >= wanted)
        if deployment.status != status:
            deployment.status = status
            self._cs.apps_v1.deployments(deployment.metadata.namespace).update_status(deployment)

    def _conditions(self, deployment: Deployment, current: ReplicaSet, available: bool) -> list[DeploymentCondition]:
        done = (current.status.available_replicas or 0) >= _wanted(deployment)
        enough = "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable"
        progress = "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"
        return [
            self._condition(deployment, "Available", available, enough),
            self._condition(deployment, "Progressing", True, progress),
        ]

    def _condition(self, deployment: Deployment, kind: str, true: bool, reason: str) -> DeploymentCondition:
        """A condition. One that says nothing new stays as it is, with its times."""
        now = self._clock.time()
        new = DeploymentCondition(type=kind, status=str(true), reason=reason, last_update_time=now)
        new.last_transition_time = now
        for old in deployment.status.conditions or []:
            if (old.type, old.status) == (new.type, new.status):
                new.last_transition_time = old.last_transition_time
                return old if old.reason == reason else new
        return new


def _wanted(deployment: Deployment) -> int:
    return deployment.spec.replicas if deployment.spec.replicas is not None else 1


def _replica_set(owner: Deployment) -> ReplicaSet:
    """The ReplicaSet of the Deployment's template; its hash is in the name and in the labels."""
    template = owner.copy().spec.template
    label = {HASH: hashlib.sha256(wire.encode(template)).hexdigest()[:10]}
    labels = {**(template.metadata.labels or {}), **label}
    template.metadata.labels = labels
    selector = owner.copy().spec.selector
    selector.match_labels = {**(selector.match_labels or {}), **label}
    return ReplicaSet(
        metadata=ObjectMeta(
            name=f"{owner.metadata.name}-{label[HASH]}",
            labels=labels,
            owner_references=[new_controller_ref(owner)],
        ),
        spec=ReplicaSetSpec(replicas=_wanted(owner), selector=selector, template=template),
    )
