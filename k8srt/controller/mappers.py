"""The usual ways from an object to those that care for it. Contract: BLD-05."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from k8srt.controller.request import Request


def by_label(label: str, namespaced: bool) -> Callable[[Any], Iterable[Request]]:
    """To the object of which the label has the name, in the same namespace if it has one."""

    def requests(obj: Any) -> Iterator[Request]:
        name = (obj.metadata.labels or {}).get(label)
        if name:
            yield Request((obj.metadata.namespace or "") if namespaced else "", name)

    return requests


def by_annotation(annotation: str, namespaced: bool) -> Callable[[Any], Iterable[Request]]:
    """To the objects that the annotation names: "a", "b, other/c"."""

    def requests(obj: Any) -> Iterator[Request]:
        for each in ((obj.metadata.annotations or {}).get(annotation) or "").split(","):
            namespace, _, name = each.strip().rpartition("/")
            if name:
                yield Request((namespace or obj.metadata.namespace or "") if namespaced else "", name)

    return requests


def by_index(cache: Any, kind: Any, field: str, namespaced: bool) -> Callable[[Any], Iterable[Request]]:
    """To those objects of a kind that have the name of this one in an indexed field; if both have namespaces, in the
    same one."""

    def requests(obj: Any) -> list[Request]:
        within = (obj.metadata.namespace or "") if namespaced else ""
        found = cache.list(kind, namespace=within, field_selector={field: obj.metadata.name})
        return [Request.of(each) for each in found]

    return requests
