"""The token subresource of service accounts: signed tokens, bound to an object if asked for."""

from __future__ import annotations

from typing import Any

from k8srt.api.authentication.v1 import TokenRequest
from k8srt.apimachinery.wire import format_time
from k8srt.testing.apiserver.accounts import ISSUER, Bound, ServiceAccountTokens
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.bodies import read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import Cause, bad_request, conflict, invalid, invalid_value, not_found
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import answer, form_of
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.typed import WrongType, read_typed

JSON = dict[str, Any]
SHORTEST, LONGEST = 600, 1 << 32  # seconds a token may hold
_GROUP = "authentication.k8s.io"
_BINDABLE = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


def serve(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    raw, _ = read_body(request)
    account = cluster.get(resource, info.namespace, info.name).decode()
    try:
        obj, _ = read_typed(TokenRequest, raw)
    except WrongType as err:
        raise bad_request(f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {err}') from err
    spec = obj.setdefault("spec", {})
    spec["audiences"] = spec.get("audiences") or [ISSUER]
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = 3600
    spec.setdefault("boundObjectRef", None)
    if causes := _causes(spec):
        raise invalid(_GROUP, "TokenRequest", obj["metadata"].get("name", ""), causes)
    bound = _bound(cluster, account, spec["boundObjectRef"]) if spec["boundObjectRef"] else []
    accounts: ServiceAccountTokens = cluster.accounts
    token, expires = accounts.issue(account, spec["audiences"], spec["expirationSeconds"], bound)
    meta = {"name": info.name, "namespace": info.namespace, "creationTimestamp": cluster.now()}
    if account["metadata"].get("uid") and "uid" in obj["metadata"]:
        meta["uid"] = account["metadata"]["uid"]
    status = {"token": token, "expirationTimestamp": format_time(expires)}
    made = {"kind": "TokenRequest", "apiVersion": f"{_GROUP}/v1", "metadata": meta,
            "spec": spec, "status": status}  # fmt: skip
    return answer(request, form_of(request), made, 201)


def _causes(spec: JSON) -> list[Cause]:
    seconds = spec["expirationSeconds"]
    field = "spec.expirationSeconds"
    if seconds < SHORTEST:
        return [invalid_value(field, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > LONGEST:
        return [invalid_value(field, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


def _bound(cluster: Cluster, account: JSON, ref: JSON) -> list[Bound]:
    """What a token is to be bound to; with a pod goes its node. Raises Failure."""
    kind, name = ref.get("kind", ""), ref.get("name", "")
    group, _, version = ref.get("apiVersion", "").rpartition("/")
    table = _BINDABLE.get(kind) if not group else None
    if table is None:
        raise bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    namespace = "" if kind == "Node" else account["metadata"]["namespace"]
    found = cluster.find(table, namespace, name)
    if found is None:
        raise not_found("", table, name)
    uid = found["metadata"]["uid"]
    bound = [Bound(kind.lower(), name, uid)]
    if kind == "Pod":
        _check_account(account["metadata"]["name"], (found.get("spec") or {}).get("serviceAccountName", ""))
        bound += _node_of(cluster, found)
    if ref.get("uid") and ref["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise conflict(group, kind, name, why)
    return bound


def _check_account(mine: str, theirs: str) -> None:
    if mine != theirs:
        text = f'cannot bind token for serviceaccount "{mine}" to pod running with different serviceaccount name.'
        raise bad_request(text)


def _node_of(cluster: Cluster, pod: JSON) -> list[Bound]:
    name = (pod.get("spec") or {}).get("nodeName", "")
    node = cluster.find("nodes", "", name) if name else None
    return [Bound("node", name, node["metadata"]["uid"])] if node is not None else []
