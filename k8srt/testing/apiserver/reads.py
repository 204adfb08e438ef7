"""get, list and watch."""

from __future__ import annotations

import random
from collections.abc import Iterator

from k8srt.apimachinery import protobuf
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.failures import Failure, too_large_version, too_old
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.rendering import Renderer
from k8srt.testing.apiserver.requests import RequestInfo
from k8srt.testing.apiserver.selection import (
    Selection,
    check_watch,
    find_page,
    list_options,
    make_token,
    number_param,
    selection_of,
    watch_version,
)
from k8srt.testing.apiserver.storage import Compacted, FromTheFuture, Stored
from k8srt.testing.apiserver.watches import Change, Watcher

BOOKMARK_EVERY = 60.0  # seconds between bookmarks of a quiet watch
LAST_BOOKMARK = 2.0  # seconds before the end of a watch at which one more is sent
DEFAULT_TIMEOUT = 1800.0  # a watch without timeoutSeconds ends after this long, up to twice as long


def get(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    renderer = Renderer(cluster, request, resource)
    wanted = watch_version(request)  # one object is read by the same words as a watch
    stored = cluster.get(resource, info.namespace, info.name)
    current = cluster.storage.revision
    if wanted > current:
        raise too_large_version(wanted, current)
    return renderer.stored(stored)


def list_objects(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    renderer = Renderer(cluster, request, resource)
    options = list_options(request)
    chosen = selection_of(request, info, resource)
    page = find_page(cluster.storage, chosen, options)
    meta: dict[str, object] = {"resourceVersion": str(page.revision)}
    if page.remaining:
        meta["continue"] = make_token(page.revision, page.items[-1].key)
        if chosen.matches is None:
            meta["remainingItemCount"] = page.remaining
    return renderer.items(page.items, meta)


def watch(cluster: Cluster, request: Request, info: RequestInfo, resource: Resource) -> Response:
    check_watch(request)
    renderer = Renderer(cluster, request, resource, stream=True)
    chosen = selection_of(request, info, resource)
    stream = WatchStream(cluster, request, chosen, renderer)
    media = protobuf.STREAM_TYPE if renderer.form.media == protobuf.MEDIA_TYPE else renderer.form.media
    return Response(200, content_type=media, headers=[("Cache-Control", "no-cache, private")], stream=stream)


class WatchStream:
    """One watch: what it begins with, then changes as they come, until the time is over or somebody leaves."""

    def __init__(self, cluster: Cluster, request: Request, chosen: Selection, renderer: Renderer) -> None:
        self._cluster = cluster
        self._chosen = chosen
        self._renderer = renderer
        self._bookmarks = request.flag("allowWatchBookmarks")
        self._initial = request.param("sendInitialEvents")
        self._version = watch_version(request)
        self._end = cluster.clock.now() + _timeout(request)
        self._first = True
        self._expired: Failure | None = None
        self._watcher: Watcher | None = None
        self._present: list[Stored] = []
        self._open()

    def _open(self) -> None:
        from_present = self._version == 0 and self._initial != "false"
        after = None if from_present or self._initial == "true" else self._version or self._cluster.storage.revision
        table, namespace = self._chosen.resource.table, self._chosen.namespace
        if self._version > (current := self._cluster.storage.revision):
            raise too_large_version(self._version, current)
        try:
            self._watcher, self._present = self._cluster.storage.watch(table, namespace, after=after)
        except Compacted as err:
            self._expired = too_old(self._version, err.oldest)
        except FromTheFuture as err:
            raise too_large_version(self._version, err.current) from None
        self._starts_with_state = after is None

    def pieces(self) -> Iterator[bytes]:
        """What the watch sends, as it comes. Contract of `messages.Stream`."""
        if self._watcher is None:
            assert self._expired is not None
            yield self._renderer.line("ERROR", self._expired.status)
            return
        try:
            yield from self._state(self._watcher)
            yield from self._changes(self._watcher)
        except Failure as err:  # an object cannot be shown in this version
            yield self._renderer.line("ERROR", err.status)
        finally:
            self._watcher.close()

    def bookmark(self) -> bool:
        """Send a bookmark as soon as what happened until now is sent. Returns whether the client takes any."""
        if not self._bookmarks or self._watcher is None:
            return False
        self._watcher.nudge()
        return True

    def close(self) -> None:
        """End the watch; whoever waits for more of it wakes. From any thread."""
        if self._watcher is not None:
            self._watcher.close()

    def _state(self, watcher: Watcher) -> Iterator[bytes]:
        batch = bytearray()
        matches = self._chosen.matches
        present, self._present = self._present, []
        for stored in present:
            if matches is None or matches(stored):
                batch += self._line("ADDED", stored)
                if len(batch) > 1 << 16:
                    yield bytes(batch)
                    batch.clear()
        if self._bookmarks and self._starts_with_state:
            batch += self._renderer.bookmark(watcher.start, initial_end=True)
        if batch:
            yield bytes(batch)

    def _changes(self, watcher: Watcher) -> Iterator[bytes]:
        clock = self._cluster.clock
        end = self._end
        next_bookmark = min(clock.now() + BOOKMARK_EVERY, max(clock.now(), end - LAST_BOOKMARK))
        while True:
            deadline = min(end, next_bookmark) if self._bookmarks else end
            changes = watcher.take(deadline)
            if changes is None:
                return
            if lines := b"".join(self._lines(changes)):
                yield lines
            now = clock.now()
            if now >= end:
                return
            nudged = watcher.nudged()
            if self._bookmarks and (nudged or now >= next_bookmark):
                revision = self._cluster.storage.progress(self._chosen.resource.table, watcher)
                if revision is not None:
                    yield self._renderer.bookmark(revision)
                elif nudged:
                    watcher.nudge()  # after what has come meanwhile
                next_bookmark = min(now + BOOKMARK_EVERY, max(end - LAST_BOOKMARK, now + LAST_BOOKMARK))

    def _lines(self, changes: list[Change]) -> Iterator[bytes]:
        matches = self._chosen.matches
        for change in changes:
            if matches is None:
                yield self._line(change.type, change.shown)
                continue
            kind = change.as_seen_by(matches)
            if kind == "DELETED" and change.after is not None:
                yield self._line(kind, change.leaving())
            elif kind is not None:
                yield self._line(kind, change.shown)

    def _line(self, kind: str, stored: Stored) -> bytes:
        line = self._renderer.event(kind, stored, first=self._first)
        self._first = False
        return line


def _timeout(request: Request) -> float:
    seconds = number_param(request, "timeoutSeconds")
    if seconds > 0:
        return float(seconds)
    return DEFAULT_TIMEOUT * (1.0 + random.random())
