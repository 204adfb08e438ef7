"""patch, in its four forms: JSON patch, merge patch, strategic merge, and apply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from k8srt.apimachinery.patch import (
    PatchError,
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge,
)
from k8srt.testing.apiserver import ownership
from k8srt.testing.apiserver.bodies import check_size, duplicates, go_words, media_type, parse_yaml
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import (
    APPLIED,
    PATCHED,
    Misfit,
    WriteOptions,
    check_identity,
    read_document,
    write_options,
)
from k8srt.testing.apiserver.failures import (
    Failure,
    bad_request,
    conflict,
    failure,
    forbidden_field,
    invalid,
    invalid_options,
    invalid_value,
    plain_500,
    required,
    unsupported_media_type,
)
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.rendering import Renderer
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.schema_values import go_name
from k8srt.testing.apiserver.storage import Stale
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.writes import check_may_create, check_version, commit_create, commit_update, warned

JSON = dict[str, Any]
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_ANY = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
_CUSTOM = (JSON_PATCH, MERGE, APPLY)
_TRIES = 5


def patch(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    media = patch_type(request, resource)
    renderer = Renderer(cluster, request, resource)
    options = patch_options(request, media)
    check_size(request)
    write = Write(cluster, info.namespace, info.name, options.dry_run, info.subresource, request.user)
    if media == APPLY:
        made, created = apply(cluster, request, resource, options, write)
        return warned(renderer.document(made, 201 if created else 200), write.warnings)
    change = read_patch(request, media)
    complaints = patch_complaints(request, change, media)
    for attempt in range(_TRIES):
        stored = cluster.get(resource, info.namespace, info.name)
        old = cluster.document(resource, stored)
        write.warnings.clear()
        new = patched(cluster, resource, old, change, media, options, write, complaints)
        check_identity(resource, new, info.namespace, info.name)
        check_version(resource, stored, {"metadata": {"resourceVersion": _version(new, stored.revision)}})
        try:
            made = commit_update(cluster, resource, stored, old, new, options, write)
        except Stale:
            if attempt + 1 < _TRIES and not _names_version(change):
                continue
            raise conflict(resource.group, resource.plural, info.name) from None
        return warned(renderer.document(made), write.warnings)
    raise AssertionError("unreachable")


def _version(new: JSON, current: int) -> str:
    return str(new["metadata"].get("resourceVersion") or current)


def _names_version(change: Any) -> bool:
    meta = change.get("metadata") if isinstance(change, dict) else None
    return isinstance(meta, dict) and "resourceVersion" in meta


def patch_type(request: Request, resource: Resource) -> str:
    """The form of the patch. Raises Failure(415)."""
    media = media_type(request)
    if resource.custom is not None and media not in _CUSTOM:
        raise unsupported_media_type(_CUSTOM)
    if media not in _ANY:
        raise failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    return media


def patch_options(request: Request, media: str) -> WriteOptions:
    options = write_options(request, "PatchOptions")
    if media == APPLY and not request.param("fieldManager"):
        raise invalid_options("PatchOptions", [required("fieldManager", "is required for apply patch")])
    if media != APPLY and "force" in request.query:
        text = "may not be specified for non-apply patch"
        raise invalid_options("PatchOptions", [forbidden_field("force", text)])
    return options


def read_patch(request: Request, media: str) -> Any:
    try:
        change = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        raise bad_request(f"error decoding patch: {go_words(request.body, err)}") from err
    if media == JSON_PATCH:
        _check_operations(change, loose=request.param("fieldValidation") == "Ignore")
        return change or []
    if change is None and media == MERGE:
        raise bad_request("Invalid JSON Patch")
    if not isinstance(change, dict):
        raise _not_decoded(change, "Go value of type map[string]interface {}")
    return change


def _not_decoded(value: Any, into: str) -> Failure:
    return bad_request(f"error decoding patch: json: cannot unmarshal {go_name(value)} into {into}")


def _check_operations(change: Any, *, loose: bool) -> None:
    """Raise Failure(400) for what is no list of operations; null is an empty one."""
    if change is not None and not isinstance(change, list):
        if loose:
            raise bad_request(f"json: cannot unmarshal {go_name(change)} into Go value of type jsonpatch.Patch")
        raise _not_decoded(change, "Go value of type []handlers.jsonPatchOp")
    for operation in change or ():
        if not isinstance(operation, dict):
            raise _not_decoded(operation, "Go value of type handlers.jsonPatchOp")
        for name in ("op", "path", "from"):
            if not isinstance(operation.get(name, ""), str | None):
                raise _not_decoded(operation[name], f"Go struct field jsonPatchOp.{name} of type string")


_OPERATION = frozenset({"op", "path", "from", "value"})


def patch_complaints(request: Request, change: Any, media: str) -> list[str]:
    """What strictness finds in a patch before it is applied: fields given twice, or unknown to an operation."""
    twice = [f'duplicate field "{path}"' for path in duplicates(request.body)]
    if media != JSON_PATCH:
        return twice
    for index, operation in enumerate(change):
        twice += [f'unknown field "[{index}].{name}"' for name in sorted(set(operation) - _OPERATION)]
    return [f"json patch {text}" for text in twice]


def patched(
    cluster: Cluster,
    resource: Resource,
    old: JSON,
    change: Any,
    media: str,
    options: WriteOptions,
    write: Write,
    complaints: Sequence[str] = (),
) -> JSON:
    """The old object with the patch applied, read again as a document. Raises Failure."""
    try:
        if media == JSON_PATCH:
            raw = apply_json_patch(old, change)
        elif media == MERGE:
            raw = apply_merge_patch(old, change)
        else:
            raw = apply_strategic_merge(old, change, resource.structure)
    except PatchError as err:
        raise patch_failure(err) from err
    try:
        document = read_document(cluster, resource, raw, [], options.validation, complaints=complaints, stage=PATCHED)
    except Misfit as err:
        raise misfit_failure(raw, str(err), in_order=resource.custom is not None) from err
    write.warnings.extend(document.warnings)
    return document.obj


def patch_failure(err: PatchError) -> Failure:
    """How a patch is refused that cannot be applied."""
    if err.code == 422:  # a server does not say which operation it was
        return failure(422, "Invalid", "the server rejected our request due to an error in our request", {})
    if err.code == 413:
        return failure(413, "RequestEntityTooLarge", f"Request entity too large: {err}")
    return bad_request(str(err)) if err.code == 400 else plain_500(str(err))


def misfit_failure(raw: Any, why: str, *, in_order: bool = False) -> Failure:
    """A patch leaves what is no object of the kind. `in_order`: it is a map, whose keys a server shows sorted."""
    shown = msgspec.json.encode(raw, order="sorted" if in_order else None).decode()
    return invalid("", "", "", [invalid_value("patch", shown, why)])


# ---- apply


def apply(
    cluster: Cluster, request: Request, resource: Resource, options: WriteOptions, write: Write
) -> tuple[JSON, bool]:
    """Server-side apply. Returns the object and whether it was created."""
    config = read_configuration(request, resource, options, write)
    for attempt in range(_TRIES):
        live, stored = None, None
        try:
            stored = cluster.get(resource, write.namespace, write.name)
            live = cluster.document(resource, stored)
        except Failure:
            if write.subresource:
                raise
        _check_preconditions(resource, config, live, write)
        try:
            return apply_once(cluster, resource, stored, live, config, options, write), live is None
        except Stale:
            if attempt + 1 == _TRIES:
                raise conflict(resource.group, resource.plural, write.name) from None
    raise AssertionError("unreachable")


def apply_once(
    cluster: Cluster,
    resource: Resource,
    stored: Any,
    live: JSON | None,
    config: JSON,
    options: WriteOptions,
    write: Write,
) -> JSON:
    merged = ownership.apply(
        cluster, resource, live, config, options.manager, force=options.force, subresource=write.subresource
    )
    merged.setdefault("metadata", {})
    try:
        document = read_document(cluster, resource, merged, [], "Ignore", stage=APPLIED)
    except Misfit as err:
        raise plain_500(f"failed to create typed patch object: {err}") from err
    obj = document.obj
    check_identity(resource, obj, write.namespace, write.name)
    if live is None:
        check_may_create(cluster, resource, write)
        obj["metadata"].pop("resourceVersion", None)
        return commit_create(cluster, resource, obj, options, write, track=False)
    return commit_update(cluster, resource, stored, live, obj, options, write, track=False)


def read_configuration(request: Request, resource: Resource, options: WriteOptions, write: Write) -> JSON:
    """The apply configuration a client sent. Raises Failure."""
    config, twice = parse_yaml(request.body, "error decoding YAML: ")
    if config is None:
        config = {}
    if not isinstance(config, dict):
        told = f"json: cannot unmarshal {go_name(config)} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {told}")
    kind, api_version = config.get("kind") or "", config.get("apiVersion") or ""
    if (kind, api_version) != (resource.kind, resource.api_version):
        group, _, version = str(api_version).rpartition("/")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={kind}")
    if twice and options.validation == "Strict":
        told = "".join(f"\n  {text}" for text in twice)
        raise bad_request(f"error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:{told}")
    if options.validation != "Ignore":
        write.warnings.extend(twice)
    meta = config.get("metadata") or {}
    if not isinstance(meta, dict):
        raise bad_request("metadata must be an object")
    config["metadata"] = meta
    checked = {"metadata": dict(meta)}
    check_identity(resource, checked, write.namespace, write.name if meta.get("name") else "")  # else the object's
    if meta.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    return config


def _check_preconditions(resource: Resource, config: JSON, live: JSON | None, write: Write) -> None:
    uid = config["metadata"].get("uid")
    if uid and live is None:
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise conflict(resource.group, resource.plural, write.name, why)
    version = config["metadata"].get("resourceVersion")
    if version and live is not None and version != live["metadata"]["resourceVersion"]:
        raise conflict(resource.group, resource.plural, write.name)
