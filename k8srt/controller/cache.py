"""The cache of a manager: an informer for each kind that anybody watches or reads, and reading from them.

    cache.get(Foo, request)                       # an object of one's own, or None
    cache.list(Pod, namespace="default", label_selector="app=web")
    cache.index_field(Pod, "spec.nodeName", lambda pod: [pod.spec.node_name or ""])
    cache.list(Pod, field_selector="spec.nodeName=node-1")

Reading a kind for the first time starts its informer and waits until that has synced. What was read a moment after a
write may be older than the write, since it comes from a watch.

Contract: CCH-01 to CCH-07, CCH-12.
"""

from __future__ import annotations

import builtins
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from k8srt.apimachinery.fields import FieldSelector, as_field_selector
from k8srt.apimachinery.labels import SelectorLike, as_selector
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.kinds import info_of
from k8srt.errors import K8srtError, WaitTimeout
from k8srt.informers.source import ClientSource
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, meta_namespace_index
from k8srt.tools.cache.keys import require_metadata
from k8srt.tools.cache.shared_informer import SharedIndexInformer
from k8srt.tools.cache.waiting import wait_for_cache_sync
from k8srt.util.ambient import ambient_stop, stopped
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked, spawn

log = logging.getLogger(__name__)

T = TypeVar("T", bound=Object)

SYNC_PERIOD = 36_000.0
READ_TIMEOUT = 60.0
_BY_NAME = ("metadata.name", "metadata.namespace")  # these need no index


class CacheNotStarted(K8srtError):
    """The cache was read before it was started. Contract: CCH-03."""


class NoFieldIndex(K8srtError, ValueError):
    """Objects were to be found by a field that has no index. Contract: CCH-06."""


class _Kept(NamedTuple):
    informer: SharedIndexInformer[Any]
    halt: Stop
    threads: list[threading.Thread]  # none before it was started, and one then


class Cache:
    """See the module. Thread-safe. A runnable: it runs until it is stopped, and then for ever refuses to start.

    `clientset` is anything with `resource(kind, namespace)`. `namespace` limits what is cached of namespaced kinds;
    "" means all. `transform` changes each object before it is kept.
    """

    def __init__(
        self,
        clientset: Any,
        *,
        namespace: str = "",
        sync_period: float = SYNC_PERIOD,
        transform: Transform | None = None,
        clock: Clock = SYSTEM,
        **informer_options: Any,
    ) -> None:
        self._clientset = clientset
        self._namespace = namespace
        self._sync_period = sync_period
        self._transform = transform
        self._clock = clock
        self._options = informer_options
        self._lock = threading.Lock()  # guards all below
        self._kept: dict[type[Any], _Kept] = {}
        self._indexed: dict[type[Any], set[str]] = {}
        self._running = False
        self._over = False

    # ---- running --------------------------------------------------------------------------------------------------

    def start(self, stop: threading.Event) -> None:
        """Run every informer, those asked for later too, until `stop` is set. Blocks until every thread has ended."""
        with self._lock:
            self._running = not self._over
            for kind in self._kept:
                self._start_locked(kind)
        with linked(stop) as stopped:
            stopped.wait()
        with self._lock:
            self._running, self._over = False, True
            everyone = list(self._kept.values())
        for kept in everyone:
            kept.halt.set()
        for kept in everyone:
            for thread in kept.threads:
                thread.join()

    def wait_for_sync(self, timeout: float | None = None, *, stop: threading.Event | None = None) -> bool:
        """Wait until every informer there is has synced; returns whether that is so."""
        with self._lock:
            informers = [kept.informer for kept in self._kept.values()]
        return wait_for_cache_sync(*informers, timeout=timeout, stop=stop or Stop(), clock=self._clock)

    def unsynced(self) -> builtins.list[str]:
        """The kinds that have not synced yet, for messages."""
        with self._lock:
            return [kind.__name__ for kind, kept in self._kept.items() if not kept.informer.synced.is_set()]

    # ---- informers ------------------------------------------------------------------------------------------------

    def informer(self, kind: type[T]) -> SharedIndexInformer[T]:
        """The informer of a kind, made if there is none, and started if the cache runs. Raises ValueError for what is
        no resource. All who ask share it, their handlers each see everything. Contract: CCH-01, SHR-01."""
        with self._lock:
            kept = self._kept.get(kind)
            if kept is None:
                kept = self._kept[kind] = _Kept(self._make(kind), Stop(), [])
                if self._running:
                    self._start_locked(kind)
            return kept.informer

    def _make(self, kind: type[T]) -> SharedIndexInformer[T]:
        client = self._clientset.resource(kind, self._namespace if info_of(kind).namespaced else "")
        return SharedIndexInformer(
            ClientSource(client),
            kind,
            resync_period=self._sync_period,
            indexers={NAMESPACE_INDEX: meta_namespace_index},
            transform=self._transform,
            clock=self._clock,
            **self._options,
        )

    def _start_locked(self, kind: type[Any]) -> None:
        kept = self._kept[kind]
        if not kept.threads:
            kept.threads.append(spawn(f"informer-{kind.__name__.lower()}", kept.informer.run, kept.halt))

    def remove_informer(self, kind: type[Any]) -> None:
        """Stop watching a kind and forget its objects; a later read begins anew. Fine if there is none."""
        with self._lock:
            kept = self._kept.pop(kind, None)
            self._indexed.pop(kind, None)
        if kept is not None:
            kept.halt.set()
            for thread in kept.threads:
                thread.join()

    # ---- reading --------------------------------------------------------------------------------------------------

    def get(
        self, kind: type[T], key: NamespacedName | str, *, timeout: float = READ_TIMEOUT, stop: Stop | None = None
    ) -> T | None:
        """The object under a key (a request, or "namespace/name"), or None. It belongs to the caller.

        Raises CacheNotStarted, WaitTimeout when the kind has not synced within `timeout` seconds.
        """
        informer = self._synced(kind, timeout, stop)
        if not isinstance(key, str):
            key = f"{key.namespace}/{key.name}" if key.namespace and info_of(kind).namespaced else key.name
        return informer.indexer.get_by_key(key)

    def list(
        self,
        kind: type[T],
        *,
        namespace: str = "",
        label_selector: SelectorLike = None,
        field_selector: str | Mapping[str, str] | FieldSelector | None = None,
        limit: int = 0,
        timeout: float = READ_TIMEOUT,
        stop: Stop | None = None,
    ) -> builtins.list[T]:
        """The objects that the selectors select, at most `limit` of them if that is not 0. They belong to the caller.

        A field needs an index (see `index_field`), except `metadata.name` and `metadata.namespace`. Raises
        NoFieldIndex, SelectorError, and as `get`.
        """
        indexer = self._synced(kind, timeout, stop).indexer
        labels = as_selector(label_selector)
        kept = self._selected(kind, namespace, as_field_selector(field_selector))
        found = kept if labels.empty else [each for each in kept if labels.matches(require_metadata(each).labels or {})]
        return indexer.form.thaw_all(found[:limit] if limit else found)

    def _selected(self, kind: type[Any], namespace: str, fields: FieldSelector) -> builtins.list[Any]:
        """What is in the namespace and has the fields, as it is kept: by the index of the first one that has one."""
        indexer = self.informer(kind).indexer
        self._check_indexed(kind, fields)
        indexed = next(
            (each for each in fields.requirements if each.operator == "=" and each.field not in _BY_NAME), None
        )
        if indexed is not None:
            kept = indexer.kept_by_index(_index_name(indexed.field), indexed.value)
        else:
            kept = indexer.kept_by_index(NAMESPACE_INDEX, namespace) if namespace else indexer.kept()
        if namespace:
            kept = [each for each in kept if require_metadata(each).namespace == namespace]
        for field, operator, value in fields.requirements:
            if field in _BY_NAME:
                part = field.rpartition(".")[2]
                kept = [each for each in kept if (getattr(require_metadata(each), part) == value) is (operator == "=")]
            else:
                having = {id(each) for each in indexer.kept_by_index(_index_name(field), value)}
                kept = [each for each in kept if (id(each) in having) is (operator == "=")]
        return kept

    def _check_indexed(self, kind: type[Any], fields: FieldSelector) -> None:
        with self._lock:
            known = {*_BY_NAME, *self._indexed.get(kind, ())}
        for field in (each.field for each in fields.requirements):
            if field not in known:
                raise NoFieldIndex(
                    f"{kind.__name__} cannot be found by {field!r}, of which there is no index; "
                    f"make one with index_field({kind.__name__}, {field!r}, ...)"
                )

    def index_field(self, kind: type[T], field: str, values: Callable[[T], Iterable[str]]) -> None:
        """Have objects found by the strings that `values` gives for them; at any time, before or after the start.

        Raises ValueError for a second index of the same field. Contract: CCH-06, CCH-07.
        """
        informer = self.informer(kind)
        with self._lock:
            fields = self._indexed.setdefault(kind, set())
            if field in fields:
                raise ValueError(f"there is an index of {kind.__name__} by {field!r} already")
            fields.add(field)
        informer.add_indexers({_index_name(field): lambda obj: tuple(values(obj))})

    def _synced(self, kind: type[T], timeout: float, stop: Stop | None) -> SharedIndexInformer[T]:
        with self._lock:
            if not self._running:
                raise CacheNotStarted(f"{kind.__name__} cannot be read: the cache is not running")
            known = kind in self._kept
        informer = self.informer(kind)
        if informer.synced.is_set():
            return informer
        if not known:
            log.info("%s is read for the first time, and will be watched from now on", kind.__name__)
        stop = stop or ambient_stop() or Stop()
        if not wait_for_cache_sync(informer, timeout=timeout, stop=stop, clock=self._clock):
            if stop.is_set():
                raise stopped(stop, f"waiting for the cache of {kind.__name__}")
            raise WaitTimeout(f"the cache of {kind.__name__} has not synced within {timeout:g}s")
        return informer

    def debug_state(self) -> Mapping[str, Any]:
        """What every informer is up to."""
        with self._lock:
            informers = {kind.__name__: kept.informer for kind, kept in self._kept.items()}
        return {name: informer.debug_state() for name, informer in informers.items()}

    def __repr__(self) -> str:
        with self._lock:
            state = "running" if self._running else "stopped" if self._over else "not started"
            return f"<Cache of {', '.join(kind.__name__ for kind in self._kept) or 'nothing'}: {state}>"


def _index_name(field: str) -> str:
    return f"field:{field}"
