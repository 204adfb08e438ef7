"""Webhooks that tell the API server who holds a token.

    def who(review: TokenQuestion) -> TokenAnswer:
        return authenticated("jane", groups=["devs"]) if review.token == "secret" else unauthenticated()

    server.register("/authenticate", TokenWebhook(who))

Contract: ADM-10.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from k8srt.controller.serving.figures import report
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse

log = logging.getLogger(__name__)

GROUP = "authentication.k8s.io"
VERSIONS = ("v1", "v1beta1")
JSON = dict[str, Any]


@dataclass(frozen=True)
class TokenQuestion:
    """A token, and for whom it is meant. It does not show the token."""

    token: str = field(repr=False)
    audiences: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True)
class TokenAnswer:
    """Whose token it is; see `authenticated`, `unauthenticated`. `error` is why that could not be told."""

    authenticated: bool
    user: Mapping[str, Any] = field(default_factory=dict)
    audiences: tuple[str, ...] = ()
    error: str = ""


def authenticated(
    username: str,
    *,
    uid: str = "",
    groups: Iterable[str] = (),
    extra: Mapping[str, Iterable[str]] | None = None,
    audiences: Iterable[str] = (),
) -> TokenAnswer:
    """The token is that of this user."""
    user: JSON = {"username": username}
    if uid:
        user["uid"] = uid
    if listed := list(groups):
        user["groups"] = listed
    if extra:
        user["extra"] = {key: list(values) for key, values in extra.items()}
    return TokenAnswer(True, user, tuple(audiences))


def unauthenticated(error: str = "") -> TokenAnswer:
    """The token is nobody's."""
    return TokenAnswer(False, error=error)


class TokenWebhook:
    """Serves a function of a question, or an object that has it as `handle`. Thread-safe, as long as that is."""

    max_body = 1 << 20

    def __init__(self, handler: Any) -> None:
        function: Callable[[TokenQuestion], TokenAnswer] = getattr(handler, "handle", handler)
        if not callable(function):
            raise TypeError(f"a token handler has handle(question), or is a function: {handler!r}")
        self._function = function

    def handle(self, request: HTTPRequest) -> HTTPResponse:
        """Answer a TokenReview; the HTTP status is 200 whatever the answer is."""
        version = VERSIONS[0]
        try:
            version, question = _read(request, self.max_body)
            answer = self._ask(question)
        except _Unreadable as err:
            log.warning("%s: a request that cannot be answered: %s", request.path, err)
            answer = unauthenticated(str(err))
        status: JSON = {"authenticated": answer.authenticated}
        if answer.authenticated:
            status["user"] = dict(answer.user)
        if answer.audiences:
            status["audiences"] = list(answer.audiences)
        if answer.error:
            status["error"] = answer.error
        review = {"kind": "TokenReview", "apiVersion": f"{GROUP}/{version}", "metadata": {}, "spec": {}}
        return HTTPResponse(200, msgspec.json.encode({**review, "status": status}))

    def _ask(self, question: TokenQuestion) -> TokenAnswer:
        try:
            answer = self._function(question)
            if not isinstance(answer, TokenAnswer):
                raise TypeError(f"a token handler answers with a TokenAnswer, not {type(answer).__name__}")
            return answer
        except (Exception, SystemExit) as err:
            report("panic")
            log.exception("the token handler failed")
            return unauthenticated(f"panic: {type(err).__name__} [recovered]")


class _Unreadable(Exception):
    pass


def _read(request: HTTPRequest, limit: int) -> tuple[str, TokenQuestion]:
    if not request.body:
        raise _Unreadable("request body is empty")
    if len(request.body) > limit:
        raise _Unreadable(f"request entity is too large; limit is {limit} bytes")
    kind = request.headers.get("content-type", "")
    if kind != "application/json":
        raise _Unreadable(f"contentType={kind}, expected application/json")
    try:
        review = msgspec.json.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _Unreadable("the review is no JSON") from None
    api_version = str(review.get("apiVersion")) if isinstance(review, dict) else ""
    group, _, version = api_version.partition("/")
    if group != GROUP or version not in VERSIONS or review.get("kind") != "TokenReview":
        raise _Unreadable(f"expected a TokenReview of {GROUP}/v1 or {GROUP}/v1beta1")
    spec = review.get("spec")
    token = spec.get("token") if isinstance(spec, dict) else None
    if not isinstance(token, str) or not token:
        raise _Unreadable("token is empty")
    uid = str((review.get("metadata") or {}).get("uid") or "")
    return version, TokenQuestion(token, tuple(map(str, spec.get("audiences") or ())), uid)
