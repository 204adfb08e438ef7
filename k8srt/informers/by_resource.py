"""What the factories have in common that know resources only by their names. Contract: INF-60."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from k8srt.apimachinery.resource import info_by_name
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.informers.base import InformerFactory
from k8srt.informers.resource import ResourceInformer
from k8srt.informers.source import ClientSource
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.identity import InformerName
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, meta_namespace_index
from k8srt.tools.cache.listwatch import Tweak
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.util.clock import SYSTEM, Clock

T = TypeVar("T")


class ByResourceFactory(InformerFactory[GroupVersionResource], Generic[T]):
    """Informers by group, version and plural; subclasses say what they are of. Thread-safe.

    `client` is anything with `resource(gvr, namespace)`. The other arguments are those of `SharedInformerFactory`.
    """

    kind: ClassVar[type[Any]]

    def __init__(
        self,
        client: Any,
        resync_period: float = 0.0,
        *,
        namespace: str = "",
        tweak_list_options: Tweak | None = None,
        transform: Transform | None = None,
        informer_name: InformerName | None = None,
        clock: Clock = SYSTEM,
        **informer_options: Any,
    ) -> None:
        super().__init__(clock, informer_name)
        self._client = client
        self._resync_period = resync_period
        self._namespace = namespace
        self._tweak = tweak_list_options
        self._transform = transform
        self._options = informer_options

    def for_resource(self, gvr: GroupVersionResource) -> ResourceInformer[T]:
        """The informer and lister of a resource, registered when first used.

        Whether it is served shows when the informer runs. Raises TypeError or ValueError for what is no name.
        """
        info_by_name(gvr)
        return ResourceInformer(lambda: self.obtain(gvr, lambda: self._make(gvr)), gvr.group_resource)

    def _make(self, gvr: GroupVersionResource) -> SharedIndexInformer[T]:
        return SharedIndexInformer(
            ClientSource(self._client.resource(gvr, self._namespace), self._tweak),
            self.kind,
            description=str(gvr),
            resync_period=self._resync_period,
            indexers={NAMESPACE_INDEX: meta_namespace_index},
            transform=self._transform,
            identifier=self.identifier_of(gvr),
            clock=self._clock,
            **self._options,
        )
