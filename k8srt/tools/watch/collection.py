"""What the tools of this package read from: a resource client, or anything that can list and watch."""

from __future__ import annotations

import threading
from dataclasses import fields
from typing import Any

from k8srt.apimachinery.fields import as_field_selector
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record, RecordList, WatchRecord
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.apimachinery.watch import Event, EventType
from k8srt.gentype.options import label_text
from k8srt.tools.cache.listwatch import ListOptions, WatchStream
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop

Source = Any
"""A `ResourceClient`, or a `ListerWatcher` as reflectors take."""

_TYPES = {str(kind): kind for kind in EventType}
_OPTIONS = frozenset(field.name for field in fields(ListOptions))


class Collection:
    """One collection with the calls and keywords of a resource client. Thread-safe if its source is."""

    def __init__(self, source: Source, cls: type[Object] | None = None, clock: Clock | None = None) -> None:
        """`cls` is the class of the objects; None asks the source, and takes `Unstructured` where it cannot tell."""
        self._source = source
        self._is_client = hasattr(source, "watch_records")
        self.object_class: Any = cls or getattr(source, "object_class", Unstructured)
        its_clock: Clock = getattr(getattr(source, "_rest", None), "clock", SYSTEM)
        self.clock = clock or its_clock

    def list_records(self, *, stop: threading.Event | None = None, **options: Any) -> RecordList:
        if self._is_client:
            found: RecordList = self._source.list_records(stop=stop, **options)
            return found
        listed: RecordList = self._source.list(_as_options(options), stop or Stop())
        return listed

    def watch_records(self, *, stop: threading.Event | None = None, **options: Any) -> WatchStream:
        if self._is_client:
            opened: WatchStream = self._source.watch_records(stop=stop, **options)
            return opened
        stream: WatchStream = self._source.watch(_as_options(options), stop or Stop())
        return stream

    def object(self, record: Record) -> Any:
        return self.object_class.from_record(record)

    def event(self, change: WatchRecord) -> Event[Any]:
        return Event(_TYPES[change.type], self.object(change.record))

    @property
    def untyped(self) -> bool:
        """Whether the items of its lists need to be told their kind."""
        return issubclass(self.object_class, Unstructured)

    def __repr__(self) -> str:
        return repr(self._source)


def _as_options(options: dict[str, Any]) -> ListOptions:
    """Keywords as options; what is for clients only is left out, and selectors become text."""
    known = {name: value for name, value in options.items() if name in _OPTIONS and value is not None}
    if "label_selector" in known:
        known["label_selector"] = label_text(known["label_selector"])
    if "field_selector" in known:
        known["field_selector"] = str(as_field_selector(known["field_selector"]))
    return ListOptions(**known)
