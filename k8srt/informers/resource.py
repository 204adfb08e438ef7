"""One resource of a factory: its informer and its lister."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from k8srt.apimachinery.schema import GroupResource
from k8srt.listers.lister import Lister
from k8srt.tools.cache.shared_informer import SharedIndexInformer

T = TypeVar("T")


class ResourceInformer(Generic[T]):
    """What `factory.core_v1.pods` is. Touching either property registers the informer: INF-54."""

    def __init__(self, obtain: Callable[[], SharedIndexInformer[T]], resource: GroupResource) -> None:
        self._obtain = obtain
        self._resource = resource

    @property
    def informer(self) -> SharedIndexInformer[T]:
        """The shared informer, the same one each time."""
        return self._obtain()

    @property
    def lister(self) -> Lister[T]:
        """A lister on the informer's cache."""
        return Lister(self._obtain().indexer, self._resource)

    def __repr__(self) -> str:
        return f"<ResourceInformer of {self._resource}>"
