"""Admission by objects of a kind: defaulters and validators; and several handlers as one.

Contract: ADM-04, ADM-05, ADM-08.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from k8srt.apimachinery import wire
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.record import record_from_parts
from k8srt.controller.webhook.admission import (
    JSON_PATCH,
    AdmissionHandler,
    AdmissionRequest,
    AdmissionResponse,
    HandleFunction,
    Operation,
    allowed,
    as_function,
    errored,
    patch_response,
    patched,
)
from k8srt.errors import DecodeError

T = TypeVar("T", bound=Object)

Warnings = str | Iterable[str] | None
"""What a validator returns: nothing, a warning, or several."""


class DefaulterHandler(Generic[T]):
    """Gives objects to `default(obj)` of a defaulter, which changes them or returns another; the change is the patch.

    `remove_unknown` also drops the fields that `kind` does not know.
    """

    def __init__(self, kind: type[T], defaulter: Any, *, remove_unknown: bool = False) -> None:
        self.kind = kind
        self.defaulter = defaulter
        self._default = _method(defaulter, "default")
        self._remove_unknown = remove_unknown

    def handle(self, request: AdmissionRequest) -> AdmissionResponse:
        if request.operation == Operation.DELETE:
            return allowed()
        try:
            obj = request.decode(self.kind)
        except DecodeError as err:
            return errored(400, err)
        made = self._default(obj)
        if made is not None and not isinstance(made, Object):
            raise TypeError(f"a defaulter changes the object, or returns one: not {made!r}")
        after: Object = obj if made is None else made
        return patch_response(request.object, _known_only(after) if self._remove_unknown else after)

    def __repr__(self) -> str:
        return f"<defaulter of {self.kind.__name__}: {self.defaulter!r}>"


def _known_only(obj: Object) -> Object:
    """The object with what its class has fields for."""
    record = obj.to_record()
    known = {part.wire: part for part in parts_of(type(obj)).values()}
    parts = {
        key: wire.encode(wire.decoder(known[key].type).decode(raw), known[key].type) if key in known else raw
        for key, raw in record.parts.items()
        if key in known or key in ("apiVersion", "kind")
    }
    return type(obj).from_record(record_from_parts(parts))


class ValidatorHandler(Generic[T]):
    """Asks `validate_create(obj)`, `validate_update(old, new)` and `validate_delete(obj)` of a validator.

    They raise AdmissionError or a StatusError to deny, and return warnings. One that is missing allows.
    """

    def __init__(self, kind: type[T], validator: Any) -> None:
        self.kind = kind
        self.validator = validator
        names = ("validate_create", "validate_update", "validate_delete")
        if not any(callable(getattr(validator, name, None)) for name in names):
            raise TypeError(f"a validator has {', '.join(names)}, or some of them: {validator!r}")

    def handle(self, request: AdmissionRequest) -> AdmissionResponse:
        validator, kind = self.validator, self.kind
        objects: list[Any]
        try:
            match request.operation:
                case Operation.CONNECT:
                    return allowed()
                case Operation.CREATE:
                    name, objects = "validate_create", [request.decode(kind)]
                case Operation.UPDATE:
                    name, objects = "validate_update", [request.decode_old(kind), request.decode(kind)]
                case Operation.DELETE:
                    name, objects = "validate_delete", [request.decode_old(kind)]
                case unknown:
                    return errored(400, f"unknown operation {unknown!r}")
        except DecodeError as err:
            return errored(400, err)
        method = getattr(validator, name, None)
        return allowed() if method is None else allowed().with_warnings(*_warnings(method(*objects)))

    def __repr__(self) -> str:
        return f"<validator of {self.kind.__name__}: {self.validator!r}>"


def _method(obj: Any, name: str) -> Any:
    method = getattr(obj, name, None)
    if not callable(method):
        raise TypeError(f"it must have {name}(obj): {obj!r}")
    return method


def _warnings(found: Warnings) -> list[str]:
    if found is None:
        return []
    listed = [found] if isinstance(found, str) else list(found)
    for warning in listed:
        if not isinstance(warning, str):
            raise TypeError(f"a validator returns warnings or nothing, and raises AdmissionError to deny: {warning!r}")
    return listed


def multi_mutating(*handlers: AdmissionHandler | HandleFunction) -> HandleFunction:
    """Several as one: each sees the object as it came, patches and warnings are joined, the first denial counts."""
    functions = [as_function(handler) for handler in handlers]

    def handle(request: AdmissionRequest) -> AdmissionResponse:
        patches: list[Any] = []
        warnings: list[str] = []
        for function in functions:
            answer = function(request)
            warnings += answer.warnings
            if not answer.allowed:
                return answer
            if answer.patch_type not in ("", JSON_PATCH):
                found = f"unexpected patch type returned by the handler: {answer.patch_type}, only allow: {JSON_PATCH}"
                return errored(500, found)
            patches += answer.patches
        return patched("", *patches).with_warnings(*warnings)

    return handle


def multi_validating(*handlers: AdmissionHandler | HandleFunction) -> HandleFunction:
    """Several as one: warnings are joined, the first denial counts."""
    functions = [as_function(handler) for handler in handlers]

    def handle(request: AdmissionRequest) -> AdmissionResponse:
        warnings: list[str] = []
        for function in functions:
            answer = function(request)
            if not answer.allowed:
                return answer
            warnings += answer.warnings
        return allowed().with_warnings(*warnings)

    return handle
