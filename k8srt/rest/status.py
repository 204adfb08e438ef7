"""From an answer that is no success to one `StatusError`, whatever its body is.

Contract: REST-29, REST-31 to REST-34.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from k8srt.apimachinery.meta import Status, StatusCause, StatusDetails
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.schema import GroupResource, GroupVersion
from k8srt.apimachinery.wire import decoder
from k8srt.errors import UNEXPECTED_RESPONSE, NotServed, StatusError, status_error

_BODY_SHOWN = 2048
_NO_PATH = b"404 page not found"

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
    """The Status a body holds, or None when it holds something else. Never raises."""
    try:
        status: Status = decoder(Status).decode(body)
    except msgspec.MsgspecError:
        return None
    # A body without a kind counts when it looks like one; any other kind has a `status` of its own.
    return status if (status.kind or "Status") == "Status" else None


def failure_in(body: bytes) -> Status | None:
    """The Status of a body that says it is one and no success, though the HTTP code was 2xx. Contract: REST-29."""
    status = decode_status(body)
    if status is not None and status.kind == "Status" and status.api_version == "v1" and status.status != "Success":
        return status
    return None


def error_from(code: int, body: bytes, content_type: str, target: Target, retry_after: int = 0) -> StatusError:
    """Return the error for an answer with a code outside 2xx."""
    status = decode_status(body)
    if status is None or status.status != "Failure":
        status = generic_status(code, target, server_text(body, content_type), retry_after)
    status.code = status.code or code
    return noted(_not_served(status, target, body) or status_error(status), target)


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
