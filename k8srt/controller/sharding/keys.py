"""What stands for a request on the ring: `group/kind/namespace/name` of its object, or of who controls that.

Contract: SHD-02.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from cachetools import TTLCache

from k8srt.apimachinery import scheme
from k8srt.apimachinery.owners import controller_of
from k8srt.apimachinery.schema import GroupVersion, GroupVersionKind
from k8srt.controller.kinds import gvk_of
from k8srt.controller.request import Request

MOST = 100_000
REMEMBERED = 600.0
"""So many objects that are gone have their owners remembered, for so many seconds."""


def ring_key(group: str, kind: str, request: Request) -> str:
    """The key of an object."""
    return f"{group}/{kind}/{request.namespace}/{request.name}"


class Keys:
    """The keys of the requests of one controller, by its kind, or by its `name` without one. `controlled` are kinds
    that go with their owners; `cached` gives an object as the cache has it, None if it is not there. Thread-safe."""

    def __init__(
        self,
        name: str,
        kind: Any,
        controlled: Iterable[Any],
        cached: Callable[[Request], Any],
        now: Callable[[], float],
    ) -> None:
        gvk = GroupVersionKind("", "", name) if kind is None else gvk_of(kind)
        self._group, self._kind = gvk.group, gvk.kind
        kinds = {gvk_of(each).group_kind for each in controlled}
        self._by_owner = kind is not None and gvk.group_kind in kinds
        self._cached = cached
        self._lock = threading.Lock()  # guards _gone
        self._gone: TTLCache[Request, str] = TTLCache(MOST, REMEMBERED, timer=now)

    def of(self, request: Request) -> str:
        """The key of a request."""
        if self._by_owner:
            obj = self._cached(request)
            key = self._of_owner(obj) if obj is not None else self._remembered(request)
            if key:
                return key
        return ring_key(self._group, self._kind, request)

    def note_gone(self, obj: Any) -> None:
        """An object of the kind is there no more: remember who controlled it."""
        if self._by_owner and (key := self._of_owner(obj)):
            with self._lock:
                self._gone[Request.of(obj)] = key

    def _remembered(self, request: Request) -> str:
        with self._lock:
            return self._gone.get(request, "")

    def _of_owner(self, obj: Any) -> str:
        ref = controller_of(obj)
        if ref is None:
            return ""
        version = GroupVersion.parse(ref.api_version)
        known = scheme.default.lookup(version.with_kind(ref.kind))
        info = known.__info__ if known is not None else None
        namespace = (obj.metadata.namespace or "") if info is None or info.namespaced else ""
        return ring_key(version.group, ref.kind, Request(namespace, ref.name))
