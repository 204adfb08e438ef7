"""`watch(forever=True)`: the changes of a collection for as long as one wants.

    with pods.watch(forever=True) as events:      # close it from any thread
        for event in events: ...

It lists, tells everything there is as ADDED, and goes on with a watch. When that ends, falls silent or is cut, it is
opened again from the last version seen; when that version has expired, a new list tells the difference, deletions
included. What was told is not told again. An informer does the same for many readers, with a cache.

Contract: USR-01 to USR-04, USR-06, USR-40.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import WatchRecord
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.apimachinery.watch import Event, EventType
from k8srt.gentype import options as opts
from k8srt.gentype.following import BACKOFF, Follower
from k8srt.rest.watch import End, EventStream
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, linked
from k8srt.util.wait import Backoff

if TYPE_CHECKING:
    from k8srt.gentype.requests import ResourceRequests

T = TypeVar("T", bound=Object)

_TYPES = {str(kind): kind for kind in EventType}


def watch_forever(
    client: ResourceRequests[T],
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    backoff: Backoff = BACKOFF,
    **options: Unpack[opts.WatchOptions],
) -> ForeverWatch[T]:
    """Follow the objects of `client`. Makes the first list, and raises what that raises; after that it survives.

    With `resource_version` (other than "0") nothing is listed and the changes after it are told; should it have
    expired, deletions of objects that were never seen cannot be. With `send_initial_events=False` only what changes is
    told, not what there is. Bookmarks are told if `allow_watch_bookmarks`. `timeout_seconds` is how long each single
    watch may last. Iteration ends when the stream is closed or `stop` is set, and raises what cannot get better by
    itself: Forbidden, Unauthorized, NotFound of a resource that is no longer served.
    """
    opts.check("watch", options, opts.WatchOptions)
    return ForeverWatch(client, options, clock=clock or client._rest.clock, rng=rng, backoff=backoff)


class ForeverWatch(EventStream[T]):
    """Events as objects of their kind. Read by one thread, closed by any. A context manager and an iterator."""

    def __init__(
        self,
        client: ResourceRequests[T],
        options: opts.WatchOptions,
        *,
        clock: Clock,
        rng: random.Random | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self._cls = client.object_class
        self._about = f"watch of {client.info.gvr.group_resource}"
        self._halt = Stop()
        self._lock = threading.Lock()  # guards _bonds
        self._bonds = ExitStack()  # what ties this to the stop of the caller
        self._end: End | None = None
        self._told = 0
        if (stop := options.get("stop")) is not None:
            self._bonds.callback(self._bonds.enter_context(linked(stop)).on_set(self._halt.set))
        self._follower = Follower(
            client,
            self._halt,
            dict(options),
            about=self._about,
            add_types=issubclass(self._cls, Unstructured),
            bookmarks=bool(options.get("allow_watch_bookmarks")),
            clock=clock,
            rng=rng,
            backoff=backoff,
        )
        try:
            first = self._follower.begin()
        except BaseException:
            self.close()
            raise
        if options.get("send_initial_events") is False:
            first = []
        self._changes = self._each(first)

    def _each(self, first: list[WatchRecord]) -> Iterator[WatchRecord]:
        yield from first
        for batch in self._follower.batches():
            yield from batch

    @property
    def ended(self) -> End | None:
        """CLOSED when it was closed, FAILED when it raised, None while it goes on."""
        return self._end or (End.CLOSED if self._halt.is_set() else None)

    @property
    def resource_version(self) -> str:
        """The version up to which everything was read; a watch may be resumed from here."""
        return self._follower.version

    def __next__(self) -> Event[T]:
        if self._halt.is_set():
            self.close()
            raise StopIteration
        try:
            kind, record = next(self._changes)
        except StopIteration:
            self.close()
            raise
        except BaseException as err:
            self._end = End.FAILED if isinstance(err, Exception) else End.CLOSED
            self.close()
            raise
        if self._halt.is_set():
            raise StopIteration
        self._told += 1
        return Event(_TYPES[kind], self._cls.from_record(record))

    def close(self) -> None:
        """End it at once; a reader that waits returns. From any thread, any number of times."""
        self._halt.set()
        with self._lock:
            bonds, self._bonds = self._bonds, ExitStack()
        bonds.close()

    stop = close

    def __enter__(self) -> Self:
        return self

    def __del__(self) -> None:
        if getattr(self, "_bonds", None) is not None:
            self.close()

    def __repr__(self) -> str:
        state = (self.ended.name.lower()) if self.ended else "open"
        at = f" at version {self.resource_version}" if self.resource_version else ""
        return f"<ForeverWatch of {self._cls.__name__}: {state}{at}, {self._told} events>"
