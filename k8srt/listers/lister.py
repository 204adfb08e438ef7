"""Reading from a cache as from a client: by name, by namespace, by labels.

    lister.get("web-0", "default")
    lister.list(selector="app=web")
    lister.namespace("default").list()

What is handed out belongs to the caller. Nothing is decoded to select, and nothing is sent to a server; a cache that
has not synced yet is an empty one.

Contract: CACHE-31 to CACHE-33, INF-62, INF-63.
"""

from __future__ import annotations

import builtins
import logging
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from k8srt.apimachinery.labels import Selector, SelectorLike, as_selector
from k8srt.apimachinery.meta import Status, StatusDetails
from k8srt.apimachinery.schema import GroupResource
from k8srt.errors import StatusError, status_error
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, Indexer
from k8srt.tools.cache.keys import metadata_of
from k8srt.tools.cache.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")


class NamespaceLister(Generic[T]):
    """The objects of one namespace; with "" those of all, or those without one. Cheap, thread-safe."""

    def __init__(self, indexer: Indexer[T], resource: GroupResource, namespace: str = "") -> None:
        self.indexer = indexer
        self.resource = resource
        self._namespace = namespace

    def get(self, name: str) -> T:
        """The object of this name. Raises NotFound."""
        found = self.find(name)
        if found is None:
            raise not_found(self.resource, name)
        return found

    def find(self, name: str) -> T | None:
        """The object of this name, or None."""
        return self.indexer.get_by_key(f"{self._namespace}/{name}" if self._namespace else name)

    def list(self, selector: SelectorLike = None) -> list[T]:
        """The objects that a selector (text, labels, a selector; None for all) selects, in no particular order.

        Raises SelectorError.
        """
        return list_all_by_namespace(self.indexer, self._namespace, as_selector(selector))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.resource}{f' in {self._namespace}' if self._namespace else ''}>"


class Lister(NamespaceLister[T]):
    """The objects of a cache."""

    def __init__(self, indexer: Indexer[T], resource: GroupResource | str) -> None:
        super().__init__(indexer, GroupResource.parse(resource) if isinstance(resource, str) else resource)

    def namespace(self, namespace: str) -> NamespaceLister[T]:
        """The objects of one namespace; "" for all."""
        return NamespaceLister(self.indexer, self.resource, namespace)

    def get(self, name: str, namespace: str = "") -> T:
        """The object of this name, in `namespace` if it has one. Raises NotFound."""
        found = self.indexer.get_by_key(f"{namespace}/{name}" if namespace else name)
        if found is None:
            raise not_found(self.resource, name)
        return found

    def find(self, name: str, namespace: str = "") -> T | None:
        """The same object, or None."""
        return self.indexer.get_by_key(f"{namespace}/{name}" if namespace else name)

    def list(self, selector: SelectorLike = None, namespace: str = "") -> builtins.list[T]:
        """The objects that a selector (text, labels, a selector; None for all) selects, in one namespace or all."""
        return list_all_by_namespace(self.indexer, namespace, as_selector(selector))


def list_all(store: Store[T], selector: Selector) -> list[T]:
    """The objects that `selector` selects; one that selects nothing reads nothing. Contract: CACHE-31."""
    return _selected(store, store.kept(), selector) if selector.matchable else []


def list_all_by_namespace(indexer: Indexer[T], namespace: str, selector: Selector) -> list[T]:
    """The same in one namespace, by the namespace index, or without one by looking at everything. CACHE-32."""
    if not namespace:
        return list_all(indexer, selector)
    if not selector.matchable:
        return []
    if indexer.has_index(NAMESPACE_INDEX):
        return _selected(indexer, indexer.kept_by_index(NAMESPACE_INDEX, namespace), selector)
    log.warning("can not retrieve list of objects using index: Index with name %s does not exist", NAMESPACE_INDEX)
    everything = ((kept, metadata_of(kept)) for kept in indexer.kept())
    return _selected(indexer, [kept for kept, meta in everything if meta and meta.namespace == namespace], selector)


def _selected(store: Store[T], kept: Iterable[Any], selector: Selector) -> list[T]:
    if selector.empty:
        return store.form.thaw_all(list(kept))
    matches, thaw = selector.matches, store.form.thaw
    facts = ((each, metadata_of(each)) for each in kept)
    return [thaw(each) for each, meta in facts if meta is not None and matches(meta.labels or {})]


def not_found(resource: GroupResource, name: str) -> StatusError:
    """The error that a server would answer."""
    details = StatusDetails(name=name, group=resource.group, kind=resource.resource)
    message = f'{resource} "{name}" not found'
    return status_error(Status(status="Failure", code=404, reason="NotFound", message=message, details=details))
