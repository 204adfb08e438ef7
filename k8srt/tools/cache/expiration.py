"""A store that forgets what it was told too long ago.

Nothing runs in the background: whoever meets an entry that has expired takes it out. (`cachetools.TTLCache` takes
an entry for expired when its age *reaches* the limit, and hides it from its keys; here it must *exceed* it, and the
keys are listed as they are.) Contract: CACHE-68.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, TypeVar

from k8srt.tools.cache.keys import KeyFunc, meta_namespace_key
from k8srt.tools.cache.store import GONE, Change, Store
from k8srt.util.clock import SYSTEM, Clock

T = TypeVar("T")


class ExpirationCache(Store[T]):
    """See the module. `ttl` in seconds; 0 or less for ever. Thread-safe."""

    def __init__(
        self,
        key_func: KeyFunc = meta_namespace_key,
        *,
        ttl: float,
        kind: type[T] | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        super().__init__(key_func, kind=kind)
        self._ttl = ttl
        self._clock = clock
        self._stamps: dict[str, float] = {}  # when each was written; guarded by the lock of the store

    def get_by_key(self, key: str) -> T | None:
        """The object under `key`, or None, also when it has expired. Never fails."""
        kept = self.peek(key)
        return None if kept is GONE else self.form.thaw(kept)

    def peek(self, key: str) -> Any:
        with self._lock:
            self._expire_locked([key])
            return self._items.get(key, GONE)

    def kept(self) -> builtins.list[Any]:
        with self._lock:
            self._expire_locked(list(self._items))
            return list(self._items.values())

    def swap(self, items: dict[str, Any], version: str) -> dict[str, Any]:
        now = self._clock.now()
        with self._lock:
            old, self._items, self._version = self._items, items, version
            self._stamps = dict.fromkeys(items, now)
            return old

    def _apply_locked(self, changes: Sequence[Change], version: str | None) -> builtins.list[Any]:
        now = self._clock.now()
        for key, kept in changes:
            if kept is GONE:
                self._stamps.pop(key, None)
            else:
                self._stamps[key] = now
        return super()._apply_locked(changes, version)

    def _expire_locked(self, keys: Sequence[str]) -> None:
        if self._ttl <= 0.0:
            return
        last = self._clock.now() - self._ttl
        for key in keys:
            if self._stamps.get(key, last) < last:
                del self._items[key], self._stamps[key]


def new_ttl_store(
    key_func: KeyFunc = meta_namespace_key, ttl: float = 0.0, *, kind: type[T] | None = None, clock: Clock = SYSTEM
) -> ExpirationCache[T]:
    """An `ExpirationCache`."""
    return ExpirationCache(key_func, ttl=ttl, kind=kind, clock=clock)
