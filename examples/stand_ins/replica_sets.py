"""ReplicaSets → Pods: as many as are asked for, and a status that counts them."""

from __future__ import annotations

from k8srt.api.apps.v1 import ReplicaSet, ReplicaSetStatus
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.owners import is_controlled_by, new_controller_ref
from k8srt.errors import NotFound
from k8srt.kubernetes import Clientset
from k8srt.tools.cache import split_meta_namespace_key


class ReplicaSets:
    """Creates and deletes the Pods of ReplicaSets, and reports how many are ready."""

    def __init__(self, cs: Clientset) -> None:
        self._cs = cs

    def reconcile(self, key: str) -> None:
        """Make the number right, then the status."""
        namespace, name = split_meta_namespace_key(key)
        try:
            replica_set = self._cs.apps_v1.replica_sets(namespace).get(name)
        except NotFound:
            return
        if not replica_set.metadata.deletion_timestamp:
            self._report(replica_set, self._scale(replica_set, self._pods_of(replica_set)))

    def _pods_of(self, owner: ReplicaSet) -> list[Pod]:
        pods = self._cs.core_v1.pods(owner.metadata.namespace).list(label_selector=owner.spec.selector)
        return [pod for pod in pods if is_controlled_by(pod, owner) and not pod.metadata.deletion_timestamp]

    def _scale(self, owner: ReplicaSet, pods: list[Pod]) -> list[Pod]:
        client = self._cs.core_v1.pods(owner.metadata.namespace)
        wanted = owner.spec.replicas if owner.spec.replicas is not None else 1
        pods = sorted(pods, key=is_ready, reverse=True)  # those that do no work yet are the first to go
        for pod in pods[wanted:]:
            client.delete(pod.metadata.name, preconditions={"uid": pod.metadata.uid})
        return pods[:wanted] + [client.create(_pod(owner)) for _ in range(wanted - len(pods))]

    def _report(self, owner: ReplicaSet, pods: list[Pod]) -> None:
        ready = sum(map(is_ready, pods)) or unset  # a zero is left out, as the real one does
        status = ReplicaSetStatus(
            replicas=len(pods),
            fully_labeled_replicas=len(pods) or unset,
            ready_replicas=ready,
            available_replicas=ready,
            observed_generation=owner.metadata.generation,
        )
        if owner.status != status:
            owner.status = status
            self._cs.apps_v1.replica_sets(owner.metadata.namespace).update_status(owner)


def is_ready(pod: Pod) -> bool:
    """Whether the Pod runs and says that it's ready."""
    conditions = pod.status.conditions or []
    return any(condition.type == "Ready" and condition.status == "True" for condition in conditions)


def _pod(owner: ReplicaSet) -> Pod:
    template = owner.spec.template
    meta = ObjectMeta(
        generate_name=f"{owner.metadata.name}-",
        labels=template.metadata.labels,
        annotations=template.metadata.annotations,
        owner_references=[new_controller_ref(owner)],
    )
    return Pod(metadata=meta, spec=template.spec)
