"""What changes do to a store."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.tools.cache import DeletedFinalStateUnknown, Delta, DeltaType, Indexer
from k8srt.tools.cache.consumer import consume
from k8srt.tools.cache.delta import BookmarkInfo, ReplacedAllInfo, SyncAllInfo
from k8srt.tools.cache.queue import Pending
from k8srt.tools.cache.store import GONE
from tests.unit.tools.cache.scripted import pod


@pytest.fixture
def store():
    return Indexer(kind=Pod)


def change(kind, record):
    key = record.key if hasattr(record, "key") else "default/whole"
    return Pending(key, [Delta(DeltaType[kind], record)])


@pytest.mark.parametrize("kind", ["SYNC", "REPLACED", "ADDED", "UPDATED"])
def test_cache_60_the_type_of_a_change_does_not_choose_the_callback(store, kind):
    first, second = pod("a", 1), pod("a", 2)

    assert consume(store, [change(kind, first)], True) == [(GONE, first, True)]
    assert consume(store, [change(kind, second)], True) == [(first, second, False)]


def test_cache_61_a_deletion_is_told_even_of_what_was_not_stored(store):
    gone = pod("a", 1)
    tombstone = DeletedFinalStateUnknown("default/b", pod("b"))

    assert consume(store, [change("DELETED", gone), change("DELETED", tombstone)], False) == [
        (gone, GONE, False),
        (tombstone, GONE, False),
    ]


def test_cache_62_a_whole_new_content(store):
    store.replace([pod("stays", 1), pod("goes", 2)])
    stays, comes = pod("stays", 11), pod("comes", 12)

    notes = consume(store, [change("REPLACED_ALL", ReplacedAllInfo("20", [comes, stays]))], True)

    assert [(str(note.old), note.new, note.initial) for note in notes[1:]] == [
        ("GONE", comes, True),
        (str(pod("stays", 1)), stays, False),
    ]
    assert notes[0].old.key == "default/goes"
    assert store.last_store_sync_resource_version() == "20"


def test_cache_19_what_cannot_be_indexed_is_left_out_of_a_whole_new_content(caplog):
    def index(obj):
        if obj.metadata.resource_version == "9":
            raise RuntimeError("boom")
        return ["x"]

    store = Indexer(kind=Pod, indexers={"i": index})
    store.replace([pod("old", 1)])
    whole = Delta(DeltaType.REPLACED_ALL, ReplacedAllInfo("9", [pod("old", 9), pod("bad", 9), pod("good", 2)]))
    consume(store, [Pending("", [whole])], False)

    assert store.index_keys("i", "x") == ["default/good", "default/old"]
    assert store.get_by_key("default/old").metadata.resource_version == "1"
    assert caplog.text.count("RuntimeError: boom") == 2


def test_cache_63_sync_all_and_bookmarks(store):
    record = pod("a", 1)
    store.add(record)

    assert consume(store, [change("SYNC_ALL", SyncAllInfo())], False) == [(record, record, False)]
    assert consume(store, [change("BOOKMARK", BookmarkInfo("99"))], False) == []
    assert store.last_store_sync_resource_version() == "99"


def test_cache_64_a_batch_is_applied_before_anybody_is_told(store):
    store.add(pod("b", 1))
    batch = [change("ADDED", pod("a", 2)), change("UPDATED", pod("b", 3)), change("DELETED", pod("b", 4))]

    notes = consume(store, batch, False)

    assert store.list_keys() == ["default/a"]
    assert [note.new if note.new is GONE else note.new.resource_version for note in notes] == ["2", "3", GONE]
    assert notes[1].old.resource_version == "1"


def test_several_changes_of_one_key_in_one_batch(store):
    deltas = [Delta(DeltaType.ADDED, pod("a", 1)), Delta(DeltaType.UPDATED, pod("a", 2))]

    notes = consume(store, [Pending("default/a", deltas)], False)

    assert [note.old is GONE for note in notes] == [True, False]
    assert notes[1].old is deltas[0].object
