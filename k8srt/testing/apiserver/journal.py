"""What a cluster holds, kept in a file, so that it is there after the end of the process, whatever ended it.

    journal = Journal("data/cluster.db")
    storage = Storage(journal=journal)

A write is recorded under the storage's lock, in the order of versions, and is acknowledged when `flush` returns: then
it is on the disk. Whoever flushes first writes for all who have recorded by then, so writers in parallel share one
synchronisation of the file. Kept are the objects as they are now, not how they came to be so.

A process that was killed may have shown versions that were not on the disk yet. So that none of them is given a second
time, the numbers go on a little further after such an end.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from k8srt.errors import ConfigError
from k8srt.testing.apiserver.storage import Stored
from k8srt.testing.apiserver.watches import Change

FORMAT = 1
SKIPPED = 1000
"""How many versions are left out after a process was killed: more than there are writers at one time."""

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, about BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
);
"""
_PUT = "INSERT OR REPLACE INTO objects (kind, key, revision, about, body) VALUES (?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM objects WHERE kind = ? AND key = ?"
_FACT = "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)"


class NotKept(Exception):
    """A change could not be written to the disk; nor can any after it."""


class Journal:
    """The file of one cluster, open for one process at a time. Thread-safe."""

    def __init__(self, path: str | Path) -> None:
        """Open or make the file. Raises ConfigError, naming it, when it is in use, of another form, or damaged."""
        self.path = Path(path)
        self._lock = threading.Lock()  # guards what is recorded and not written yet
        self._recorded: list[tuple[str, Change]] = []
        self._writing = threading.Lock()  # held by who writes; guards the connection and what follows
        self._durable = 0
        self._broken: Exception | None = None
        self._closed = False
        _make_private(self.path)
        try:
            self._db = sqlite3.connect(self.path, timeout=1.0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as err:
            raise ConfigError(f"{self.path}: {_explained(err)}") from err
        try:
            self._open()
        except sqlite3.Error as err:
            self._db.close()
            raise ConfigError(f"{self.path}: {_explained(err)}") from err

    def _open(self) -> None:
        run = self._db.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";"):
            run(statement)
        facts: dict[str, int] = dict(run("SELECT name, value FROM facts").fetchall())
        found = facts.get("format", FORMAT)
        if found != FORMAT:
            run("ROLLBACK")
            self._db.close()
            raise ConfigError(f"{self.path}: it is kept in form {found}; this version of k8srt knows form {FORMAT}")
        self.is_new = "revision" not in facts
        self.revision = facts.get("revision", 0)
        if facts.get("open"):
            self.revision += SKIPPED
        self._durable = self.revision
        self._db.executemany(_FACT, [("format", FORMAT), ("open", 1)])
        if not self.is_new:
            run(_FACT, ("revision", self.revision))
        run("COMMIT")

    def load(self) -> Iterator[tuple[str, Stored]]:
        """Every object that is kept, with the name of its table."""
        rows = self._db.execute("SELECT kind, key, revision, about, body FROM objects ORDER BY kind, key")
        for kind, key, revision, about, body in rows:
            namespace, name, uid, labels, fields = msgspec.json.decode(about)
            yield kind, Stored(key, namespace, name, uid, revision, body, labels, fields)

    # ---- writing

    def record(self, table: str, change: Change) -> None:
        """Take a note of a change. In the order of versions: under the storage's lock."""
        with self._lock:
            self._recorded.append((table, change))

    def flush(self, revision: int) -> None:
        """Return when everything up to a version is on the disk. Raises NotKept."""
        with self._writing:
            if self._durable >= revision:
                return
            if self._broken is not None:
                raise NotKept(f"{self.path}: {self._broken}") from self._broken
            with self._lock:
                batch, self._recorded = self._recorded, []
            if not batch:
                return
            try:
                self._write(batch)
            except sqlite3.Error as err:
                self._broken = err
                raise NotKept(f"{self.path}: {err}") from err
            self._durable = batch[-1][1].revision

    def _write(self, batch: list[tuple[str, Change]]) -> None:
        latest = {(table, change.key): change.after for table, change in batch}
        put: list[tuple[Any, ...]] = []
        gone: list[tuple[str, str]] = []
        for (table, key), stored in latest.items():
            if stored is None:
                gone.append((table, key))
            else:
                put.append((table, key, stored.revision, _about(stored), stored.body))
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(_PUT, put)
        self._db.executemany(_REMOVE, gone)
        self._db.execute(_FACT, ("revision", batch[-1][1].revision))
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Write what is left, and let others open the file. What could not be kept has been refused. Twice is fine."""
        with self._lock:
            last = self._recorded[-1][1].revision if self._recorded else 0
        with contextlib.suppress(NotKept):
            self.flush(last)
        with self._writing:
            if self._closed:
                return
            self._closed = True
            if self._broken is None:
                self._db.execute(_FACT, ("open", 0))
                self._broken = sqlite3.ProgrammingError("the file has been closed")
            self._db.close()


def _make_private(path: Path) -> None:
    """See to it that the file is there, and that others cannot read what is put into it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as err:
        raise ConfigError(f"{path}: {err.strerror}") from err


def _about(stored: Stored) -> bytes:
    facts = (stored.namespace, stored.name, stored.uid, stored.labels, stored.fields)
    return msgspec.json.encode(facts)


def _explained(err: sqlite3.Error) -> str:
    text = str(err)
    return "it is in use by another server" if "locked" in text else text
