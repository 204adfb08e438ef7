"""What an admission webhook is asked, and what it may answer.

    def handle(request: AdmissionRequest) -> AdmissionResponse:
        if request.user.username == "mallory":
            return denied("not you")
        return allowed().with_warnings("this will go away")

Raising `AdmissionError`, or any `StatusError` of the API, denies with that status.

Contract: ADM-02, ADM-03, ADM-06.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, Self, TypeVar

import msgspec

from k8srt.api.authentication.v1 import UserInfo
from k8srt.apimachinery import wire
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.patch.jsonpatchcreate import create_json_patch
from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource
from k8srt.errors import DecodeError, K8srtError, StatusError

T = TypeVar("T", bound=Object)
JSON = dict[str, Any]
JSON_PATCH = "JSONPatch"
NO_KIND = GroupVersionKind("", "", "")
NO_RESOURCE = GroupVersionResource("", "", "")


class Operation(StrEnum):
    """What is about to be done."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


@dataclass(frozen=True)
class AdmissionRequest:
    """What is about to be done, by whom. `object` and `old_object` are JSON, empty where there is none.

    `operation` is one of `Operation`, or what a later API server calls something else. `kind`, `resource` and
    `sub_resource` are those the webhook is registered for, the ones with `request_` those the client used.
    """

    uid: str = ""
    operation: str = ""
    kind: GroupVersionKind = NO_KIND
    resource: GroupVersionResource = NO_RESOURCE
    sub_resource: str = ""
    request_kind: GroupVersionKind | None = None
    request_resource: GroupVersionResource | None = None
    request_sub_resource: str = ""
    namespace: str = ""
    name: str = ""
    user: UserInfo = field(default_factory=UserInfo)
    dry_run: bool = False
    object: bytes = b""
    old_object: bytes = b""
    options: bytes = b""

    def decode(self, kind: type[T]) -> T:
        """The object as one of `kind`. Raises DecodeError when there is none, or it is of another form."""
        return _decode(kind, self.object, "object")

    def decode_old(self, kind: type[T]) -> T:
        """The object as it was. Raises DecodeError."""
        return _decode(kind, self.old_object, "old object")

    @property
    def log(self) -> AdmissionLog:
        """A logger whose lines say which request they are of. Contract: LOG-02."""
        fields: JSON = {
            "webhookGroup": self.kind.group,
            "webhookKind": self.kind.kind,
            "namespace": self.namespace,
            "object_name": self.name,
            "resource": str(self.resource),
            "user": self.user.username or "",
            "requestID": self.uid,
        }
        if self.kind.kind:
            fields[self.kind.kind] = {"namespace": self.namespace, "name": self.name}
        return AdmissionLog(logging.getLogger("k8srt.controller.webhook"), {"request": self, **fields})

    def __repr__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"<AdmissionRequest {self.operation} {self.kind.kind} {where} by {self.user.username}>"


class AdmissionLog(logging.LoggerAdapter[logging.Logger]):
    """Says which request a line is of: in front, and as fields of the record."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        extra: Mapping[str, Any] = self.extra or {}
        request = extra["request"]
        fields = {key: value for key, value in extra.items() if key != "request"}
        kwargs["extra"] = {**fields, **(kwargs.get("extra") or {})}
        where = f"{request.namespace}/{request.name}" if request.namespace else request.name
        return f"{request.operation} {request.kind.kind} {where}: {msg}", kwargs


def _decode(kind: type[T], data: bytes, what: str) -> T:
    if not data:
        raise DecodeError(f"there is no {what} to decode")
    try:
        obj = kind.decode(data)
        for name in parts_of(kind):
            getattr(obj, name)  # what is wrong is found here and not in the middle of a handler
    except RecursionError:
        raise DecodeError(f"the {what} is nested too deeply") from None
    return obj


@dataclass(frozen=True)
class AdmissionResponse:
    """An answer; see `allowed`, `denied`, `errored`, `patched`, `patch_response`. `status` is as in the API."""

    allowed: bool
    status: Mapping[str, Any] = field(default_factory=dict)
    patches: tuple[Mapping[str, Any], ...] = ()
    patch_type: str = ""
    warnings: tuple[str, ...] = ()
    audit_annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The code of the status, 200 if it has none."""
        return int(self.status.get("code") or 200)

    @property
    def message(self) -> str:
        return str(self.status.get("message") or "")

    def with_warnings(self, *warnings: str) -> Self:
        """The same with more warnings, which clients are shown."""
        return replace(self, warnings=(*self.warnings, *warnings))

    def to_dict(self, uid: str) -> JSON:
        """The answer to the request `uid`, as it is sent. Contract: ADM-02."""
        answer: JSON = {"uid": uid, "allowed": self.allowed, "status": {**self.status, "code": self.code}}
        if self.patches:
            answer["patch"] = msgspec.json.encode(self.patches)
            answer["patchType"] = self.patch_type or JSON_PATCH
        if self.warnings:
            answer["warnings"] = list(self.warnings)
        if self.audit_annotations:
            answer["auditAnnotations"] = dict(self.audit_annotations)
        return answer


def _status(code: int, message: str, reason: str = "") -> JSON:
    status: JSON = {"code": code}
    if message:
        status["message"] = message
    if reason:
        status["reason"] = reason
    return status


def allowed(message: str = "") -> AdmissionResponse:
    """It may be done."""
    return AdmissionResponse(True, _status(200, message))


def denied(message: str = "") -> AdmissionResponse:
    """It may not be done."""
    return AdmissionResponse(False, _status(403, message, "Forbidden"))


def errored(code: int, err: BaseException | str) -> AdmissionResponse:
    """It may not be done because something went wrong; `code` is that of an HTTP error."""
    return AdmissionResponse(False, _status(code, str(err)))


def patched(message: str = "", *operations: Mapping[str, Any]) -> AdmissionResponse:
    """It may be done with the object changed by the operations of a JSON patch."""
    return AdmissionResponse(True, _status(200, message), operations, JSON_PATCH if operations else "")


def patch_response(before: bytes | Mapping[str, Any], after: bytes | Mapping[str, Any] | Object) -> AdmissionResponse:
    """It may be done with the object as in `after`; what differs from the raw object becomes the patch."""
    old = msgspec.json.decode(before) if isinstance(before, bytes) else before
    if isinstance(after, Object):
        after = after.encode()
    new = msgspec.json.decode(after) if isinstance(after, bytes) else after
    return patched("", *create_json_patch(old, new))


class AdmissionError(K8srtError):
    """Raised by a handler to deny, with this status. `causes` are mappings with `field`, `reason` and `message`."""

    def __init__(
        self,
        message: str,
        *,
        code: int = 403,
        reason: str = "Forbidden",
        causes: Iterable[Mapping[str, str]] = (),
        warnings: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        if not 400 <= code <= 599:
            raise ValueError(f"code: that of an HTTP error, not {code!r}")
        self.code = code
        self.reason = reason
        self.causes = tuple(dict(cause) for cause in causes)
        self.warnings = tuple(warnings)


def denial_of(err: AdmissionError | StatusError) -> AdmissionResponse:
    """The answer that an error stands for. Contract: ADM-03."""
    if isinstance(err, AdmissionError):
        status = _status(err.code, str(err), err.reason)
        if err.causes:
            status["details"] = {"causes": list(err.causes)}
        return AdmissionResponse(False, status, warnings=err.warnings)
    status = _status(err.code if err.code >= 400 else 403, err.message, err.reason)
    if isinstance(err.details, msgspec.Struct):
        status["details"] = msgspec.json.decode(wire.encode(err.details, type(err.details)))
    return AdmissionResponse(False, status)


class AdmissionHandler(Protocol):
    """What decides."""

    def handle(self, request: AdmissionRequest) -> AdmissionResponse: ...


HandleFunction = Callable[[AdmissionRequest], AdmissionResponse]


def as_function(handler: AdmissionHandler | HandleFunction) -> HandleFunction:
    """The function that a handler is, or has. Raises TypeError for anything else."""
    function = getattr(handler, "handle", handler)
    if not callable(function):
        raise TypeError(f"an admission handler has handle(request), or is a function of a request: {handler!r}")
    return function


_request: ContextVar[AdmissionRequest | None] = ContextVar("k8srt-admission-request", default=None)


def admission_request() -> AdmissionRequest | None:
    """The request that is being answered here, None outside of a handler. Contract: ADM-06."""
    return _request.get()


@contextmanager
def answering(request: AdmissionRequest) -> Iterator[None]:
    """Make `request` the current one."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)
