"""Waiting for conditions on the events of a watch.

A condition is a function of an event. Several hold one after the other: each is first asked of the event that met the
one before it, then of those that follow. What a condition raises ends the wait. All return the last event.

Contract: MACH-58, MACH-59.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from k8srt.apimachinery.watch import Event, EventType
from k8srt.errors import Stopped, WaitTimeout, WatchError
from k8srt.gentype.following import Follower
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, Indexer, meta_namespace_index
from k8srt.tools.pager import Pager
from k8srt.tools.watch.collection import Collection, Source
from k8srt.tools.watch.retry import RetryWatcher
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.deadline import Deadline, within
from k8srt.util.wait import TIMED_OUT

Condition = Callable[[Event[Any]], object]
Precondition = Callable[[Indexer[Any]], object]


class WatchClosed(WatchError):
    """The events ended before the conditions were met."""

    def __init__(self) -> None:
        super().__init__("watch closed before the conditions were met")


def until(
    source: Source,
    resource_version: str,
    *conditions: Condition,
    stop: threading.Event | None = None,
    timeout: float | None = None,
    cls: type[Any] | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> Event[Any] | None:
    """Wait on the changes after `resource_version`, over any number of watches. None without conditions.

    Raises WaitTimeout after `timeout` seconds, Stopped, WatchClosed when the watch cannot go on (a condition sees the
    ERROR event that says why), and what a condition raises.
    """
    clock = Collection(source, cls, clock).clock
    with within(timeout, stop, clock) as deadline:
        watcher = RetryWatcher(source, resource_version, cls=cls, stop=deadline, clock=clock, **options)
        with watcher, _over(deadline):
            return _satisfy(watcher, conditions)


def until_without_retry(
    events: Iterable[Event[Any]],
    *conditions: Condition,
    stop: threading.Event | None = None,
    timeout: float | None = None,
    clock: Clock = SYSTEM,
) -> Event[Any] | None:
    """Wait on the events of one watch, and close it. Raises as `until`; WatchClosed when they end."""
    close = getattr(events, "close", None)
    with within(timeout, stop, clock) as deadline:
        forget = deadline.on_set(close) if close is not None else None
        try:
            with _over(deadline):
                return _satisfy(events, conditions)
        finally:
            if forget is not None and close is not None:
                forget()
                close()


def list_watch_until(
    source: Source,
    *conditions: Condition,
    stop: threading.Event | None = None,
    timeout: float | None = None,
    cls: type[Any] | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> Event[Any] | None:
    """List, take what there is as ADDED, and go on as `until` from the version of the list. Raises as `until`."""
    collection = Collection(source, cls, clock)
    with within(timeout, stop, collection.clock) as deadline, _over(deadline):
        return _satisfy(_listed_and_watched(source, collection, deadline, options), conditions)


def _listed_and_watched(
    source: Source, collection: Collection, deadline: Deadline, options: dict[str, Any]
) -> Iterator[Event[Any]]:
    pager = Pager(lambda page: collection.list_records(**page, stop=deadline))
    found = pager.list(options, deadline).list
    for record in found.records:
        yield Event(EventType.ADDED, collection.object(record))
    version = found.metadata.resource_version or ""
    cls, clock = collection.object_class, collection.clock
    with RetryWatcher(source, version, cls=cls, clock=clock, stop=deadline, **options) as watcher:
        yield from watcher


def until_with_sync(
    source: Source,
    *conditions: Condition,
    precondition: Precondition | None = None,
    stop: threading.Event | None = None,
    timeout: float | None = None,
    cls: type[Any] | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> Event[Any] | None:
    """Wait on a collection that is kept up with whatever happens, expired versions included.

    What exists comes as ADDED first, and a deletion that nobody saw comes with the object as it was last. Before that
    `precondition` is asked of an indexer that holds what exists; when it is true that is the end, without an event.
    Raises as `until`, and what cannot get better by itself, such as Forbidden.
    """
    collection = Collection(source, cls, clock)
    with within(timeout, stop, collection.clock) as deadline, _over(deadline):
        follower = Follower(
            collection,
            deadline,
            options,
            about=f"wait on {collection}",
            add_types=collection.untyped,
            clock=collection.clock,
        )
        first = follower.begin()
        if precondition is not None:
            indexer: Indexer[Any] = Indexer(
                indexers={NAMESPACE_INDEX: meta_namespace_index}, kind=collection.object_class
            )
            indexer.replace([change.record for change in first], follower.version)
            if precondition(indexer):
                return None
        changes = (change for batch in _batches(first, follower) for change in batch)
        return _satisfy(map(collection.event, changes), conditions)


def _batches(first: list[Any], follower: Follower) -> Iterator[list[Any]]:
    yield first
    yield from follower.batches()


def _satisfy(events: Iterable[Event[Any]], conditions: tuple[Condition, ...]) -> Event[Any] | None:
    coming = iter(events)
    last: Event[Any] | None = None
    for condition in conditions:
        if last is not None and condition(last):
            continue
        for event in coming:
            last = event
            if condition(event):
                break
        else:
            raise WatchClosed
    return last


@contextmanager
def _over(deadline: Deadline) -> Iterator[None]:
    """Tells an end that was asked for from one that was not."""
    try:
        yield
    except (WatchClosed, Stopped) as err:
        if deadline.passed:
            raise WaitTimeout(f"{TIMED_OUT}, for {deadline.timeout:g}s") from err
        if deadline.is_set():
            raise Stopped("stopped waiting for the condition") from err
        raise
