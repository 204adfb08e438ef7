"""What a cluster holds before anybody asks: objects put into the storage as they are.

    preload(cluster, [pod, "manifests/"])

Unlike a client that creates, this keeps what an object says of itself: status, uid, creation and deletion times,
owners, finalizers. What it leaves out is filled in as on a create, and what is wrong with it is refused likewise.
Definitions come first and are established at once, then namespaces; a namespace that is missing is made. An object
that is there already is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from k8srt.apimachinery import scheme
from k8srt.apimachinery.meta import Status
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.apimachinery.wire import decoder
from k8srt.errors import DecodeError, StatusError, status_error
from k8srt.kubernetes.manifests.checks import check_types
from k8srt.kubernetes.manifests.sources import Manifest, Source, read
from k8srt.restmapper.guess import unsafe_guess_kind_to_resource
from k8srt.testing.apiserver import ownership
from k8srt.testing.apiserver.bootstrap import make
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.documents import Misfit, WriteOptions, read_document
from k8srt.testing.apiserver.failures import Failure, invalid
from k8srt.testing.apiserver.registry import CustomFacts, Resource
from k8srt.testing.apiserver.storage import NoSuchKey, Stored
from k8srt.testing.apiserver.strategies.definitions import TABLE as DEFINITIONS
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.writes import commit_create, problems

JSON = dict[str, Any]
MANAGER = "k8srt-load"
"""The field manager of what was loaded."""

_KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields")
_OPTIONS = WriteOptions(dry_run=False, manager=MANAGER, validation="Strict")
_FIRST = ("CustomResourceDefinition", "Namespace")


def preload(
    cluster: Cluster, sources: Sequence[Source], *, namespace: str = "default", guess: bool = False
) -> list[Unstructured]:
    """Store the objects of all sources, and return them as stored, in the order they were given.

    Sources are objects, dicts, lists, YAML text, files and folders. Objects that name no namespace and need one go to
    `namespace`.
    With `guess`, a kind of a group that nothing serves is served from then on: by its class if there is one, else
    under the plural its name suggests. Raises DecodeError and StatusError, naming where the object came from, and
    nothing is stored when one cannot be read.
    """
    manifests = [manifest for source in sources for manifest in read(source)]
    places: dict[int, tuple[Resource, str, str]] = {}
    for index in _order(manifests):
        places[index] = _load(cluster, manifests[index], namespace, guess)
    return [_as_stored(cluster, *places[index]) for index in range(len(manifests))]


def _as_stored(cluster: Cluster, resource: Resource, namespace: str, name: str) -> Unstructured:
    return Unstructured(cluster.document(resource, cluster.get(resource, namespace, name)))


def _order(manifests: Sequence[Manifest]) -> list[int]:
    """Definitions, namespaces, then the rest; owners before what they own; else as they came."""
    uids = {_meta(manifest).get("uid"): index for index, manifest in enumerate(manifests)}
    done: dict[int, None] = {}

    def visit(index: int, path: tuple[int, ...] = ()) -> None:
        if index in done or index in path:
            return
        for owner in _meta(manifests[index]).get("ownerReferences") or []:
            if isinstance(owner, Mapping) and owner.get("uid") in uids:
                visit(uids[owner["uid"]], (*path, index))
        done[index] = None

    ranks = [(_rank(manifest), index) for index, manifest in enumerate(manifests)]
    for _, index in sorted(ranks):
        visit(index)
    return list(done)


def _rank(manifest: Manifest) -> int:
    return _FIRST.index(manifest.gvk.kind) if manifest.gvk.kind in _FIRST else len(_FIRST)


def _meta(manifest: Manifest) -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest.document["metadata"]
    return found


def _load(cluster: Cluster, manifest: Manifest, namespace: str, guess: bool) -> tuple[Resource, str, str]:
    try:
        resource = _resource(cluster, manifest, guess)
        check_types(manifest, resource.model)
        obj = _document(cluster, resource, manifest, namespace)
        meta = _store(cluster, resource, obj, manifest.document)["metadata"]
    except Failure as err:
        raise _refused(err, manifest) from err
    return resource, meta.get("namespace", ""), meta["name"]


def _refused(err: Failure, manifest: Manifest) -> StatusError:
    status = decoder(Status).decode(msgspec.json.encode(err.status))
    return type(status_error(status))(status, f"{manifest.place}: {manifest}: {status.message}")


# ---- which resource


def _resource(cluster: Cluster, manifest: Manifest, guess: bool) -> Resource:
    group, version, kind = manifest.gvk
    registry = cluster.registry
    found = registry.for_kind(group, version, kind)
    if found is not None:
        return found
    if guess and not _is_defined(cluster, group):
        serve(cluster, _guessed(manifest))
        found = registry.for_kind(group, version, kind)
        assert found is not None
        return found
    raise DecodeError(f"{manifest.place}: {manifest}: {_unknown(cluster, manifest.gvk)}")


def _is_defined(cluster: Cluster, group: str) -> bool:
    """Whether anything but guesses is known of a group."""
    for row in cluster.registry.resources(group):
        if row.custom is None or cluster.find(DEFINITIONS, "", row.custom.definition) is not None:
            return True
    return False


def _unknown(cluster: Cluster, gvk: GroupVersionKind) -> str:
    text = f"the server does not serve {gvk.kind} in {gvk.api_version}"
    rows = cluster.registry.resources(gvk.group)
    if others := sorted({row.version for row in rows if row.kind == gvk.kind}):
        return f"{text}, but in {', '.join(others)}"
    if close := get_close_matches(gvk.kind, {row.kind for row in rows}, 1):
        return f"{text}; did you mean {close[0]}?"
    return text if rows else f"{text}; load its CustomResourceDefinition before or with it"


def _guessed(manifest: Manifest) -> ResourceInfo:
    gvk = manifest.gvk
    cls = scheme.default.lookup(gvk)
    info: ResourceInfo | None = None if cls is None else cls.__info__
    if info is not None and info.resource:
        return info
    guess = unsafe_guess_kind_to_resource(gvk)
    return ResourceInfo(gvk, guess.plural.resource, guess.singular.resource, bool(manifest.namespace))


def serve(cluster: Cluster, info: ResourceInfo) -> None:
    """Serve a kind without a definition: any field is taken, nothing is checked."""
    facts = CustomFacts(
        f"{info.resource}.{info.gvk.group}",
        {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        status=info.subresource("status") is not None,
    )
    cluster.registry.add([Resource(info, f"{info.kind}List", custom=facts)])


# ---- the object


def _document(cluster: Cluster, resource: Resource, manifest: Manifest, namespace: str) -> JSON:
    raw = {**manifest.document, "metadata": dict(_meta(manifest))}
    raw["metadata"].pop("resourceVersion", None)
    try:
        obj = read_document(cluster, resource, raw, [], _OPTIONS.validation).obj
    except Misfit as err:
        raise DecodeError(f"{manifest.place}: {manifest}: {err}") from err
    meta = obj["metadata"]
    if not resource.namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = namespace
    return obj


def _restorer(resource: Resource, obj: JSON, raw: Mapping[str, Any]) -> Callable[[JSON], None]:
    """Puts back, after the defaults, what the object said of itself."""
    identity = {name: obj["metadata"][name] for name in _KEPT if name in obj["metadata"]}
    status = obj.get("status") if raw.get("status") and resource.table != DEFINITIONS else None

    def restore(made: JSON) -> None:
        made["metadata"].update(identity)
        if status is not None:
            made["status"] = status

    return restore


def _store(cluster: Cluster, resource: Resource, obj: JSON, raw: Mapping[str, Any]) -> JSON:
    meta = obj["metadata"]
    namespace = meta.get("namespace", "")
    if namespace and cluster.find("namespaces", "", namespace) is None:
        make(cluster, "namespaces", "", {"metadata": {"name": namespace}})
    write = Write(cluster, namespace, meta.get("name", ""), dry_run=False)
    restore = _restorer(resource, obj, raw)
    track = "managedFields" not in meta
    try:
        there = cluster.storage.get(resource.table, namespace, write.name)
    except NoSuchKey:
        return commit_create(cluster, resource, obj, _OPTIONS, write, track=track, restore=restore)
    return _replace(cluster, resource, there, obj, write, restore)


def _replace(
    cluster: Cluster, resource: Resource, there: Stored, obj: JSON, write: Write, restore: Callable[[JSON], None]
) -> JSON:
    old = cluster.document(resource, there)
    meta = obj["metadata"]
    for part in ("uid", "creationTimestamp", "generation"):
        if part in old["metadata"]:
            meta.setdefault(part, old["metadata"][part])
    if "managedFields" not in meta:
        obj = ownership.track(cluster, resource, old, obj, MANAGER)
    if "status" in old:
        obj["status"] = old["status"]
    resource.strategy.prepare(obj, old, write)
    restore(obj)
    if causes := problems(resource, obj, None, []):
        raise invalid(resource.error_group, resource.kind, write.name, causes)
    kept: Any = cluster.to_stored(resource, obj)
    made = cluster.document(resource, cluster.storage.update(resource.table, kept, cluster.fields_of(resource), there))
    resource.strategy.updated(made, old, write)
    return made
