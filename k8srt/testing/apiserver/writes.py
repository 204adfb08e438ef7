"""create and update: what happens between a client's document and the storage.

Creates, updates and patches meet in `commit_create` and `commit_update`; subresources use the latter, too. Every
rule that is particular to a kind is in its strategy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8srt.testing.apiserver import admission, metadata, ownership
from k8srt.testing.apiserver.auth import refusal
from k8srt.testing.apiserver.bodies import Malformed, read_body
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import (
    Misfit,
    WriteOptions,
    cannot_be_handled,
    check_identity,
    read_document,
    unrecognized,
    write_options,
)
from k8srt.testing.apiserver.failures import (
    Cause,
    already_exists,
    conflict,
    invalid,
    invalid_value,
    plain_500,
)
from k8srt.testing.apiserver.managedfields import keep_times
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.rendering import Renderer
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.storage import KeyTaken, NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]


def warned(response: Response, warnings: list[str]) -> Response:
    """Add the warnings, each once, as headers."""
    for text in dict.fromkeys(warnings):
        response.headers.append(("Warning", f'299 - "{admission.quoted(text)}"'))
    return response


def read_object(request: Request, resource: Resource) -> tuple[Any, list[str]]:
    """The body of a create or an update. Raises Failure."""
    try:
        return read_body(request)
    except Malformed as err:
        raise unrecognized(resource, str(err), request.body) from err


# ---- create


def create(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    renderer = Renderer(cluster, request, resource)
    raw, duplicates = read_object(request, resource)
    options = write_options(request, "CreateOptions")
    try:
        document = read_document(cluster, resource, raw, duplicates, options.validation)
    except Misfit as err:
        raise cannot_be_handled(resource, raw, err, request.body) from err
    obj = document.obj
    check_identity(resource, obj, info.namespace, "")
    document.warnings.extend(metadata.drop_repeated_owners(obj["metadata"], sent=True))
    write = Write(cluster, info.namespace, "", options.dry_run, user=request.user, warnings=document.warnings)
    made = commit_create(cluster, resource, obj, options, write)
    return warned(renderer.document(made, 201), document.warnings)


def check_may_create(cluster: Cluster, resource: Resource, write: Write) -> None:
    """An update or an apply that makes an object asks for the right to create as well. Raises Failure."""
    if write.user is None or cluster.authorizer is None:
        return
    where = (write.namespace, resource.plural, "", write.name)
    asked = RequestInfo("create", "", resource.group, resource.version, *where)
    if not cluster.authorizer.allows(write.user, asked):
        raise refusal(write.user, asked)


def commit_create(
    cluster: Cluster,
    resource: Resource,
    obj: JSON,
    options: WriteOptions,
    write: Write,
    *,
    track: bool = True,
    restore: Callable[[JSON], None] | None = None,
) -> JSON:
    """Finish, check and store a new object; returns it as stored. `track`: note the manager as an updater.

    `restore` may put back what a client cannot set, before the object is checked.
    """
    meta = obj["metadata"]
    if meta.get("resourceVersion"):
        raise plain_500("resourceVersion should not be set on objects to be created")
    for part in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        meta.pop(part, None)
    write.warnings.extend(metadata.drop_repeated_owners(meta))
    if track:
        obj = ownership.track(cluster, resource, None, obj, options.manager)
        meta = obj["metadata"]
    _begin_metadata(cluster, resource, obj)
    admission.admit_create(resource, obj, write)
    obj = _mutated(cluster, resource, None, obj, options, write)
    meta = obj["metadata"]
    resource.strategy.prepare(obj, None, write)
    _reset_status(resource, obj)
    if restore is not None:
        restore(obj)
    causes = problems(resource, obj, None, metadata.create_causes(resource, obj))
    if causes:
        raise invalid(resource.error_group, resource.kind, meta.get("name", ""), causes)
    _warn(resource, write, obj, None)
    admission.admit(resource, obj, None, options, write)
    made = _store_new(cluster, resource, obj, options)
    if not options.dry_run:
        resource.strategy.created(made, None, write)
    return made


def _mutated(
    cluster: Cluster, resource: Resource, old: JSON | None, obj: JSON, options: WriteOptions, write: Write
) -> JSON:
    """The object as mutating webhooks leave it; what they changed belongs to the manager who writes."""
    made = admission.mutate(resource, obj, old, options, write)
    if made is None:
        return obj
    return ownership.track(cluster, resource, obj, made, options.manager, write.subresource)


def _begin_metadata(cluster: Cluster, resource: Resource, obj: JSON) -> None:
    """Give a new object its identity."""
    meta = obj["metadata"]
    for part in ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"):
        meta.pop(part, None)
    meta["uid"] = cluster.new_uid()
    meta["creationTimestamp"] = cluster.now()
    if resource.custom is not None or resource.strategy.generation:
        meta["generation"] = 1
    prefix = meta.get("generateName", "")
    if prefix and not meta.get("name"):
        meta["name"] = prefix[:58] + cluster.suffix()


def _reset_status(resource: Resource, obj: JSON) -> None:
    if resource.custom is not None:
        if resource.custom.status:
            obj.pop("status", None)
        return
    if resource.subresource("status") is not None and not resource.strategy.keeps_status:
        from k8srt.testing.apiserver.typed import plan_of

        assert resource.model is not None
        blank = plan_of(resource.model).blank().get("status")
        if blank is None:
            obj.pop("status", None)
        else:
            obj["status"] = blank
        resource.strategy.first_status(obj)


def problems(
    resource: Resource, obj: JSON, old: JSON | None, causes: list[Cause], subresource: str = ""
) -> list[Cause]:
    """`causes`, which were found before, and what is wrong with an object by the rules of its kind."""
    if resource.custom is not None:
        from k8srt.testing.apiserver.customs import validate

        return validate(resource, obj, old, causes, subresource)
    return causes + resource.strategy.validate(obj, old)


def _warn(resource: Resource, write: Write, obj: JSON, old: JSON | None) -> None:
    """Say which rules were not looked at, and which finalizers have a name that others may have."""
    if resource.custom is not None:
        from k8srt.testing.apiserver.customs import unevaluated

        write.warnings.extend(unevaluated(resource))
        write.warnings.extend(metadata.finalizer_warnings(obj, old))


def _store_new(cluster: Cluster, resource: Resource, obj: JSON, options: WriteOptions) -> JSON:
    meta = obj["metadata"]
    existing = _existing(cluster, resource, meta.get("namespace", ""), meta["name"])
    if existing is not None:
        deleting = "deletionTimestamp" in existing.decode()["metadata"]
        raise already_exists(resource.group, resource.plural, meta["name"], deleting=deleting)
    if options.dry_run:
        return obj
    try:
        stored = cluster.storage.create(resource.table, cluster.to_stored(resource, obj), cluster.fields_of(resource))
    except KeyTaken:
        raise already_exists(resource.group, resource.plural, meta["name"]) from None
    return cluster.document(resource, stored)


def _existing(cluster: Cluster, resource: Resource, namespace: str, name: str) -> Stored | None:
    try:
        return cluster.storage.get(resource.table, namespace, name)
    except NoSuchKey:
        return None


# ---- update


def update(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    renderer = Renderer(cluster, request, resource)
    raw, duplicates = read_object(request, resource)
    options = write_options(request, "UpdateOptions")
    try:
        document = read_document(cluster, resource, raw, duplicates, options.validation)
    except Misfit as err:
        raise cannot_be_handled(resource, raw, err, request.body) from err
    obj = document.obj
    check_identity(resource, obj, info.namespace, info.name)
    document.warnings.extend(metadata.drop_repeated_owners(obj["metadata"], sent=True))
    write = Write(
        cluster,
        info.namespace,
        info.name,
        options.dry_run,
        info.subresource,
        request.user,
        document.warnings,
    )
    stored = _existing(cluster, resource, info.namespace, info.name)
    if stored is None:
        if not resource.strategy.create_on_update or info.subresource:
            raise cluster.missing(resource, info.name)
        check_may_create(cluster, resource, write)
        obj["metadata"].pop("resourceVersion", None)
        made = commit_create(cluster, resource, obj, options, write)
        return warned(renderer.document(made, 201), document.warnings)
    made = replace(cluster, resource, stored, obj, options, write)
    return warned(renderer.document(made), document.warnings)


def replace(
    cluster: Cluster, resource: Resource, stored: Stored, obj: JSON, options: WriteOptions, write: Write
) -> JSON:
    """Put `obj` in the place of what is stored; once more if somebody wrote meanwhile and no version was named."""
    while True:
        _check_uid(resource, stored, obj)
        unconditional = check_version(resource, stored, obj)
        old = cluster.document(resource, stored)
        try:
            return commit_update(cluster, resource, stored, old, _copy(obj), options, write)
        except Stale:
            if not unconditional:
                raise conflict(resource.group, resource.plural, write.name) from None
            stored = cluster.get(resource, write.namespace, write.name)


def _copy(obj: JSON) -> JSON:
    import copy

    return copy.deepcopy(obj)


def _check_uid(resource: Resource, stored: Stored, obj: JSON) -> None:
    uid = obj["metadata"].get("uid")
    if uid and uid != stored.uid:
        group = f"{resource.group}/" if resource.group else ""
        if resource.custom is not None:
            group = f"apiextensions.kubernetes.io/{group}"
        where = f"{stored.namespace}/{stored.name}" if stored.namespace else stored.name
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{group}{resource.plural}/{where}, "
            f"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
            f"UID in object meta: {stored.uid}"
        )
        raise conflict(resource.group, resource.plural, stored.name, why)


def check_version(resource: Resource, stored: Stored, obj: JSON) -> bool:
    """Compare the version a client names with the stored one. Returns whether it named none.

    Raises Failure: 409 for another one, 422 where one must be named, 500 for what is no version.
    """
    text = obj["metadata"].get("resourceVersion") or ""
    if text and not text.isdigit():
        raise plain_500(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    number = int(text or 0)
    if number == 0:
        if not resource.strategy.unconditional or resource.custom is not None:
            cause = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise invalid(resource.group, resource.plural, stored.name, [cause])
        return True
    if number != stored.revision:
        raise conflict(resource.group, resource.plural, stored.name)
    return False


Tracker = Callable[[JSON, JSON], None]


def commit_update(
    cluster: Cluster,
    resource: Resource,
    stored: Stored,
    old: JSON,
    new: JSON,
    options: WriteOptions,
    write: Write,
    *,
    track: bool = True,
) -> JSON:
    """Finish and check a change of `stored` and store it; returns the object as stored.

    A change that changes nothing is not stored; one that takes the last finalizer off a deleted object removes it.
    Raises Stale when somebody wrote meanwhile, and Failure.
    """
    write.warnings.extend(metadata.drop_repeated_owners(new["metadata"]))
    if track:
        new = ownership.track(cluster, resource, old, new, options.manager, write.subresource)
    new = _held_to_endpoint(resource, stored, old, new, write)
    if write.subresource != "scale":  # there, what webhooks see is no object of this kind
        changed = _mutated(cluster, resource, old, new, options, write)
        new = new if changed is new else _held_to_endpoint(resource, stored, old, changed, write)
    if write.subresource:
        resource.strategy.prepare_status(new, old, write)
    else:
        resource.strategy.prepare(new, old, write)
    if write.subresource in _COUNTING:
        _count_generation(resource, old, new)
    before = None if write.subresource in _LOOSE else old
    causes = metadata.update_causes(old, new, built_in=resource.custom is None)
    causes = problems(resource, new, before, causes, write.subresource)
    if causes:
        raise invalid(resource.error_group, resource.kind, write.name, causes)
    _warn(resource, write, new, old)
    admission.admit(resource, new, old, options, write)
    new = keep_times(old, new)
    made = _store_change(cluster, resource, stored, old, new, options)
    if not options.dry_run and made is not old:
        resource.strategy.updated(made, old, write)
    return made


def _store_change(
    cluster: Cluster, resource: Resource, stored: Stored, old: JSON, new: JSON, options: WriteOptions
) -> JSON:
    if _finished(old, new):
        if not options.dry_run:
            cluster.storage.delete(resource.table, stored)
        return new
    if new == old:
        return old
    if options.dry_run:
        return new
    kept = cluster.to_stored(resource, new)
    changed = cluster.storage.update(resource.table, kept, cluster.fields_of(resource), stored)
    return cluster.document(resource, changed)


def _finished(old: JSON, new: JSON) -> bool:
    """Whether this write was what the deletion of the object waited for."""
    meta = new["metadata"]
    if "deletionTimestamp" not in old["metadata"] or meta.get("finalizers"):
        return False
    if (new.get("spec") or {}).get("finalizers") and new.get("kind") == "Namespace":
        return False
    return not meta.get("deletionGracePeriodSeconds")


def _held_to_endpoint(resource: Resource, stored: Stored, old: JSON, new: JSON, write: Write) -> JSON:
    """The new object with what this endpoint does not change as it was."""
    if write.subresource:
        new = _only_subresource(resource, old, new, write)
    else:
        _keep_status(resource, old, new)
    metadata.carry_over(old, new)
    new["metadata"]["resourceVersion"] = str(stored.revision)
    return new


def _only_subresource(resource: Resource, old: JSON, new: JSON, write: Write) -> JSON:
    """What a write to a subresource may change: for the status, that and some metadata."""
    if write.subresource != "status":
        return new
    if resource.custom is not None:
        kept = {**old, "metadata": dict(old["metadata"])}
        kept["metadata"]["managedFields"] = new["metadata"].get("managedFields")
        kept["metadata"] = {k: v for k, v in kept["metadata"].items() if v is not None}
        kept.pop("status", None)
        return {**kept, "status": new["status"]} if "status" in new else kept
    kept = {**old, "metadata": dict(new["metadata"])}
    kept.pop("status", None)
    if "status" in new:
        kept["status"] = new["status"]
    if resource.strategy.status_keeps_labels:
        kept["metadata"].pop("labels", None)
        if "labels" in old["metadata"]:
            kept["metadata"]["labels"] = old["metadata"]["labels"]
    return kept


def _keep_status(resource: Resource, old: JSON, new: JSON) -> None:
    separate = resource.custom.status if resource.custom else resource.subresource("status") is not None
    if separate and not resource.strategy.keeps_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = old["status"]


_LOOSE = ("resize", "ephemeralcontainers")  # made to change what the object itself may not
_COUNTING = ("", "scale", "resize", "ephemeralcontainers")
_NOT_COUNTED = ("metadata", "status", "kind", "apiVersion")


def _count_generation(resource: Resource, old: JSON, new: JSON) -> None:
    """Let the generation grow with what the object asks for."""
    if resource.custom is None and not resource.strategy.generation:
        return
    skip: tuple[str, ...] = _NOT_COUNTED
    if resource.custom is not None and not resource.custom.status:
        skip = ("metadata", "kind", "apiVersion")
    before = {key: part for key, part in old.items() if key not in skip}
    after = {key: part for key, part in new.items() if key not in skip}
    changed = before != after
    if resource.strategy.annotations_count:
        changed = changed or old["metadata"].get("annotations") != new["metadata"].get("annotations")
    if changed:
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
