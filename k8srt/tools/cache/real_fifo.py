"""A queue of changes in the order they came: nothing is merged, nothing is dropped.

Each change is an item of its own, also across keys. In *atomic* mode a `replace` is a single item with the whole new
content, and a `resync` a single one without any: the consumer works out, against its store as it is then, what they
mean. So the queue needs not know what the consumer knows, and may let go of its lock while a batch is processed.

Transforms and key functions run before the lock is taken.

Contract: CACHE-49 to CACHE-59.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from k8srt.errors import QueueClosed
from k8srt.tools.cache.admission import Admission, Keyed
from k8srt.tools.cache.delta import (
    ADDED,
    BOOKMARK,
    DELETED,
    REPLACED,
    REPLACED_ALL,
    SYNC,
    SYNC_ALL,
    UPDATED,
    BookmarkInfo,
    Delta,
    Deltas,
    ReplacedAllInfo,
    SyncAllInfo,
)
from k8srt.tools.cache.forms import Form, Transform
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, KeyFunc, meta_namespace_key
from k8srt.tools.cache.known import look_up
from k8srt.tools.cache.queue import BATCH_SIZE, KnownObjects, Pending, Process, ProcessBatch
from k8srt.tools.cache.store import GONE
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch

log = logging.getLogger(__name__)

T = TypeVar("T")

CLOSED = "RealFIFO: manipulating with closed queue"
SLOW, SLOW_AT_MOST = 0.1, 1.0
"""Seconds a change may take, and a batch of whatever size, before it is logged while others wait."""
MANY = 10

_WHOLE = (REPLACED_ALL, SYNC_ALL, BOOKMARK)
_ALONE = ""
"""The key of items that concern the whole content."""


class RealFIFO(Generic[T]):
    """See the module. Thread-safe; of several that pop at once, one is served at a time.

    Without `atomic`, `known_objects` is the consumer's store, and the consumer's process function runs while the queue
    is locked. With it, `unlock_while_processing` lets others add meanwhile, as long as fewer than two batches wait, and
    `emit_bookmarks` passes bookmarks on. Raises ValueError for a combination that makes no sense: CACHE-52.
    """

    def __init__(
        self,
        key_func: KeyFunc = meta_namespace_key,
        *,
        known_objects: KnownObjects | None = None,
        atomic: bool = False,
        unlock_while_processing: bool = False,
        emit_bookmarks: bool = False,
        transformer: Transform | None = None,
        kind: type[T] | None = None,
        name: str = "",
        batch_size: int = BATCH_SIZE,
        clock: Clock = SYSTEM,
    ) -> None:
        _check_options(known_objects, atomic, unlock_while_processing, emit_bookmarks)
        self.name = f"RealFIFO {name}" if name else "RealFIFO"
        self.synced = Latch()
        self.form: Form[T] = Form(kind)
        self._admission = Admission(self.form, key_func, transformer)
        self._known = known_objects
        self._atomic = atomic
        self._unlocks = unlock_while_processing
        self._bookmarks = emit_bookmarks
        self._batch_size = batch_size
        self._clock = clock
        self._popping = threading.Lock()  # held by the one that pops; taken before _cond
        self._cond = threading.Condition()  # guards all below; re-entrant, since `process` may run while it is held
        self._items: deque[Keyed] = deque()
        self._populated = False
        self._initial = 0  # items of the first replace that are still to be processed
        self._closed = False

    # ---- putting in -----------------------------------------------------------------------------------------------

    def add(self, obj: T) -> None:
        """Queue that an object is there. Raises CacheKeyError, TransformError; then nothing is queued."""
        self._put(ADDED, obj)

    def update(self, obj: T) -> None:
        """Queue that an object has changed. Raises as `add`."""
        self._put(UPDATED, obj)

    def delete(self, obj: Any) -> None:
        """Queue that an object, or what a tombstone stands for, is gone, whether or not anybody knew it: CACHE-50."""
        self._put(DELETED, obj)

    def _put(self, kind: Any, obj: Any) -> None:
        failed = self.extend([Delta(kind, obj)])
        if failed:
            raise failed[0][1]

    def extend(self, changes: Sequence[Delta]) -> Sequence[tuple[Any, Exception]]:
        """Queue additions, updates and deletions in one go. Those that fail are returned, each with its error."""
        admitted, failed = self._admission.admit_all(changes)
        if admitted:
            with self._adding() as items:
                items += admitted
                self._populated = True
        return failed

    def replace(self, items: Iterable[T], resource_version: str = "", *, transformed: bool = False) -> None:
        """Queue a whole new content. Of what is gone without a word, the deletions come before it: CACHE-51, CACHE-53.

        `transformed` says that the items have been through the transformer already. Raises CacheKeyError,
        TransformError; then nothing is queued.
        """
        admit = self._admission.admit
        listed = [admit(Delta(REPLACED, obj), transformed=transformed) for obj in items]
        with self._adding() as queued:
            if self._atomic:
                content = ReplacedAllInfo(resource_version, [delta.object for _, delta in listed])
                queued.append(Keyed(_ALONE, Delta(REPLACED_ALL, content)))
            else:
                queued += self._buried_locked({key for key, _ in listed})
                queued += listed
            if not self._populated:
                self._populated = True
                self._initial = len(queued)

    def _buried_locked(self, listed: set[str]) -> list[Keyed]:
        """Tombstones of what is queued or known and not listed."""
        newest = dict(self._items)  # later ones win, and a key keeps its first place
        gone = []
        for key, (kind, kept) in newest.items():
            if key not in listed and kind is not DELETED:
                gone.append((key, kept))
        known = self._known.list_keys() if self._known is not None else []
        for key in known:
            if key not in listed and key not in newest:
                found = look_up(self._known, key, self.form, self.name)
                gone.append((key, None if found is GONE else found))
        return [Keyed(key, Delta(DELETED, DeletedFinalStateUnknown(key, last))) for key, last in gone]

    def resync(self) -> None:
        """Queue that everything is to be shown again; without atomic mode, each known object with nothing queued."""
        with self._adding() as items:
            if self._atomic:
                items.append(Keyed(_ALONE, Delta(SYNC_ALL, SyncAllInfo())))
                return
            queued = {key for key, _ in items}
            for key in self._known.list_keys() if self._known is not None else ():
                if key not in queued and (known := look_up(self._known, key, self.form, self.name)) is not GONE:
                    items.append(Keyed(key, Delta(SYNC, known)))

    def bookmark(self, resource_version: str) -> None:
        """Queue that everything up to this version has been seen, if bookmarks are wanted. Contract: CACHE-54."""
        if self._bookmarks:
            with self._adding() as items:
                items.append(Keyed(_ALONE, Delta(BOOKMARK, BookmarkInfo(resource_version))))

    @contextlib.contextmanager
    def _adding(self) -> Iterator[deque[Keyed]]:
        with self._cond:
            yield self._items
            settled = self._settled_locked()
            self._cond.notify()
        if settled:
            self.synced.set()

    # ---- taking out -----------------------------------------------------------------------------------------------

    def pop(self, process: Process) -> Deltas:
        """Wait for the next change, call `process([delta], is_in_initial_list)`, and return the list.

        What `process` raises is raised; the change is gone then, too. Raises QueueClosed once the queue is closed and
        empty. Contract: CACHE-50, CACHE-58.
        """
        thawed: list[Deltas] = []

        def one(batch: Sequence[Pending], initial: bool) -> None:
            thawed.append([self._thawed(delta) for delta in batch[0].deltas])
            process(thawed[0], initial)

        self.pop_batch(one, 1)
        return thawed[0]

    def _thawed(self, delta: Delta) -> Delta:
        if delta.type is REPLACED_ALL:
            version, objects = delta.object
            return Delta(delta.type, ReplacedAllInfo(version, self.form.thaw_all(list(objects))))
        return Delta(delta.type, self.form.thaw(delta.object))

    def pop_batch(self, process: ProcessBatch, limit: int = BATCH_SIZE) -> int:
        """The same for whatever waits, at most `limit` changes of different keys, as they are kept; returns how many.

        A batch lies either within the initial list or after it; what concerns the whole content comes alone. The
        queue counts as synced when the last of the initial list has been processed. Contract: CACHE-55 to CACHE-57.
        """
        with self._popping:
            settled = False
            try:
                with self._cond:
                    self._wait_locked()
                    initial = not self._settled_locked()
                    batch = self._take_locked(min(limit, self._batch_size))
                    try:
                        with self._unlocked() if self._may_unlock_locked() else contextlib.nullcontext():
                            self._process(process, batch, initial)
                    finally:
                        self._initial = max(self._initial - len(batch), 0)
                        settled = self._settled_locked()
            finally:
                if settled:
                    self.synced.set()
            return len(batch)

    def _wait_locked(self) -> None:
        while not self._items:
            if self._closed:
                raise QueueClosed(CLOSED)
            self._clock.wait(self._cond, None)

    def _take_locked(self, limit: int) -> list[Pending]:
        items, room = self._items, min(limit, self._initial or limit)
        batch: list[Pending] = []
        seen: set[str] = set()
        while items and len(batch) < room:
            key, delta = items[0]
            if key in seen or (batch and delta.type in _WHOLE):
                break
            items.popleft()
            seen.add(key)
            batch.append(Pending(key, [delta]))
            if delta.type in _WHOLE:
                break
        return batch

    def _may_unlock_locked(self) -> bool:
        """Whether others may add while a batch is processed. Contract: CACHE-57."""
        return self._unlocks and len(self._items) < 2 * self._batch_size

    @contextlib.contextmanager
    def _unlocked(self) -> Iterator[None]:
        self._cond.release()
        try:
            yield
        finally:
            self._cond.acquire()

    def _process(self, process: ProcessBatch, batch: Sequence[Pending], initial: bool) -> None:
        started = self._clock.now()
        try:
            process(batch, initial)
        finally:
            took = self._clock.now() - started
            if took > min(SLOW * len(batch), SLOW_AT_MOST) and len(self) > MANY:
                log.info("%s: processing %d took %.3fs while %d wait", self.name, len(batch), took, len(self))

    def close(self) -> None:
        """Let `pop` fail once the queue is empty. What is queued is still delivered. Twice is fine."""
        with self._cond:
            self._closed = True
            self._cond.notify_all()

    # ---- asking ---------------------------------------------------------------------------------------------------

    def has_synced(self) -> bool:
        """Whether the first `replace` has been processed, or something else came before it. Contract: CACHE-55."""
        with self._cond:
            return self._settled_locked()

    def _settled_locked(self) -> bool:
        return self._populated and self._initial == 0

    def is_closed(self) -> bool:
        with self._cond:
            return self._closed

    def transformer(self) -> Transform | None:
        """The user's transform, so that what fills the queue can prepare things in the same way."""
        return self._admission.transform

    def __len__(self) -> int:
        with self._cond:
            return len(self._items)

    def debug_state(self) -> Mapping[str, Any]:
        """What this is up to: changes that wait, which longest, those of the initial list, synced, closed."""
        with self._cond:
            oldest = (self._items[0][0] or str(self._items[0][1].type)) if self._items else None
            return {
                "name": self.name,
                "changes": len(self._items),
                "oldest": oldest,
                "initial": self._initial,
                "synced": self._settled_locked(),
                "closed": self._closed,
            }

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self)} changes>"


def _check_options(known: KnownObjects | None, atomic: bool, unlocks: bool, bookmarks: bool) -> None:
    if atomic and known is not None:
        raise ValueError("an atomic RealFIFO takes no known_objects: its consumer knows")
    if not atomic and known is None:
        raise ValueError("a RealFIFO needs known_objects unless it is atomic")
    if not atomic and (unlocks or bookmarks):
        raise ValueError("unlock_while_processing and emit_bookmarks need an atomic RealFIFO")
