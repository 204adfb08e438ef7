"""Which kinds go first: what others live in or refer to before those others. Deletions go the other way.

Within a rank, manifests keep the order they were given in. After Helm's and kustomize's install order.
"""

from __future__ import annotations

from k8srt.apimachinery.schema import GroupKind, GroupVersionKind

DEFINITION = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
NAMESPACE = GroupKind("", "Namespace")

_RBAC = "rbac.authorization.k8s.io"
_RANKS: tuple[tuple[GroupKind, ...], ...] = (
    (NAMESPACE,),
    (DEFINITION,),
    (
        GroupKind("scheduling.k8s.io", "PriorityClass"),
        GroupKind("storage.k8s.io", "StorageClass"),
        GroupKind("node.k8s.io", "RuntimeClass"),
        GroupKind("networking.k8s.io", "IngressClass"),
    ),
    (GroupKind("", "ResourceQuota"), GroupKind("", "LimitRange"), GroupKind("networking.k8s.io", "NetworkPolicy")),
    (GroupKind("", "ServiceAccount"),),
    (GroupKind(_RBAC, "ClusterRole"), GroupKind(_RBAC, "Role")),
    (GroupKind(_RBAC, "ClusterRoleBinding"), GroupKind(_RBAC, "RoleBinding")),
    (GroupKind("", "ConfigMap"), GroupKind("", "Secret")),
    (GroupKind("", "PersistentVolume"), GroupKind("", "PersistentVolumeClaim")),
    (GroupKind("", "Service"), GroupKind("", "Endpoints"), GroupKind("discovery.k8s.io", "EndpointSlice")),
    (GroupKind("policy", "PodDisruptionBudget"),),
    (
        GroupKind("", "Pod"),
        GroupKind("", "ReplicationController"),
        *(GroupKind("apps", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
        *(GroupKind("batch", kind) for kind in ("CronJob", "Job")),
    ),
)
_LAST = (
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
)
_RANK = {kind: rank for rank, kinds in enumerate(_RANKS) for kind in kinds}
_OTHERS, _CUSTOM, _SERVICES, _ADMISSION = range(len(_RANKS), len(_RANKS) + 4)


def rank_of(gvk: GroupVersionKind, *, custom: bool = False) -> int:
    """When a kind is applied, the lowest first. `custom` is for kinds that a definition defines.

    What judges or serves requests comes last, so that it does not stand in the way of what runs it.
    """
    known = _RANK.get(gvk.group_kind)
    if known is not None:
        return known
    if gvk.group == "admissionregistration.k8s.io" and gvk.kind in _LAST:
        return _ADMISSION
    if gvk.group == "apiregistration.k8s.io":
        return _SERVICES
    return _CUSTOM if custom else _OTHERS
