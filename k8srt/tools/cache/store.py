"""A keyed collection in memory that any thread may use.

    pods = Store(kind=Pod)
    pods.add(pod)
    pods.get_by_key("default/web-0")      # an object of the caller's own, or None

Reading never fails and never waits for user code: key functions and transforms run before the lock is taken. What is
handed out belongs to the caller; changing it reaches neither the store nor another reader.

Contract: CACHE-08 to CACHE-17.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

from k8srt.errors import K8srtError
from k8srt.tools.cache.forms import Form, Transform
from k8srt.tools.cache.keys import KeyFunc, meta_namespace_key, metadata_of

T = TypeVar("T")

Change = tuple[str, Any]
"""A key, and what is now kept under it: `GONE` for nothing."""


class _Gone:
    def __repr__(self) -> str:
        return "GONE"


GONE: Any = _Gone()
"""Stands for nothing under a key, where None might be a thing that is kept."""


class Op(StrEnum):
    """What one part of a transaction does."""

    ADD = "Add"
    UPDATE = "Update"
    DELETE = "Delete"


class TransactionError(K8srtError):
    """Some operations of a transaction had no effect; the others were applied. Contract: CACHE-16."""

    def __init__(self, errors: Sequence[Exception], successful: Sequence[int], total: int) -> None:
        super().__init__(f"{len(errors)} of {total} operations failed: {'; '.join(map(str, errors))}")
        self.errors = list(errors)
        self.successful_indices = list(successful)
        self.total_transactions = total


class Store(Generic[T]):
    """See the module. `kind` is the class of what is handed out; without it things are kept as they are."""

    def __init__(
        self,
        key_func: KeyFunc = meta_namespace_key,
        *,
        kind: type[T] | None = None,
        transformer: Transform | None = None,
    ) -> None:
        self.form: Form[T] = Form(kind)
        self._key = self.form.key_of(key_func)
        self._transform = transformer
        self._lock = threading.Lock()  # guards all below, and the indices of a subclass
        self._items: dict[str, Any] = {}
        self._version = ""

    # ---- writing --------------------------------------------------------------------------------------------------

    def add(self, obj: T) -> None:
        """Put an object in, in place of what has its key. Raises CacheKeyError, TransformError."""
        key, kept, version = self._admitted(obj, self._transform)
        self.apply([(key, kept)], version)

    update = add

    def delete(self, obj: Any) -> None:
        """Take the object with this key out, also given a tombstone; fine if it is absent. Raises CacheKeyError."""
        kept = self.form.freeze(obj)
        self.apply([(self._key(kept), GONE)], version_of(kept))

    def replace(self, items: Iterable[T], resource_version: str = "", *, transformed: bool = False) -> None:
        """Make this the whole content. Of two items with one key the later counts; `transformed` says that they have
        been through the transformer already.

        Raises CacheKeyError, TransformError; then nothing has changed.
        """
        transform = None if transformed else self._transform
        admitted = {key: kept for key, kept, _ in (self._admitted(item, transform) for item in items)}
        self.swap(admitted, resource_version)

    def transaction(self, *ops: tuple[Op, Any]) -> None:
        """Apply several operations at once; those without a key are left out.

        Raises TransactionError, after the others were applied, when any was left out. Contract: CACHE-16.
        """
        changes: list[Change] = []
        errors: list[Exception] = []
        done: list[int] = []
        version: str | None = None
        for index, (op, obj) in enumerate(ops):
            try:
                change, version = self._planned(op, obj)
            except K8srtError as err:
                errors.append(err)
                continue
            changes.append(change)
            done.append(index)
        if changes:
            self.apply(changes, version)
        if errors:
            raise TransactionError(errors, done, len(ops))

    def _planned(self, op: Op, obj: Any) -> tuple[Change, str | None]:
        if op == Op.DELETE:
            kept = self.form.freeze(obj)
            return (self._key(kept), GONE), version_of(kept)
        key, kept, version = self._admitted(obj, self._transform)
        return (key, kept), version

    def _admitted(self, obj: Any, transform: Transform | None) -> tuple[str, Any, str | None]:
        """Key, kept form and version; the key is that of the object as it came. Contract: CACHE-14."""
        kept = self.form.freeze(obj)
        key = self._key(kept)
        if transform is not None:
            kept = self.form.transformed(transform, kept)
        return key, kept, version_of(kept)

    def resync(self) -> None:
        """Nothing to do: a store is the end of the line. Contract: CACHE-13."""

    def bookmark(self, resource_version: str) -> None:
        """Remember that the content is as of this version."""
        with self._lock:
            self._version = resource_version

    # ---- reading --------------------------------------------------------------------------------------------------

    def get(self, obj: Any) -> T | None:
        """The stored object with the key of `obj`, or None. Raises CacheKeyError."""
        return self.get_by_key(self._key(self.form.freeze(obj)))

    def get_by_key(self, key: str) -> T | None:
        """The object under `key`, or None. Never fails."""
        with self._lock:
            kept = self._items.get(key, GONE)
        return None if kept is GONE else self.form.thaw(kept)

    def list(self) -> builtins.list[T]:
        """All objects, as of one moment, in no particular order."""
        return self.form.thaw_all(self.kept())

    def list_keys(self) -> builtins.list[str]:
        """All keys, as of one moment, in no particular order."""
        with self._lock:
            return list(self._items)

    def last_store_sync_resource_version(self) -> str:
        """The resource version last written: of an object, a list, or a bookmark. Contract: CACHE-15."""
        with self._lock:
            return self._version

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._items

    def __repr__(self) -> str:
        kind = self.form.kind.__name__ if self.form.kind else "objects"
        return f"<{type(self).__name__} of {len(self)} {kind}>"

    # ---- kept things, for the machinery ---------------------------------------------------------------------------

    def transformer(self) -> Transform | None:
        return self._transform

    def key_of(self, kept: Any) -> str:
        """The key of something in kept form. Raises CacheKeyError."""
        return self._key(kept)

    def peek(self, key: str) -> Any:
        """What is kept under `key`, as it is kept; GONE if nothing is."""
        with self._lock:
            return self._items.get(key, GONE)

    def kept(self) -> builtins.list[Any]:
        """Everything as it is kept, as of one moment."""
        with self._lock:
            return list(self._items.values())

    def apply(self, changes: Sequence[Change], version: str | None = None) -> builtins.list[Any]:
        """Make changes under one lock; returns what each took the place of, GONE where there was nothing."""
        with self._lock:
            return self._apply_locked(changes, version)

    def _apply_locked(self, changes: Sequence[Change], version: str | None) -> builtins.list[Any]:
        items = self._items
        olds = []
        for key, kept in changes:
            olds.append(items.get(key, GONE))
            if kept is GONE:
                items.pop(key, None)
            else:
                items[key] = kept
        if version is not None:
            self._version = version
        return olds

    def swap(self, items: dict[str, Any], version: str) -> dict[str, Any]:
        """Make `items` the whole content and return what it was; the store owns the dict from then on."""
        with self._lock:
            old, self._items, self._version = self._items, items, version
            return old


def version_of(kept: Any) -> str | None:
    """The resource version a write of `kept` leaves; None when it has no metadata."""
    meta = metadata_of(kept)
    return None if meta is None else meta.resource_version or ""


def new_store(key_func: KeyFunc = meta_namespace_key, *, kind: type[T] | None = None) -> Store[T]:
    return Store(key_func, kind=kind)
