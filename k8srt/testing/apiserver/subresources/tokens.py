"""The token subresource of service accounts. Real signed tokens come with authentication; these only look like it."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import msgspec

from k8srt.api.authentication.v1 import TokenRequest
from k8srt.apimachinery.wire import format_time
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.bodies import read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import bad_request
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import answer, form_of
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.typed import WrongType, read_typed

JSON = dict[str, Any]
ISSUER = "https://kubernetes.default.svc.cluster.local"


def serve(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    raw, _ = read_body(request)
    stored = cluster.get(resource, info.namespace, info.name)
    try:
        obj, _ = read_typed(TokenRequest, raw)
    except WrongType as err:
        raise bad_request(f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {err}') from err
    spec = obj["spec"]
    spec["audiences"] = spec.get("audiences") or [ISSUER]
    spec.setdefault("expirationSeconds", 3600)
    spec.setdefault("boundObjectRef", None)
    now = cluster.clock.time()
    expires = now + timedelta(seconds=spec["expirationSeconds"])
    subject = f"system:serviceaccount:{info.namespace}:{info.name}"
    claims = {"iss": ISSUER, "sub": subject, "aud": spec["audiences"], "exp": int(expires.timestamp()),
              "iat": int(now.timestamp()), "jti": cluster.new_uid()}  # fmt: skip
    meta = {"name": info.name, "namespace": info.namespace, "creationTimestamp": format_time(now)}
    if stored.uid and "uid" in obj["metadata"]:
        meta["uid"] = stored.uid
    status = {"token": unsigned_token(claims), "expirationTimestamp": format_time(expires)}
    made = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": meta,
            "spec": spec, "status": status}  # fmt: skip
    return answer(request, form_of(request), made, 201)


def unsigned_token(claims: JSON) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    texts = [base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in parts]
    return ".".join((*texts, "unsigned0000"))
