"""From what a reactor says to the answer a server would send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.wire import encode
from k8srt.errors import StatusError
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import Form, answer, form_of
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.fake.actions import Action
from k8srt.testing.fake.reactors import Verdict

JSON = dict[str, Any]
_SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
_PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}


def answered(request: Request, action: Action, resource: Resource | None, reaction: Any, revision: int) -> Response:
    """The answer to a call that a reactor handled. Raises TypeError for what is no answer.

    A list that says no version has that of the cluster, so that a watch goes on from here.
    """
    if isinstance(reaction, (str, bytes)):
        return Response(200, reaction.encode() if isinstance(reaction, str) else reaction, "text/plain")
    if reaction is Verdict.HANDLED:
        document = _nothing_particular(action, resource)
    elif isinstance(reaction, Object):
        document = _named(msgspec.json.decode(reaction.encode()), resource, type(reaction))
    elif isinstance(reaction, Mapping):
        document = _named(msgspec.json.decode(msgspec.json.encode(reaction)), resource)
    elif isinstance(reaction, (ObjectList, list, tuple)):
        document = _list(reaction, resource)
    else:
        raise TypeError(
            f"the reactor for {action} returned {reaction!r}; it may return an object, a list, a dict, text, "
            "Handled, NotHandled or None"
        )
    if action.verb == "list":
        document["metadata"] = {"resourceVersion": str(revision), **(document.get("metadata") or {})}
    form = form_of(request)
    if form.kind.startswith("PartialObjectMetadata"):
        document = _metadata_of(document)
    return answer(request, Form(form.media), document, 201 if action.verb == "create" else 200)


def refused(error: StatusError) -> Response:
    """The answer that makes a client raise `error`, at once: it does not ask to try again."""
    status = msgspec.json.decode(encode(error.status))
    code = int(status.get("code") or (error.codes[0] if error.codes else 500))
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", **status, "code": code}
    if not status.get("reason") and error.reasons:
        status["reason"] = error.reasons[0]
    status.setdefault("message", str(error))
    return Response(code, msgspec.json.encode(status))


def _named(document: JSON, resource: Resource | None, cls: type[Object] | None = None) -> JSON:
    """The document with a kind: its own, that of its class, or that of the resource."""
    info = cls.__info__ if cls is not None and cls.__info__ is not None else resource and resource.info
    named = {} if info is None else {"kind": info.kind, "apiVersion": info.api_version}
    return {**named, **document}


def _list(items: Any, resource: Resource | None) -> JSON:
    documents = [
        _named(msgspec.json.decode(item.encode()), resource, type(item)) if isinstance(item, Object) else dict(item)
        for item in items
    ]
    metadata = msgspec.json.decode(encode(items.metadata)) if isinstance(items, ObjectList) else {}
    named = {"kind": "List", "apiVersion": "v1"}
    if resource is not None:
        named = {"kind": resource.list_kind, "apiVersion": resource.api_version}
    return {**named, "metadata": metadata, "items": documents}


def _nothing_particular(action: Action, resource: Resource | None) -> JSON:
    if action.verb in ("delete", "deletecollection"):
        return _SUCCESS
    if action.verb == "list":
        return _list([], resource)
    sent = action.object
    if sent is not None:
        return _named(msgspec.json.decode(sent.encode()), resource)
    metadata = {"name": action.name, "namespace": action.namespace}
    return _named({"metadata": {key: value for key, value in metadata.items() if value}}, resource)


def _metadata_of(document: JSON) -> JSON:
    if "items" in document:
        items = [{**_PARTIAL, "metadata": item.get("metadata") or {}} for item in document["items"]]
        return {**_PARTIAL, "kind": "PartialObjectMetadataList", "metadata": document["metadata"], "items": items}
    return {**_PARTIAL, "metadata": document.get("metadata") or {}}
