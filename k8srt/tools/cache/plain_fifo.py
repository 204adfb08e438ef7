"""A queue of objects, the latest state of each: for those who care what there is and not how it came about.

An object that changes while it waits keeps its place; one that is deleted is never seen. Contract: CACHE-66.
"""

from __future__ import annotations

import builtins
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from k8srt.errors import QueueClosed
from k8srt.tools.cache.forms import Form
from k8srt.tools.cache.keys import KeyFunc, meta_namespace_key
from k8srt.util.clock import SYSTEM, Clock

T = TypeVar("T")

CLOSED = "FIFO: manipulating with closed queue"


class FIFO(Generic[T]):
    """See the module. Thread-safe. Key functions run before the lock is taken, `process` of `pop` while it is held."""

    def __init__(
        self, key_func: KeyFunc = meta_namespace_key, *, kind: type[T] | None = None, clock: Clock = SYSTEM
    ) -> None:
        self.form: Form[T] = Form(kind)
        self._key = self.form.key_of(key_func)
        self._clock = clock
        self._cond = threading.Condition()  # guards all below
        self._items: dict[str, Any] = {}
        self._order: deque[str] = deque()  # every key of _items, and keys that were deleted meanwhile
        self._populated = False
        self._initial = 0
        self._closed = False

    def add(self, obj: T) -> None:
        """Queue an object, in place of what waits under its key. Raises CacheKeyError."""
        kept = self.form.freeze(obj)
        key = self._key(kept)
        with self._cond:
            self._populated = True
            if key not in self._items:
                self._order.append(key)
            self._items[key] = kept
            self._cond.notify()

    update = add

    def delete(self, obj: Any) -> None:
        """Forget what waits under the key of `obj`, if anything does. Raises CacheKeyError."""
        key = self._key(self.form.freeze(obj))
        with self._cond:
            self._populated = True
            self._items.pop(key, None)

    def replace(self, items: Iterable[T], resource_version: str = "") -> None:
        """Make this all that waits. Raises CacheKeyError; then nothing has changed."""
        kept = [self.form.freeze(item) for item in items]
        fresh = {self._key(each): each for each in kept}
        with self._cond:
            self._items = fresh
            self._order = deque(fresh)
            if not self._populated:
                self._populated = True
                self._initial = len(fresh)
            self._cond.notify_all()

    def resync(self) -> None:
        """Nothing to do: what is here waits already."""

    def pop(self, process: Callable[[T, bool], object]) -> T:
        """Wait for the next object, call `process(obj, is_in_initial_list)`, and return the object.

        What `process` raises is raised; the object is gone then, too. Raises QueueClosed once the queue is closed and
        empty.
        """
        with self._cond:
            key = self._next_locked()
            obj: T = self.form.thaw(self._items.pop(key))
            try:
                process(obj, not self._settled_locked())
            finally:
                self._initial = max(self._initial - 1, 0)
            return obj

    def _next_locked(self) -> str:
        while True:
            while not self._order:
                if self._closed:
                    raise QueueClosed(CLOSED)
                self._clock.wait(self._cond, None)
            key = self._order.popleft()
            if key in self._items:
                return key
            self._initial = max(self._initial - 1, 0)  # deleted meanwhile

    def close(self) -> None:
        """Let `pop` fail once the queue is empty. What is queued is still delivered. Twice is fine."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()

    def is_closed(self) -> bool:
        with self._cond:
            return self._closed

    def has_synced(self) -> bool:
        """Whether the first `replace` has been processed, or something else came before it."""
        with self._cond:
            return self._settled_locked()

    def _settled_locked(self) -> bool:
        return self._populated and self._initial == 0

    def get(self, obj: Any) -> T | None:
        """What waits under the key of `obj`, or None. Raises CacheKeyError."""
        return self.get_by_key(self._key(self.form.freeze(obj)))

    def get_by_key(self, key: str) -> T | None:
        """What waits under `key`, or None."""
        with self._cond:
            found = self._items.get(key)
        return None if found is None else self.form.thaw(found)

    def list(self) -> builtins.list[T]:
        """All that waits, in no particular order."""
        with self._cond:
            kept = list(self._items.values())
        return self.form.thaw_all(kept)

    def list_keys(self) -> builtins.list[str]:
        with self._cond:
            return list(self._items)

    def __len__(self) -> int:
        with self._cond:
            return len(self._items)

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: keys that wait, those of the initial list, synced, closed."""
        with self._cond:
            state = {"keys": len(self._items), "initial": self._initial, "synced": self._settled_locked()}
            return {**state, "closed": self._closed}

    def __repr__(self) -> str:
        return f"<FIFO: {len(self)} keys>"
