"""From a request to its answer: who asks, what for, and which handler serves it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from k8srt.apimachinery import fields
from k8srt.testing.apiserver import deletes, patches, reads, writes
from k8srt.testing.apiserver.accounts import ISSUER, ServiceAccountTokens
from k8srt.testing.apiserver.auth import AlwaysAllow, Authenticator, Authorizer, User, refusal
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.discovery import Discovery
from k8srt.testing.apiserver.failures import (
    Failure,
    bad_request,
    internal,
    method_not_allowed,
    no_such_resource,
    not_supported_on,
)
from k8srt.testing.apiserver.impersonation import impersonate, wanted_user
from k8srt.testing.apiserver.jwt import SigningKey
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import Form, encode, form_of
from k8srt.testing.apiserver.nonresource import NonResource
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo, request_info
from k8srt.testing.apiserver.reviews import UNSTORED
from k8srt.testing.apiserver.subresources.table import serve as serve_subresource

log = logging.getLogger(__name__)

Handler = Callable[[Cluster, Request, RequestInfo, Resource], Response]

_ITEM: Mapping[str, Handler] = {
    "GET": reads.get,
    "PUT": writes.update,
    "PATCH": patches.patch,
    "DELETE": deletes.delete,
}
_COLLECTION: Mapping[str, Handler] = {
    "GET": reads.list_objects,
    "POST": writes.create,
    "DELETE": deletes.delete_collection,
}
_ACROSS_NAMESPACES = ("list", "watch")


class Dispatcher:
    """Serves every request of one server. Thread-safe; holds no state of its own.

    `key` signs the tokens of service accounts. Without `anonymous`, who shows no credentials is refused.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        tokens: Mapping[str, User],
        authorizer: Authorizer | None = None,
        key: SigningKey | None = None,
        anonymous: bool = True,
    ) -> None:
        self.cluster = cluster
        self.authorizer = authorizer or AlwaysAllow()
        accounts = ServiceAccountTokens(cluster, key or SigningKey())
        self.authenticator = Authenticator(tokens, accounts, anonymous=anonymous, audiences=(ISSUER,))
        cluster.authorizer, cluster.authenticator, cluster.accounts = self.authorizer, self.authenticator, accounts
        self.discovery = Discovery(cluster.registry)
        self.nonresource = NonResource(cluster, self.discovery)

    def handle(self, request: Request) -> Response:
        """Answer one request; whatever goes wrong becomes a Status."""
        try:
            return self._serve(request)
        except Failure as err:
            return failed(request, err)
        except Exception as err:
            log.exception("%s %s failed", request.method, request.path)
            return failed(request, internal(f"{type(err).__name__}: {err}"))

    def identify(self, request: Request) -> User:
        """Who asks, by their credentials. Raises Failure(401)."""
        return self.authenticator.user_of(request)

    def _serve(self, request: Request) -> Response:
        request.user = user = self.authenticator.user_of(request)
        info = request_info(request)
        wanted = wanted_user(request)
        if wanted is not None:
            request.user = user = impersonate(user, wanted, info, self.authorizer)
        if not self.authorizer.allows(user, _with_selected_name(request, info)):
            raise refusal(user, info)
        if not info.is_resource:
            return self.nonresource.serve(request, info)
        registry = self.cluster.registry
        if not registry.has_group(info.group):
            return self.nonresource.not_found()
        resource = registry.find(info.group, info.version, info.resource)
        if resource is None:
            if registry.is_custom_group(info.group):
                return self.nonresource.not_found()
            raise no_such_resource()
        if resource.custom is not None and not _is_path_of(resource, info):
            return self.nonresource.not_found()
        if not resource.namespaced and info.namespace:
            if resource.table != "namespaces":
                raise no_such_resource()
            info = replace(info, namespace="")  # a namespace's path looks like one inside it
        warning = _deprecation(resource)
        try:
            response = self._resource(request, info, resource, user)
        except Failure as err:
            err.headers.update(warning)
            raise
        response.headers[:0] = warning.items()
        return response

    def _resource(self, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
        if info.subresource:
            return serve_subresource(self.cluster, request, info, resource, user)
        if info.verb == "watch":
            _need(resource, "watch")
            return reads.watch(self.cluster, request, info, resource)
        handler = _handler_of(request, info, resource)
        _need(resource, info.verb)
        if resource.namespaced and not info.namespace and (info.name or request.method != "GET"):
            raise no_such_resource() if info.name else method_not_allowed()
        unstored = UNSTORED.get(resource.table)
        if unstored is not None:
            return unstored(self.cluster, request, info, resource, user)
        return handler(self.cluster, request, info, resource)


def _is_path_of(resource: Resource, info: RequestInfo) -> bool:
    """Whether a path is served at all for a custom resource: in a namespace or not, as its scope is."""
    if resource.namespaced:
        return bool(info.namespace) or info.verb in _ACROSS_NAMESPACES
    return not info.namespace


def _handler_of(request: Request, info: RequestInfo, resource: Resource) -> Handler:
    """Built-in kinds have a handler for each path; custom ones have one for all of them, which goes by the method."""
    handler = (_ITEM if info.name else _COLLECTION).get(request.method)
    if handler is not None:
        return handler
    if resource.custom is None:
        raise method_not_allowed()
    if request.method in ("PUT", "PATCH"):
        raise bad_request("name must be provided")
    if request.method == "POST":
        return writes.create
    if request.method == "HEAD":
        return reads.get if info.name else reads.list_objects
    raise not_supported_on(resource.group, resource.plural, info.kubernetes_verb)


def _with_selected_name(request: Request, info: RequestInfo) -> RequestInfo:
    """A list of one object by its name is allowed to whom that object is."""
    if info.name or info.verb not in ("list", "watch", "deletecollection"):
        return info
    text = request.param("fieldSelector")
    try:
        name = fields.parse(text).requires_exact_match("metadata.name") if text else None
    except ValueError:
        return info  # refused later, with a better message
    return replace(info, name=name) if name else info


def _need(resource: Resource, verb: str) -> None:
    if verb not in resource.info.verbs:
        raise method_not_allowed()


def _deprecation(resource: Resource) -> dict[str, str]:
    text = resource.strategy.deprecated
    if resource.custom is not None:
        text = resource.custom.deprecation
    return {"Warning": f'299 - "{text}"'} if text else {}


def failed(request: Request, err: Failure) -> Response:
    """The Status answer of a failure, in a form the client takes if there is one."""
    form = Form()
    try:
        form = form_of(request, transforms=False)
    except Failure:
        pass
    body = encode(msgspec.json.encode(err.status), form)
    return Response(err.code, body, form.media, list(err.headers.items()))
