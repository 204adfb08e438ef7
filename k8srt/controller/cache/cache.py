"""The cache of a manager: an informer for each kind that anybody watches or reads, and reading from them.

    cache.get(Foo, request)                       # an object of one's own, or None
    cache.list(Pod, namespace="default", label_selector="app=web")
    cache.index_field(Pod, "spec.nodeName", lambda pod: [pod.spec.node_name or ""])
    cache.list(Pod, field_selector="spec.nodeName=node-1")

Reading a kind for the first time starts its informer and waits until that has synced. Kinds are classes, triples of
group, version and kind for `Unstructured`, and `metadata_only(...)` of either; all forms of a kind share what is
cached. What the manager's client has written is laid over what the cache has, until the watch has caught up; what
anybody else has written is seen when the watch tells it.

Contract: CCH-01 to CCH-16, CRC-08 to CRC-10, SHR-01.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, Unpack, overload

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.apimachinery.schema import GroupVersionKind, NamespacedName
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.field_index import NoFieldIndex, Query, check_indexed, index_func, index_name
from k8srt.controller.cache.kind_cache import KindCache, NamespaceNotCached, Part
from k8srt.controller.cache.kind_informer import all_of
from k8srt.controller.cache.overlay import as_number
from k8srt.controller.cache.reading import (
    CacheNotStarted,
    GetOptions,
    Listed,
    ListOptions,
    ResourceNotCached,
    caller,
    is_gone,
    split_key,
    uid_of_status,
)
from k8srt.controller.cache.shared_informers import READ_TIMEOUT, SharedInformers, is_synced
from k8srt.controller.kinds import Form, MetadataOnly, Triple, name_of
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.tools.cache.store import GONE
from k8srt.tools.cache.waiting import wait_for_cache_sync
from k8srt.util.ambient import ambient_stop
from k8srt.util.threads import Latch, Stop

__all__ = ["Cache", "CacheNotStarted", "NamespaceNotCached", "NoFieldIndex", "ResourceNotCached"]

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Object)


class Cache(SharedInformers):
    """See the module; the options are those of `SharedInformers`. Thread-safe. A runnable."""

    # ---- reading --------------------------------------------------------------------------------------------------

    @overload
    def get(self, kind: type[T], key: NamespacedName | str, **options: Unpack[GetOptions]) -> T | None: ...
    @overload
    def get(self, kind: Triple, key: NamespacedName | str, **options: Unpack[GetOptions]) -> Unstructured | None: ...
    @overload
    def get(
        self, kind: MetadataOnly, key: NamespacedName | str, **options: Unpack[GetOptions]
    ) -> PartialObjectMetadata | None: ...
    def get(
        self,
        kind: Any,
        key: NamespacedName | str,
        *,
        min_resource_version: str = "",
        timeout: float = READ_TIMEOUT,
        stop: Stop | None = None,
    ) -> Any:
        """The object under a key (a request, or "namespace/name"), or None. It belongs to the caller.

        With `min_resource_version`, wait until the cache is at least that new. Raises CacheNotStarted,
        NamespaceNotCached, and WaitTimeout when that takes, or the first sync does, more than `timeout` seconds.
        """
        shared, form = self._synced(kind, timeout, stop)
        namespace, name = split_key(key)
        if min_resource_version:
            self._reach(shared, namespace, name, min_resource_version, timeout, stop)
        found = shared.newest(namespace, name)
        return None if found is GONE else form.make(found)

    @overload
    def list(self, kind: type[T], **options: Unpack[ListOptions]) -> Listed[T]: ...
    @overload
    def list(self, kind: Triple, **options: Unpack[ListOptions]) -> Listed[Unstructured]: ...
    @overload
    def list(self, kind: MetadataOnly, **options: Unpack[ListOptions]) -> Listed[PartialObjectMetadata]: ...
    def list(
        self,
        kind: Any,
        *,
        namespace: str = "",
        label_selector: Any = None,
        field_selector: Any = None,
        limit: int = 0,
        continue_: str = "",
        allow_scan: bool = False,
        timeout: float = READ_TIMEOUT,
        stop: Stop | None = None,
    ) -> Listed[Any]:
        """The objects that the selectors select, at most `limit` of them if that is not 0. They belong to the caller.

        A field needs an index (see `index_field`), except `metadata.name` and `metadata.namespace`; with `!=` alone
        every object is looked at, which needs `allow_scan`. Raises ValueError for `continue_`, which caches do not
        have, NoFieldIndex, SelectorError, and as `get`.
        """
        if continue_:
            raise ValueError("the continue option is not supported by the cache")
        if limit < 0:
            raise ValueError(f"limit: must be 0 or more, not {limit}")
        query = Query.of(namespace, label_selector, field_selector, allow_scan)
        shared, form = self._synced(kind, timeout, stop)
        if not query.fields.empty:
            check_indexed(name_of(kind), (name.partition(":")[2] for name in shared.fields), query)
        return Listed(map(form.make, shared.select(query, limit)))

    def index_field(self, kind: Any, field: str, values: Callable[[Any], Iterable[str]]) -> None:
        """Have objects found by the strings that `values` gives for them; at any time, before or after the start.

        Raises ValueError for a second index of the same field. Contract: CCH-06, CCH-07.
        """
        shared, form = self._share(kind, self.kinds_may_be_missing)
        shared.add_index(index_name(field), index_func(form, values))

    def wait_for(self, obj: Object, timeout: float = READ_TIMEOUT, *, stop: Stop | None = None) -> None:
        """Wait until the cache itself is as new as an object, whatever it was read from or written by.

        Raises ValueError for an object whose version is no number, WaitTimeout. Contract: CRC-10.
        """
        kind = type(obj) if type(obj).__info__ is not None else obj.gvk
        shared, _ = self._synced(kind, timeout, stop)
        meta = obj.metadata
        version = meta.resource_version or ""
        self._reach(shared, meta.namespace or "", meta.name or "", version, timeout, stop, overlaid=False)

    def _reach(
        self,
        shared: KindCache,
        namespace: str,
        name: str,
        version: str,
        timeout: float,
        stop: Stop | None,
        *,
        overlaid: bool = True,
    ) -> None:
        number, key = as_number(version), shared.key_of(namespace, name)
        if number is None:
            raise ValueError(f"{version!r} is not a resource version that can be waited for")
        reached = Latch()
        for part in shared.parts_of(namespace):

            def look(part: Part = part) -> None:
                if part.overlay.reaches(key, number, overlaid=overlaid):
                    reached.set()

            forget = part.informer.on_progress(look)
            try:
                look()
                if not wait_for_cache_sync(reached, timeout=timeout, stop=stop or ambient_stop(), clock=self._clock):
                    self._raise_waiting(f"{shared.form.name} {key} at version {version}", timeout, stop)
            finally:
                forget()

    def _synced(self, kind: Any, timeout: float, stop: Stop | None) -> tuple[KindCache, Form]:
        with self._lock:
            if not self._running:
                raise CacheNotStarted(f"{name_of(kind)} cannot be read: the cache is not running")
        shared, form = self._share_for_reading(kind)
        if not is_synced(shared):
            latch = all_of([part.informer.synced for part in shared.parts()])
            self._await(kind, latch, timeout, stop)
        return shared, form

    def _share_for_reading(self, kind: Any) -> tuple[KindCache, Form]:
        form = self._form(kind, self.kinds_may_be_missing)
        gvk = form.info.gvk
        with self._lock:
            shared = self._shared.get((gvk, form.metadata)) or self._shared.get((gvk, False))
        if shared is not None:
            return shared, form
        if self._fail_on_missing:
            raise ResourceNotCached(gvk)
        log.info("%s is read for the first time, at %s, and will be watched from now on", form.name, caller())
        return self._share(kind, self.kinds_may_be_missing)

    # ---- what was written -----------------------------------------------------------------------------------------

    def wrote(self, obj: Object, gvk: GroupVersionKind, since: int | None = None) -> None:
        """Tell what the server has answered to a write of an object of this kind, so that reads show it: CRC-09.

        `since` is the `overlay.moment` before the call, None for one that nothing has overtaken.
        """
        self._wrote(obj.to_record(), gvk, since)

    def _wrote(self, record: Record, gvk: GroupVersionKind, since: int | None) -> None:
        if not record.resource_version:
            return
        if is_gone(record, gvk):  # the last finalizer was taken off
            self.deleted(gvk, record.namespace, record.name, record.uid, record.resource_version, since)
        else:
            self._tell(gvk, record.key, lambda shared: shared.wrote(record, since))

    def deleted(
        self,
        gvk: GroupVersionKind,
        namespace: str,
        name: str,
        uid: str = "",
        version: str = "",
        since: int | None = None,
    ) -> None:
        """Tell that the server has deleted an object: reads do not show it any more."""
        self._tell(gvk, f"{namespace}/{name}", lambda shared: shared.deleted(namespace, name, uid, version, since))

    def answered_delete(self, gvk: GroupVersionKind, obj: Object, namespace: str, answer: Record, since: int) -> None:
        """Tell what the server has answered to a deletion: a Status, or the object, which may stay for a while."""
        meta = obj.metadata
        if b'"deletionTimestamp"' in answer.parts.get("metadata", b""):
            self._wrote(answer, gvk, since)
            return
        is_object = answer.text("kind") not in ("Status", "")
        uid = (answer.uid if is_object else uid_of_status(answer)) or meta.uid or ""
        version = answer.resource_version if is_object else (meta.resource_version or "") if uid == meta.uid else ""
        self.deleted(gvk, namespace, meta.name or "", uid, version, since)

    def _tell(self, gvk: GroupVersionKind, key: str, tell: Callable[[KindCache], None]) -> None:
        if self._unseen is None:
            return
        with self._lock:
            found = [shared for only in (False, True) if (shared := self._shared.get((gvk, only))) is not None]
            if not found:
                self._unseen.keep(gvk, key, tell)
        for shared in found:
            tell(shared)
