"""From the events of a watch to changes of a store.

Contract: REFL-40 to REFL-44.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from k8srt.apimachinery.record import WatchRecord
from k8srt.errors import StatusError
from k8srt.tools.cache.delta import ADDED, DELETED, UPDATED, Delta, DeltaType
from k8srt.tools.cache.expected import Expected
from k8srt.tools.cache.openwatch import OpenWatch
from k8srt.tools.cache.position import Position
from k8srt.tools.cache.sink import Sink
from k8srt.tools.cache.verdicts import failure_in

log = logging.getLogger(__name__)

_CHANGES: dict[str, DeltaType] = {"ADDED": ADDED, "MODIFIED": UPDATED, "DELETED": DELETED}


class Intake:
    """Applies events to a sink and moves the position. Used by the reflector's thread."""

    def __init__(self, expected: Expected, sink: Sink, position: Position, about: str) -> None:
        self._expected = expected
        self._sink = sink
        self._position = position
        self._about = about

    def take(self, batch: Sequence[WatchRecord], watch: OpenWatch) -> StatusError | None:
        """Apply a batch; returns the failure that ends the stream, if it holds one."""
        changes: list[Delta] = []
        version: str | None = None
        failure = None
        for event in batch:
            kind, record = event
            if kind == "ERROR":
                failure = failure_in(record)
                break
            bookmark = kind == "BOOKMARK"
            why_not = self._expected.refusal(record, named=not bookmark)
            if why_not is not None:
                log.error("%s: a %s event is left out: %s", self._about, kind, why_not)
                continue
            watch.events += 1
            watch.ordered = watch.ordered or kind != "ADDED"
            version = record.resource_version if watch.ordered else version
            change = _CHANGES.get(kind)
            if change is not None:
                changes.append(Delta(change, record))
                if not self._sink.event_by_event:
                    continue
            self._settle(changes, version)
            changes, version = [], None
            if bookmark:
                self._sink.bookmark(record.resource_version)
            elif change is None:
                log.error("%s: unknown event type %r", self._about, kind)
        self._settle(changes, version)
        return failure

    def _settle(self, changes: Sequence[Delta], version: str | None) -> None:
        if changes:
            self._sink.write(changes)
        if version is not None:
            self._position.move(version)
            self._sink.note_version(version)
