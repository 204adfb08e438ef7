from __future__ import annotations

import random

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.kubernetes.manifests.order import rank_of

ORDER = [
    "v1/Namespace",
    "apiextensions.k8s.io/v1/CustomResourceDefinition",
    "scheduling.k8s.io/v1/PriorityClass",
    "v1/ResourceQuota",
    "v1/ServiceAccount",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "rbac.authorization.k8s.io/v1/RoleBinding",
    "v1/Secret",
    "v1/PersistentVolumeClaim",
    "v1/Service",
    "policy/v1/PodDisruptionBudget",
    "apps/v1/Deployment",
    "networking.k8s.io/v1/Ingress",
    "serving.example.com/v1/Service",
    "apiregistration.k8s.io/v1/APIService",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration",
]


def rank(text: str) -> int:
    return rank_of(GroupVersionKind.parse(text), custom="example.com" in text)


def test_what_others_need_goes_first():
    shuffled = list(ORDER)
    random.Random(7).shuffle(shuffled)

    assert sorted(shuffled, key=rank) == ORDER
    assert rank("batch/v1/Job") == rank("apps/v1/Deployment")
