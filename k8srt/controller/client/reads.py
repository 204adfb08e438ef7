"""How a client of a manager reads: from the cache, or from the server.

Contract: CRC-01, CRC-10, CRC-12, CRC-13.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, Unpack, overload

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import NamespacedName
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.cache import Cache
from k8srt.controller.cache.reading import GetOptions, Listed, ListOptions, split_key
from k8srt.controller.client.settings import Settings
from k8srt.controller.kinds import Form, Kind, MetadataOnly, Triple, form_of
from k8srt.errors import NotFound
from k8srt.gentype.verbs import Lists
from k8srt.listers.lister import not_found
from k8srt.metadata.client import MetadataClient
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.rest.watch import EventStream

T = TypeVar("T", bound=Object)

Key = NamespacedName | str


class Reads:
    """See the module. Immutable, thread-safe."""

    def __init__(self, clientset: Any, cache: Cache | None, settings: Settings, *, reads_live: bool = False) -> None:
        self._clientset = clientset
        self._cache = cache
        self._settings = settings
        self._reads_live = reads_live

    # ---- one ------------------------------------------------------------------------------------------------------

    @overload
    def get_or_none(self, kind: type[T], key: Key, **options: Unpack[GetOptions]) -> T | None: ...
    @overload
    def get_or_none(self, kind: Triple, key: Key, **options: Unpack[GetOptions]) -> Unstructured | None: ...
    @overload
    def get_or_none(
        self, kind: MetadataOnly, key: Key, **options: Unpack[GetOptions]
    ) -> PartialObjectMetadata | None: ...
    def get_or_none(self, kind: Any, key: Key, **options: Any) -> Any:
        """The object under a key (a request, or "namespace/name"), or None. `min_resource_version` and `timeout`: as
        of `Cache.get`."""
        form = self.form(kind)
        namespace, name = split_key(key)
        if not form.info.namespaced:
            namespace = ""
        elif self._settings.namespace:
            namespace = self._settings.namespace_of(namespace, f"{form.name} {key}")
        options = self._settings.reading(options)
        cache = self._cache_for(form)
        if cache is not None:
            return cache.get(kind, NamespacedName(namespace, name), **options)
        if version := options.pop("min_resource_version", ""):
            options["resource_version"] = version
        try:
            return form.convert(self.resource_of(kind, namespace).get(name, **options))
        except NotFound:
            return None

    @overload
    def get(self, kind: type[T], key: Key, **options: Unpack[GetOptions]) -> T: ...
    @overload
    def get(self, kind: Triple, key: Key, **options: Unpack[GetOptions]) -> Unstructured: ...
    @overload
    def get(self, kind: MetadataOnly, key: Key, **options: Unpack[GetOptions]) -> PartialObjectMetadata: ...
    def get(self, kind: Any, key: Key, **options: Any) -> Any:
        """The same. Raises NotFound."""
        found = self.get_or_none(kind, key, **options)
        if found is None:
            raise not_found(self.form(kind).info.gvr.group_resource, split_key(key)[1])
        return found

    def exists(self, kind: Kind, key: Key, **options: Unpack[GetOptions]) -> bool:
        """Whether there is an object under a key."""
        found: Any = self.get_or_none(kind, key, **options)
        return found is not None

    # ---- many -----------------------------------------------------------------------------------------------------

    @overload
    def list(self, kind: type[T], **options: Unpack[ListOptions]) -> Listed[T]: ...
    @overload
    def list(self, kind: Triple, **options: Unpack[ListOptions]) -> Listed[Unstructured]: ...
    @overload
    def list(self, kind: MetadataOnly, **options: Unpack[ListOptions]) -> Listed[PartialObjectMetadata]: ...
    def list(self, kind: Any, *, namespace: str = "", **options: Any) -> Any:
        """The objects that the selectors select, by the cache as `Cache.list` gives them."""
        form = self.form(kind)
        namespace = self._namespace_of(form, namespace)
        options = self._settings.reading(options)
        cache = self._cache_for(form)
        if cache is not None:
            return cache.list(kind, namespace=namespace, **options)
        options.pop("allow_scan", None)
        options = {name: value for name, value in options.items() if value or name not in ("limit", "continue_")}
        found = self.resource_of(kind, namespace).list(**options)
        return Listed(map(form.convert, found), continue_=found.metadata.continue_ or "")

    def iterate(self, kind: Any, *, namespace: str = "", page_size: int = 500, **options: Any) -> Iterator[Any]:
        """All objects, by the server, page by page: for kinds of which there are too many for a cache."""
        form = self.form(kind)
        resource: Lists[Any] = self.resource_of(kind, self._namespace_of(form, namespace))
        return map(form.convert, resource.iterate(page_size, **self._settings.reading(options)))

    def watch(self, kind: Any, *, namespace: str = "", **options: Any) -> EventStream[Any]:
        """The changes as the server tells them: see `ResourceClient.watch`. Contract: CRC-13."""
        form = self.form(kind)
        found: EventStream[Any] = self.resource_of(kind, self._namespace_of(form, namespace)).watch(
            **self._settings.reading(options)
        )
        return found

    # ---- where from -----------------------------------------------------------------------------------------------

    def form(self, kind: Any) -> Form:
        """What a kind stands for. Raises ValueError for what is no resource, NoMatch for what nobody knows."""
        return form_of(self._clientset, kind)

    def resource_of(self, kind: Any, namespace: str) -> Any:
        """The client of a kind, by the server."""
        if isinstance(kind, MetadataOnly):
            gvr = self.form(kind).info.gvr
            return MetadataClient.over(self._clientset.rest_client).resource(gvr, namespace)
        return self._clientset.resource(kind if isinstance(kind, type) else self.form(kind).info.gvk, namespace)

    def _cache_for(self, form: Form) -> Cache | None:
        """The cache, if it is what answers."""
        if self._reads_live or form.info.gvk in self._settings.live:
            return None
        if issubclass(form.cls, Unstructured) and not self._settings.cache_unstructured:
            return None
        return self._cache

    def _namespace_of(self, form: Form, given: str) -> str:
        return self._settings.namespace_of(given, form.name) if form.info.namespaced else ""
