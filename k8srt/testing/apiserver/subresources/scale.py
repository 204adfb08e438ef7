"""The scale subresource of built-in and custom kinds: a small view of the object, read and written."""

from __future__ import annotations

from typing import Any

from k8srt.api.autoscaling.v1 import Scale
from k8srt.apimachinery import labels
from k8srt.apimachinery.patch import PatchError, apply_json_patch, apply_merge_patch, apply_strategic_merge
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.structure import structure_of
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.bodies import check_size, parse_yaml, read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import WriteOptions, check_identity, write_options
from k8srt.testing.apiserver.failures import (
    bad_request,
    conflict,
    internal,
    invalid,
    invalid_value,
    plain_500,
)
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.patches import (
    APPLY,
    JSON_PATCH,
    MERGE,
    misfit_failure,
    patch_failure,
    patch_options,
    patch_type,
    read_patch,
)
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.rendering import Renderer
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.storage import Stale, Stored
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.typed import WrongType, read_typed
from k8srt.testing.apiserver.writes import check_version, commit_update

JSON = dict[str, Any]
SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
_TRIES = 5
# An apply converts what is there to the version applied, which a custom resource has not; servers stumble over it.
_NO_APPLY = (
    "failed to create manager for existing fields: failed to convert live object (/; autoscaling/v1, Kind=Scale) to "
    "proper version: request to convert CR to an invalid group/version: autoscaling/v1"
)
_BUILTIN = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def serve(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource, user: User) -> Response:
    renderer = Renderer(cluster, request, resource)
    if request.method == "GET":
        stored = cluster.get(resource, info.namespace, info.name)
        return renderer.document(scale_of(resource, cluster.document(resource, stored)))
    if request.method == "PUT":
        check_size(request)
        raw, _ = read_body(request)
        options = write_options(request, "UpdateOptions")
        wanted = _read(raw)
        return renderer.document(_write(cluster, info, resource, options, user, lambda now: wanted))
    media = patch_type(request, resource)
    options = patch_options(request, media)
    check_size(request)
    change = parse_yaml(request.body)[0] if media == APPLY else read_patch(request, media)
    if media == APPLY and resource.custom is not None:
        cluster.get(resource, info.namespace, info.name)
        raise plain_500(_NO_APPLY)

    def patched(now: JSON) -> JSON:
        made = _apply_patch(now, change, media)
        try:
            return _typed(made)
        except WrongType as err:
            raise misfit_failure(made, str(err)) from err

    return renderer.document(_write(cluster, info, resource, options, user, patched))


def _apply_patch(now: JSON, change: Any, media: str) -> Any:
    try:
        if media == JSON_PATCH:
            return apply_json_patch(now, change)
        if media in (MERGE, APPLY):
            return apply_merge_patch(now, change)
        return apply_strategic_merge(now, change, structure_of(Scale))
    except PatchError as err:
        raise patch_failure(err) from err


def _read(raw: Any) -> JSON:
    kind, version = (raw.get("kind"), raw.get("apiVersion")) if isinstance(raw, dict) else ("", "")
    if kind not in (None, "Scale") or version not in (None, "autoscaling/v1"):
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a Scale')
    try:
        return _typed(raw)
    except WrongType as err:
        raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: {err}') from err


def _typed(raw: Any) -> JSON:
    obj, _ = read_typed(Scale, raw)
    replicas = (obj.get("spec") or {}).get("replicas", 0)
    if not -(2**31) <= replicas < 2**31:
        field = "Go struct field ScaleSpec.spec.replicas of type int32"
        raise WrongType(f"json: cannot unmarshal number {replicas} into {field}")
    return obj


def _write(
    cluster: Cluster, info: RequestInfo, resource: Resource, options: WriteOptions, user: User, make: Any
) -> JSON:
    write = Write(cluster, info.namespace, info.name, options.dry_run, "scale", user)
    for _ in range(_TRIES):
        stored = cluster.get(resource, info.namespace, info.name)
        old = cluster.document(resource, stored)
        wanted = make(scale_of(resource, old))
        new = _scaled(resource, stored, old, wanted, info)
        try:
            made = commit_update(cluster, resource, stored, old, new, options, write)
        except Stale:
            continue
        return scale_of(resource, made)
    raise conflict(resource.group, resource.plural, info.name)


def _scaled(resource: Resource, stored: Stored, old: JSON, wanted: JSON, info: RequestInfo) -> JSON:
    check_identity(resource, wanted, info.namespace, info.name)
    if wanted["metadata"].get("resourceVersion"):
        check_version(resource, stored, wanted)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        _refuse_negative(resource, replicas, info.name)
    return _with_value(old, _paths(resource)["specReplicasPath"], replicas)


def _refuse_negative(resource: Resource, replicas: int, name: str) -> None:
    if resource.custom is not None:
        path = _paths(resource)["specReplicasPath"]
        cause = invalid_value(path, replicas, "should be a non-negative integer")
        raise invalid(resource.group, resource.kind, name, [cause])
    cause = invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
    raise invalid("autoscaling", "Scale", name, [cause])


def _paths(resource: Resource) -> Any:
    if resource.custom is not None:
        return resource.custom.scale or {}
    return _BUILTIN


def scale_of(resource: Resource, obj: JSON) -> JSON:
    """The Scale of an object. Raises Failure(500) when a custom object has no replicas."""
    paths = _paths(resource)
    meta = {
        part: obj["metadata"][part]
        for part in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if part in obj["metadata"]
    }
    spec_replicas = _value(obj, paths["specReplicasPath"])
    if spec_replicas is None and resource.custom is not None:
        raise internal(f'the spec replicas field "{paths["specReplicasPath"]}" does not exist')
    status: JSON = {"replicas": _value(obj, paths["statusReplicasPath"]) or 0}
    selector = _selector(resource, obj, paths)
    if selector:
        status["selector"] = selector
    spec = {"replicas": spec_replicas} if spec_replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


def _selector(resource: Resource, obj: JSON, paths: Any) -> str:
    if resource.custom is not None:
        path = paths.get("labelSelectorPath")
        return str(_value(obj, path) or "") if path else ""
    selector = (obj.get("spec") or {}).get("selector") or {}
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return str(labels.from_set(selector))
    return str(labels.label_selector_as_selector(selector))


def _value(obj: JSON, path: str) -> Any:
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _with_value(obj: JSON, path: str, value: Any) -> JSON:
    first, _, rest = path.strip(".").partition(".")
    inner = obj.get(first)
    return {**obj, first: _with_value(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}
