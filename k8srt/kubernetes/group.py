"""The base of the generated group clients: `cs.core_v1` is one, `cs.core_v1.secrets(ns)` a line of it.

`k8srt/kubernetes/typed/core/v1.py`, generated, reads

    class CoreV1(GroupClient):
        def nodes(self) -> NodeClient: return NodeClient(self.rest_client, Node)
        def secrets(self, namespace: str = "") -> StandardClient[Secret]: return StandardClient(self.rest_client, …)

where `k8srt.gentype.shapes` has the clients that many resources have alike; a resource that is like no other has a
class in the same module, without a body. `k8srt/kubernetes/typed/_index.py` says where each group is, for `Clientset`,
and what each is, for type checkers:

    GROUPS: dict[str, tuple[str, str]] = {"core_v1": ("k8srt.kubernetes.typed.core.v1", "CoreV1"), ...}

    class Groups:
        core_v1: CoreV1                     # imported under TYPE_CHECKING only
"""

from __future__ import annotations

from k8srt.rest.client import RESTClient


class GroupClient:
    """The resources of one group and version; "" as a namespace means all. Cheap, immutable, thread-safe."""

    __slots__ = ("rest_client",)

    def __init__(self, rest_client: RESTClient) -> None:
        self.rest_client = rest_client

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.rest_client.url}>"
