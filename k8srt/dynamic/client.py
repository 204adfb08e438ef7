"""`DynamicClient`: any resource as `Unstructured`, by group, version and plural.

    foos = DynamicClient(config).resource(GroupVersionResource("samplecontroller.k8s.io", "v1alpha1", "foos"))
    foos.namespace("default").get("example")["spec"]["replicas"]

Contract: CLI-13 to CLI-15.
"""

from __future__ import annotations

from typing import Self

from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.gentype.client import ResourceClient
from k8srt.rest.client import RESTClient
from k8srt.rest.config import Config
from k8srt.util.clock import SYSTEM, Clock


class DynamicResourceClient(ResourceClient[Unstructured]):
    """The client of one resource without a model. What it can do, only the server knows."""

    def namespace(self, namespace: str) -> DynamicResourceClient:
        """The client of another namespace."""
        return DynamicResourceClient(self._rest, Unstructured, namespace, info=self._info)


class DynamicClient:
    """Clients of any resource of one cluster, over shared connections. Thread-safe; opens nothing when made."""

    def __init__(self, config: Config, *, clock: Clock = SYSTEM) -> None:
        """Raises ConfigError for a config that cannot be used."""
        self.rest_client = RESTClient(config, clock=clock)

    @classmethod
    def over(cls, rest_client: RESTClient) -> Self:
        """A client that shares connections and rate limit with another."""
        made = object.__new__(cls)
        made.rest_client = rest_client
        return made

    def resource(self, gvr: GroupVersionResource, namespace: str = "") -> DynamicResourceClient:
        """The client of a resource; "" means all namespaces, or none where the resource has no namespaces."""
        # The kind is not known here, and whether it is namespaced neither: a path without a namespace serves both.
        info = ResourceInfo(gvr.group_version.with_kind(""), gvr.resource)
        return DynamicResourceClient(self.rest_client, Unstructured, namespace, info=info)

    def close(self) -> None:
        """Close the idle connections; later requests raise TransportError."""
        self.rest_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<DynamicClient of {self.rest_client.url}>"
