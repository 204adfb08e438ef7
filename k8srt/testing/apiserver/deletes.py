"""delete and deletecollection: preconditions, propagation, finalizers, grace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from k8srt.apimachinery.wire import format_time
from k8srt.testing.apiserver import admission
from k8srt.testing.apiserver.bodies import read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import dry_run_causes
from k8srt.testing.apiserver.failures import (
    Cause,
    Failure,
    bad_request,
    conflict,
    invalid_options,
    invalid_value,
    not_supported,
)
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.rendering import Renderer
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.schema_values import go_name
from k8srt.testing.apiserver.selection import find_page, list_options, selection_of
from k8srt.testing.apiserver.storage import NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.writes import warned

JSON = dict[str, Any]
_POLICIES = ("Foreground", "Background", "Orphan")
_WITHOUT_PERIOD = ("namespaces", "customresourcedefinitions.apiextensions.k8s.io")
ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """`grace` is in seconds, None where the client names none; `policy` is empty likewise."""

    grace: int | None = None
    policy: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False


def delete(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    renderer = Renderer(cluster, request, resource)
    options = delete_options(request)
    stored = cluster.get(resource, info.namespace, info.name)
    write = Write(cluster, info.namespace, info.name, options.dry_run, user=request.user)
    gone, obj = delete_object(cluster, resource, stored, options, write)
    response = renderer.document(obj if not gone or resource.strategy.answers_object else success(resource, stored))
    if resource.strategy.orphan_warning and not options.policy:
        write.warnings.append(resource.strategy.orphan_warning)
    return warned(response, write.warnings)


def delete_collection(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    renderer = Renderer(cluster, request, resource)
    options = delete_options(request)
    chosen = selection_of(request, info, resource)
    page = find_page(cluster.storage, chosen, list_options(request))
    for stored in page.items:
        write = Write(cluster, stored.namespace, stored.name, options.dry_run, user=request.user)
        try:
            delete_object(cluster, resource, stored, options, write)
        except Failure as err:
            if err.code != 404:
                raise
    return renderer.items(page.items, {"resourceVersion": str(page.revision)})


def success(resource: Resource, stored: Stored) -> JSON:
    details = {"name": stored.name, "group": resource.group, "kind": resource.plural, "uid": stored.uid}
    if not resource.group:
        del details["group"]
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


# ---- options


def delete_options(request: Request) -> DeleteOptions:
    """Read the options from the body, or else from the query. Raises Failure(400) and Failure(422)."""
    body: Any = None
    if request.body:
        body, _ = read_body(request)
        if body is not None and not isinstance(body, dict):
            raise bad_request("couldn't get version/kind; json parse error")
    if body:
        kind = body.get("kind", "DeleteOptions")
        if kind != "DeleteOptions":
            version = body.get("apiVersion", "")
            raise bad_request(
                f'no kind "{kind}" is registered for version "{version}" in scheme: DeleteOptions expected'
            )
    source = body if body else _from_query(request)
    return _checked(source)


def _from_query(request: Request) -> JSON:
    found: JSON = {}
    if text := request.param("gracePeriodSeconds"):
        try:
            found["gracePeriodSeconds"] = int(text)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if text := request.param("propagationPolicy"):
        found["propagationPolicy"] = text
    if "orphanDependents" in request.query:
        found["orphanDependents"] = request.flag("orphanDependents")
    if "dryRun" in request.query:
        found["dryRun"] = request.query["dryRun"]
    return found


def _checked(source: JSON) -> DeleteOptions:
    policy = source.get("propagationPolicy") or ""
    orphan = source.get("orphanDependents")
    causes: list[Cause] = []
    if policy and orphan is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(invalid_value("propagationPolicy", policy, text))
    elif policy and policy not in _POLICIES:
        causes.append(not_supported("propagationPolicy", policy, (*_POLICIES, "nil")))
    dry_run = source.get("dryRun") or []
    causes.extend(dry_run_causes(dry_run))
    if causes:
        raise invalid_options("DeleteOptions", causes)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    grace = source.get("gracePeriodSeconds")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise _wrong_type("gracePeriodSeconds", grace, "int64")
    preconditions = source.get("preconditions") or {}
    if not isinstance(preconditions, dict):
        raise _wrong_type("preconditions", preconditions, "v1.Preconditions")
    return DeleteOptions(
        grace,
        policy,
        preconditions.get("uid") or "",
        preconditions.get("resourceVersion") or "",
        bool(dry_run),
    )


def _wrong_type(field: str, value: Any, wanted: str) -> Failure:
    into = f"Go struct field DeleteOptions.{field} of type {wanted}"
    return bad_request(f"json: cannot unmarshal {go_name(value)} into {into}")


# ---- one object


def delete_object(
    cluster: Cluster, resource: Resource, stored: Stored, options: DeleteOptions, write: Write | None = None
) -> tuple[bool, JSON]:
    """Delete an object, or begin to. Returns whether it is gone, and the object to show.

    With `write`, webhooks are asked first. Raises Failure: 409 when a precondition does not hold, 404 when it went
    meanwhile, and what webhooks refuse with.
    """
    while True:
        _check_preconditions(resource, stored, options)
        if write is not None:
            admission.admit(resource, None, cluster.document(resource, stored), None, write)
        try:
            return _delete_once(cluster, resource, stored, options)
        except Stale:
            stored = cluster.get(resource, stored.namespace, stored.name)
        except NoSuchKey:
            raise cluster.missing(resource, stored.name) from None


def _check_preconditions(resource: Resource, stored: Stored, options: DeleteOptions) -> None:
    why = ""
    if options.uid and options.uid != stored.uid:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({stored.uid}). "
            "The object might have been deleted and then recreated"
        )
    elif options.version and options.version != str(stored.revision):
        why = (
            f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion in "
            f"record ({stored.revision}). The object might have been modified"
        )
    if why:
        raise conflict(resource.group, resource.kind, stored.name, why)


def _delete_once(cluster: Cluster, resource: Resource, stored: Stored, options: DeleteOptions) -> tuple[bool, JSON]:
    old = cluster.document(resource, stored)
    new = {**old, "metadata": dict(old["metadata"])}
    _propagation_finalizers(resource, new["metadata"], options)
    strategy = resource.strategy
    grace = strategy.grace(new, options.grace)
    waiting = strategy.terminating(new, cluster.now())
    waiting = waiting or bool(new["metadata"].get("finalizers"))
    if grace is None and not waiting:
        return True, _remove(cluster, resource, stored, old, options)
    _mark(cluster, resource, new, grace)
    changed = new != old
    if options.dry_run:
        return False, new
    if changed:
        stored = cluster.storage.update(
            resource.table, cluster.to_stored(resource, new), cluster.fields_of(resource), stored
        )
        new = cluster.document(resource, stored)
    if waiting or grace:
        return False, new
    return True, _remove(cluster, resource, stored, new, options)


def _remove(cluster: Cluster, resource: Resource, stored: Stored, obj: JSON, options: DeleteOptions) -> JSON:
    if options.dry_run:
        return obj
    gone = cluster.storage.delete(resource.table, stored)
    shown = cluster.document(resource, gone)
    write = Write(cluster, stored.namespace, stored.name, dry_run=False)
    resource.strategy.removed(shown, None, write)
    return shown


def _mark(cluster: Cluster, resource: Resource, obj: JSON, grace: int | None) -> None:
    """Write the deletion into the metadata, unless it stands there and is no later."""
    meta = obj["metadata"]
    period = grace or 0
    if "deletionTimestamp" in meta:
        before = meta.get("deletionGracePeriodSeconds", 0)
        if grace is None or period >= before:
            return
    elif meta.get("generation") and resource.table not in _WITHOUT_PERIOD:
        meta["generation"] += 1
    meta["deletionTimestamp"] = format_time(cluster.clock.time() + timedelta(seconds=period))
    if resource.table not in _WITHOUT_PERIOD:
        meta["deletionGracePeriodSeconds"] = period


def _propagation_finalizers(resource: Resource, meta: JSON, options: DeleteOptions) -> None:
    """Put on, or take off, the finalizers by which the garbage collector is told what to do."""
    finalizers = list(meta.get("finalizers") or ())
    policy = options.policy
    if not policy:
        if ORPHAN in finalizers or FOREGROUND in finalizers:
            return
        policy = "Orphan" if resource.strategy.orphans else "Background"
    kept = [each for each in finalizers if each not in (ORPHAN, FOREGROUND)]
    wanted = {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(policy)
    if wanted:
        kept = finalizers if wanted in finalizers and len(kept) == len(finalizers) - 1 else [*kept, wanted]
    if kept:
        meta["finalizers"] = kept
    else:
        meta.pop("finalizers", None)
