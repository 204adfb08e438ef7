"""`MetadataClient`: the metadata of any resource, by group, version and plural. The server leaves out the rest.

    pods = MetadataClient(config).resource(GroupVersionResource("", "v1", "pods"))
    for each in pods.namespace("default").list(label_selector="app=web"):
        print(each.metadata.name)

It can get, list, watch, patch and delete; what it has not seen it cannot create, update or apply. Servers that do not
know how to leave out the rest answer with whole objects: of these, too, only the metadata is kept. Contract: CLI-16.
"""

from __future__ import annotations

from typing import Any, Unpack

from k8srt.apimachinery.record import RecordList
from k8srt.apimachinery.resource import info_by_name
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.errors import DecodeError
from k8srt.gentype import options as opts
from k8srt.gentype.verbs import Amends, Deletes, DeletesCollections, Gets, Lists, Watches
from k8srt.metadata.partial import KIND, LIST, PartialObjectMetadata, decode_partial_event, partial_list
from k8srt.rest.connected import Shared
from k8srt.rest.request import Request
from k8srt.rest.watch import WatchStream

_AS = "application/json;as={};g=meta.k8s.io;v=v1"
_SHOWN_AS = {"get": KIND, "patch": KIND, "watch": KIND, "list": LIST}


class MetadataResourceClient(
    Gets[PartialObjectMetadata],
    Lists[PartialObjectMetadata],
    Watches[PartialObjectMetadata],
    Amends[PartialObjectMetadata],
    Deletes[PartialObjectMetadata],
    DeletesCollections[PartialObjectMetadata],
):
    """The client of the metadata of one resource. What else it can do, only the server knows."""

    __slots__ = ()

    def list_records(self, **options: Unpack[opts.ListOptions]) -> RecordList:
        """`list`, as records. Raises DecodeError when the server sends something else than objects."""
        found = super().list_records(**options)
        try:
            return partial_list(found)
        except DecodeError as err:
            raise DecodeError(f"list {self._info.gvr.group_resource}: {err}") from err

    def watch_records(self, **options: Unpack[opts.WatchOptions]) -> WatchStream:
        """`watch`, as batches of records."""
        stream = super().watch_records(**options)
        stream.decode = decode_partial_event
        return stream

    def _at(
        self,
        verb: str,
        method: str,
        name: Any,
        subresource: str = "",
        namespace: str = "",
        content_type: str = "",
    ) -> Request:
        request = super()._at(verb, method, name, subresource, namespace, content_type)
        shown_as = _SHOWN_AS.get(verb)
        return request.header("Accept", _AS.format(shown_as)) if shown_as else request


class MetadataClient(Shared):
    """Clients of the metadata in one cluster, over shared connections. Thread-safe; opens nothing when made."""

    def resource(self, gvr: GroupVersionResource, namespace: str = "") -> MetadataResourceClient:
        """The client of a resource; "" means all namespaces, or none where the resource has no namespaces."""
        return MetadataResourceClient(self.rest_client, PartialObjectMetadata, namespace, info=info_by_name(gvr))
