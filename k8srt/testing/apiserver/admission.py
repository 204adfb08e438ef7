"""What admission plug-ins of a default server do that no kind does alone: the life cycle of namespaces."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.failures import forbidden, not_found
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]


def admit_create(resource: Resource, obj: JSON, write: Write) -> None:
    """Refuse new objects in namespaces that do not exist (404) or are on their way out (403); likewise definitions."""
    if resource.custom is not None:
        _check_definition(resource, obj, write)
    if not resource.namespaced or resource.table == "namespaces":
        return
    namespace = write.cluster.find("namespaces", "", write.namespace)
    if namespace is None:
        raise not_found("", "namespaces", write.namespace)
    if "deletionTimestamp" in namespace["metadata"]:
        why = f"unable to create new content in namespace {write.namespace} because it is being terminated"
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {write.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        name = obj["metadata"].get("name", "")
        raise forbidden(resource.group, resource.plural, name, why, [cause])


def admit_update(resource: Resource, old: JSON, new: JSON, write: Write) -> None:
    """A seam: nothing of a default server's admission refuses updates that are not a kind's own affair."""


def _check_definition(resource: Resource, obj: JSON, write: Write) -> None:
    table = "customresourcedefinitions.apiextensions.k8s.io"
    definition = write.cluster.find(table, "", resource.table)
    if definition is not None and "deletionTimestamp" in definition["metadata"]:
        why = "create not allowed while custom resource definition is terminating"
        raise forbidden(resource.group, resource.plural, obj["metadata"].get("name", ""), why)
