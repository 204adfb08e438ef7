"""Objects and lists as answers: whole, as a table, or as metadata only."""

from __future__ import annotations

from typing import Any

import msgspec

from k8srt.apimachinery import protobuf
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import bad_request, not_acceptable, plain_500
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.negotiation import PROTOBUF, Form, answer, form_of
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.storage import Stored
from k8srt.testing.apiserver.strategies.tables import has_columns, table_for

JSON = dict[str, Any]
_PARTIAL = "PartialObjectMetadata"
_INCLUDES = ("", "None", "Metadata", "Object")


class Renderer:
    """Answers to one request about one resource."""

    def __init__(self, cluster: Cluster, request: Request, resource: Resource, *, stream: bool = False) -> None:
        self.cluster = cluster
        self.request = request
        self.resource = resource
        self.form: Form = form_of(request, messages=resource.custom is None, stream=stream)
        self.include = request.param("includeObject")
        if self.form.kind == "Table" and self.include not in _INCLUDES:
            why = f"includeObject: Invalid value: \"{self.include}\": must be 'Metadata', 'Object', 'None', or empty"
            raise bad_request(f"Unable to convert to Table as requested: {why}")

    # ---- one object

    def stored(self, stored: Stored, status: int = 200) -> Response:
        """Answer with an object as it is stored."""
        if self.form.plain:
            return answer(self.request, self.form, self.cluster.whole(self.resource, stored), status)
        return self.document(self.cluster.document(self.resource, stored), status)

    def document(self, obj: JSON, status: int = 200) -> Response:
        """Answer with an object that may not be stored (or no longer)."""
        return answer(self.request, self.form, self.transformed(obj), status)

    def transformed(self, obj: JSON) -> JSON:
        kind = self.form.kind
        if not kind or obj.get("kind") == "Status":
            return obj
        if kind == "Table":
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return self.table([obj], meta)
        if kind == _PARTIAL:
            return self.partial(obj)
        if self.resource.custom is not None:
            raise plain_500("content is not a list")
        raise not_acceptable(f"you requested {kind}, but the requested object is not a list")

    def partial(self, obj: JSON) -> JSON:
        return {"kind": _PARTIAL, "apiVersion": self._meta_version, "metadata": obj.get("metadata") or {}}

    @property
    def _meta_version(self) -> str:
        return f"meta.k8s.io/{self.form.version}"

    def table(self, objects: list[JSON], meta: JSON, *, headers: bool = True) -> JSON:
        columns, rows = table_for(self.resource, objects, self.cluster.clock.time())
        shown: list[JSON] = []
        for obj, row in zip(objects, rows, strict=True):
            shown.append({**row, "object": self._included(obj)})
        return {
            "kind": "Table",
            "apiVersion": self._meta_version,
            "metadata": meta,
            "columnDefinitions": columns if headers else None,
            "rows": shown if shown or has_columns(self.resource) else None,
        }

    def _included(self, obj: JSON) -> JSON | None:
        if self.include == "None":
            return None
        return obj if self.include == "Object" else self.partial(obj)

    # ---- lists

    def items(self, items: list[Stored], meta: JSON) -> Response:
        """Answer with a list of stored objects."""
        if self.resource.custom is not None and not self.form.kind:
            meta = {"continue": "", **meta}
        if self.form.plain:
            return answer(self.request, self.form, self._plain_list(items, meta))
        if self.form.kind == _PARTIAL:
            what = (
                f"*core.{self.resource.list_kind}" if self.resource.custom is None else "*unstructured.UnstructuredList"
            )
            raise not_acceptable(f"you requested {_PARTIAL}, but the requested object is a list ({what})")
        self.cluster.foresee(self.resource, items)
        objects = [self.cluster.document(self.resource, stored) for stored in items]
        return answer(self.request, self.form, self._transformed_list(objects, meta))

    def _plain_list(self, items: list[Stored], meta: JSON) -> bytes:
        head = f'{{"kind":"{self.resource.list_kind}","apiVersion":"{self.resource.api_version}","metadata":'
        self.cluster.foresee(self.resource, items)
        if self.resource.custom is not None:
            bodies = [self.cluster.whole(self.resource, stored) for stored in items]
        else:
            bodies = [self.cluster.body(self.resource, stored) for stored in items]
        return b"".join((head.encode(), msgspec.json.encode(meta), b',"items":[', b",".join(bodies), b"]}"))

    def _transformed_list(self, objects: list[JSON], meta: JSON) -> JSON:
        if self.form.kind == "Table":
            return self.table(objects, meta)
        if self.form.kind:
            return {
                "kind": f"{_PARTIAL}List",
                "apiVersion": self._meta_version,
                "metadata": meta,
                "items": [self.partial(obj) for obj in objects],
            }
        if self.resource.custom is None:
            objects = [{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in objects]
        return {
            "kind": self.resource.list_kind,
            "apiVersion": self.resource.api_version,
            "metadata": meta,
            "items": objects,
        }

    # ---- events of a watch

    def event(self, kind: str, stored: Stored, *, first: bool) -> bytes:
        """One line of a watch. `first`: whether it is the first event, whose table names the columns."""
        if not self.form.kind and self.form.media != PROTOBUF:
            whole = self.cluster.whole(self.resource, stored)
            return b'{"type":"%b","object":%b}\n' % (kind.encode(), whole)
        obj = self.cluster.document(self.resource, stored)
        if self.form.kind == "Table":
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            shown = self.table([obj], meta, headers=first)
        else:
            shown = self.partial(obj) if self.form.kind else obj
        return self.line(kind, shown)

    def line(self, kind: str, obj: JSON) -> bytes:
        """An event as the client takes it: a line of JSON, or a message with its length."""
        if self.form.media == PROTOBUF:
            return protobuf.encode_event(kind, obj)
        return msgspec.json.encode({"type": kind, "object": obj}) + b"\n"

    def bookmark(self, revision: int, *, initial_end: bool = False) -> bytes:
        meta: JSON = {"resourceVersion": str(revision), "creationTimestamp": None}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: JSON = {"kind": self.resource.kind, "apiVersion": self.resource.api_version}
        obj["metadata"] = {k: v for k, v in meta.items() if v is not None}
        if self.form.kind == "Table":
            row = {"cells": [], "object": self.partial(obj)}
            obj = {"kind": "Table", "apiVersion": self._meta_version, "metadata": meta,
                   "columnDefinitions": [], "rows": [row]}  # fmt: skip
        elif self.form.kind:
            obj = self.partial(obj)
        elif self.resource.model is not None:
            from k8srt.testing.apiserver.typed import plan_of

            blank = plan_of(self.resource.model).blank()
            obj = {**obj, **{k: v for k, v in blank.items() if k not in obj}}
        return self.line("BOOKMARK", obj)
