"""Kinds that are asked and not stored: access reviews, token reviews, bindings, component statuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8srt.testing.apiserver import ownership
from k8srt.testing.apiserver.auth import Authenticator, Authorizer, User
from k8srt.testing.apiserver.bodies import read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import Misfit, cannot_be_handled, default_manager, read_document
from k8srt.testing.apiserver.failures import Cause, bad_request, invalid, invalid_value, not_found
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import answer, form_of
from k8srt.testing.apiserver.rbac import RBAC
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.subresources import podnode
from k8srt.testing.apiserver.users import MASTERS, Unauthentic

JSON = dict[str, Any]
Serve = Callable[[Cluster, Request, RequestInfo, Resource, User], Response]


def _document(cluster: Cluster, request: Request, resource: Resource) -> JSON:
    raw, duplicates = read_body(request)
    try:
        obj = read_document(cluster, resource, raw, duplicates, "Ignore").obj
    except Misfit as err:
        raise cannot_be_handled(resource, raw, err) from err
    return ownership.track(cluster, resource, None, obj, default_manager(request))


def _reply(request: Request, obj: JSON) -> Response:
    return answer(request, form_of(request, transforms=False), obj, 201)


def _asked(spec: JSON) -> RequestInfo:
    """What a review asks about, as a request."""
    if spec.get("nonResourceAttributes"):
        asked = spec["nonResourceAttributes"]
        return RequestInfo(asked.get("verb", ""), asked.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    return RequestInfo(
        asked.get("verb", ""),
        "",
        asked.get("group", ""),
        asked.get("version", ""),
        asked.get("namespace", ""),
        asked.get("resource", ""),
        asked.get("subresource", ""),
        asked.get("name", ""),
    )


def _attribute_causes(spec: JSON) -> list[Cause]:
    ours, theirs = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if ours is not None and theirs is not None:
        text = "cannot be specified in combination with resourceAttributes"
        return [invalid_value("spec.nonResourceAttributes", theirs, text)]
    if ours is None and theirs is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [invalid_value("spec.resourceAttributes", None, text)]
    return []


def _status(cluster: Cluster, user: User, asked: RequestInfo) -> JSON:
    authorizer: Authorizer = cluster.authorizer
    if isinstance(authorizer, RBAC):
        why = authorizer.reason(user, asked)
        return {"allowed": why is not None, **({"reason": why} if why else {})}
    return {"allowed": authorizer.allows(user, asked)}


def _self_access(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    obj = _document(cluster, request, resource)
    if causes := _attribute_causes(_spec(obj)):
        raise _nameless(resource, causes)
    obj["status"] = _status(cluster, user, _asked(obj["spec"]))
    return _reply(request, obj)


def _spec(obj: JSON) -> JSON:
    spec: JSON = obj.setdefault("spec", {})
    return spec


def _subject_access(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    obj = _document(cluster, request, resource)
    spec = _spec(obj)
    causes = _attribute_causes(spec)
    if not spec.get("user") and not spec.get("groups"):
        text = "at least one of user or group must be specified"
        causes.append(invalid_value("spec.user", "", text))
    if resource.namespaced:
        causes += _local_causes(obj, info.namespace)
    if causes:
        raise _nameless(resource, causes)
    if resource.namespaced:
        obj["metadata"]["namespace"] = info.namespace
    extra = {name: tuple(values or ()) for name, values in (spec.get("extra") or {}).items()}
    about = User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra)
    obj["status"] = _status(cluster, about, _asked(spec))
    return _reply(request, obj)


def _local_causes(obj: JSON, namespace: str) -> list[Cause]:
    """What a review in a namespace may not ask: about another one, or about paths."""
    spec, named = obj["spec"], obj["metadata"].get("namespace", "")
    causes: list[Cause] = []
    asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
    if spec.get("resourceAttributes") is not None and asked != (named or namespace):
        causes.append(invalid_value("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"))
    if spec.get("nonResourceAttributes") is not None:
        text = "disallowed on this kind of request"
        causes.append(invalid_value("spec.nonResourceAttributes", spec["nonResourceAttributes"], text))
    return causes


def _nameless(resource: Resource, causes: list[Cause]) -> Exception:
    """These kinds have no name in their validation failures."""
    return invalid(resource.group, "", "", causes)


def _self_rules(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    obj = _document(cluster, request, resource)
    namespace = _spec(obj).get("namespace", "")
    if not namespace:
        raise bad_request("no namespace on request")
    authorizer = cluster.authorizer
    resources: list[JSON] = []
    paths: list[JSON] = []
    if not isinstance(authorizer, RBAC) or MASTERS in user.groups:
        resources.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        paths.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
    if isinstance(authorizer, RBAC):
        for grant in authorizer.grants(user, namespace):
            rule = grant.rule
            if rule.get("nonResourceURLs"):
                paths.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
            else:
                kept = ("verbs", "apiGroups", "resources", "resourceNames")
                resources.append({key: rule[key] for key in kept if rule.get(key)})
    obj["status"] = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
    return _reply(request, obj)


def user_info(user: User) -> JSON:
    found: JSON = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {key: value for key, value in found.items() if value}


def _self_review(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    obj = _document(cluster, request, resource)
    obj["metadata"]["creationTimestamp"] = cluster.now()
    obj["status"] = {"userInfo": user_info(user)}
    return _reply(request, obj)


def _token_review(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    obj = _document(cluster, request, resource)
    spec = _spec(obj)
    token = spec.get("token", "")
    if not token:
        raise bad_request("token is required for TokenReview in authentication")
    authenticator: Authenticator = cluster.authenticator
    try:
        found = authenticator.token(token, spec.get("audiences") or ())
    except Unauthentic as err:
        obj["status"] = {"user": {}, "error": f"[invalid bearer token, {err}]"}
    else:
        told: JSON = {"authenticated": True, "user": user_info(found.user)}
        obj["status"] = {**told, "audiences": list(found.audiences)} if found.audiences else told
    return _reply(request, obj)


def _component(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    if info.name:
        raise not_found("", "componentstatus", info.name)
    empty = {"kind": resource.list_kind, "apiVersion": "v1", "metadata": {}, "items": []}
    return answer(request, form_of(request, transforms=False), empty)


UNSTORED: dict[str, Serve] = {
    "bindings": podnode.bind,
    "componentstatuses": _component,
    "selfsubjectaccessreviews.authorization.k8s.io": _self_access,
    "subjectaccessreviews.authorization.k8s.io": _subject_access,
    "localsubjectaccessreviews.authorization.k8s.io": _subject_access,
    "selfsubjectrulesreviews.authorization.k8s.io": _self_rules,
    "selfsubjectreviews.authentication.k8s.io": _self_review,
    "tokenreviews.authentication.k8s.io": _token_review,
}
