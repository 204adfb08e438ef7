"""What a cluster has from the beginning: namespaces, and their service accounts."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.aggregation import gather
from k8srt.testing.apiserver.documents import WriteOptions, read_document
from k8srt.testing.apiserver.rbac_defaults import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.writes import commit_create

JSON = dict[str, Any]
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def bootstrap(cluster: Cluster) -> None:
    """Make what a cluster has from the beginning, unless it is there; service accounts come with namespaces."""
    connect(cluster)
    for name in NAMESPACES:
        _ensure(cluster, "namespaces", {"metadata": {"name": name}})
    for group, versions in cluster.registry.groups().items():
        for version in versions:
            _ensure(cluster, "apiservices", _api_service(group, version), api="apiregistration.k8s.io")
    for role in CLUSTER_ROLES:
        _ensure(cluster, "clusterroles", role, api="rbac.authorization.k8s.io")
    for binding in CLUSTER_ROLE_BINDINGS:
        _ensure(cluster, "clusterrolebindings", binding, api="rbac.authorization.k8s.io")
    gather(cluster)


def _ensure(cluster: Cluster, plural: str, raw: JSON, *, api: str = "") -> None:
    table = f"{plural}.{api}" if api else plural
    if cluster.find(table, "", raw["metadata"]["name"]) is None:
        make(cluster, plural, "", raw, api=api)


def connect(cluster: Cluster) -> None:
    """Let the cluster create objects on its own behalf."""
    cluster.make = lambda plural, namespace, raw: make(cluster, plural, namespace, raw)


def _api_service(group: str, version: str) -> JSON:
    spec = {"group": group, "version": version, "groupPriorityMinimum": 18000 if not group else 17000,
            "versionPriority": 15}  # fmt: skip
    name = f"{version}.{group}"
    labels = {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def make(cluster: Cluster, plural: str, namespace: str, raw: JSON, *, api: str = "") -> JSON:
    """Create an object of the group `api` in version v1 on the server's own behalf. Raises Failure."""
    resource = cluster.registry.find(api, "v1", plural)
    assert resource is not None
    obj = read_document(cluster, resource, raw, [], "Ignore").obj
    if namespace:
        obj["metadata"]["namespace"] = namespace
    options = WriteOptions(dry_run=False, manager="kube-apiserver", validation="Ignore")
    write = Write(cluster, namespace, raw["metadata"]["name"], dry_run=False)
    return commit_create(cluster, resource, obj, options, write)
