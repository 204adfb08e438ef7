"""A queue of changes, collected by key: what informers run on.

Whatever happens to a key while it waits is appended to its entry, and the entry keeps its place; so a consumer that
falls behind handles a busy object once, and sees all that happened to it. The queue knows, from the consumer's store,
what was there before: a `replace` queues the deletions that nobody saw.

Transforms and key functions run before the lock is taken; the consumer's process function runs while it is held, so
that whatever asks for known objects finds each either queued or processed.

Contract: CACHE-34 to CACHE-48, CACHE-75, CACHE-76.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from k8srt.errors import CacheKeyError, QueueClosed
from k8srt.tools.cache.admission import Admission
from k8srt.tools.cache.delta import ADDED, DELETED, REPLACED, SYNC, UPDATED, Delta, Deltas
from k8srt.tools.cache.forms import Form, Transform
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, KeyFunc, meta_namespace_key
from k8srt.tools.cache.known import look_up
from k8srt.tools.cache.queue import BATCH_SIZE, KnownObjects, Pending, Process, ProcessBatch
from k8srt.tools.cache.store import GONE
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch

T = TypeVar("T")
CLOSED = "DeltaFIFO: manipulating with closed queue"


class DeltaFIFO(Generic[T]):
    """See the module. Thread-safe.

    `known_objects` is the consumer's store, `kind` the class of what `process` gets. `emit_delta_type_replaced` tells
    a relist from a resync; without it both are `Sync`, as long ago.
    """

    def __init__(
        self,
        key_func: KeyFunc = meta_namespace_key,
        *,
        known_objects: KnownObjects | None = None,
        emit_delta_type_replaced: bool = False,
        transformer: Transform | None = None,
        kind: type[T] | None = None,
        name: str = "",
        clock: Clock = SYSTEM,
    ) -> None:
        self.name = f"DeltaFIFO {name}" if name else "DeltaFIFO"
        self.synced = Latch()
        self.form: Form[T] = Form(kind)
        self._admission = Admission(self.form, key_func, transformer)
        self._known = known_objects
        self._replaced = REPLACED if emit_delta_type_replaced else SYNC
        self._clock = clock
        self._cond = threading.Condition()  # guards all below; re-entrant, since `process` runs while it is held
        self._items: dict[str, Deltas] = {}
        self._order: deque[str] = deque()  # the keys of _items, each once, first queued first
        self._populated = False
        self._initial = 0  # keys of the first replace that are still to be popped
        self._closed = False

    # ---- putting in -----------------------------------------------------------------------------------------------

    def add(self, obj: T) -> None:
        """Queue that an object is there. Raises CacheKeyError, TransformError; then nothing is queued."""
        self._put(ADDED, obj)

    def update(self, obj: T) -> None:
        """Queue that an object has changed. Raises as `add`."""
        self._put(UPDATED, obj)

    def delete(self, obj: Any) -> None:
        """Queue that an object, or what a tombstone stands for, is gone; nothing if nobody knows it. CACHE-37."""
        self._put(DELETED, obj)

    def _put(self, kind: Any, obj: Any) -> None:
        failed = self.extend([Delta(kind, obj)])
        if failed:
            raise failed[0][1]

    def extend(self, changes: Sequence[Delta]) -> Sequence[tuple[Any, Exception]]:
        """Queue additions, updates and deletions in one go. Those that fail are returned, each with its error."""
        admitted, failed = self._admission.admit_all(changes)
        with self._cond:
            for key, delta in admitted:
                self._append_locked(key, delta)
            settled = self._settled_locked()
            self._cond.notify()
        if settled:
            self.synced.set()
        return failed

    def _append_locked(self, key: str, delta: Delta) -> None:
        self._populated = True
        if delta.type is DELETED and key not in self._items and not self._knows(key):
            return
        self._queue_locked(key, delta)

    def _queue_locked(self, key: str, delta: Delta) -> None:
        deltas = self._items.get(key)
        if deltas is None:
            self._items[key] = [delta]
            self._order.append(key)
        elif delta.type is DELETED and deltas[-1].type is DELETED:  # of two, the one that knows more: CACHE-36
            if isinstance(deltas[-1].object, DeletedFinalStateUnknown):
                deltas[-1] = delta
        else:
            deltas.append(delta)

    def replace(self, items: Iterable[T], resource_version: str = "", *, transformed: bool = False) -> None:
        """Queue a whole new content, and the deletion of all that is queued or known and not in it: CACHE-39.

        `transformed` says that the items have been through the transformer already. Raises CacheKeyError,
        TransformError; then nothing is queued.
        """
        admit = self._admission.admit
        admitted = [admit(Delta(self._replaced, obj), transformed=transformed) for obj in items]
        listed = {key for key, _ in admitted}
        with self._cond:
            for key, delta in admitted:
                self._queue_locked(key, delta)
            gone = self._bury_queued_locked(listed) + self._bury_known_locked(listed)
            if not self._populated:
                self._populated = True
                self._initial = len(listed) + gone
            settled = self._settled_locked()
            self._cond.notify()
        if settled:
            self.synced.set()

    def _bury_queued_locked(self, listed: set[str]) -> int:
        lost = [key for key in self._items if key not in listed]
        for key in lost:
            newest = self._items[key][-1].object
            last = newest.obj if isinstance(newest, DeletedFinalStateUnknown) else newest
            self._queue_locked(key, Delta(DELETED, DeletedFinalStateUnknown(key, last)))
        return len(lost)

    def _bury_known_locked(self, listed: set[str]) -> int:
        if self._known is None:
            return 0
        lost = [key for key in self._known.list_keys() if key not in listed and key not in self._items]
        for key in lost:
            known = self._look_up(key)
            last = None if known is GONE else known
            self._queue_locked(key, Delta(DELETED, DeletedFinalStateUnknown(key, last)))
        return len(lost)

    def resync(self) -> None:
        """Queue every known object again that has nothing queued. Contract: CACHE-42."""
        with self._cond:
            if self._known is None:
                return
            for key in self._known.list_keys():
                if key not in self._items and (known := self._look_up(key)) is not GONE:
                    self._queue_locked(key, Delta(SYNC, known))
            self._cond.notify()

    def _knows(self, key: str) -> bool:
        return self._known is not None and self._look_up(key) is not GONE

    def _look_up(self, key: str) -> Any:
        return look_up(self._known, key, self.form, self.name)

    def bookmark(self, resource_version: str) -> None:
        """Of no concern to a queue that is ordered by key."""

    # ---- taking out -----------------------------------------------------------------------------------------------

    def pop(self, process: Process) -> Deltas:
        """Wait for the next key, call `process(deltas, is_in_initial_list)`, and return the deltas.

        What `process` raises is raised; the deltas are gone then, too. Raises QueueClosed once the queue is closed
        and empty. Contract: CACHE-45 to CACHE-47.
        """
        thawed: list[Deltas] = []

        def one(batch: Sequence[Pending], initial: bool) -> None:
            thaw = self.form.thaw
            thawed.append([Delta(kind, thaw(kept)) for kind, kept in batch[0].deltas])
            process(thawed[0], initial)

        self.pop_batch(one, 1)
        return thawed[0]

    def pop_batch(self, process: ProcessBatch, limit: int = BATCH_SIZE) -> int:
        """The same for whatever waits, at most `limit` keys, with things as they are kept; returns how many keys.

        A batch lies either within the initial list or after it.
        """
        settled = False
        try:
            with self._cond:
                self._wait_locked()
                batch, initial = self._take_locked(limit)
                try:
                    process(batch, initial)
                finally:
                    settled = self._settled_locked()
        finally:
            if settled:
                self.synced.set()
        return len(batch)

    def _wait_locked(self) -> None:
        while not self._order:
            if self._closed:
                raise QueueClosed(CLOSED)
            self._clock.wait(self._cond, None)

    def _take_locked(self, limit: int) -> tuple[list[Pending], bool]:
        initial = self._initial > 0
        count = min(limit, len(self._order), self._initial or limit)
        if count == len(self._order):
            items, self._items = self._items, {}  # a dict keeps the order in which keys came: that of _order
            self._order.clear()
            batch = list(map(Pending._make, items.items()))
        else:
            keys = [self._order.popleft() for _ in range(count)]
            batch = [Pending(key, self._items.pop(key)) for key in keys]
            self._cond.notify()  # there is more, for whoever else pops
        if initial:
            self._initial -= count
        return batch, initial

    def close(self) -> None:
        """Let `pop` fail once the queue is empty. What is queued is still delivered. Twice is fine."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()

    # ---- asking ---------------------------------------------------------------------------------------------------

    def has_synced(self) -> bool:
        """Whether the first `replace` has been popped, or something else came before it. Contract: CACHE-43."""
        with self._cond:
            return self._settled_locked()

    def _settled_locked(self) -> bool:
        return self._populated and self._initial == 0

    def is_closed(self) -> bool:
        with self._cond:
            return self._closed

    def key_of(self, obj: Any) -> str:
        """The key of an object, a tombstone, or of the newest of some deltas. Raises CacheKeyError: CACHE-38."""
        if isinstance(obj, list):
            if not obj:
                raise CacheKeyError(obj, ValueError("0 length Deltas object; can't get key"))
            obj = obj[-1].object
        if isinstance(obj, DeletedFinalStateUnknown):
            return obj.key
        return self._admission.key_of(obj)

    def transformer(self) -> Transform | None:
        """The user's transform, so that what fills the queue can prepare things in the same way: CACHE-48."""
        return self._admission.transform

    def __len__(self) -> int:
        with self._cond:
            return len(self._order)

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: keys and changes that wait, which longest, those of the initial list, synced, closed."""
        with self._cond:
            return {
                "name": self.name,
                "keys": len(self._order),
                "changes": sum(map(len, self._items.values())),
                "oldest": self._order[0] if self._order else None,
                "initial": self._initial,
                "synced": self._settled_locked(),
                "closed": self._closed,
            }

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} keys>"
