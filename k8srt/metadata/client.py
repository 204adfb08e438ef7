"""`MetadataClient`: the metadata of any resource, by group, version and plural. The server leaves out the rest.

    pods = MetadataClient(config).resource(GroupVersionResource("", "v1", "pods"))
    for each in pods.namespace("default").list(label_selector="app=web"):
        print(each.metadata.name)

It can get, list, watch, patch and delete; what it has not seen it cannot create or update. Contract: CLI-16.
"""

from __future__ import annotations

from typing import Self, Unpack

from k8srt.apimachinery.record import RecordList
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.errors import DecodeError
from k8srt.gentype import options as opts
from k8srt.gentype.client import ResourceClient
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.rest.request import Request
from k8srt.util.clock import SYSTEM, Clock

_KIND = "PartialObjectMetadata"
_AS = "application/json;as={};g=meta.k8s.io;v=v1"
_SHOWN_AS = {"get": _KIND, "patch": _KIND, "watch": _KIND, "list": f"{_KIND}List"}
_POSSIBLE = (*_SHOWN_AS, "delete", "deletecollection")


class MetadataResourceClient(ResourceClient[PartialObjectMetadata]):
    """The client of the metadata of one resource."""

    def namespace(self, namespace: str) -> MetadataResourceClient:
        """The client of another namespace."""
        return MetadataResourceClient(self._rest, PartialObjectMetadata, namespace, info=self._info)

    def list_records(self, **options: Unpack[opts.ListOptions]) -> RecordList:
        """`list`, as records. Raises DecodeError when the server sends something else than metadata."""
        found = super().list_records(**options)
        if found.kind != f"{_KIND}List":
            resource = self._info.gvr.group_resource
            raise DecodeError(f"list {resource}: asked for metadata only, got {found.api_version} {found.kind}")
        return found

    def _at(
        self,
        verb: str,
        method: str,
        name: str | None,
        subresource: str = "",
        namespace: str = "",
        content_type: str = "",
    ) -> Request:
        request = super()._at(verb, method, name, subresource, namespace, content_type)
        shown_as = _SHOWN_AS.get(verb)
        return request.header("Accept", _AS.format(shown_as)) if shown_as else request

    def _check_verb(self, verb: str, subresource: str) -> None:
        if verb not in _POSSIBLE:
            raise ValueError(
                f"{self._info.resource}: a metadata client cannot {verb}; possible: {', '.join(_POSSIBLE)}"
            )


class MetadataClient:
    """Clients of the metadata in one cluster, over shared connections. Thread-safe; opens nothing when made."""

    def __init__(self, config: Config, *, clock: Clock = SYSTEM) -> None:
        """Raises ConfigError for a config that cannot be used."""
        self.rest_client = RESTClient(config, clock=clock)

    @classmethod
    def over(cls, rest_client: RESTClient) -> Self:
        """A client that shares connections and rate limit with another."""
        made = object.__new__(cls)
        made.rest_client = rest_client
        return made

    def resource(self, gvr: GroupVersionResource, namespace: str = "") -> MetadataResourceClient:
        """The client of a resource; "" means all namespaces, or none where the resource has no namespaces."""
        info = ResourceInfo(gvr.group_version.with_kind(""), gvr.resource)
        return MetadataResourceClient(self.rest_client, PartialObjectMetadata, namespace, info=info)

    def close(self) -> None:
        """Close the idle connections; later requests raise TransportError."""
        self.rest_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MetadataClient of {self.rest_client.url}>"
