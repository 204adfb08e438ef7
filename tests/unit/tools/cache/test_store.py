"""The plain store."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.errors import CacheKeyError
from k8srt.tools.cache import DeletedFinalStateUnknown, ExplicitKey, Op, Store, TransactionError, TransformError
from tests.unit.tools.cache.scripted import pod, pod_object


def by_id(thing):
    return thing["id"]


@pytest.fixture
def store():
    return Store(kind=Pod)


def test_cache_08_add_and_update_overwrite_and_delete_is_lenient(store):
    store.update(pod_object("a", 1))
    store.add(pod_object("a", 2))
    store.delete(pod_object("never-there"))

    assert store.get_by_key("default/a").metadata.resource_version == "2"
    assert len(store) == 1


def test_cache_09_get_takes_an_object_and_absence_is_no_error(store):
    store.add(pod_object("a", 7))

    assert store.get(pod_object("a")).metadata.resource_version == "7"
    assert store.get(pod_object("b")) is None
    assert store.get_by_key("no/such") is None
    with pytest.raises(CacheKeyError):
        store.get(42)


def test_cache_10_lists_are_fresh(store):
    store.replace([pod_object("a"), pod_object("b")])

    store.list().clear()
    store.list_keys().clear()

    assert sorted(store.list_keys()) == ["default/a", "default/b"]
    assert len(store.list()) == 2


def test_cache_10_what_a_reader_changes_reaches_nobody(store):
    mine = pod_object("a", 1)
    store.add(mine)

    mine.metadata.labels = {"after": "add"}
    store.get_by_key("default/a").metadata.name = "changed"
    store.list()[0].metadata.labels = {"x": "y"}

    assert store.get_by_key("default/a").metadata.name == "a"
    assert not store.get_by_key("default/a").metadata.labels


def test_cache_10_holds_for_a_store_of_no_kind_too():
    store = Store()
    store.add(pod_object("a"))

    store.get_by_key("default/a").metadata.name = "changed"

    found = store.get_by_key("default/a")
    assert isinstance(found, Pod)
    assert found.metadata.name == "a"


def test_cache_11_replace_swaps_everything_or_nothing(store):
    store.add(pod_object("old"))

    with pytest.raises(CacheKeyError):
        store.replace([pod_object("new"), 42])
    assert store.list_keys() == ["default/old"]

    store.replace([pod_object("new")], "9")
    assert store.list_keys() == ["default/new"]


def test_cache_12_the_later_of_two_with_one_key_wins(store):
    store.replace([pod_object("a", 2), pod_object("a", 1)])

    assert [found.metadata.resource_version for found in store.list()] == ["1"]


def test_cache_13_resync_does_nothing(store):
    store.resync()


def test_cache_14_the_transformer_runs_on_writes_after_the_key_was_computed():
    seen = []

    def transform(thing):
        seen.append(thing["id"])
        return {"id": "changed", "was": thing["id"]}

    store = Store(by_id, transformer=transform)
    store.add({"id": "a"})
    store.update({"id": "b"})
    store.replace([{"id": "c"}])
    store.delete({"id": "x"})

    assert seen == ["a", "b", "c"]
    assert store.get_by_key("c") == {"id": "changed", "was": "c"}


def test_cache_14_a_transformer_that_fails_leaves_the_store_as_it_is():
    def transform(thing):
        if thing["id"] == "bad":
            raise ValueError("no good")
        return thing

    store = Store(by_id, transformer=transform)
    store.add({"id": "a"})

    with pytest.raises(TransformError, match="transforming: no good"):
        store.replace([{"id": "b"}, {"id": "bad"}])

    assert store.list_keys() == ["a"]


def test_cache_15_the_last_version_written_is_remembered(store):
    assert store.last_store_sync_resource_version() == ""
    for write, expected in [
        (lambda: store.add(pod_object("a", 5)), "5"),
        (lambda: store.update(pod_object("a", 3)), "3"),
        (lambda: store.delete(pod_object("a", 4)), "4"),
        (lambda: store.replace([pod_object("b", 1)], "20"), "20"),
        (lambda: store.bookmark("30"), "30"),
        (lambda: store.delete(DeletedFinalStateUnknown("default/b", None)), "30"),
        (lambda: store.delete(ExplicitKey("default/b")), "30"),
    ]:
        write()
        assert store.last_store_sync_resource_version() == expected


def test_cache_16_a_transaction_applies_what_it_can(store):
    store.add(pod_object("gone", 1))

    with pytest.raises(TransactionError) as caught:
        store.transaction(
            (Op.ADD, pod_object("a", 2)),
            (Op.ADD, 42),
            (Op.DELETE, pod_object("gone", 3)),
            (Op.UPDATE, pod_object("b", 4)),
        )

    assert caught.value.successful_indices == [0, 2, 3]
    assert caught.value.total_transactions == 4
    assert [type(err) for err in caught.value.errors] == [CacheKeyError]
    assert sorted(store.list_keys()) == ["default/a", "default/b"]
    assert store.last_store_sync_resource_version() == "4"


def test_cache_16_an_empty_transaction_does_nothing(store):
    assert store.transaction() is None
    assert store.last_store_sync_resource_version() == ""


def test_cache_17_a_tombstone_deletes_its_key(store):
    store.add(pod_object("a"))

    store.delete(DeletedFinalStateUnknown("default/a", pod_object("other")))

    assert len(store) == 0


def test_records_may_be_stored_as_they_are(store):
    record = pod("a", 3)
    store.add(record)

    assert store.peek("default/a") is record
    assert store.get_by_key("default/a").to_record() is record
