"""Any answer that is no success becomes one StatusError."""

from __future__ import annotations

import json

import pytest

from k8srt import errors
from k8srt.apimachinery.schema import GroupResource
from k8srt.rest.status import Target, error_from, failure_in, note_priority

PODS = Target("GET", "https://c/api/v1/namespaces/d/pods/web-0", GroupResource("", "pods"), "web-0")
DEPLOYMENTS = Target("POST", "https://c/apis/apps/v1/deployments", GroupResource("apps", "deployments"))


def status(**fields: object) -> bytes:
    return json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", **fields}).encode()


def test_rest_31_a_status_is_carried_as_it_came() -> None:
    details = {"name": "web-0", "kind": "pods"}
    body = status(message='pods "web-0" not found', reason="NotFound", code=404, details=details)

    error = error_from(404, body, "application/json", PODS)

    assert isinstance(error, errors.NotFound)
    assert str(error) == 'pods "web-0" not found'
    assert error.details.name == "web-0"
    assert error.__notes__ == ["in answer to GET https://c/api/v1/namespaces/d/pods/web-0"]


def test_rest_31_the_kind_may_be_missing() -> None:
    error = error_from(409, b'{"status":"Failure","reason":"Conflict","message":"m"}', "application/json", PODS)

    assert isinstance(error, errors.Conflict)
    assert error.code == 409


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (405, errors.MethodNotSupported),
        (406, errors.NotAcceptable),
        (409, errors.Conflict),
        (415, errors.UnsupportedMediaType),
        (418, errors.UnknownStatus),
        (422, errors.Invalid),
        (429, errors.TooManyRequests),
        (500, errors.InternalError),
        (502, errors.InternalError),
        (503, errors.ServiceUnavailable),
        (504, errors.Timeout),
    ],
)
def test_rest_32_without_a_status_the_code_decides(code: int, kind: type[errors.StatusError]) -> None:
    error = error_from(code, b"whatever", "text/plain", PODS, retry_after=7)

    assert type(error) is kind
    assert error.code == code
    assert error.details.kind == "pods"
    assert error.details.name == "web-0"
    assert error.has_cause("UnexpectedServerResponse")
    assert error.causes[0].message == "whatever"
    assert error.retry_after == 7.0
    assert str(error).endswith("(get pods web-0)")


def test_rest_32_a_conflict_of_a_post_means_it_exists_already() -> None:
    error = error_from(409, b"", "", DEPLOYMENTS)

    assert isinstance(error, errors.AlreadyExists)
    assert str(error).endswith("(post deployments.apps)")


def test_rest_32_a_403_keeps_the_words_of_the_server() -> None:
    assert "because I say so" in str(error_from(403, b"because I say so\n", "text/plain", PODS))


def test_rest_33_only_text_is_shown_trimmed_and_cut() -> None:
    page = error_from(500, b"  <html>" + b"x" * 5000, "text/html", PODS)
    binary = error_from(500, b"\x00\x01", "application/octet-stream", PODS)

    assert page.causes[0].message.startswith("<html>x")
    assert len(page.causes[0].message) <= 2048
    assert binary.causes[0].message == "unknown"


def test_rest_33_a_request_without_a_resource_is_named_by_its_url() -> None:
    assert str(error_from(404, b"", "", Target("GET", "https://c/healthz"))).endswith("(get https://c/healthz)")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"<html>", b'{"kind":"Status","status":"Success"}', b'{"kind":"Pod"}', b"[]"]
)
def test_any_body_gives_an_error_and_none_a_crash(body: bytes) -> None:
    assert isinstance(error_from(503, body, "application/json", PODS), errors.ServiceUnavailable)


def test_rest_29_a_failure_hides_in_a_200() -> None:
    assert failure_in(status(reason="Expired", code=410)) is not None
    assert failure_in(b'{"kind":"Status","status":"Success"}') is None
    assert failure_in(b'{"kind":"Pod","status":{"phase":"Failed"}}') is None


def test_rest_31_what_makes_sense_of_an_odd_status_is_kept() -> None:
    body = status(message="too fast", reason="TooManyRequests", code="429", details=["?"], metadata=7, more={"a": 1})

    error = error_from(429, body, "application/json", PODS)

    assert isinstance(error, errors.TooManyRequests)
    assert (str(error), error.code, error.details) == ("too fast", 429, None)


@pytest.mark.parametrize(
    "body", [b'{"kind":"Status","details":' + b"[" * 50_000, b"\xff\xfe", b'{"kind":7}', b'"Status"', b"null"]
)
def test_no_body_is_too_odd(body: bytes) -> None:
    assert isinstance(error_from(500, body, "application/json", PODS), errors.InternalError)
    assert failure_in(body) is None


def test_rest_33_the_words_of_the_server_stand_in_the_message() -> None:
    error = error_from(400, b"Client sent an HTTP request to an HTTPS server.\n", "", PODS)

    assert str(error) == (
        "the server rejected our request for an unknown reason: "
        "'Client sent an HTTP request to an HTTPS server.' (get pods web-0)"
    )
    assert error.message == "the server rejected our request for an unknown reason (get pods web-0)"


def test_a_redirect_says_where_to_without_its_secrets() -> None:
    error = error_from(302, b"", "", PODS, location="https://me:hunter2@login.example/start?token=hunter2")

    assert "redirects to 'https://me:***@login.example/start', which is not followed (get pods web-0)" in str(error)


def test_the_priority_level_of_a_refused_request_is_told() -> None:
    error = error_from(429, b"Too many requests, please try again later.", "text/plain", PODS)

    note_priority(error, {"x-kubernetes-pf-flowschema-uid": "f-1", "x-kubernetes-pf-prioritylevel-uid": "p-1"})

    assert error.__notes__[-1] == "it was counted to flow schema f-1 and priority level p-1"
