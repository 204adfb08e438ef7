"""What the changes of a queue do to a store, and who is told what.

The store decides, not the change: what it holds already is updated, what it does not is added. A batch is applied
under one lock; then come the notifications, in the order of the changes.

Contract: CACHE-60 to CACHE-65.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from k8srt.tools.cache.delta import BOOKMARK, DELETED, REPLACED_ALL, SYNC_ALL, Delta
from k8srt.tools.cache.handlers import Handler
from k8srt.tools.cache.indexer import Indexer, IndexFuncError
from k8srt.tools.cache.keys import DeletedFinalStateUnknown, metadata_of
from k8srt.tools.cache.queue import Pending
from k8srt.tools.cache.store import GONE, Change, version_of

log = logging.getLogger(__name__)

NOTHING: Any = None
_WHOLE = (REPLACED_ALL, SYNC_ALL, BOOKMARK)


class Notification(NamedTuple):
    """One change as handlers see it, in kept form: added (old is GONE), updated, or deleted (new is GONE)."""

    old: Any
    new: Any
    initial: bool = False

    def is_sync(self) -> bool:
        """Whether nothing has changed: old and new are of one version. Contract: INF-24."""
        if self.old is GONE or self.new is GONE:
            return False
        old, new = metadata_of(self.old), metadata_of(self.new)
        return old is not None and new is not None and (old.resource_version or "") == (new.resource_version or "")

    def tell(self, handler: Handler, thaw: Callable[[Any], Any]) -> None:
        """Call the handler with objects of its own. Raises what it raises."""
        if self.new is GONE:
            handler.on_delete(thaw(self.old))
        elif self.old is GONE:
            handler.on_add(thaw(self.new), self.initial)
        else:
            handler.on_update(thaw(self.old), thaw(self.new))


def consume(store: Indexer[Any], batch: Sequence[Pending], initial: bool) -> list[Notification]:
    """Apply a batch to the store; returns whom to tell what. What cannot be stored is logged and left out."""
    head = batch[0].deltas[0]
    if head.type in _WHOLE:
        return _consume_whole(store, head, initial)
    changes: list[Change] = []
    subjects: list[Any] = []
    for key, deltas in batch:
        for kind, kept in deltas:
            changes.append((key, GONE if kind is DELETED else kept))
            subjects.append(kept)
    try:
        olds = store.apply(changes, version_of(subjects[-1]))
    except IndexFuncError:
        changes, subjects, olds = _one_by_one(store, changes, subjects)
    return [
        Notification(kept, GONE) if new is GONE else Notification(old, new, old is GONE and initial)
        for (_, new), kept, old in zip(changes, subjects, olds, strict=True)
    ]


def _one_by_one(
    store: Indexer[Any], changes: Sequence[Change], subjects: Sequence[Any]
) -> tuple[list[Change], list[Any], list[Any]]:
    """The same without those that an index function fails for, which is a bug worth an error each: CACHE-19."""
    done: list[Change] = []
    told: list[Any] = []
    olds: list[Any] = []
    for change, kept in zip(changes, subjects, strict=True):
        try:
            olds += store.apply([change], version_of(kept))
        except IndexFuncError as err:
            log.exception("%s is not cached: %s", change[0], err)
            continue
        done.append(change)
        told.append(kept)
    return done, told, olds


def _consume_whole(store: Indexer[Any], delta: Delta, initial: bool) -> list[Notification]:
    if delta.type is REPLACED_ALL:
        return _replace_all(store, delta, initial)
    if delta.type is BOOKMARK:
        store.bookmark(delta.object.resource_version)
        return []
    return [Notification(kept, kept) for kept in store.kept()]


def _replace_all(store: Indexer[Any], delta: Delta, initial: bool) -> list[Notification]:
    """The whole content first, then what vanished, then what is there, in the order of the list: CACHE-62."""
    items = {store.key_of(kept): kept for kept in delta.object.objects}
    version = delta.object.resource_version
    before: dict[str, Any] | None = None
    with contextlib.suppress(IndexFuncError):
        before = store.swap(dict(items), version)
    if before is None:
        items = _indexable(store, items)
        before = store.swap(dict(items), version)
    gone = [Notification(DeletedFinalStateUnknown(key, kept), GONE) for key, kept in before.items() if key not in items]
    there = [
        Notification(old, kept, old is GONE and initial)
        for key, kept in items.items()
        for old in (before.get(key, GONE),)
    ]
    return gone + there


def _indexable(store: Indexer[Any], items: dict[str, Any]) -> dict[str, Any]:
    """The same without those that an index function fails for; what is stored of them stays: CACHE-19."""
    kept: dict[str, Any] = {}
    for key, new in items.items():
        err = store.index_error(key, new)
        if err is not None:
            log.error("%s is not cached: %s", key, err, exc_info=err)
        instead = new if err is None else store.peek(key)
        if instead is not GONE:
            kept[key] = instead
    return kept
