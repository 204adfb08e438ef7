"""The finalize subresource of namespaces: the one way to change `spec.finalizers`."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.bodies import read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import Misfit, cannot_be_handled, check_identity, read_document, write_options
from k8srt.testing.apiserver.failures import conflict
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.rendering import Renderer
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.storage import Stale
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.writes import check_version, commit_update

JSON = dict[str, Any]


def serve(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    renderer = Renderer(cluster, request, resource)
    raw, duplicates = read_body(request)
    options = write_options(request, "UpdateOptions")
    try:
        document = read_document(cluster, resource, raw, duplicates, options.validation)
    except Misfit as err:
        raise cannot_be_handled(resource, raw, err) from err
    check_identity(resource, document.obj, "", info.name)
    write = Write(cluster, "", info.name, options.dry_run, "finalize")
    while True:
        stored = cluster.get(resource, "", info.name)
        named = not check_version(resource, stored, document.obj)
        old = cluster.document(resource, stored)
        new = {**old, "metadata": dict(document.obj["metadata"]), "spec": document.obj.get("spec") or {}}
        try:
            return renderer.document(commit_update(cluster, resource, stored, old, new, options, write))
        except Stale:
            if named:
                raise conflict("", "namespaces", info.name) from None
