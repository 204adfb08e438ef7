"""Informers of typed resources, shared by all who ask the same factory.

    factory = SharedInformerFactory(cs, resync_period=600, namespace="default")
    pods = factory.core_v1.pods              # .informer, .lister
    with factory:
        factory.wait_for_cache_sync(timeout=60)

Contract: INF-52 to INF-61.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.informers.base import InformerFactory
from k8srt.informers.find import find_class, find_group
from k8srt.informers.resource import ResourceInformer
from k8srt.informers.source import ClientSource
from k8srt.informers.typed._index import GROUPS
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.identity import InformerName
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, meta_namespace_index
from k8srt.tools.cache.listwatch import Tweak
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.informers.typed._index import Groups
else:
    Groups = object

T = TypeVar("T", bound=Object)


class SharedInformerFactory(InformerFactory[type[Any]], Groups):
    """See the module. Thread-safe.

    `clientset` is anything with `resource(cls, namespace)`. `resync_period` in seconds is the default of handlers, 0
    for none, `custom_resync` that of single classes. `namespace` limits namespaced resources; "" means all.
    `tweak_list_options` changes the options of every list and watch, `transform` every object before it is stored.
    `informer_name` is what its figures go by. Further keywords go to each `SharedIndexInformer`: `queue`, `watch_list`.
    """

    def __init__(
        self,
        clientset: Any,
        resync_period: float = 0.0,
        *,
        namespace: str = "",
        tweak_list_options: Tweak | None = None,
        transform: Transform | None = None,
        custom_resync: Mapping[type[Any], float] | None = None,
        informer_name: InformerName | None = None,
        clock: Clock = SYSTEM,
        **informer_options: Any,
    ) -> None:
        super().__init__(clock, informer_name)
        self._clientset = clientset
        self._resync_period = resync_period
        self._namespace = namespace
        self._tweak = tweak_list_options
        self._transform = transform
        self._custom_resync = dict(custom_resync or {})
        self._options = informer_options

    def resource(self, cls: type[T]) -> ResourceInformer[T]:
        """The informer and lister of a class, registered when first used."""
        info = cls.__info__
        if info is None or not info.resource:
            raise ValueError(f"{cls.__name__} is not the class of a resource")
        return ResourceInformer(lambda: self.informer_for(cls), info.gvr.group_resource)

    def informer_for(
        self, cls: type[T], make: Callable[[Any, float], SharedIndexInformer[T]] | None = None
    ) -> SharedIndexInformer[T]:
        """The informer of a class, the same each time; `make(clientset, resync_period)` may build it. INF-52."""
        period = self._custom_resync.get(cls, self._resync_period)
        if make is not None:
            return self.obtain(cls, lambda: make(self._clientset, period))
        return self.obtain(cls, lambda: self._make(cls, period))

    def _make(self, cls: type[T], period: float) -> SharedIndexInformer[T]:
        info = cls.__info__
        namespace = self._namespace if info is None or info.namespaced else ""
        return SharedIndexInformer(
            ClientSource(self._clientset.resource(cls, namespace), self._tweak),
            cls,
            resync_period=period,
            indexers={NAMESPACE_INDEX: meta_namespace_index},
            transform=self._transform,
            identifier=self.identifier_of(info.gvr) if info is not None else None,
            clock=self._clock,
            **self._options,
        )

    def for_resource(self, gvr: GroupVersionResource) -> ResourceInformer[Any]:
        """The same informer, by the name of the resource. Raises LookupError for an unknown one: INF-59."""
        return self.resource(find_class(gvr))

    def __getattr__(self, name: str) -> Any:
        """A group: `core_v1`."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return find_group(self, self._clientset, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *GROUPS})
