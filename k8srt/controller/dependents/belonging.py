"""How it is known which object a dependent belongs to, and which dependent of it.

A label says of which dependent of which object it is one; an owner reference or an annotation leads back to that.

Contract: DEP-01, DEP-02.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.controller.cache.cache import Cache
from k8srt.controller.event import Event, UpdateEvent
from k8srt.controller.handler import EnqueueForOwner, EventHandler
from k8srt.controller.kinds import gvk_of
from k8srt.controller.request import Request

LABEL = "k8srt.io/dependent"
ANNOTATION = "k8srt.io/dependent-of"  # of what has no owner: Kind.group/namespace/name

INDEX = f"metadata.labels[{LABEL}]"


def label_of(controller: str, dependent: str, primary: GroupVersionKind, request: Request) -> str:
    """What the label of a dependent says: its name, and a digest of whose it is."""
    text = f"{controller}/{dependent}/{primary.kind}.{primary.group}/{request}"
    return f"{dependent[:40].rstrip('-')}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def belongs_to(primary: GroupVersionKind, request: Request) -> str:
    """What the annotation says."""
    return f"{_kind(primary)}/{request.namespace}/{request.name}"


def _kind(gvk: GroupVersionKind) -> str:
    return f"{gvk.kind}.{gvk.group}" if gvk.group else gvk.kind


def index(cache: Cache, kind: Any) -> None:
    """Have dependents of a kind found by their label; twice is fine."""
    gvk_of(kind)
    try:
        cache.index_field(kind, INDEX, _labels)
    except ValueError:  # another dependent of this kind has it already
        return


def _labels(obj: Any) -> list[str]:
    value = (obj.metadata.labels or {}).get(LABEL)
    return [value] if value else []


def members(cache: Cache, kind: Any, label: str) -> list[Any]:
    """The objects of a kind that have a label, as they are cached or were written."""
    found: Iterable[Any] = cache.list(kind, field_selector={INDEX: label})
    return list(found)


class EnqueuePrimary(EventHandler):
    """Queues the object that a dependent belongs to, after an update the former one, too."""

    def __init__(self, primary: Any, *, namespaced: bool) -> None:
        super().__init__()
        self._by_owner: Callable[[Event], Iterable[Request]] = EnqueueForOwner(
            primary, only_controller=True, namespaced=namespaced
        ).requests
        self._prefix = f"{_kind(gvk_of(primary))}/"

    def requests(self, event: Event) -> Iterator[Request]:
        yield from self._by_owner(event)
        objects = (event.old, event.new) if isinstance(event, UpdateEvent) else (event.object,)
        for obj in objects:
            yield from self._by_annotation(obj)

    def _by_annotation(self, obj: Object) -> Iterator[Request]:
        said = (obj.metadata.annotations or {}).get(ANNOTATION) or ""
        if said.startswith(self._prefix):
            namespace, slash, name = said.removeprefix(self._prefix).partition("/")
            if slash and name:
                yield Request(namespace, name)
