"""What a reflector reads from: anything that can list and watch, as records.

`ListerWatcher` is the protocol; it knows neither HTTP nor a client library. `ListWatch` makes one of two functions,
which may also speak in objects, events and plain iterators, or of a REST client.

Contract: REFL-04, REFL-53, REFL-54.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from k8srt.apimachinery.meta import ListMeta, Status
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.objectlist import ObjectList
from k8srt.apimachinery.record import Record, RecordList, WatchRecord, decode_record, record_from_parts
from k8srt.apimachinery.wire import encode

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class ListOptions:
    """What to list or watch. Empty values are not sent. `timeout_seconds` is for the server."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    limit: int = 0
    continue_: str = ""
    timeout_seconds: int | None = None
    watch: bool = False
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """The options that are set, by their Python names."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value not in ("", None, False, 0)}


class WatchStream(Protocol):
    """The events of one watch. One thread reads; any thread closes, which wakes the reader at once.

    Failures that the server reports are records of type ERROR with a Status. How a stream ended is told by no
    exception, except that one which says TransportError means the same as an end.
    """

    def read_batch(self) -> list[WatchRecord]:
        """Block until something has arrived and return all of it; [] when the stream is over."""

    def close(self) -> None: ...


class ListerWatcher(Protocol):
    """A collection on a server. Both calls end early, with any exception, when `stop` is set meanwhile."""

    def list(self, options: ListOptions, stop: threading.Event) -> RecordList: ...

    def watch(self, options: ListOptions, stop: threading.Event) -> WatchStream: ...


def watch_list_unsupported(source: Any) -> bool:
    """Whether a lister-watcher says that it cannot stream lists. Contract: REFL-04."""
    ask = getattr(source, "is_watch_list_semantics_unsupported", None)
    return bool(ask()) if callable(ask) else False


Tweak = Callable[[ListOptions], Any]
"""Changes options in place, or returns others."""


def tweaked(options: ListOptions, tweak: Tweak | None) -> ListOptions:
    if tweak is None:
        return options
    changed = tweak(options)
    return changed if isinstance(changed, ListOptions) else options


class ListWatch:
    """A lister-watcher of two functions.

    They take the options, and `stop` if they have room for a second argument. `list_func` returns a RecordList, an
    ObjectList, a mapping in the JSON form, or any iterable of objects; `watch_func` a stream of records, or an iterable
    of events (pairs of type and object), which is closed by its `close` or `stop` if it has one. It never pages.
    Contract: REFL-53.
    """

    def __init__(
        self,
        list_func: Callable[..., Any] | None = None,
        watch_func: Callable[..., Any] | None = None,
        *,
        watch_list: bool = True,
    ) -> None:
        self._list = _with_stop(list_func)
        self._watch = _with_stop(watch_func)
        self._watch_list = watch_list

    def list(self, options: ListOptions, stop: threading.Event) -> RecordList:
        """List once. Raises what the function raises."""
        if self._list is None:
            raise NotImplementedError("this ListWatch has no list_func")
        return as_record_list(self._list(options, stop))

    def watch(self, options: ListOptions, stop: threading.Event) -> WatchStream:
        """Open a watch. Raises what the function raises."""
        if self._watch is None:
            raise NotImplementedError("this ListWatch has no watch_func")
        return as_stream(self._watch(options, stop))

    def is_watch_list_semantics_unsupported(self) -> bool:
        return not self._watch_list


def _with_stop(func: Callable[..., Any] | None) -> Callable[[ListOptions, threading.Event], Any] | None:
    if func is None:
        return None
    try:
        inspect.signature(func).bind(None, None)
    except (TypeError, ValueError):
        return lambda options, stop: func(options)
    return func


def new_list_watch_from_client(client: Any, resource: str, namespace: str = "", field_selector: str = "") -> ListWatch:
    """A lister-watcher of one resource over a REST client. Contract: REFL-54."""

    def select(options: ListOptions) -> None:
        options.field_selector = field_selector

    return new_filtered_list_watch_from_client(client, resource, namespace, select)


def new_filtered_list_watch_from_client(
    client: Any, resource: str, namespace: str = "", tweak: Tweak | None = None
) -> ListWatch:
    """The same, with options changed by `tweak` last of all.

    `client` is like a `RESTClient`: `client.get().namespace(…).resource(…).options({…})` ends in `do(stop).records()`
    or `watch(stop)`.
    """

    def request(options: ListOptions) -> Any:
        made = client.get().namespace(namespace) if namespace else client.get()
        return made.resource(resource).options(tweaked(options, tweak).as_dict())

    def watch(options: ListOptions, stop: threading.Event) -> Any:
        options.watch = True
        return request(options).watch(stop)

    return ListWatch(lambda options, stop: request(options).do(stop).records(), watch)


# ---- objects as records -------------------------------------------------------------------------------------------


def as_record(obj: Any) -> Record:
    """The record of an object, a struct such as Status, or a mapping in the JSON form. Raises TypeError."""
    if type(obj) is Record:
        return obj
    if isinstance(obj, Object):
        return obj.to_record()
    if isinstance(obj, Mapping):
        return record_from_parts({key: encode(value) for key, value in obj.items()})
    if isinstance(obj, Status):
        return decode_record(encode(obj))
    raise TypeError(f"expected an API object, got {type(obj).__name__}")


def as_record_list(found: Any) -> RecordList:
    """The record list of whatever a list function may return. Raises TypeError."""
    if isinstance(found, RecordList):
        return found
    if isinstance(found, ObjectList):
        info = found.__info__
        return RecordList(info.api_version if info else "", info.kind if info else "", found.metadata, found.records)
    if isinstance(found, Mapping):
        metadata = ListMeta.from_dict(found.get("metadata") or {})
        records = [as_record(item) for item in found.get("items") or ()]
        return RecordList(found.get("apiVersion", ""), found.get("kind", ""), metadata, records)
    return RecordList("", "", ListMeta(), [as_record(item) for item in found])


def as_stream(found: Any) -> WatchStream:
    """The stream of whatever a watch function may return."""
    return found if hasattr(found, "read_batch") else _EventStream(found)


class _EventStream:
    """A stream over an iterable of events."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._events = events
        self._iterator: Iterator[Any] = iter(events)
        self._closed = False

    def read_batch(self) -> list[WatchRecord]:
        for kind, obj in self._iterator:
            return [] if self._closed else [WatchRecord(str(kind), as_record(obj))]
        return []

    def close(self) -> None:
        self._closed = True
        close = getattr(self._events, "close", None) or getattr(self._events, "stop", None)
        if close is not None and not inspect.isgenerator(self._events):  # a running generator cannot be closed
            close()
