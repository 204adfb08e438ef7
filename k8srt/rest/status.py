"""From an answer that is no success to one `StatusError`, whatever its body is.

Contract: REST-29, REST-31 to REST-34.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from k8srt.apimachinery.meta import Status, StatusCause, StatusDetails
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.schema import GroupResource, GroupVersion
from k8srt.apimachinery.wire import decoder, encode
from k8srt.errors import UNEXPECTED_RESPONSE, NotServed, StatusError, status_error
from k8srt.transport.headers import mask_url

_BODY_SHOWN = 2048
_WORDS_SHOWN = 200
_NO_PATH = b"404 page not found"

UNREADABLE = (msgspec.MsgspecError, RecursionError)
"""What reading JSON that is wrong, or nested thousands of levels deep, raises."""

_GENERIC: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", ""),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", ""),
    409: ("Conflict", "the server reported a conflict"),
    415: ("UnsupportedMediaType", ""),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "the server was unable to return a response in the time allotted, but may still be processing it"),
}


class Target(NamedTuple):
    """What a request was about, for messages: its verb, URL, resource (in which version) and name."""

    verb: str
    url: str
    resource: GroupResource = GroupResource("", "")
    name: str = ""
    version: str = ""

    def __str__(self) -> str:
        if not self.resource.resource:
            return f"{self.verb.lower()} {self.url}"
        name = f" {self.name}" if self.name else ""
        return f"{self.verb.lower()} {self.resource}{name}"


def decode_status(body: bytes) -> Status | None:
    """The Status a body holds, as far as it makes sense, or None when it holds something else. Never raises."""
    try:
        return _if_status(decoder(Status).decode(body))
    except UNREADABLE:
        return _if_status(_what_fits(body))


def _if_status(status: Status | None) -> Status | None:
    # A body without a kind counts when it looks like one; any other kind has a `status` of its own.
    return status if status is not None and (status.kind or "Status") == "Status" else None


def _what_fits(body: bytes) -> Status | None:
    """The fields that are as they should be of a Status with some that are not."""
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    if not isinstance(document, dict):
        return None
    fitting = {key: value for key, value in document.items() if _fits({key: value})}
    status: Status = decoder(Status).decode(encode(fitting))
    return status


def _fits(part: dict[str, Any]) -> bool:
    try:
        decoder(Status).decode(encode(part))
    except UNREADABLE:
        return False
    return True


def failure_in(body: bytes) -> Status | None:
    """The Status of a body that says it is one and no success, though the HTTP code was 2xx. Contract: REST-29."""
    try:
        status: Status = decoder(Status).decode(body)
    except UNREADABLE:
        return None
    return status if (status.kind, status.api_version) == ("Status", "v1") and status.status != "Success" else None


def error_from(
    code: int, body: bytes, content_type: str, target: Target, retry_after: int = 0, location: str = ""
) -> StatusError:
    """Return the error for an answer with a code outside 2xx. `location` is where a redirect leads."""
    status, message = decode_status(body), None
    if status is None or status.status != "Failure":
        text = server_text(body, content_type)
        status = generic_status(code, target, text, retry_after)
        message = _with_words(status.message, text, target) if code < 500 else None
        if location:
            where = mask_url(location.partition("?")[0])[:_WORDS_SHOWN]
            message = f"the server redirects to {where!r}, which is not followed ({target})"
    status.code = status.code or code
    return noted(_not_served(status, target, body) or status_error(status, message), target)


def _with_words(message: str, text: str, target: Target) -> str:
    """A message that says no more than the code does, with what the server said."""
    if text == "unknown" or text in message:
        return message
    return f"{message.removesuffix(f' ({target})')}: {text[:_WORDS_SHOWN]!r} ({target})"


def note_priority(error: StatusError, headers: Mapping[str, str]) -> None:
    """Add which flow schema and priority level the server counted the request to, if it says so."""
    names = {"flow schema": "x-kubernetes-pf-flowschema-uid", "priority level": "x-kubernetes-pf-prioritylevel-uid"}
    said = [f"{what} {uid}" for what, name in names.items() if (uid := headers.get(name, ""))]
    if said:
        error.add_note(f"it was counted to {' and '.join(said)}")


def _not_served(status: Status, target: Target, body: bytes) -> NotServed | None:
    """The error for a path that the server knows nothing of, if it is that and no object that was not found."""
    resource = target.resource.resource
    if status.code != 404 or not (resource and target.version) or "/proxy" in resource:  # the answer of another server
        return None
    if not (body.startswith(_NO_PATH) or status.message == _GENERIC[404][1]):
        return None
    where = GroupVersion(target.resource.group, target.version)
    return NotServed(status, f"the server does not serve {resource} in {where}: {status.message}")


def noted(error: StatusError, target: Target) -> StatusError:
    """Add a line on the request, which a traceback shows; the server's own message stays as it came."""
    error.add_note(f"in answer to {target.verb} {target.url}")
    return error


def server_text(body: bytes, content_type: str) -> str:
    """What of a body may stand in a message: text only, trimmed, at most 2048 bytes. Contract: REST-33."""
    if content_type and not content_type.lower().startswith("text/"):
        return "unknown"
    return body[:_BODY_SHOWN].decode("utf-8", "replace").strip() or "unknown"


def generic_status(code: int, target: Target, text: str, retry_after: int = 0) -> Status:
    """The Status made up for an answer that carries none. Contract: REST-32, REST-33."""
    reason, message = _GENERIC.get(code, ("", ""))
    if code == 409 and target.verb == "POST":
        reason = "AlreadyExists"
    if not reason and code >= 500:
        reason, message = "InternalError", f"the server failed and the request with it ({text!r})"
    message = message or (text if reason else f"the server responded with the status code {code} and nothing more")
    return Status(
        api_version="v1",
        kind="Status",
        status="Failure",
        code=code,
        reason=reason or "Unknown",
        message=f"{message} ({target})",
        details=StatusDetails(
            group=target.resource.group or unset,
            kind=target.resource.resource or unset,
            name=target.name or unset,
            causes=[StatusCause(reason=UNEXPECTED_RESPONSE, message=text)],
            retry_after_seconds=retry_after or unset,
        ),
    )
