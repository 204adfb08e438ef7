"""The base of the generated groups of informers: `factory.core_v1` is one, `factory.core_v1.pods` a line of it.

`k8srt/informers/typed/core/v1.py`, generated, reads

    class CoreV1(GroupInformers):
        @property
        def pods(self) -> ResourceInformer[Pod]: return self.resource(Pod)

and `k8srt/informers/typed/_index.py` says where each is, and what each is for type checkers:

    GROUPS: dict[str, tuple[str, str]] = {"core_v1": ("k8srt.informers.typed.core.v1", "CoreV1"), ...}

    class Groups:
        core_v1: CoreV1                     # imported under TYPE_CHECKING only
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.informers.resource import ResourceInformer

T = TypeVar("T", bound=Object)


class Factory(Protocol):
    def resource(self, cls: type[T]) -> ResourceInformer[T]: ...


class GroupInformers:
    """The resources of one group and version. Cheap, thread-safe."""

    __slots__ = ("_factory",)

    def __init__(self, factory: Factory) -> None:
        self._factory = factory

    def resource(self, cls: type[T]) -> ResourceInformer[T]:
        """One resource, by its class."""
        return self._factory.resource(cls)


class ClientGroupInformers(GroupInformers):
    """The same for a group that a clientset has a client of: its resources go by the names they have there."""

    __slots__ = ("_client",)

    def __init__(self, factory: Factory, client: Any) -> None:
        super().__init__(factory)
        self._client = client

    def __getattr__(self, name: str) -> ResourceInformer[Any]:
        client = getattr(self._client, name)
        return self._factory.resource(client().object_class)

    def __dir__(self) -> list[str]:
        names = (name for name in dir(self._client) if not name.startswith("_") and name != "rest_client")
        return sorted({*super().__dir__(), *names})
