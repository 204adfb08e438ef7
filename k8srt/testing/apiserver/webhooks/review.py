"""What is sent to an admission webhook, and what comes back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.webhooks.calls import CallFailed

JSON = dict[str, Any]
_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True)
class Verdict:
    """What a webhook answered: whether the write may go on, and the operations that change the object."""

    allowed: bool
    status: Mapping[str, Any] = field(default_factory=dict)
    patch: list[Any] = field(default_factory=list)
    warnings: tuple[str, ...] = ()


def review_of(request: JSON, versions: list[str]) -> JSON:
    """The document to send, in the first version that both sides know."""
    version = next((each for each in versions if each in _VERSIONS), "v1")
    return {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request}


def read_verdict(answer: JSON, sent: JSON, *, mutating: bool) -> Verdict:
    """Check and read the answer. Raises CallFailed."""
    if answer.get("kind") != "AdmissionReview" or answer.get("apiVersion") != sent["apiVersion"]:
        wanted = f"{sent['apiVersion']}, Kind=AdmissionReview"
        got = f"{answer.get('apiVersion', '')}, Kind={answer.get('kind', '')}"
        raise CallFailed(f"expected webhook response of {wanted}, got {got}")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise CallFailed("webhook response was absent")
    uid = sent["request"]["uid"]
    if response.get("uid") != uid:
        raise CallFailed(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    patch = response.get("patch")
    if patch and not mutating:
        raise CallFailed("webhook returned response.patch, which is not allowed for a validating webhook")
    if patch and response.get("patchType") != "JSONPatch":
        raise CallFailed("webhook returned response.patch but not response.patchType")
    return Verdict(
        bool(response.get("allowed")),
        response.get("status") or {},
        _operations(patch) if patch else [],
        tuple(str(each) for each in response.get("warnings") or ()),
    )


def _operations(patch: Any) -> list[Any]:
    try:
        found = msgspec.json.decode(base64.b64decode(patch))
    except (ValueError, TypeError) as err:  # DecodeError is one
        raise CallFailed(f"webhook returned a patch that cannot be read: {err}") from None
    if not isinstance(found, list):
        raise CallFailed("webhook returned a patch that is no list")
    return found


def denial(name: str, verdict: Verdict) -> Failure:
    """The failure of a write that a webhook refused."""
    status: JSON = {"kind": "Status", "apiVersion": "v1", "metadata": {}, **verdict.status}
    if int(status.get("code") or 0) < 400:
        status["code"] = 400
    if status.get("status") in (None, "", "Success"):
        status["status"] = "Failure"
    text = f'admission webhook "{name}" denied the request'
    why = status.get("message") or status.get("reason")
    status["message"] = f"{text}: {why}" if why else f"{text} without explanation"
    return Failure(status)
