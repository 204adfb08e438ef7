"""Documents that clients send: checked against the resource they were sent to, and brought into canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msgspec

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import (
    Cause,
    Failure,
    bad_request,
    invalid,
    invalid_options,
    invalid_value,
    not_supported,
    required,
)
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.schema_values import go_name
from k8srt.testing.apiserver.typed import WrongType, read_typed

JSON = dict[str, Any]
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
MANAGER_LIMIT = 128
SENT, PATCHED, APPLIED = "sent", "patched", "applied"  # what a document is: a body, or what a patch has made


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The options every write takes. `manager` is the field manager, from the client's name where none is given."""

    dry_run: bool
    manager: str
    validation: str
    force: bool = False


def write_options(request: Request, kind: str) -> WriteOptions:
    """Read and check them; `kind` is what errors call them: CreateOptions, UpdateOptions, PatchOptions."""
    causes: list[Cause] = []
    dry_run = request.query.get("dryRun", [])
    causes.extend(dry_run_causes(dry_run))
    manager = request.param("fieldManager")
    if len(manager.encode()) > MANAGER_LIMIT:
        causes.append(Cause("FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes"))
    if not manager.isprintable():
        wrong = next(index for index, char in enumerate(manager) if not char.isprintable())
        text = f"invalid character U+{ord(manager[wrong]):04X} (at position {wrong})"
        causes.append(invalid_value("fieldManager", manager, text))
    validation = request.param("fieldValidation")
    if validation not in _VALIDATIONS:
        causes.append(not_supported("fieldValidation", validation, _VALIDATIONS))
    if causes:
        raise invalid_options(kind, causes)
    named = manager or default_manager(request)
    return WriteOptions(bool(dry_run), named, validation or "Warn", request.flag("force"))


def dry_run_causes(values: list[str]) -> list[Cause]:
    if all(value == "All" for value in values):
        return []
    return [not_supported("dryRun", values, ("All",))]


def default_manager(request: Request) -> str:
    """The name of the program, from its user agent."""
    name = request.header("user-agent").partition("/")[0]
    return "".join(char for char in name if char.isprintable())[:MANAGER_LIMIT] or "unknown"


@dataclass(slots=True)
class Document:
    """An object in canonical form, and the warnings its reading gave."""

    obj: JSON
    warnings: list[str] = field(default_factory=list)


class Misfit(Exception):
    """The document does not fit its kind; the message is the decoder's."""


class Unreadable(Misfit):
    """It cannot even be told what kind of object a document is."""


class Strict(Misfit):
    """The document has unknown or repeated fields, and the client asked for strictness."""


def read_document(
    cluster: Cluster,
    resource: Resource,
    raw: Any,
    duplicates: list[str],
    validation: str,
    *,
    complaints: Sequence[str] = (),
    stage: str = SENT,
) -> Document:
    """Read what a client sent as an object of `resource`. Raises Failure(400) and Misfit.

    `complaints` are those of the patch that made it; they come first.
    """
    if raw is None and resource.custom is None:
        raw = {}
    if raw is None:
        raise Unreadable("Object 'Kind' is missing in 'null'")
    if not isinstance(raw, dict):
        what = {list: "array", str: "string", bool: "bool"}.get(type(raw), "number")
        raise Unreadable(
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {what} into Go value of type "
            'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    if resource.custom is not None:
        return _read_custom(cluster, resource, raw, duplicates, validation, complaints, stage)
    assert resource.model is not None
    _check_builtin_kind(cluster, resource, raw)
    try:
        obj, unknown = read_typed(resource.model, raw)
    except WrongType as err:
        raise Misfit(str(err)) from err
    obj["kind"], obj["apiVersion"] = resource.kind, resource.api_version
    document = Document(obj)
    _judge(document, [*complaints, *_complaints(unknown, duplicates)], validation)
    resource.strategy.defaults(obj)
    return document


def _complaints(unknown: list[str], duplicates: list[str]) -> list[str]:
    found = [text if text.startswith("line ") else f'duplicate field "{text}"' for text in duplicates]
    return [*found, *(f'unknown field "{path}"' for path in unknown)]


def _judge(document: Document, complaints: list[str], validation: str) -> None:
    if not complaints or validation == "Ignore":
        return
    if validation == "Strict":
        lines = [text for text in complaints if text.startswith("line ")]
        told = ["yaml: unmarshal errors:" + "".join(f"\n  {text}" for text in lines)] if lines else []
        told += [text for text in complaints if text not in lines]
        raise Strict("strict decoding error: " + ", ".join(told))
    document.warnings.extend(complaints)


def _check_builtin_kind(cluster: Cluster, resource: Resource, raw: JSON) -> None:
    kind, version = raw.get("kind") or "", raw.get("apiVersion") or ""
    if not isinstance(kind, str) or not isinstance(version, str):
        raise bad_request("couldn't get version/kind; json parse error: wrong type of kind or apiVersion")
    if version and version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
    if kind and kind != resource.kind:
        other = cluster.registry.for_kind(resource.group, resource.version, kind)
        if other is None:
            raise Misfit(f'no kind "{kind}" is registered for version "{resource.api_version}" in scheme')
        package = resource.group.partition(".")[0] or "core"
        raise Misfit(f"converting ({resource.version}.{kind}) to ({package}.{resource.kind}): unknown conversion")


_SUMMARY = 30  # bytes of a body that are shown


def unrecognized(resource: Resource, why: str, body: bytes) -> Failure:
    """The failure of a body whose kind cannot be told: text is shown as such, all else in hexadecimal."""
    cut, more = body[:_SUMMARY], " ..." if len(body) > _SUMMARY else ""
    shown = (cut.decode(errors="replace") if cut[:1] == b"{" else cut.hex()) + more
    return bad_request(
        f"the object provided is unrecognized (must be of type {resource.kind}): {why} ({shown or '<empty>'})"
    )


def cannot_be_handled(resource: Resource, raw: Any, err: Misfit, body: bytes = b"") -> Failure:
    """The failure of a create or an update whose document does not fit."""
    if isinstance(err, Unreadable):
        return unrecognized(resource, str(err), body)
    kind = raw.get("kind") if isinstance(raw, dict) else None
    kind = kind if isinstance(kind, str) and kind else resource.kind
    return bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {err}')


# ---- custom resources


def _read_custom(
    cluster: Cluster,
    resource: Resource,
    raw: JSON,
    duplicates: list[str],
    validation: str,
    complaints: Sequence[str],
    stage: str,
) -> Document:
    from k8srt.testing.apiserver.customs import coerce

    _check_custom_kind(resource, raw, stage)
    try:
        obj, unknown = coerce(resource, raw, keep_nulls=stage == APPLIED)
    except WrongType as err:
        raise Misfit(str(err)) from err
    document = Document(obj)
    _judge(document, [*complaints, *_complaints(unknown, duplicates)], validation)
    return document


def _check_custom_kind(resource: Resource, raw: JSON, stage: str) -> None:
    kind, version = raw.get("kind"), raw.get("apiVersion")
    if kind is not None and not isinstance(kind, str):
        raise Unreadable(
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {go_name(kind)} into Go struct field "
            ".kind of type string"
        )
    if not kind:
        shown = msgspec.json.encode(raw, order="sorted" if stage == PATCHED else None).decode()
        raise Unreadable(f"Object 'Kind' is missing in '{shown}'")
    if version != resource.api_version:
        if stage == PATCHED:
            _refuse(resource, resource.kind, raw, "apiVersion", version or "", resource.api_version)
        raise bad_request(
            f"the API version in the data ({version or ''}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if kind != resource.kind:
        _refuse(resource, kind, raw, "kind", kind, resource.kind)


def _refuse(resource: Resource, kind: str, raw: JSON, field: str, value: str, wanted: str) -> NoReturn:
    name = (raw.get("metadata") or {}).get("name", "")
    raise invalid(resource.group, kind, name, [invalid_value(field, value, f"must be {wanted}")])


# ---- identity


def check_identity(resource: Resource, obj: JSON, namespace: str, name: str) -> None:
    """Compare name and namespace with the path's, and fill the namespace in. Raises Failure(400)."""
    meta = obj["metadata"]
    given = meta.get("name", "")
    if name and not given:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if name and given != name:
        raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
    if not resource.namespaced:
        meta.pop("namespace", None)
        return
    if meta.get("namespace", namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    meta["namespace"] = namespace


def name_required() -> Cause:
    return required("metadata.name", "name or generateName is required")
