"""The base of the generated group clients: `cs.core_v1` is one, `cs.core_v1.pods(ns)` a line of it.

`k8srt/kubernetes/typed/core_v1.py`, generated, reads

    class CoreV1(GroupClient):
        def pods(self, namespace: str = "") -> ResourceClient[Pod]: return self.resource(Pod, namespace)
        def nodes(self) -> ResourceClient[Node]: return self.resource(Node)

and `k8srt/kubernetes/typed/_index.py` says where each is, for `Clientset`, and what each is, for type checkers:

    GROUPS: dict[str, tuple[str, str]] = {"core_v1": ("k8srt.kubernetes.typed.core_v1", "CoreV1"), ...}

    class Groups:
        core_v1: CoreV1                     # imported under TYPE_CHECKING only
"""

from __future__ import annotations

from typing import TypeVar

from k8srt.apimachinery.object import Object
from k8srt.gentype.client import ResourceClient
from k8srt.rest.client import RESTClient

T = TypeVar("T", bound=Object)


class GroupClient:
    """The resources of one group and version. Cheap, immutable, thread-safe."""

    __slots__ = ("rest_client",)

    def __init__(self, rest_client: RESTClient) -> None:
        self.rest_client = rest_client

    def resource(self, cls: type[T], namespace: str = "") -> ResourceClient[T]:
        """The client of one resource; "" means all namespaces."""
        return ResourceClient(self.rest_client, cls, namespace)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.rest_client.url}>"
