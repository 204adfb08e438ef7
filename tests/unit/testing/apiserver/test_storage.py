"""The storage of the embedded server: versions, history, snapshots, watchers."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.testing.apiserver.storage import Compacted, FromTheFuture, KeyTaken, NoSuchKey, Stale, Storage

JSON = dict[str, Any]


def obj(name: str, namespace: str = "ns", **data: Any) -> JSON:
    return {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"}, **data}


def no_fields(value: JSON) -> dict[str, str]:
    return {}


def add(storage: Storage, name: str, namespace: str = "ns", **data: Any) -> Any:
    return storage.create("things", obj(name, namespace, **data), no_fields)


def test_versions_grow_over_all_resources():
    storage = Storage()

    first = add(storage, "a")
    other = storage.create("others", obj("a"), no_fields)
    second = storage.update("things", obj("a", x=1), no_fields, first)

    assert first.revision < other.revision < second.revision == storage.revision
    assert second.decode()["metadata"]["resourceVersion"] == str(second.revision)


def test_an_object_is_created_once():
    storage = Storage()
    add(storage, "a")

    with pytest.raises(KeyTaken):
        add(storage, "a")


def test_a_write_must_have_read_the_latest():
    storage = Storage()
    old = add(storage, "a")
    new = storage.update("things", obj("a", x=1), no_fields, old)

    with pytest.raises(Stale):
        storage.update("things", obj("a", x=2), no_fields, old)
    with pytest.raises(Stale):
        storage.delete("things", old)

    storage.delete("things", new)
    with pytest.raises(NoSuchKey):
        storage.get("things", "ns", "a")


def test_lists_are_in_key_order_and_by_namespace():
    storage = Storage()
    for namespace, name in (("b", "a"), ("a-1", "x"), ("a", "z"), ("a", "b")):
        add(storage, name, namespace)

    everywhere = [stored.key for stored in storage.page("things").items]
    inside = [stored.key for stored in storage.page("things", "a").items]

    assert everywhere == ["a-1/x", "a/b", "a/z", "b/a"]
    assert inside == ["a/b", "a/z"]


def test_pages_show_one_moment_whatever_happens_meanwhile():
    storage = Storage()
    kept = {name: add(storage, name) for name in "abcd"}
    first = storage.page("things", limit=2)

    storage.delete("things", kept["c"])
    storage.update("things", obj("d", x=1), no_fields, kept["d"])
    add(storage, "cc")
    rest = storage.page("things", after=first.items[-1].key, revision=first.revision)

    assert (first.remaining, [stored.name for stored in first.items]) == (2, ["a", "b"])
    assert [stored.name for stored in rest.items] == ["c", "d"]
    assert rest.items[1] is kept["d"]


def test_a_page_with_a_filter_counts_what_it_returns():
    storage = Storage()
    for name in "abcd":
        add(storage, name)

    page = storage.page("things", matches=lambda stored: stored.name in "bd", limit=1)

    assert [stored.name for stored in page.items] == ["b"]
    assert page.remaining == 2


def test_a_watch_resumes_behind_a_version():
    storage = Storage()
    first = add(storage, "a")
    storage.update("things", obj("a", x=1), no_fields, first)
    add(storage, "elsewhere", "other")

    watcher, initial = storage.watch("things", "ns", after=first.revision)
    changes = watcher.take(0.0)
    watcher.close()

    assert initial == []
    assert changes is not None
    assert [(change.type, change.key) for change in changes] == [("MODIFIED", "ns/a")]


def test_a_removal_is_shown_under_its_own_version():
    storage = Storage()
    stored = add(storage, "a", x=1)
    watcher, _ = storage.watch("things", after=stored.revision)

    gone = storage.delete("things", stored)
    changes = watcher.take(0.0)
    watcher.close()

    assert changes is not None
    assert changes[0].type == "DELETED"
    assert changes[0].shown.revision == gone.revision == stored.revision + 1
    assert changes[0].shown.decode()["x"] == 1


def test_compaction_makes_older_versions_expire():
    storage = Storage()
    first = add(storage, "a")
    add(storage, "b")

    compacted = storage.compact()

    with pytest.raises(Compacted):
        storage.watch("things", after=first.revision)
    with pytest.raises(Compacted):
        storage.page("things", revision=first.revision)
    watcher, _ = storage.watch("things", after=compacted)
    watcher.close()


def test_history_is_bounded():
    storage = Storage(history=3)
    stored = add(storage, "a")
    start = stored.revision
    for number in range(5):
        stored = storage.update("things", obj("a", x=number), no_fields, stored)

    with pytest.raises(Compacted) as caught:
        storage.watch("things", after=start)

    assert caught.value.oldest == stored.revision - 3


def test_a_version_from_the_future_is_told_apart():
    storage = Storage()

    with pytest.raises(FromTheFuture):
        storage.watch("things", after=10**9)
    with pytest.raises(FromTheFuture):
        storage.page("things", revision=10**9)


def test_a_slow_watcher_is_dropped_and_the_writer_goes_on():
    storage = Storage()
    watcher, _ = storage.watch("things", after=None, capacity=2)

    for name in "abcd":
        add(storage, name)

    assert watcher.dropped
    assert watcher.take(0.0) is None
    assert storage.count("things") == 4


def test_closing_wakes_a_waiting_watcher(pool):
    storage = Storage()
    watcher, _ = storage.watch("things", after=None)
    waiting = pool.submit(watcher.take, None)

    storage.close()

    assert waiting.result(timeout=5.0) is None


def test_listeners_hear_of_every_change():
    storage = Storage()
    heard = []
    storage.listen(lambda resource, change: heard.append((resource, change.type)))

    stored = add(storage, "a")
    storage.delete("things", stored)

    assert heard == [("things", "ADDED"), ("things", "DELETED")]
