"""The client of a manager: reads from the cache, writes to the server.

    foo = client.get(Foo, request)                # raises NotFound; get_or_none gives None
    client.create(deployment); client.update_status(foo); client.apply(deployment)

Every call of a client that belongs to a reconcile ends when that is to stop. What a write answers is returned; a read
from the cache may be older for a moment. `api_reader` reads from the server.

Contract: CRC-01, CRC-04, CRC-08, CRC-12, REC-10, MGR-10.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from k8srt.apimachinery.fields import FieldSelector
from k8srt.apimachinery.labels import SelectorLike
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.cache import Cache
from k8srt.controller.kinds import info_of
from k8srt.errors import NotFound
from k8srt.gentype.client import ResourceClient
from k8srt.gentype.options import PatchType
from k8srt.listers.lister import not_found
from k8srt.util.threads import Stop

T = TypeVar("T", bound=Object)


def _allowed() -> None: ...


class Client:
    """See the module. Thread-safe.

    `field_manager` is who writes. `stop` ends every call; `may_write` is asked before each write and raises what
    forbids it.
    """

    def __init__(
        self,
        clientset: Any,
        cache: Cache,
        *,
        field_manager: str = "",
        stop: Stop | None = None,
        may_write: Callable[[], object] = _allowed,
    ) -> None:
        self._clientset = clientset
        self._cache = cache
        self._field_manager = field_manager
        self._stop = stop
        self._may_write = may_write

    def within(self, stop: Stop, may_write: Callable[[], object] = _allowed) -> Client:
        """The same client for something that is to end with `stop`, and needs leave to write besides."""

        def both() -> None:
            self._may_write()
            may_write()

        return Client(self._clientset, self._cache, field_manager=self._field_manager, stop=stop, may_write=both)

    def acting_as(self, field_manager: str) -> Client:
        """The same client under another name."""
        return Client(
            self._clientset, self._cache, field_manager=field_manager, stop=self._stop, may_write=self._may_write
        )

    # ---- reading --------------------------------------------------------------------------------------------------

    def get_or_none(self, kind: type[T], key: NamespacedName | str) -> T | None:
        """The object in the cache, or None."""
        return self._cache.get(kind, key, stop=self._stop)

    def get(self, kind: type[T], key: NamespacedName | str) -> T:
        """The object in the cache. Raises NotFound."""
        found = self.get_or_none(kind, key)
        if found is None:
            raise not_found(info_of(kind).gvr.group_resource, str(key).rpartition("/")[2])
        return found

    def list(
        self,
        kind: type[T],
        *,
        namespace: str = "",
        label_selector: SelectorLike = None,
        field_selector: str | Mapping[str, str] | FieldSelector | None = None,
        limit: int = 0,
    ) -> builtins.list[T]:
        """The objects in the cache that the selectors select. See `Cache.list`."""
        return self._cache.list(
            kind,
            namespace=namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            stop=self._stop,
        )

    # ---- writing --------------------------------------------------------------------------------------------------

    def create(self, obj: T, **options: Any) -> T:
        """Create an object. Raises AlreadyExists, Invalid."""
        return self._writing(obj).create(obj, **self._options(options))

    def update(self, obj: T, **options: Any) -> T:
        """Replace an object. Raises Conflict when it has changed since it was read."""
        return self._writing(obj).update(obj, **self._options(options))

    def update_status(self, obj: T, **options: Any) -> T:
        """Replace the status of an object."""
        return self._writing(obj).update_status(obj, **self._options(options))

    def patch(self, obj: T, patch: Any, *, patch_type: PatchType, subresource: str = "", **options: Any) -> T:
        """Patch an object. See `ResourceClient.patch`."""
        client = self._writing(obj)
        name = obj.metadata.name
        return client.patch(name, patch, patch_type=patch_type, subresource=subresource, **self._options(options))

    def apply(self, obj: T, *, force: bool = True, field_manager: str = "", **options: Any) -> T:
        """Server-side apply of just the fields that are set, by default against whoever else has them."""
        manager = field_manager or self._field_manager
        return self._writing(obj).apply(obj, field_manager=manager, force=force, stop=self._stop, **options)

    def apply_status(self, obj: T, *, force: bool = True, field_manager: str = "", **options: Any) -> T:
        """The same to the status."""
        manager = field_manager or self._field_manager
        return self._writing(obj).apply_status(obj, field_manager=manager, force=force, stop=self._stop, **options)

    def delete(self, obj: Object, *, ignore_not_found: bool = True, **options: Any) -> bool:
        """Delete an object; returns whether it was there. Raises Conflict when a precondition does not hold, and
        NotFound unless that is to be ignored."""
        try:
            self._writing(obj).delete(obj.metadata.name, stop=self._stop, **options)
        except NotFound:
            if not ignore_not_found:
                raise
            return False
        return True

    def _writing(self, obj: T) -> ResourceClient[T]:
        self._may_write()
        client: ResourceClient[T] = self._clientset.resource(type(obj), obj.metadata.namespace or "")
        return client

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        own = {"stop": self._stop, "field_manager": self._field_manager}
        return {**{name: value for name, value in own.items() if value}, **options}

    def __repr__(self) -> str:
        return f"<Client of {self._clientset!r} over {self._cache!r}>"
