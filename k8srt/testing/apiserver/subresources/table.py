"""Which handler serves which subresource. Someone who adds one adds a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8srt.testing.apiserver import patches, reads, writes
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import method_not_allowed, no_such_resource, not_found, not_supported_on
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.subresources import finalize, podnode, scale, tokens

JSON = dict[str, Any]
Serve = Callable[[Cluster, Request, RequestInfo, Resource, User], Response]

_VERBS = {"GET": "get", "PUT": "update", "PATCH": "patch", "POST": "create", "DELETE": "delete"}
_ANY_METHOD = ("exec", "attach", "portforward", "proxy")


def _itself(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    """A subresource that is the object itself, of which writes may change a part."""
    if request.method == "GET":
        return reads.get(cluster, request, info, resource)
    if request.method == "PUT":
        return writes.update(cluster, request, info, resource)
    return patches.patch(cluster, request, info, resource)


_SERVE: dict[str, Serve] = {
    "status": _itself,
    "approval": _itself,
    "ephemeralcontainers": _itself,
    "resize": _itself,
    "scale": scale.serve,
    "finalize": finalize.serve,
    "binding": podnode.bind,
    "eviction": podnode.evict,
    "log": podnode.log,
    "exec": podnode.stream,
    "attach": podnode.stream,
    "portforward": podnode.stream,
    "proxy": podnode.stream,
    "token": tokens.serve,
}


def serve(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    """Serve a request for a subresource. Raises Failure: 404 for unknown ones, 405 for verbs they do not take."""
    if resource.namespaced and not info.namespace:
        raise no_such_resource()
    if resource.custom is not None:
        return _custom(cluster, request, info, resource, user)
    sub = resource.subresource(info.subresource)
    handler = _SERVE.get(info.subresource)
    if sub is None or handler is None or (info.rest and info.subresource != "proxy"):
        raise no_such_resource()
    if info.subresource not in _ANY_METHOD and _VERBS.get(request.method, "") not in sub.verbs:
        raise method_not_allowed()
    return handler(cluster, request, info, resource, user)


def _custom(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    """A subresource of a custom resource. What stands behind its name in the path is not looked at."""
    if resource.subresource(info.subresource) is None:
        raise not_found(resource.group, resource.plural, info.name)
    if request.method not in ("GET", "PUT", "PATCH"):
        raise not_supported_on(resource.group, resource.plural, info.kubernetes_verb)
    return _SERVE[info.subresource](cluster, request, info, resource, user)
