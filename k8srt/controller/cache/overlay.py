"""What has been written, laid over a cache that has not heard of it yet.

A reconciler that reads what it has just written, through a cache that a watch fills, finds the past. Here each answer
to a write is kept until the cache is as new; reading gives the newer of both. For one key it never goes back in time:
what a read has shown, no later one shows an older version of.

- A write counts until the cache holds that key at its version or a later one, or is past that version without it.
- A deletion counts for all that is left of that object (by its uid), and for what is older than it.
- Answers may come late. What began before something else was known, and cannot be compared with it, does not count.
- Versions are numbers that grow. If they are not, what was written counts until the next change of that key, or 10 s.

Contract: CRC-09, CRC-11.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from k8srt.apimachinery.object import Object
from k8srt.apimachinery.record import Record
from k8srt.tools.cache.indexer import Indexer
from k8srt.tools.cache.store import GONE
from k8srt.util.clock import SYSTEM, Clock

LIFETIME = 10.0
OF_DELETED = 600.0  # longer than any watch is behind
_SWEEP_AT = 64
_moments = itertools.count(1)


def moment() -> int:
    """A moment in this process: to be taken before a write begins, and told with its answer."""
    return next(_moments)


class _Written(NamedTuple):
    """What was written: GONE when the object is not in the cache's range any more, or was deleted."""

    kept: Any
    version: int | None  # None: cannot be compared
    uid: str
    deleted: bool
    beneath: str | None  # the version the cache had then, None for nothing
    until: float
    at: int  # the moment it was told


class Overlay:
    """See the module. Thread-safe. `admit` gives what the cache would keep of a written record, or GONE."""

    def __init__(
        self, indexer: Indexer[Any], admit: Callable[[Record], Any] = lambda record: record, clock: Clock = SYSTEM
    ) -> None:
        self._indexer = indexer
        self.admit = admit
        self._clock = clock
        self._lock = threading.Lock()  # guards all below; taken before that of the indexer
        self._written: dict[str, _Written] = {}
        self._sweep_at = _SWEEP_AT

    # ---- reading --------------------------------------------------------------------------------------------------

    def newest(self, key: str) -> Any:
        """What is to be read under a key, as it is kept; GONE for nothing."""
        if not self._written:
            return self._indexer.peek(key)
        with self._lock:
            written = self._written.get(key)
            if written is None:
                return self._indexer.peek(key)
            stored = self._stored_if_past(key, written)
            if stored is None:
                return written.kept
            del self._written[key]
            return stored

    def keys(self) -> list[str]:
        """The keys of which something was written that the cache may not have."""
        if not self._written:
            return []
        with self._lock:
            return list(self._written)

    def reaches(self, key: str, version: int, *, overlaid: bool = True) -> bool:
        """Whether a key is read as it was at a version, or later; by the cache alone if it is not `overlaid`."""
        with self._lock:
            written = self._written.get(key) if overlaid else None
        if written is not None and written.version is not None and written.version >= version:
            return True
        at = as_number(self._indexer.last_store_sync_resource_version())  # before the object
        stored = self._indexer.peek(key)
        return (at is not None and at >= version) or (stored is not GONE and _number_of(stored) >= version)

    def _stored_if_past(self, key: str, written: _Written) -> Any:
        """What is stored if that is not older than what was written, else None."""
        at = as_number(self._indexer.last_store_sync_resource_version())  # before the object: it may be newer
        stored = self._indexer.peek(key)
        return stored if self._is_past(written, stored, at) else None

    def _is_past(self, written: _Written, stored: Any, at: int | None) -> bool:
        over = self._clock.now() >= written.until
        if written.deleted and written.uid and stored is not GONE and stored.uid == written.uid:
            # Its past; unless it goes on being deleted for long, as no object does that the server has let go.
            return over and _version_of(stored) != written.beneath and _is_ending(stored)
        version = as_number(_version_of(stored)) if stored is not GONE else at
        if written.deleted and written.uid and written.version is None and stored is GONE:
            return self._clock.now() >= written.until + OF_DELETED  # it may still be to come
        if written.version is None or version is None:
            return over or (stored is not GONE and _version_of(stored) != written.beneath)
        if stored is GONE:
            return version >= written.version
        return version > written.version if written.kept is GONE else version >= written.version

    # ---- writing --------------------------------------------------------------------------------------------------

    def wrote(self, record: Record, since: int | None = None) -> None:
        """Tell what the server has answered to a write that began at the moment `since`, None for just now.

        Raises what the transform of the cache raises.
        """
        kept, version = self.admit(record), as_number(record.resource_version)
        with self._lock:
            known = self._written.get(record.key)
            if known is not None and _outlasts(known, version, record.uid, since):
                return
            self._put_locked(record.key, kept, version, record.uid, deleted=False)

    def deleted(self, key: str, uid: str = "", resource_version: str = "", since: int | None = None) -> None:
        """Tell that an object is no more. `resource_version`: any that it had."""
        with self._lock:
            known, stored = self._written.get(key), self._indexer.peek(key)
            uid = uid or (known.uid if known is not None else stored.uid if stored is not GONE else "")
            versions = [as_number(resource_version)]
            if known is not None and (known.uid == uid or not _later(known, since)):
                versions.append(known.version)  # it is gone, or was before this one
            if stored is not GONE and (stored.uid == uid or since is None):
                versions.append(as_number(stored.resource_version))
            version = max((each for each in versions if each is not None), default=None)
            if known is not None and known.uid != uid and _later(known, since) and not _above(version, known.version):
                return  # it may have been made anew meanwhile
            if version is None and since is not None and stored is not GONE and stored.uid != uid:
                return  # what there is may be newer
            self._put_locked(key, GONE, version, uid, deleted=True)

    def _put_locked(self, key: str, kept: Any, version: int | None, uid: str, *, deleted: bool) -> None:
        beneath = _version_of(self._indexer.peek(key))
        written = _Written(kept, version, uid, deleted, beneath, self._clock.now() + LIFETIME, moment())
        if version is not None and self._stored_if_past(key, written) is not None:
            self._written.pop(key, None)
            return
        self._written[key] = written
        if len(self._written) >= self._sweep_at:
            self._sweep_locked()
            self._sweep_at = max(_SWEEP_AT, 2 * len(self._written))

    def _sweep_locked(self) -> None:
        for each in [key for key, held in self._written.items() if self._stored_if_past(key, held) is not None]:
            del self._written[each]

    def __len__(self) -> int:
        """Of how many objects something was written that the cache does not have."""
        with self._lock:
            self._sweep_locked()
            return len(self._written)

    def __repr__(self) -> str:
        return f"<Overlay of {len(self)} over {self._indexer!r}>"


def as_number(version: str | None) -> int | None:
    """A resource version as a number that grows; None for one that is none."""
    return int(version) if version and version.isascii() and version.isdigit() else None


def _version_of(stored: Any) -> str | None:
    return None if stored is GONE else stored.resource_version


def _number_of(stored: Any) -> int:
    return as_number(stored.resource_version) or -1


def _above(version: int | None, other: int | None) -> bool:
    return version is not None and (other is None or version > other)


def _later(known: _Written, since: int | None) -> bool:
    """Whether something was told after a call began."""
    return since is not None and known.at > since


def _outlasts(known: _Written, version: int | None, uid: str, since: int | None) -> bool:
    """Whether what is known is newer than an answer that comes late, or may be."""
    if known.deleted and known.uid and known.uid == uid:
        return True
    if known.version is None or version is None:
        return _later(known, since)
    return known.version > version


def _is_ending(stored: Any) -> bool:
    return isinstance(stored, Record) and Object.from_record(stored).metadata.deletion_timestamp is not None
