"""A store as it will be once it has heard of what its user has just written.

A controller that creates or updates an object tells this cache, and reads through it; until the informer has caught
up, it sees its own writes. What it wrote is kept for a while only, and only the last so many.

    seen = MutationCache(informer.indexer, ttl=60.0, include_adds=True)
    seen.mutation(pods.update(pod))
    seen.get_by_key("default/web-0")

Contract: CACHE-71 to CACHE-73.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from cachetools import TTLCache

from k8srt.tools.cache.indexer import Indexer, NoSuchIndex
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, metadata_of
from k8srt.tools.cache.store import GONE, Store
from k8srt.util.clock import SYSTEM, Clock

T = TypeVar("T")

SIZE = 100
TTL = 300.0


class _Written(NamedTuple):
    """An entry: what was written, GONE for a deletion, with its version as a number."""

    kept: Any
    version: int
    uid: str


class MutationCache(Generic[T]):
    """See the module. Thread-safe.

    `backing` is the store, `indexer` (which may be the same) answers `by_index`. What was written is kept for `ttl`
    seconds, and the last `size` of it, by use. With `include_adds` an object counts that the store does not have yet.
    """

    def __init__(
        self,
        backing: Store[T],
        indexer: Indexer[T] | None = None,
        *,
        ttl: float = TTL,
        include_adds: bool = False,
        size: int = SIZE,
        clock: Clock = SYSTEM,
    ) -> None:
        self._backing = backing
        self._indexer = indexer
        self._include_adds = include_adds
        self._form = backing.form
        self._lock = threading.Lock()  # guards _written
        self._written: TTLCache[str, _Written] = TTLCache(size, ttl, timer=clock.now)

    # ---- reading --------------------------------------------------------------------------------------------------

    def get_by_key(self, key: str) -> T | None:
        """The newer of what is stored and what was written; None if it is not stored, unless `include_adds`."""
        kept = self._newest(key)
        return None if kept is GONE else self._form.thaw(kept)

    def by_index(self, name: str, value: str) -> list[T]:
        """The objects under `value`, with what was written in place of what is stored. Raises NoSuchIndex."""
        if self._indexer is None:
            raise NoSuchIndex(f"no index {name}: this mutation cache was made without an indexer")
        keys = self._indexer.index_keys(name, value)
        found = [self._newest(key) for key in keys]
        if self._include_adds:
            found += self._added(name, value, set(keys))
        return self._form.thaw_all([kept for kept in found if kept is not GONE])

    def _added(self, name: str, value: str, found: set[str]) -> list[Any]:
        """What was written and belongs there, though the index does not know it yet."""
        func: Callable[[Any], Any] = self._indexer.get_indexers()[name]  # type: ignore[union-attr]
        with self._lock:
            written = [(key, entry.kept) for key, entry in self._written.items() if key not in found]
        newest = [kept for key, kept in written if kept is not GONE and self._newest(key) is kept]
        return [kept for kept in newest if value in func(self._form.thaw(kept))]

    def _newest(self, key: str) -> Any:
        stored = self._backing.peek(key)
        with self._lock:
            written = self._written.get(key)
            if written is None or written.kept is GONE:
                return stored
            if stored is GONE:
                return written.kept if self._include_adds else GONE
            if written.version > _facts(stored).version:
                return written.kept
            del self._written[key]  # the store has caught up
            return stored

    # ---- writing --------------------------------------------------------------------------------------------------

    def mutation(self, obj: T) -> None:
        """Tell what a write has returned. Older than what was told before, or of a deleted object, it is ignored.

        Raises CacheKeyError.
        """
        kept = self._form.freeze(obj)
        key, new = self._backing.key_of(kept), _facts(kept)
        with self._lock:
            known = self._written.get(key)
            if known is not None and not _supersedes(new, known):
                return
            self._written[key] = new

    def on_add_or_update(self, obj: T) -> None:
        """Tell what the informer has heard: what was written is forgotten unless it is newer. Raises CacheKeyError."""
        kept = self._form.freeze(obj)
        key, heard = self._backing.key_of(kept), _facts(kept)
        with self._lock:
            known = self._written.get(key)
            if known is not None and known.kept is not GONE and known.version <= heard.version:
                del self._written[key]

    def on_delete(self, obj: Any) -> None:
        """Tell what the informer has heard to be gone: no late write of it comes back. Also takes tombstones.

        Raises CacheKeyError.
        """
        kept = self._form.freeze(obj)
        key = self._backing.key_of(kept)
        last = _facts(kept.obj if isinstance(kept, DeletedFinalStateUnknown) else kept)
        with self._lock:
            known = self._written.get(key)
            if known is None or known.version <= last.version or known.uid == last.uid:
                self._written[key] = last._replace(kept=GONE)

    def __repr__(self) -> str:
        with self._lock:
            return f"<MutationCache of {len(self._written)} over {self._backing!r}>"


def _facts(kept: Any) -> _Written:
    """The version, as a number, and the uid of something; an empty version is 0."""
    meta = metadata_of(kept)
    if meta is None:
        return _Written(kept, 0, "")
    version = meta.resource_version or ""
    return _Written(kept, int(version) if version.isascii() and version.isdigit() else 0, meta.uid or "")


def _supersedes(new: _Written, known: _Written) -> bool:
    if known.kept is GONE:
        return new.version > known.version and new.uid != known.uid
    return new.version >= known.version
