"""Failures the server answers with, and the causes inside them.

One function for each kind of failure a real API server knows, with its wording: clients match on it. A `Failure`
is raised anywhere below the dispatcher and becomes the `Status` answer there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]


class Failure(Exception):
    """A request cannot be served; `status` is the metav1.Status to answer, `headers` go with it."""

    def __init__(self, status: JSON, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.headers = dict(headers or {})

    @property
    def code(self) -> int:
        return int(self.status["code"])


def failure(code: int, reason: str, message: str, details: JSON | None = None, **headers: str) -> Failure:
    status: JSON = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    if reason:
        status["reason"] = reason
    if details is not None:
        status["details"] = details
    status["code"] = code
    return Failure(status, {name.replace("_", "-"): value for name, value in headers.items()})


def qualified(group: str, resource: str) -> str:
    return f"{resource}.{group}" if group else resource


def _about(group: str, kind: str, name: str, causes: Sequence[JSON] = ()) -> JSON:
    details: JSON = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    if causes:
        details["causes"] = list(causes)
    return details


def not_found(group: str, resource: str, name: str) -> Failure:
    text = f'{qualified(group, resource)} "{name}" not found'
    return failure(404, "NotFound", text, _about(group, resource, name))


def no_such_resource() -> Failure:
    return failure(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> Failure:
    text = "the server does not allow this method on the requested resource"
    return failure(405, "MethodNotAllowed", text, {})


def not_supported_on(group: str, resource: str, verb: str) -> Failure:
    """What custom resources say to a method that they do not take."""
    text = f'{verb} is not supported on resources of kind "{qualified(group, resource)}"'
    return failure(405, "MethodNotAllowed", text, _about(group, resource, ""))


def already_exists(group: str, resource: str, name: str, *, deleting: bool = False) -> Failure:
    prefix = "object is being deleted: " if deleting else ""
    text = f'{prefix}{qualified(group, resource)} "{name}" already exists'
    return failure(409, "AlreadyExists", text, _about(group, resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(group: str, resource: str, name: str, why: str = MODIFIED) -> Failure:
    text = f'Operation cannot be fulfilled on {qualified(group, resource)} "{name}": {why}'
    return failure(409, "Conflict", text, _about(group, resource, name))


def apply_conflict(message: str, causes: Sequence[JSON]) -> Failure:
    return failure(409, "Conflict", message, {"causes": list(causes)})


def bad_request(message: str) -> Failure:
    return failure(400, "BadRequest", message)


def generic_bad_request(message: str) -> Failure:
    return failure(400, "BadRequest", message, {})


def unauthorized() -> Failure:
    return failure(401, "Unauthorized", "Unauthorized")


def forbidden(group: str, resource: str, name: str, why: str, causes: Sequence[JSON] = ()) -> Failure:
    shown = f'{qualified(group, resource)} "{name}"' if name else qualified(group, resource)
    text = f"{shown} is forbidden: {why}"
    return failure(403, "Forbidden", text, _about(group, resource, name, causes))


def internal(message: str) -> Failure:
    return failure(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def plain_500(message: str) -> Failure:
    """What a real server makes of an error it has no name for."""
    return failure(500, "", message)


def expired(message: str) -> Failure:
    return failure(410, "Expired", message)


def too_old(asked: int, oldest: int) -> Failure:
    return expired(f"too old resource version: {asked} ({oldest})")


def too_large_version(asked: int, current: int, *, later: bool = True) -> Failure:
    """`later`: whether it may come, so that asking again makes sense; an exact version is not waited for."""
    details: JSON = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    text = f"Timeout: Too large resource version: {asked}, current: {current}"
    if not later:
        return failure(504, "Timeout", text, details)
    return failure(504, "Timeout", text, {**details, "retryAfterSeconds": 1}, Retry_After="1")


def too_many_requests(message: str, details: JSON, retry_after: int | None = None) -> Failure:
    if retry_after is None:
        return failure(429, "TooManyRequests", message, details)
    details = {**details, "retryAfterSeconds": retry_after}
    return failure(429, "TooManyRequests", message, details, Retry_After=str(retry_after))


def unsupported_media_type(accepted: Sequence[str]) -> Failure:
    text = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return failure(415, "UnsupportedMediaType", text)


def not_acceptable(message: str) -> Failure:
    return failure(406, "NotAcceptable", message)


def too_large(limit: int) -> Failure:
    text = f"Request entity too large: limit is {limit}"
    return failure(413, "RequestEntityTooLarge", text)


# ---- causes: what is wrong with a field


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong with an object. `text` is the message without the field's path."""

    reason: str
    field: str
    text: str

    def as_json(self) -> JSON:
        return {"reason": self.reason, "message": self.text, "field": self.field}


def shown(value: Any) -> str:
    """A value as error messages print it: text quoted, all else as JSON."""
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def invalid_value(field: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", field, f"Invalid value: {shown(value)}: {why}")


def required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", field, f"Required value: {why}" if why else "Required value")


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", field, f"Duplicate value: {shown(value)}")


def forbidden_field(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", field, f"Forbidden: {why}")


def not_supported(field: str, value: Any, supported: Sequence[str]) -> Cause:
    text = f"Unsupported value: {shown(value)}"
    if supported:
        text += ": supported values: " + ", ".join(f'"{each}"' for each in supported)
    return Cause("FieldValueNotSupported", field, text)


def too_long(field: str, limit: int) -> Cause:
    return Cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} bytes")


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> Failure:
    """422: the object cannot be taken as it is; every cause is named."""
    lines = [f"{cause.field}: {cause.text}" for cause in causes]
    lines = list(dict.fromkeys(lines))
    told = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    text = f'{qualified(group, kind)} "{name}" is invalid: {told}'
    return failure(422, "Invalid", text, _about(group, kind, name, [cause.as_json() for cause in causes]))


def invalid_options(kind: str, causes: Sequence[Cause]) -> Failure:
    return invalid("meta.k8s.io", kind, "", causes)
