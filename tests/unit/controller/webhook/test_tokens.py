"""Reviews of tokens, and handlers in WSGI servers."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from k8srt.controller.serving.messages import DropConnection
from k8srt.controller.webhook import (
    AdmissionWebhook,
    HTTPRequest,
    HTTPResponse,
    TokenAnswer,
    TokenQuestion,
    TokenWebhook,
    allowed,
    as_wsgi,
    authenticated,
    unauthenticated,
)
from tests.unit.controller.webhook.reviews import asked, pod, posted, review_of

JSON = dict[str, Any]


def token_review(token: Any = "t-1", version: str = "v1", **spec: Any) -> bytes:
    document = {"kind": "TokenReview", "apiVersion": f"authentication.k8s.io/{version}"}
    return json.dumps({**document, "metadata": {"uid": "u-1"}, "spec": {"token": token, **spec}}).encode()


def ask(handler: Any, body: bytes, content_type: str = "application/json") -> JSON:
    response = TokenWebhook(handler).handle(posted(body, content_type))
    assert response.code == 200
    found: JSON = json.loads(response.body)
    return found


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_adm_10_a_token_has_its_user(version: str) -> None:
    def who(question: TokenQuestion) -> TokenAnswer:
        assert (question.token, question.audiences, question.uid) == ("t-1", ("api",), "u-1")
        assert "t-1" not in repr(question)
        return authenticated("jane", uid="7", groups=["devs"], extra={"k": ["v"]}, audiences=["api"])

    found = ask(who, token_review(version=version, audiences=["api"]))

    assert (found["kind"], found["apiVersion"]) == ("TokenReview", f"authentication.k8s.io/{version}")
    assert found["spec"] == {}
    assert found["status"] == {
        "authenticated": True,
        "user": {"username": "jane", "uid": "7", "groups": ["devs"], "extra": {"k": ["v"]}},
        "audiences": ["api"],
    }


def test_adm_10_a_token_of_nobody() -> None:
    class Handler:
        def handle(self, question: TokenQuestion) -> TokenAnswer:
            return unauthenticated("never seen")

    assert ask(Handler(), token_review())["status"] == {"authenticated": False, "error": "never seen"}
    with pytest.raises(TypeError, match="token handler"):
        TokenWebhook(7)


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"", "application/json", "request body is empty"),
        (b"x" * ((1 << 20) + 1), "application/json", "too large"),
        (b"{}", "text/plain", "contentType=text/plain"),
        (b"{", "application/json", "no JSON"),
        (b"[]", "application/json", "expected a TokenReview"),
        (b"[" * 100_000, "application/json", "no JSON"),
        (token_review(version="v7"), "application/json", "expected a TokenReview"),
        (token_review(""), "application/json", "token is empty"),
        (token_review(None), "application/json", "token is empty"),
        (token_review({"a": 1}), "application/json", "token is empty"),
    ],
)
def test_adm_10_what_cannot_be_read_authenticates_nobody(body: bytes, content_type: str, error: str) -> None:
    status = ask(lambda question: authenticated("jane"), body, content_type)["status"]

    assert status["authenticated"] is False
    assert error in status["error"]


@pytest.mark.parametrize("answer", [RuntimeError("t-1"), None])
def test_adm_10_a_handler_that_fails_authenticates_nobody(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    def broken(question: TokenQuestion) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    status = ask(broken, token_review())["status"]

    assert status["authenticated"] is False
    assert status["error"].startswith("panic: ")
    assert "t-1" not in status["error"]
    assert "the token handler failed" in caplog.text


# ---- WSGI


def call(application: Any, body: bytes, **environ: str) -> tuple[str, dict[str, str], bytes]:
    started: list[Any] = []
    facts = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/hook",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        **environ,
    }
    data = b"".join(application({**facts, "wsgi.input": io.BytesIO(body)}, lambda *args: started.extend(args)))
    return started[0], dict(started[1]), data


def test_adm_10_handlers_can_be_mounted_in_wsgi_servers() -> None:
    status, headers, body = call(as_wsgi(AdmissionWebhook(lambda request: allowed())), review_of(asked(obj=pod())))

    assert status == "200 OK"
    assert headers == {"Content-Type": "application/json", "Content-Length": str(len(body))}
    assert json.loads(body)["response"]["allowed"] is True


def test_adm_10_in_wsgi_servers_limits_and_failures_are_as_elsewhere() -> None:
    class Broken:
        max_body = 4

        def handle(self, request: HTTPRequest) -> HTTPResponse:
            assert len(request.body) <= 5
            raise DropConnection

    assert call(as_wsgi(Broken()), b"123456")[0] == "500 Internal Server Error"
    assert call(as_wsgi(Broken()), b"", CONTENT_LENGTH="x")[0] == "400 Bad Request"
