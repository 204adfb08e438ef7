"""What admission plug-ins of a default server do that no kind does alone: the life cycle of namespaces, webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.testing.apiserver.documents import Misfit, WriteOptions, read_document
from k8srt.testing.apiserver.failures import Failure, bad_request, forbidden, not_found
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.webhooks.attributes import BINDINGS, EXEMPT, MUTATING, VALIDATING, Attributes

JSON = dict[str, Any]


def admit_create(resource: Resource, obj: JSON, write: Write) -> None:
    """Refuse new objects in namespaces that do not exist (404) or are on their way out (403); likewise definitions."""
    if resource.custom is not None:
        _check_definition(resource, obj, write)
    if not resource.namespaced or resource.table == "namespaces":
        return
    namespace = write.cluster.find("namespaces", "", write.namespace)
    if namespace is None:
        raise not_found("", "namespaces", write.namespace)
    if "deletionTimestamp" in namespace["metadata"]:
        why = f"unable to create new content in namespace {write.namespace} because it is being terminated"
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {write.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        name = obj["metadata"].get("name", "")
        raise forbidden(resource.group, resource.plural, name, why, [cause])


def mutate(resource: Resource, obj: JSON, old: JSON | None, options: WriteOptions, write: Write) -> JSON | None:
    """The object as mutating webhooks want it, in canonical form; None if they leave it alone. Raises Failure."""
    if not _asks(resource, write, MUTATING):
        return None
    from k8srt.testing.apiserver.webhooks import admit

    attributes = _attributes(resource, obj, old, write, options)
    with _warning_of_refusals(write):
        return admit.mutate(attributes, write.warnings, lambda raw: _reread(resource, raw, write))


def admit(
    resource: Resource,
    obj: JSON | None,
    old: JSON | None,
    options: WriteOptions | None,
    write: Write,
    kind: GroupVersionKind | None = None,
) -> None:
    """Ask policies and validating webhooks about a create, an update, or a deletion (`obj` is None). Raises Failure.

    `kind` is that of a document sent to a subresource, where it is another than the resource's.
    """
    if not _asks(resource, write, BINDINGS, VALIDATING):
        return
    from k8srt.testing.apiserver.webhooks import admit as webhooks
    from k8srt.testing.apiserver.webhooks import policies

    attributes = _attributes(resource, obj, old, write, options, kind)
    with _warning_of_refusals(write):
        policies.validate(attributes, write.warnings)
        webhooks.validate(attributes, write.warnings)


@contextmanager
def _warning_of_refusals(write: Write) -> Iterator[None]:
    """Let the warnings of a write go with its failure."""
    try:
        yield
    except Failure as err:
        if write.warnings:
            err.headers["Warning"] = ", ".join(f'299 - "{quoted(text)}"' for text in dict.fromkeys(write.warnings))
        raise


def quoted(text: str) -> str:
    """A text as a header holds it between quotes."""
    text = "".join(char if char.isprintable() else " " for char in text)
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _asks(resource: Resource, write: Write, *tables: str) -> bool:
    """Whether anybody may have to be asked; what the server does on its own behalf needs nobody's leave."""
    if write.user is None or resource.table in EXEMPT:
        return False
    return any(write.cluster.storage.count(table) for table in tables)


def _attributes(
    resource: Resource,
    obj: JSON | None,
    old: JSON | None,
    write: Write,
    options: WriteOptions | None,
    kind: GroupVersionKind | None = None,
) -> Attributes:
    operation = "DELETE" if obj is None else "CREATE" if old is None else "UPDATE"
    told: JSON = {"kind": f"{operation.capitalize()}Options", "apiVersion": "meta.k8s.io/v1"}
    if options is not None and options.manager:
        told["fieldManager"] = options.manager
    if write.dry_run:
        told["dryRun"] = ["All"]
    name = write.name or (obj or {}).get("metadata", {}).get("name", "")
    shown, shown_old = obj, old
    if write.subresource == "scale":
        from k8srt.testing.apiserver.subresources.scale import SCALE, scale_of

        kind, shown, shown_old = SCALE, obj and scale_of(resource, obj), old and scale_of(resource, old)
    namespace = write.name if resource.table == "namespaces" else write.namespace
    return Attributes(
        write.cluster,
        resource,
        operation,
        namespace or (name if resource.table == "namespaces" else ""),
        name,
        shown,
        shown_old,
        write.user,
        write.dry_run,
        write.subresource,
        told,
        kind,
    )


def _reread(resource: Resource, raw: JSON, write: Write) -> JSON:
    """What a webhook made, read as a client's document is."""
    try:
        document = read_document(write.cluster, resource, raw, [], "Warn")
    except Misfit as err:
        raise bad_request(str(err)) from err
    return document.obj


def _check_definition(resource: Resource, obj: JSON, write: Write) -> None:
    table = "customresourcedefinitions.apiextensions.k8s.io"
    definition = write.cluster.find(table, "", resource.table)
    if definition is not None and "deletionTimestamp" in definition["metadata"]:
        why = "create not allowed while custom resource definition is terminating"
        raise forbidden(resource.group, resource.plural, obj["metadata"].get("name", ""), why)
