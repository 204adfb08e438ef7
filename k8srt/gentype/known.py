"""What the reader of a collection has been told, and what it is to be told next. Pure: no network, no time.

Contract: USR-03, USR-04.
"""

from __future__ import annotations

from collections.abc import Iterable

from k8srt.apimachinery.record import Record, WatchRecord

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


class Known:
    """The last state of each object that was told. Used by one thread.

    Records cost little to keep (`docs/objects.md`), and without them a deletion that nobody saw could not be told.
    """

    def __init__(self, since: str = "") -> None:
        """With `since`, the reader knows the collection as of that version, and nobody here does."""
        self._since = since
        self._records: dict[str, Record] = {}

    @property
    def complete(self) -> bool:
        """Whether every object is known here, and not only those that changed."""
        return not self._since

    def __len__(self) -> int:
        return len(self._records)

    def remember(self, records: Iterable[Record]) -> None:
        """Take a list for known, and tell nothing."""
        self._records = {record.key: record for record in records}
        self._since = ""

    def replaced(self, records: Iterable[Record]) -> list[WatchRecord]:
        """The difference between what was told and a new list: deletions first, then what came and what changed."""
        found = {record.key: record for record in records}
        old, since = self._records, self._since
        changes = [WatchRecord(DELETED, old[key]) for key in old if key not in found]
        for key, record in found.items():
            if key in old:
                changes += _difference(old[key], record)
            elif not (since and _not_after(record.resource_version, since)):
                changes.append(WatchRecord(ADDED, record))
        self.remember(found.values())
        return changes

    def taken(self, kind: str, record: Record) -> list[WatchRecord]:
        """What an event of a watch means to the reader: nothing when it was told already."""
        key = record.key
        if kind == DELETED:
            gone = self._records.pop(key, None)
            return [WatchRecord(DELETED, record)] if gone is not None or not self.complete else []
        old = self._records.get(key)
        self._records[key] = record
        if old is not None:
            return _difference(old, record)
        return [WatchRecord(ADDED if self.complete else kind, record)]


def _difference(old: Record, new: Record) -> list[WatchRecord]:
    if old.uid != new.uid:
        return [WatchRecord(DELETED, old), WatchRecord(ADDED, new)]
    same = new.resource_version == old.resource_version and (new.resource_version != "" or new == old)
    return [] if same else [WatchRecord(MODIFIED, new)]


def _not_after(version: str, since: str) -> bool:
    """Whether an object has not changed after a version. False when versions cannot be compared."""
    return version.isdigit() and since.isdigit() and int(version) <= int(since)
