"""Admission over HTTP: a review comes in, the handler is asked, the review goes out with its answer.

Contract: ADM-01 to ADM-03, ADM-06.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from k8srt.api.authentication.v1 import UserInfo
from k8srt.apimachinery import wire
from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource
from k8srt.controller.serving.figures import report
from k8srt.controller.serving.messages import MAX_BODY, DropConnection, HTTPRequest, HTTPResponse
from k8srt.controller.webhook.admission import (
    NO_KIND,
    NO_RESOURCE,
    AdmissionError,
    AdmissionHandler,
    AdmissionRequest,
    AdmissionResponse,
    HandleFunction,
    answering,
    as_function,
    denial_of,
    errored,
)
from k8srt.controller.webhook.rules import HookRules
from k8srt.errors import StatusError

log = logging.getLogger(__name__)

GROUP = "admission.k8s.io"
VERSIONS = ("v1", "v1beta1")
_NULL = b"null"


class AdmissionWebhook:
    """Serves an admission handler. Thread-safe, as long as the handler is.

    `recover_panic` False closes the connection when the handler raises what it should not, so that the failure policy
    decides; else the answer is 500. `rules` say what it is to be registered for: see `webhook_configurations`.
    """

    max_body = MAX_BODY

    def __init__(
        self, handler: AdmissionHandler | HandleFunction, *, recover_panic: bool = True, rules: HookRules | None = None
    ) -> None:
        self.handler = handler
        self.rules = rules
        self._function = as_function(handler)
        self._recover = recover_panic

    def handle(self, request: HTTPRequest) -> HTTPResponse:
        """Answer a request; the HTTP status is 200 whatever the answer is. Contract: ADM-01."""
        version, uid = VERSIONS[0], ""
        try:
            _check(request, self.max_body)
            version, asked = read_review(request.body)
            uid = asked.uid
            answer = self.review(asked)
        except _Unreadable as err:
            log.warning("%s: a request that cannot be answered: %s", request.path, err)
            answer = errored(err.code, err)
        return _written(version, answer.to_dict(uid))

    def review(self, request: AdmissionRequest) -> AdmissionResponse:
        """What the handler answers, or what follows from its raising. Contract: ADM-03, ADM-06."""
        try:
            with answering(request):
                answer = self._function(request)
            if not isinstance(answer, AdmissionResponse):
                raise TypeError(f"an admission handler answers with an AdmissionResponse, not {answer!r}")
            return answer
        except (AdmissionError, StatusError) as err:
            return denial_of(err)
        except (Exception, SystemExit) as err:
            report("panic")
            request.log.exception("the admission handler failed")
            if not self._recover:
                raise DropConnection from err
            return errored(500, f"panic: {err or type(err).__name__} [recovered]")

    def __repr__(self) -> str:
        return f"<AdmissionWebhook {self.handler!r}>"


class _Unreadable(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _check(request: HTTPRequest, limit: int) -> None:
    if not request.body:
        raise _Unreadable(400, "request body is empty")
    if len(request.body) > limit:
        raise _Unreadable(413, f"request entity is too large; limit is {limit} bytes")
    kind = request.headers.get("content-type", "")
    if kind != "application/json":
        raise _Unreadable(400, f"contentType={kind}, expected application/json")


class _Kind(msgspec.Struct):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Resource(msgspec.Struct):
    group: str = ""
    version: str = ""
    resource: str = ""


class _Request(msgspec.Struct, rename="camel"):
    uid: str = ""
    operation: str = ""
    kind: _Kind | None = None
    resource: _Resource | None = None
    sub_resource: str | None = ""
    request_kind: _Kind | None = None
    request_resource: _Resource | None = None
    request_sub_resource: str | None = ""
    namespace: str | None = ""
    name: str | None = ""
    user_info: msgspec.Raw = msgspec.Raw(b"{}")
    dry_run: bool | None = False
    object: msgspec.Raw = msgspec.Raw(b"")
    old_object: msgspec.Raw = msgspec.Raw(b"")
    options: msgspec.Raw = msgspec.Raw(b"")


class _Review(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    request: _Request | None = None


_decoder = msgspec.json.Decoder(_Review)


def read_review(body: bytes) -> tuple[str, AdmissionRequest]:
    """The version of a review, and its request."""
    try:
        review = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise _Unreadable(400, f"couldn't read the review: {err}") from None
    group, _, version = review.api_version.partition("/")
    if review.kind != "AdmissionReview" or group != GROUP or version not in VERSIONS:
        raise _Unreadable(400, f"expected an AdmissionReview of {GROUP}/v1 or {GROUP}/v1beta1, "
                               f"got {review.kind or '?'} of {review.api_version or '?'}")  # fmt: skip
    if review.request is None:
        raise _Unreadable(400, "the review has no request")
    return version, _request_of(review.request)


def _request_of(found: _Request) -> AdmissionRequest:
    try:
        user = wire.decoder(UserInfo).decode(found.user_info)
    except msgspec.MsgspecError as err:
        raise _Unreadable(400, f"couldn't read the user: {err}") from None
    return AdmissionRequest(
        uid=found.uid,
        operation=found.operation,
        kind=_gvk(found.kind) or NO_KIND,
        resource=_gvr(found.resource) or NO_RESOURCE,
        sub_resource=found.sub_resource or "",
        request_kind=_gvk(found.request_kind),
        request_resource=_gvr(found.request_resource),
        request_sub_resource=found.request_sub_resource or "",
        namespace=found.namespace or "",
        name=found.name or "",
        user=user,
        dry_run=bool(found.dry_run),
        object=_raw(found.object),
        old_object=_raw(found.old_object),
        options=_raw(found.options),
    )


def _raw(part: msgspec.Raw) -> bytes:
    data = bytes(part)
    return b"" if data == _NULL else data


def _gvk(found: _Kind | None) -> GroupVersionKind | None:
    return None if found is None else GroupVersionKind(found.group, found.version, found.kind)


def _gvr(found: _Resource | None) -> GroupVersionResource | None:
    return None if found is None else GroupVersionResource(found.group, found.version, found.resource)


def _written(version: str, response: dict[str, Any]) -> HTTPResponse:
    review = {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}", "response": response}
    return HTTPResponse(200, msgspec.json.encode(review))
