"""Who owns which fields: `metadata.managedFields` for writes and for apply, with this server's registry and errors."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver import managedfields
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import Failure, apply_conflict, bad_request, plain_500
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.typed import plan_of

JSON = dict[str, Any]


def track(
    cluster: Cluster, resource: Resource, old: JSON | None, new: JSON, manager: str, subresource: str = ""
) -> JSON:
    """`new` with a note of what this write changed, on behalf of `manager`.

    A new object of a built-in kind is held against an empty one: what Go writes anyway belongs to nobody.
    """
    if old is None and resource.model is not None:
        old = {"kind": resource.kind, "apiVersion": resource.api_version, **plan_of(resource.model).blank()}
    tracked = managedfields.track_update(
        old,
        new,
        resource.structure,
        manager,
        resource.api_version,
        cluster.clock.time(),
        subresource,
        reset_fields=reset_fields(resource, subresource),
    )
    if subresource == "scale":
        entries = tracked["metadata"].get("managedFields") or []
        for entry in entries:
            if entry.get("subresource") == "scale":
                entry.pop("time", None)  # a write through scale does not date its entry
        parts = ("operation", "time", "manager", "apiVersion", "subresource")
        entries.sort(key=lambda entry: [entry.get(part, "") for part in parts])  # what has no time comes first
    return tracked


def apply(
    cluster: Cluster,
    resource: Resource,
    live: JSON | None,
    config: JSON,
    manager: str,
    *,
    force: bool,
    subresource: str = "",
) -> JSON:
    """The live object with an apply configuration merged into it. Raises Failure: 409 on conflicts, 500 on misfits."""
    try:
        return managedfields.apply(
            live,
            config,
            resource.structure,
            manager,
            force,
            resource.api_version,
            cluster.clock.time(),
            subresource,
            reset_fields=reset_fields(resource, subresource),
        )
    except managedfields.ApplyConflict as err:
        raise apply_conflict(str(err), err.causes) from err
    except managedfields.ApplyError as err:
        raise _refused(err) from err


def _refused(err: managedfields.ApplyError) -> Failure:
    return bad_request(str(err)) if err.code == 400 else plain_500(str(err))


def reset_fields(resource: Resource, subresource: str) -> list[tuple[str, ...]]:
    """The fields that a write to this endpoint does not change, whatever is sent."""
    if resource.custom is not None:
        if subresource == "status":
            return [("spec",), ("metadata", "labels"), ("metadata", "annotations")]
        return [("status",)] if resource.custom.status else []
    if subresource == "status":
        found: list[tuple[str, ...]] = [("spec",)]
        return [*found, ("metadata", "labels")] if resource.strategy.status_keeps_labels else found
    if not subresource and resource.subresource("status") is not None:
        return [("status",)]
    return []
