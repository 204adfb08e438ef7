"""A store with indices: objects found by what user functions say of them.

    pods = Indexer(kind=Pod, indexers={"node": lambda pod: [pod.spec.node_name]})
    pods.by_index("node", "node-1")

A query costs as much as its result, not as the store. Index functions run before the lock is taken, on objects of
their own, once for each object that is written; what they said is remembered, so an old object is never asked again.

Contract: CACHE-18 to CACHE-30.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from k8srt.errors import K8srtError
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.keys import KeyFunc, meta_namespace_key, on_records, reads_records, require_metadata
from k8srt.tools.cache.store import GONE, Change, Store

T = TypeVar("T")

IndexFunc = Callable[[Any], Iterable[str]]
Indexers = Mapping[str, IndexFunc]

NAMESPACE_INDEX = "namespace"


class IndexFuncError(K8srtError):
    """An index function failed for an object, which was not stored. Contract: CACHE-19."""


class NoSuchIndex(K8srtError, LookupError):
    """A query by an index that the store does not have. Contract: CACHE-21."""


@on_records
def meta_namespace_index(obj: Any) -> tuple[str, ...]:
    """The namespace, "" for objects without one. Raises NoMetadata. Contract: CACHE-27."""
    return (require_metadata(obj).namespace or "",)


def label_index(label: str) -> IndexFunc:
    """An index function: the value of a label, nothing for objects that lack it. Reads records, decodes nothing."""

    @on_records
    def values(obj: Any) -> tuple[str, ...]:
        labels = require_metadata(obj).labels
        value = labels.get(label) if labels else None
        return () if value is None else (value,)

    return values


class _Index:
    """One index: which keys are found under a value, and under which values a key is found."""

    __slots__ = ("func", "keys", "name", "raw", "values")

    def __init__(self, name: str, func: IndexFunc) -> None:
        self.name = name
        self.func = func
        self.raw = reads_records(func)
        self.values: dict[str, tuple[str, ...]] = {}
        self.keys: dict[str, set[str]] = {}

    def empty(self) -> _Index:
        return _Index(self.name, self.func)

    def move(self, key: str, new: tuple[str, ...]) -> None:
        """Let `key` be found under the values `new` and no others."""
        old = self.values.get(key, ())
        if old == new:
            return
        for value in old:
            if value not in new:
                found = self.keys[value]
                found.discard(key)
                if not found:
                    del self.keys[value]
        for value in new:
            if value not in old:
                self.keys.setdefault(value, set()).add(key)
        if new:
            self.values[key] = new
        else:
            del self.values[key]


Prepared = list[list[tuple[str, ...]]]
"""For each index, the values of each change."""


class Indexer(Store[T]):
    """See the module."""

    def __init__(
        self,
        key_func: KeyFunc = meta_namespace_key,
        indexers: Indexers | None = None,
        *,
        kind: type[T] | None = None,
        transformer: Transform | None = None,
    ) -> None:
        super().__init__(key_func, kind=kind, transformer=transformer)
        self._indices: tuple[_Index, ...] = tuple(_Index(name, func) for name, func in (indexers or {}).items())

    # ---- queries --------------------------------------------------------------------------------------------------

    def by_index(self, name: str, value: str) -> list[T]:
        """The objects under `value`, in no particular order. Raises NoSuchIndex."""
        return self.form.thaw_all(self.kept_by_index(name, value))

    def index_keys(self, name: str, value: str) -> list[str]:
        """The keys under `value`, sorted. Raises NoSuchIndex."""
        with self._lock:
            return sorted(self._index_locked(name).keys.get(value, ()))

    def index(self, name: str, obj: Any) -> list[T]:
        """The objects that share a value with `obj`, which need not be stored. Raises what the function raises."""
        with self._lock:
            func = self._index_locked(name).func
        values = tuple(func(obj))
        with self._lock:
            index = self._index_locked(name)
            keys = {key for value in values for key in index.keys.get(value, ())}
            found = [self._items[key] for key in keys]
        return self.form.thaw_all(found)

    def list_index_func_values(self, name: str) -> list[str]:
        """The values that objects are found under now; none for an unknown index. Contract: CACHE-24."""
        with self._lock:
            return next((list(index.keys) for index in self._indices if index.name == name), [])

    def get_indexers(self) -> Mapping[str, IndexFunc]:
        """The index functions by name."""
        with self._lock:
            return MappingProxyType({index.name: index.func for index in self._indices})

    def has_index(self, name: str) -> bool:
        with self._lock:
            return any(index.name == name for index in self._indices)

    def kept_by_index(self, name: str, value: str) -> list[Any]:
        """As `by_index`, as they are kept."""
        with self._lock:
            items = self._items
            return [items[key] for key in self._index_locked(name).keys.get(value, ())]

    def index_error(self, key: str, kept: Any) -> IndexFuncError | None:
        """Why something could not be stored: the error of the index function that fails for it; None if it can."""
        try:
            self._prepare(self._indices, [(key, kept)])
        except IndexFuncError as err:
            return err
        return None

    def _index_locked(self, name: str) -> _Index:
        for index in self._indices:
            if index.name == name:
                return index
        raise NoSuchIndex(f"Index with name {name} does not exist")

    # ---- changes --------------------------------------------------------------------------------------------------

    def add_indexers(self, indexers: Indexers) -> None:
        """Add indices; what is stored is indexed before this returns.

        Raises ValueError, adding nothing, when a name is taken, and IndexFuncError. Contract: CACHE-25.
        """
        new = [_Index(name, func) for name, func in indexers.items()]
        seen: dict[str, Any] = {}
        while True:
            with self._lock:
                self._refuse_conflicts_locked(new)
                changes = [(key, kept) for key, kept in self._items.items() if seen.get(key, GONE) is not kept]
                changes += [(key, GONE) for key in seen if key not in self._items]
                if not changes:
                    self._indices = (*self._indices, *new)
                    return
            # What was written meanwhile is looked at in the next round: user code never runs under the lock.
            for index, values in zip(new, self._prepare(new, changes), strict=True):
                for (key, _), each in zip(changes, values, strict=True):
                    index.move(key, each)
            for key, kept in changes:
                if kept is GONE:
                    del seen[key]
                else:
                    seen[key] = kept

    def _refuse_conflicts_locked(self, new: Sequence[_Index]) -> None:
        taken = {index.name for index in self._indices} & {index.name for index in new}
        if taken:
            raise ValueError(f"indexer conflict: {', '.join(sorted(taken))}")

    def apply(self, changes: Sequence[Change], version: str | None = None) -> list[Any]:
        while True:
            indices = self._indices
            prepared = self._prepare(indices, changes)
            with self._lock:
                if indices is not self._indices:
                    continue  # an index was added meanwhile
                for index, values in zip(indices, prepared, strict=True):
                    for (key, _), each in zip(changes, values, strict=True):
                        index.move(key, each)
                return self._apply_locked(changes, version)

    def swap(self, items: dict[str, Any], version: str) -> dict[str, Any]:
        while True:
            indices = self._indices
            prepared = self._prepare(indices, list(items.items()))
            fresh = tuple(index.empty() for index in indices)
            for index, values in zip(fresh, prepared, strict=True):
                for key, each in zip(items, values, strict=True):
                    index.move(key, each)
            with self._lock:
                if indices is not self._indices:
                    continue
                self._indices = fresh
                old, self._items, self._version = self._items, items, version
                return old

    def _prepare(self, indices: Sequence[_Index], changes: Sequence[Change]) -> Prepared:
        return [[self._values(index, key, kept) for key, kept in changes] for index in indices]

    def _values(self, index: _Index, key: str, kept: Any) -> tuple[str, ...]:
        if kept is GONE:
            return ()
        try:
            found = index.func(kept if index.raw else self.form.thaw(kept))
            if type(found) is tuple and len(found) < 2:
                return found
            return tuple(dict.fromkeys(value or "" for value in found))  # a field that is absent is "", as in Go
        except Exception as err:
            what = f"unable to calculate an index entry for key {key!r} on index {index.name!r}"
            raise IndexFuncError(f"{what}: {err}") from err


def new_indexer(
    key_func: KeyFunc = meta_namespace_key, indexers: Indexers | None = None, *, kind: type[T] | None = None
) -> Indexer[T]:
    return Indexer(key_func, indexers, kind=kind)
