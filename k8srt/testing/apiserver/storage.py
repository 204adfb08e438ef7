"""Objects in memory, and if wanted in a file, under one resource version that only grows.

Every resource has a table: its objects by key, and the latest events, from which a watch can start and an older
state can be rebuilt. An object is kept as the JSON it is answered with, apart from kind and apiVersion (those
depend on the version asked for), beside the few facts that selectors and preconditions need.

Writers never wait for watchers: an event is put into each watcher's queue, and a watcher whose queue is full is
dropped. All methods are thread-safe; one lock guards all tables, so that versions are given in order of commit.
"""

from __future__ import annotations

import sys
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from k8srt.testing.apiserver.watches import Change, Watcher
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.testing.apiserver.journal import Journal

JSON = dict[str, Any]
FIRST_REVISION = 100  # what came before counts as compacted, as on a server that has lived for a while
HISTORY = 4096  # events kept for each table
_ENCODER = msgspec.json.Encoder()
_NONE: Mapping[str, str] = {}


class NoSuchKey(Exception):
    """There is no object under that key."""


class KeyTaken(Exception):
    """An object is there already."""


class Stale(Exception):
    """The object is no longer the one that was read."""


class Compacted(Exception):
    """The version asked for is older than what is kept; `oldest` can still be served."""

    def __init__(self, oldest: int) -> None:
        super().__init__(oldest)
        self.oldest = oldest


class FromTheFuture(Exception):
    """The version asked for has not been given yet; `current` is the newest."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one object; immutable."""

    key: str
    namespace: str
    name: str
    uid: str
    revision: int
    body: bytes
    labels: Mapping[str, str]
    fields: Mapping[str, str]

    def decode(self) -> JSON:
        """A private copy of the object, without kind and apiVersion."""
        value: JSON = msgspec.json.decode(self.body)
        return value


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: objects in key order, the version of the list, and how many follow."""

    items: list[Stored]
    revision: int
    remaining: int


def key_of(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _shared(facts: Mapping[str, str]) -> Mapping[str, str]:
    """A copy that shares its texts with others that say the same: labels of many objects do."""
    return {sys.intern(str(name)): sys.intern(str(value)) for name, value in facts.items()} if facts else _NONE


class _Table:
    """Objects and history of one resource; everything here needs the storage's lock."""

    def __init__(self, compacted: int, history: int) -> None:
        self.objects: dict[str, Stored] = {}
        self.ordered: list[str] | None = []
        self.events: deque[Change] = deque()
        self.compacted = compacted
        self.history = history
        self.watchers: set[Watcher] = set()

    def keys(self) -> list[str]:
        if self.ordered is None:
            self.ordered = sorted(self.objects)
        return self.ordered

    def put(self, stored: Stored) -> Stored | None:
        before = self.objects.get(stored.key)
        self.objects[stored.key] = stored
        if before is None:
            self.ordered = None
        return before

    def remove(self, key: str) -> None:
        del self.objects[key]
        self.ordered = None

    def record(self, change: Change) -> None:
        self.events.append(change)
        if len(self.events) > self.history:
            self.compacted = self.events.popleft().revision
        for watcher in [w for w in self.watchers if not w.offer(change)]:
            self.watchers.discard(watcher)

    def as_of(self, revision: int) -> dict[str, Stored]:
        """The objects as they were: the present state with the later events undone."""
        state = dict(self.objects)
        for change in reversed(self.events):
            if change.revision <= revision:
                break
            if change.before is None:
                state.pop(change.key, None)
            else:
                state[change.key] = change.before
        return state


Facts = Callable[[JSON], Mapping[str, str]]


class Storage:
    """All tables of one server. `history` events are kept for each resource.

    With a `journal`, everything begins as it was kept there, without history, and a write returns when it is kept.
    """

    def __init__(self, history: int = HISTORY, clock: Clock = SYSTEM, journal: Journal | None = None) -> None:
        self._lock = threading.Lock()  # guards everything below, and the order of events
        self._tables: dict[str, _Table] = {}
        self._revision = FIRST_REVISION
        self._compacted = FIRST_REVISION
        self._history = history
        self._clock = clock
        self._listeners: list[Callable[[str, Change], None]] = []
        self._closed = False
        self._buffer = bytearray()
        self._journal = journal
        self._hurried = False
        if journal is not None:
            self._recall(journal)

    def _recall(self, journal: Journal) -> None:
        self._revision = self._compacted = max(FIRST_REVISION, journal.revision)
        for name, stored in journal.load():
            table = self._table_locked(name)
            table.objects[stored.key] = stored
            table.ordered = None

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Keep what is written in this context all at once, at its end. For one thread, before there are others."""
        self._hurried = True
        try:
            yield
        finally:
            self._hurried = False
            self._keep(self._revision)

    def _keep(self, revision: int) -> None:
        """Wait until a write is kept; not under the lock, so that writers wait together."""
        if self._journal is not None and not self._hurried:
            self._journal.flush(revision)

    def copy(self, history: int = HISTORY, clock: Clock = SYSTEM) -> Storage:
        """Another storage with the same objects, which are shared, and without the history before them."""
        other = Storage(history, clock)
        with self._lock:
            other._revision = other._compacted = self._revision
            for name, table in self._tables.items():
                made = other._tables[name] = _Table(self._revision, history)
                made.objects, made.ordered = dict(table.objects), None
        return other

    @property
    def revision(self) -> int:
        with self._lock:
            return self._revision

    def listen(self, listener: Callable[[str, Change], None]) -> None:
        """Call `listener(resource, change)` for each change, under the lock: it may only take a note."""
        with self._lock:
            self._listeners.append(listener)

    # ---- writing

    def create(self, resource: str, obj: JSON, fields: Facts) -> Stored:
        """Store a new object; its resource version is set. Raises KeyTaken."""
        meta = obj["metadata"]
        key = key_of(meta.get("namespace", ""), meta["name"])
        with self._lock:
            table = self._table_locked(resource)
            if key in table.objects:
                raise KeyTaken(key)
            stored = self._commit_locked(resource, table, obj, None, fields)
        self._keep(stored.revision)
        return stored

    def update(self, resource: str, obj: JSON, fields: Facts, expected: Stored) -> Stored:
        """Replace `expected`, the version that was read. Raises NoSuchKey, or Stale when it changed since."""
        with self._lock:
            table = self._table_locked(resource)
            self._check_locked(table, expected)
            stored = self._commit_locked(resource, table, obj, expected, fields)
        self._keep(stored.revision)
        return stored

    def delete(self, resource: str, expected: Stored) -> Stored:
        """Remove `expected`; watchers see it once more, under the version of the removal."""
        with self._lock:
            table = self._table_locked(resource)
            self._check_locked(table, expected)
            self._revision += 1
            gone = self._stored_locked(expected.decode(), expected.labels, expected.fields)
            table.remove(expected.key)
            change = Change(self._revision, expected.key, None, expected, gone)
            self._publish_locked(resource, table, change)
        self._keep(gone.revision)
        return gone

    def _check_locked(self, table: _Table, expected: Stored) -> None:
        now = table.objects.get(expected.key)
        if now is None:
            raise NoSuchKey(expected.key)
        if now is not expected:
            raise Stale(expected.key)

    def _commit_locked(self, resource: str, table: _Table, obj: JSON, before: Stored | None, fields: Facts) -> Stored:
        self._revision += 1
        stored = self._stored_locked(obj, obj["metadata"].get("labels") or {}, fields(obj))
        table.put(stored)
        self._publish_locked(resource, table, Change(self._revision, stored.key, stored, before, stored))
        return stored

    def _stored_locked(self, obj: JSON, labels: Mapping[str, str], fields: Mapping[str, str]) -> Stored:
        meta = obj["metadata"]
        meta["resourceVersion"] = str(self._revision)
        body = {name: part for name, part in obj.items() if name not in ("kind", "apiVersion")}
        namespace, name = meta.get("namespace", ""), meta["name"]
        _ENCODER.encode_into(body, self._buffer)
        return Stored(
            key=key_of(namespace, name),
            namespace=sys.intern(namespace),
            name=name,
            uid=meta.get("uid", ""),
            revision=self._revision,
            body=bytes(self._buffer),  # of its exact size, which `encode` would not be
            labels=_shared(labels),
            fields=_shared(fields),
        )

    def _publish_locked(self, resource: str, table: _Table, change: Change) -> None:
        if self._journal is not None:
            self._journal.record(resource, change)
        table.record(change)
        for listener in self._listeners:
            listener(resource, change)

    # ---- reading

    def get(self, resource: str, namespace: str, name: str) -> Stored:
        """Raises NoSuchKey."""
        with self._lock:
            stored = self._table_locked(resource).objects.get(key_of(namespace, name))
        if stored is None:
            raise NoSuchKey(key_of(namespace, name))
        return stored

    def page(
        self,
        resource: str,
        namespace: str = "",
        *,
        matches: Callable[[Stored], bool] | None = None,
        after: str = "",
        limit: int = 0,
        revision: int = 0,
    ) -> Page:
        """Objects in key order, at most `limit` of them, those behind the key `after`.

        `revision` asks for the state as of then, 0 for the present. Raises Compacted and FromTheFuture.
        """
        with self._lock:
            table = self._table_locked(resource)
            objects, keys, at = self._state_locked(table, revision)
            chosen = [objects[key] for key in _under(keys, namespace, after)]
        return _page(chosen, at, matches, limit)

    def _state_locked(self, table: _Table, revision: int) -> tuple[Mapping[str, Stored], list[str], int]:
        if revision > self._revision:
            raise FromTheFuture(self._revision)
        if revision and revision < table.compacted:
            raise Compacted(table.compacted)
        if revision and table.events and table.events[-1].revision > revision:
            objects = table.as_of(revision)
            return objects, sorted(objects), revision
        return table.objects, table.keys(), revision or self._revision

    def count(self, resource: str) -> int:
        with self._lock:
            return len(self._table_locked(resource).objects)

    def resources(self) -> list[str]:
        """Names of the tables that hold anything."""
        with self._lock:
            return [name for name, table in self._tables.items() if table.objects]

    # ---- watching

    def watch(
        self, resource: str, namespace: str = "", *, after: int | None, capacity: int = 4096
    ) -> tuple[Watcher, list[Stored]]:
        """Start watching behind the version `after`; None means: begin with the present objects.

        Returns the watcher and the objects to begin with. Raises Compacted and FromTheFuture.
        """
        with self._lock:
            table = self._table_locked(resource)
            initial: list[Stored] = []
            missed: Iterable[Change] = ()
            start = self._revision
            if after is None:
                initial = [table.objects[key] for key in _under(table.keys(), namespace, "")]
            else:
                start = after
                if after > self._revision:
                    raise FromTheFuture(self._revision)
                if after < table.compacted:
                    raise Compacted(table.compacted)
                missed = _since(table.events, after)
            watcher = Watcher(namespace, start, capacity, self._forget, self._clock)
            for change in missed:
                watcher.offer(change, force=True)
            closed = self._closed
            if not closed:
                table.watchers.add(watcher)
        if closed:
            watcher.close()  # not under the lock, which it takes to be forgotten
        return watcher, initial

    def progress(self, resource: str, watcher: Watcher) -> int | None:
        """The version up to which `watcher` has been given everything; None while events wait in its queue."""
        with self._lock:
            return None if watcher.pending() else self._revision

    def _forget(self, watcher: Watcher) -> None:
        with self._lock:
            for table in self._tables.values():
                table.watchers.discard(watcher)

    # ---- life

    def compact(self) -> int:
        """Forget all history: older versions now answer 410. Returns the version up to which it was done."""
        with self._lock:
            self._compacted = self._revision
            for table in self._tables.values():
                table.events.clear()
                table.compacted = self._revision
            return self._revision

    def end_watches(self, resource: str) -> None:
        """End every watch of a resource (its definition is gone or changed)."""
        with self._lock:
            watchers = list(self._table_locked(resource).watchers)
        for watcher in watchers:
            watcher.close()

    def close(self) -> None:
        """End every watch; later ones end at once."""
        with self._lock:
            self._closed = True
            watchers = [w for table in self._tables.values() for w in table.watchers]
        for watcher in watchers:
            watcher.close()

    def _table_locked(self, resource: str) -> _Table:
        table = self._tables.get(resource)
        if table is None:
            table = self._tables[resource] = _Table(self._compacted, self._history)
        return table


def _under(keys: list[str], namespace: str, after: str) -> list[str]:
    """The keys of a namespace (of all, when it is empty) behind `after`; `keys` are sorted."""
    low, high = 0, len(keys)
    if namespace:
        low, high = bisect_right(keys, namespace + "/"), bisect_right(keys, namespace + "/\U0010ffff")
    if after:
        low = max(low, bisect_right(keys, after))
    return keys[low:high]


def _since(events: deque[Change], after: int) -> list[Change]:
    missed: list[Change] = []
    for change in reversed(events):
        if change.revision <= after:
            break
        missed.append(change)
    missed.reverse()
    return missed


def _page(chosen: list[Stored], revision: int, matches: Callable[[Stored], bool] | None, limit: int) -> Page:
    if matches is None:
        if limit and len(chosen) > limit:
            return Page(chosen[:limit], revision, len(chosen) - limit)
        return Page(chosen, revision, 0)
    items: list[Stored] = []
    for index, stored in enumerate(chosen):
        if not matches(stored):
            continue
        items.append(stored)
        if limit and len(items) == limit:
            return Page(items, revision, len(chosen) - index - 1)
    return Page(items, revision, 0)
