"""Reviews as an API server sends them."""

from __future__ import annotations

import base64
import json
from typing import Any

from k8srt.controller.webhook import AdmissionRequest, AdmissionResponse, HTTPRequest
from k8srt.controller.webhook.review import read_review

JSON = dict[str, Any]


def pod(name: str = "web", **more: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, **more}


def asked(operation: str = "CREATE", obj: JSON | None = None, old: JSON | None = None, **more: Any) -> JSON:
    """The request of a review."""
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    resource = {"group": "", "version": "v1", "resource": "pods"}
    facts = {"uid": "u-1", "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource}
    user = {"username": "jane", "groups": ["devs"]}
    where = {"name": "web", "namespace": "shop", "operation": operation, "userInfo": user, "dryRun": False}
    return {**facts, **where, "object": obj, "oldObject": old, "options": None, **more}


def review_of(request: JSON | None, version: str = "v1") -> bytes:
    review: JSON = {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}"}
    return json.dumps(review if request is None else {**review, "request": request}).encode()


def request_of(operation: str = "CREATE", obj: JSON | None = None, old: JSON | None = None, **more: Any) -> Any:
    """The same as a handler sees it."""
    found: AdmissionRequest = read_review(review_of(asked(operation, obj, old, **more)))[1]
    return found


def posted(body: bytes, content_type: str = "application/json", path: str = "/hook") -> HTTPRequest:
    return HTTPRequest("POST", path, "", {"content-type": content_type}, body)


def patch_in(response: AdmissionResponse | JSON) -> list[JSON]:
    """The operations of an answer."""
    if isinstance(response, AdmissionResponse):
        response = json.loads(json.dumps(_sent(response)))
    operations: list[JSON] = json.loads(base64.b64decode(response["patch"])) if "patch" in response else []
    return operations


def _sent(response: AdmissionResponse) -> JSON:
    made = response.to_dict("u-1")
    if "patch" in made:
        made["patch"] = base64.b64encode(made["patch"]).decode()
    return made
