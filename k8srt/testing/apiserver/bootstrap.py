"""What a cluster has from the beginning: namespaces, and their service accounts."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import WriteOptions, read_document
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.writes import commit_create

JSON = dict[str, Any]
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def bootstrap(cluster: Cluster) -> None:
    """Make the namespaces of a new cluster; service accounts come with them if wanted."""
    cluster.make = lambda plural, namespace, raw: make(cluster, plural, namespace, raw)
    for name in NAMESPACES:
        make(cluster, "namespaces", "", {"metadata": {"name": name}})


def make(cluster: Cluster, plural: str, namespace: str, raw: JSON) -> JSON:
    """Create a core object on the server's own behalf. Raises Failure."""
    resource = cluster.registry.find("", "v1", plural)
    assert resource is not None
    obj = read_document(cluster, resource, raw, [], "Ignore").obj
    if namespace:
        obj["metadata"]["namespace"] = namespace
    options = WriteOptions(dry_run=False, manager="kube-apiserver", validation="Ignore")
    write = Write(cluster, namespace, raw["metadata"]["name"], dry_run=False)
    return commit_create(cluster, resource, obj, options, write)
