"""What can happen to an object on its way into a cache."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class DeltaType(StrEnum):
    """The kind of a change; compares equal to its text. It does not say which handler is called: CACHE-34, CACHE-60."""

    ADDED = "Added"
    UPDATED = "Updated"
    DELETED = "Deleted"
    REPLACED = "Replaced"
    SYNC = "Sync"
    REPLACED_ALL = "ReplacedAll"
    SYNC_ALL = "SyncAll"
    BOOKMARK = "Bookmark"


ADDED, UPDATED, DELETED = DeltaType.ADDED, DeltaType.UPDATED, DeltaType.DELETED
REPLACED, SYNC = DeltaType.REPLACED, DeltaType.SYNC
REPLACED_ALL, SYNC_ALL, BOOKMARK = DeltaType.REPLACED_ALL, DeltaType.SYNC_ALL, DeltaType.BOOKMARK


class Delta(NamedTuple):
    """One change: its type, and the object after it; for a deletion the last state, or a tombstone."""

    type: DeltaType
    object: Any


Deltas = list[Delta]
"""The changes of one key, oldest first."""


class ReplacedAllInfo(NamedTuple):
    """A whole new content, as of a resource version. Contract: CACHE-53."""

    resource_version: str
    objects: Sequence[Any]


class SyncAllInfo(NamedTuple):
    """Everything in the consumer's store is to be shown again. Contract: CACHE-53."""


class BookmarkInfo(NamedTuple):
    """Everything up to this resource version has been seen. Contract: CACHE-54."""

    resource_version: str
