"""`DynamicClient`: any resource as `Unstructured`, by group, version and plural.

    foos = DynamicClient(config).resource(GroupVersionResource("samplecontroller.k8s.io", "v1alpha1", "foos"))
    foos.namespace("default").get("example")["spec"]["replicas"]

Contract: CLI-13 to CLI-15.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, record_from_parts
from k8srt.apimachinery.resource import info_by_name
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.gentype import options as opts
from k8srt.gentype.shapes import WorkloadClient
from k8srt.rest.connected import Shared

Source = Object | Mapping[str, Any]
"""An object with its kind: an `Unstructured`, a typed one, or plain JSON values."""


class DynamicResourceClient(WorkloadClient[Unstructured]):
    """The client of one resource without a model. What it can do, only the server knows.

    Writing takes a `subresource`, too. What lies there may be of another kind (a Scale, an Eviction), and so are
    answers then.
    """

    __slots__ = ()

    def create(self, obj: Source, *, subresource: str = "", **options: Unpack[opts.WriteOptions]) -> Unstructured:
        """Create an object, or below the object of its name what a subresource makes: an eviction, a binding.

        Returns it as the server keeps it. Raises AlreadyExists, Invalid.
        """
        opts.check("create", options, opts.WriteOptions)
        record = self._sent(obj, subresource)
        request = self._at("create", "POST", record.name if subresource else None, subresource, record.namespace)
        return self._post(request, record, options, Unstructured)

    def update(self, obj: Source, *, subresource: str = "", **options: Unpack[opts.WriteOptions]) -> Unstructured:
        """Replace an object, or what lies below it. Raises Conflict when it changed since it was read, NotFound."""
        opts.check("update", options, opts.WriteOptions)
        return self._put(self._sent(obj, subresource), subresource, options, Unstructured)

    def apply(
        self,
        obj: Source,
        *,
        field_manager: str,
        force: bool = False,
        subresource: str = "",
        **options: Unpack[opts.ApplyOptions],
    ) -> Unstructured:
        """Server-side apply. Raises ValueError for an object with managed fields. Contract: CLI-14."""
        opts.check("apply", options, opts.ApplyOptions)
        return self._apply(self._sent(obj, subresource), subresource, field_manager, force, options, Unstructured)

    def delete(self, name: str, *, subresource: str = "", **options: Unpack[opts.DeleteArguments]) -> None:
        """Delete an object, or what a subresource lets be deleted. Raises NotFound."""
        opts.check("delete", options, opts.DeleteArguments)
        request = self._at("delete", "DELETE", name, subresource)
        self._send(request.body(opts.delete_body(options)), options, query=False)

    def _sent(self, obj: Source, subresource: str) -> Record:
        if subresource not in ("", "status"):  # there other kinds are spoken
            source = obj if isinstance(obj, Object) or not isinstance(obj, Mapping) else Unstructured.from_dict(obj)
            if isinstance(source, Object):
                return source.to_record()
        return self._record(obj)

    def _record(self, obj: Any, cls: type[Object] | None = None) -> Record:
        record = super()._record(obj, cls)
        if not record.text("kind"):
            raise ValueError(f"{self._info.resource}: {record.key or 'the object'} does not say its kind")
        if "apiVersion" in record.parts:
            return record
        version = msgspec.json.encode(self._info.api_version)
        return record_from_parts({"apiVersion": version, **record.parts})


class DynamicClient(Shared):
    """Clients of any resource of one cluster, over shared connections. Thread-safe; opens nothing when made."""

    def resource(self, gvr: GroupVersionResource, namespace: str = "") -> DynamicResourceClient:
        """The client of a resource; "" means all namespaces, or none where the resource has no namespaces.

        Whether it has, only the server knows: a path without a namespace serves both.
        """
        return DynamicResourceClient(self.rest_client, Unstructured, namespace, info=info_by_name(gvr))
