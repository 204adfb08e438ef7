"""The file a cluster is kept in: what is recorded is there again, in whatever state the process ended."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError
from k8srt.testing.apiserver.journal import SKIPPED, Journal, NotKept
from k8srt.testing.apiserver.storage import Compacted, Storage

JSON = dict[str, Any]


def obj(name: str, value: str = "", **meta: Any) -> JSON:
    return {"metadata": {"name": name, "namespace": "ns", "uid": f"u-{name}", **meta}, "data": {"v": value}}


def fields(_: JSON) -> dict[str, str]:
    return {"spec.x": "1"}


def test_a_storage_begins_as_it_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "db")
    storage = Storage(journal=journal)
    storage.create("a", obj("gone"), fields)
    kept = storage.create("a", obj("kept", labels={"l": "1"}), fields)
    storage.delete("a", storage.get("a", "ns", "gone"))
    kept = storage.update("a", obj("kept", "new", labels={"l": "1"}), fields, kept)
    journal.close()

    reopened = Journal(tmp_path / "db")
    again = Storage(journal=reopened)

    assert [each.name for each in again.page("a").items] == ["kept"]
    assert again.get("a", "ns", "kept") == kept
    assert again.revision == storage.revision
    with pytest.raises(Compacted):
        again.watch("a", after=kept.revision - 1)
    reopened.close()


def test_versions_go_on_further_after_a_kill(tmp_path: Path) -> None:
    """A copy of the file is what a killed process leaves: nobody has closed it."""
    journal = Journal(tmp_path / "db")
    storage = Storage(journal=journal)
    made = storage.create("a", obj("x"), fields)
    left = tmp_path / "left"
    left.mkdir()
    for part in tmp_path.glob("db*"):
        (left / part.name).write_bytes(part.read_bytes())

    reopened = Journal(left / "db")
    again = Storage(journal=reopened)

    assert again.get("a", "ns", "x") == made
    assert again.revision == made.revision + SKIPPED
    reopened.close()
    journal.close()


def test_parallel_writers_share_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "db")
    storage = Storage(journal=journal)
    write, batches = journal._write, []
    first, go = threading.Event(), threading.Event()

    def slowly(batch: Any) -> None:
        batches.append(len(batch))
        first.set()
        assert go.wait(10.0)
        write(batch)

    monkeypatch.setattr(journal, "_write", slowly)
    threads = [threading.Thread(target=storage.create, args=("a", obj(f"o{number}"), fields)) for number in range(9)]
    threads[0].start()
    assert first.wait(10.0)
    for thread in threads[1:]:
        thread.start()
    while storage.count("a") < 9:
        threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join()

    assert batches == [1, 8]
    assert storage.count("a") == 9
    journal.close()


def test_a_write_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "db")
    storage = Storage(journal=journal)

    def full(batch: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "_write", full)
        with pytest.raises(NotKept, match=r"db: database or disk is full"):
            storage.create("a", obj("x"), fields)

    with pytest.raises(NotKept):
        storage.create("a", obj("y"), fields)  # what comes after a gap is not kept either
    journal.close()


def test_a_file_is_for_one_server(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "db")

    with pytest.raises(ConfigError, match=r"db: it is in use by another server"):
        Journal(tmp_path / "db")

    journal.close()
    Journal(tmp_path / "db").close()


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"no database at all, but long enough to look" * 100)

    with pytest.raises(ConfigError, match=r"db: file is not a database"):
        Journal(tmp_path / "db")


def test_a_later_form_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "db").close()
    with sqlite3.connect(tmp_path / "db") as db:
        db.execute("UPDATE facts SET value = 2 WHERE name = 'format'")
    db.close()

    with pytest.raises(ConfigError, match="kept in form 2"):
        Journal(tmp_path / "db")
