"""Answers to admission requests, and the reviews they come in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import Status, StatusCause, StatusDetails
from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource
from k8srt.controller.serving import figures
from k8srt.controller.serving.messages import DropConnection
from k8srt.controller.webhook import (
    AdmissionError,
    AdmissionRequest,
    AdmissionResponse,
    AdmissionWebhook,
    Operation,
    admission_request,
    allowed,
    denied,
    errored,
    patch_response,
    patched,
)
from k8srt.errors import DecodeError, Invalid
from tests.unit.controller.webhook.reviews import JSON, asked, pod, posted, request_of, review_of


def answer_of(handler: Any, body: bytes | None = None, version: str = "v1", **options: Any) -> JSON:
    """The whole review that goes out."""
    body = review_of(asked(obj=pod()), version) if body is None else body
    response = AdmissionWebhook(handler, **options).handle(posted(body))
    assert response.code == 200
    assert response.content_type == "application/json"
    found: JSON = json.loads(response.body)
    return found


class Told(figures.WebhookFigures):
    def __init__(self) -> None:
        self.panics = 0

    def panic(self) -> None:
        self.panics += 1


@pytest.fixture
def told() -> Iterator[Told]:
    provider = Told()
    before = figures.set_provider(provider)
    yield provider
    figures.set_provider(before)


# ---- ADM-01


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_adm_01_the_answer_has_the_version_and_the_uid_of_the_request(version: str) -> None:
    found = answer_of(lambda request: allowed(), version=version)

    assert found["kind"] == "AdmissionReview"
    assert found["apiVersion"] == f"admission.k8s.io/{version}"
    assert found["response"] == {"uid": "u-1", "allowed": True, "status": {"code": 200}}


@pytest.mark.parametrize(
    ("body", "content_type", "code", "text"),
    [
        (b"", "application/json", 400, "request body is empty"),
        (b"x" * ((7 << 20) + 1), "application/json", 413, "request entity is too large; limit is 7340032 bytes"),
        (b"{}", "application/json; charset=utf-8", 400, "contentType=application/json; charset=utf-8, expected"),
        (b"{}", "", 400, "contentType=, expected application/json"),
        (b"{", "application/json", 400, "couldn't read the review"),
        (b"\xff", "application/json", 400, "couldn't read the review"),
        (b"[]", "application/json", 400, "couldn't read the review"),
        (b"[" * 100_000, "application/json", 400, "couldn't read the review"),
        (b"{}", "application/json", 400, "got ? of ?"),
        (review_of(asked(), "v2"), "application/json", 400, "got AdmissionReview of admission.k8s.io/v2"),
        (review_of(None), "application/json", 400, "the review has no request"),
        (review_of(asked(userInfo={"groups": 7})), "application/json", 400, "couldn't read the user"),
    ],
)
def test_adm_01_what_cannot_be_read_is_denied_with_a_code(body: bytes, content_type: str, code: int, text: str) -> None:
    def never(request: AdmissionRequest) -> AdmissionResponse:
        raise AssertionError("called")

    response = AdmissionWebhook(never).handle(posted(body, content_type))

    found = json.loads(response.body)
    assert response.code == 200
    assert found["apiVersion"] == "admission.k8s.io/v1"
    assert found["response"]["allowed"] is False
    assert found["response"]["status"]["code"] == code
    assert text in found["response"]["status"]["message"]


def test_adm_01_seven_mebibytes_are_taken() -> None:
    body = review_of(asked(obj=pod()))

    found = answer_of(lambda request: allowed(), body + b" " * ((7 << 20) - len(body)))

    assert found["response"]["allowed"] is True


def test_adm_01_a_request_tells_what_is_about_to_be_done() -> None:
    request = request_of("UPDATE", pod(), pod("old"), dryRun=True, subResource="status", options={"kind": "X"})

    assert request.operation == Operation.UPDATE
    assert request.kind == request.request_kind == GroupVersionKind("", "v1", "Pod")
    assert request.resource == request.request_resource == GroupVersionResource("", "v1", "pods")
    assert (request.namespace, request.name, request.sub_resource, request.dry_run) == ("shop", "web", "status", True)
    assert (request.user.username, request.user.groups) == ("jane", ["devs"])
    assert request.decode(Pod).metadata.name == "web"
    assert request.decode_old(Pod).metadata.name == "old"
    assert json.loads(request.options) == {"kind": "X"}
    assert repr(request) == "<AdmissionRequest UPDATE Pod shop/web by jane>"


def test_adm_01_nulls_are_what_is_not_there() -> None:
    nothing = {"requestKind": None, "requestResource": None, "dryRun": None, "name": None, "subResource": None}

    request = request_of("DELETE", None, pod(), **nothing)

    assert (request.object, request.options, request.name, request.dry_run) == (b"", b"", "", False)
    assert request.request_kind is None
    with pytest.raises(DecodeError, match="there is no object to decode"):
        request.decode(Pod)


# ---- ADM-02


def test_adm_02_answers_in_short() -> None:
    assert (allowed("fine").allowed, allowed("fine").code, allowed("fine").message) == (True, 200, "fine")
    assert denied("no").to_dict("u") == {
        "uid": "u",
        "allowed": False,
        "status": {"code": 403, "message": "no", "reason": "Forbidden"},
    }
    assert errored(500, ValueError("broken")).status == {"code": 500, "message": "broken"}
    assert AdmissionResponse(True).to_dict("u")["status"] == {"code": 200}


def test_adm_02_a_patch_goes_out_encoded_and_with_its_type() -> None:
    operation = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}

    found = answer_of(lambda request: patched("there", operation))["response"]

    assert found["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(found["patch"])) == [operation]
    assert found["status"] == {"code": 200, "message": "there"}


def test_adm_02_no_patch_no_type() -> None:
    found = answer_of(lambda request: patch_response(request.object, request.decode(Pod)))["response"]

    assert "patch" not in found
    assert "patchType" not in found


def test_adm_02_a_patch_is_made_of_what_differs() -> None:
    before = pod(spec={"containers": [{"name": "a", "image": "x"}]})
    after = Pod.from_dict(before)
    after.spec.containers[0].image = "y"

    found = patch_response(before, after)

    assert found.patches == ({"op": "replace", "path": "/spec/containers/0/image", "value": "y"},)
    assert patch_response(json.dumps(before).encode(), before).patches == ()


def test_adm_02_warnings_and_annotations_go_out() -> None:
    answer = AdmissionResponse(True, audit_annotations={"k": "v"}, warnings=("one",)).with_warnings("two", "three")

    found = answer_of(lambda request: answer)["response"]

    assert found["warnings"] == ["one", "two", "three"]
    assert found["auditAnnotations"] == {"k": "v"}


# ---- ADM-03


def test_adm_03_functions_and_objects_are_handlers() -> None:
    class Handler:
        def handle(self, request: AdmissionRequest) -> AdmissionResponse:
            return denied("by an object")

    assert answer_of(Handler())["response"]["status"]["message"] == "by an object"
    assert answer_of(lambda request: denied("by a function"))["response"]["allowed"] is False
    with pytest.raises(TypeError, match="has handle"):
        AdmissionWebhook("nothing")  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [RuntimeError("broken"), SystemExit("broken")])
def test_adm_03_a_handler_that_raises_is_answered_for(
    error: BaseException, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: AdmissionRequest) -> AdmissionResponse:
        raise error

    found = answer_of(broken)["response"]

    assert found == {"uid": "u-1", "allowed": False, "status": {"code": 500, "message": "panic: broken [recovered]"}}
    assert told.panics == 1
    assert "CREATE Pod shop/web: the admission handler failed" in caplog.text


def test_adm_03_without_recovery_the_connection_ends(told: Told) -> None:
    def broken(request: AdmissionRequest) -> AdmissionResponse:
        raise RuntimeError("broken")

    with pytest.raises(DropConnection):
        answer_of(broken, recover_panic=False)
    assert told.panics == 1


def test_adm_03_an_answer_that_was_forgotten_allows_nothing(told: Told) -> None:
    found = answer_of(lambda request: None)["response"]

    assert found["allowed"] is False
    assert "answers with an AdmissionResponse, not None" in found["status"]["message"]
    assert told.panics == 1


def test_adm_03_an_admission_error_is_a_denial(told: Told) -> None:
    def deny(request: AdmissionRequest) -> AdmissionResponse:
        causes = [{"field": "spec.replicas", "reason": "FieldValueInvalid", "message": "must be odd"}]
        raise AdmissionError("even", code=422, reason="Invalid", causes=causes, warnings=["careful"])

    found = answer_of(deny, recover_panic=False)["response"]

    assert found["status"] == {
        "code": 422,
        "message": "even",
        "reason": "Invalid",
        "details": {"causes": [{"field": "spec.replicas", "reason": "FieldValueInvalid", "message": "must be odd"}]},
    }
    assert found["warnings"] == ["careful"]
    assert told.panics == 0
    with pytest.raises(ValueError, match="code"):
        AdmissionError("x", code=200)


def test_adm_03_an_error_of_the_api_is_a_denial_with_its_status() -> None:
    cause = StatusCause(field="spec", message="wrong", reason="FieldValueInvalid")
    details = StatusDetails(name="web", kind="Pod", causes=[cause])
    error = Invalid(Status(code=422, reason="Invalid", message="Pod is invalid", details=details))

    def deny(request: AdmissionRequest) -> AdmissionResponse:
        raise error

    status = answer_of(deny)["response"]["status"]

    assert (status["code"], status["reason"], status["message"]) == (422, "Invalid", "Pod is invalid")
    assert status["details"]["causes"] == [{"field": "spec", "message": "wrong", "reason": "FieldValueInvalid"}]


# ---- ADM-06


def test_adm_06_the_request_is_in_the_context_of_the_call() -> None:
    seen: list[AdmissionRequest | None] = []

    def handle(request: AdmissionRequest) -> AdmissionResponse:
        seen.append(admission_request())
        return allowed()

    answer_of(handle, review_of(asked("UPDATE", pod(), dryRun=True)))

    assert admission_request() is None
    (found,) = seen
    assert found is not None
    assert (found.uid, found.dry_run, found.operation, found.user.username) == ("u-1", True, "UPDATE", "jane")


def test_log_02_a_request_has_a_log_that_names_it(caplog: pytest.LogCaptureFixture) -> None:
    request_of(obj=pod()).log.warning("mind the %s", "gap", extra={"more": 1})

    (record,) = caplog.records
    assert record.getMessage() == "CREATE Pod shop/web: mind the gap"
    fields = record.__dict__
    assert (fields["webhookGroup"], fields["webhookKind"], fields["Pod"]) == (
        "",
        "Pod",
        {"namespace": "shop", "name": "web"},
    )
    assert (fields["namespace"], fields["object_name"], fields["user"]) == ("shop", "web", "jane")
    assert (fields["resource"], fields["requestID"], fields["more"]) == (str(request_of().resource), "u-1", 1)
