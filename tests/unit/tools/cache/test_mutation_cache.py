"""The store as it will be once it has heard of one's own writes."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import DeletedFinalStateUnknown, Indexer, MutationCache, NoSuchIndex, label_index
from tests.unit.tools.cache.scripted import pod_object


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    return Indexer(kind=Pod, indexers={"app": label_index("app")})


def version(cache, name="a"):
    found = cache.get_by_key(f"default/{name}")
    return None if found is None else found.metadata.resource_version


def names(found):
    return sorted(f"{each.metadata.name}:{each.metadata.resource_version}" for each in found)


def web(name, rv, app="web", **more):
    return pod_object(name, rv, labels={"app": app}, **more)


def test_cache_71_the_newer_of_stored_and_written_counts(store):
    cache = MutationCache(store)
    store.add(pod_object("a", 9))
    cache.mutation(pod_object("a", 10))
    assert version(cache) == "10"

    store.add(pod_object("a", 11))
    assert version(cache) == "11"
    store.add(pod_object("a", 9))
    assert version(cache) == "9"  # what was written was dropped when the store had caught up


def test_cache_71_versions_are_numbers_and_an_empty_one_is_zero(store):
    cache = MutationCache(store)
    store.add(pod_object("a", ""))
    cache.mutation(pod_object("a", 18446744073709551615))

    assert version(cache) == "18446744073709551615"


def test_cache_71_what_is_not_stored_is_absent_unless_adds_count(store):
    strict, lenient = MutationCache(store), MutationCache(store, include_adds=True)
    for cache in (strict, lenient):
        cache.mutation(pod_object("a", 1))

    assert version(strict) is None
    assert version(lenient) == "1"
    assert version(lenient, "b") is None


def test_cache_71_what_was_written_is_kept_for_a_while(store, clock):
    cache = MutationCache(store, ttl=5.0, clock=clock)
    store.add(pod_object("a", 1))
    cache.mutation(pod_object("a", 2))
    clock.advance(4.9)
    assert version(cache) == "2"

    clock.advance(0.2)
    assert version(cache) == "1"


def test_cache_71_the_least_recently_used_goes_first(store):
    cache = MutationCache(store, include_adds=True, size=2)
    cache.mutation(pod_object("a"))
    cache.mutation(pod_object("b"))
    assert version(cache, "a")
    cache.mutation(pod_object("c"))

    assert [version(cache, name) for name in "abc"] == ["1", None, "1"]


def test_cache_71_what_is_handed_out_is_the_callers_own(store):
    cache = MutationCache(store, include_adds=True)
    cache.mutation(pod_object("a"))
    cache.get_by_key("default/a").metadata.labels = {"x": "y"}

    assert cache.get_by_key("default/a").metadata.labels is None


def test_cache_72_without_an_indexer_there_is_no_index(store):
    with pytest.raises(NoSuchIndex, match="without an indexer"):
        MutationCache(store).by_index("app", "web")
    with pytest.raises(NoSuchIndex):
        MutationCache(store, store, include_adds=True).by_index("nope", "web")


def test_cache_72_by_index_shows_what_was_written(store):
    store.replace([web("a", 1), web("b", 1)])
    strict, lenient = MutationCache(store, store), MutationCache(store, store, include_adds=True)
    for cache in (strict, lenient):
        cache.mutation(web("a", 2))
        cache.mutation(web("new", 3))
        cache.mutation(web("other", 4, app="db"))

    assert names(strict.by_index("app", "web")) == ["a:2", "b:1"]
    assert names(lenient.by_index("app", "web")) == ["a:2", "b:1", "new:3"]


def test_cache_72_what_the_store_has_outrun_is_not_added(store):
    cache = MutationCache(store, store, include_adds=True)
    cache.mutation(web("a", 1))
    store.add(web("a", 2, app="db"))
    cache.mutation(web("gone", 3))
    cache.on_delete(web("gone", 4))

    assert cache.by_index("app", "web") == []


def test_cache_73_the_newer_of_two_writes_counts(store):
    cache = MutationCache(store, include_adds=True)
    cache.mutation(pod_object("a", 5))
    cache.mutation(pod_object("a", 4))
    assert version(cache) == "5"

    cache.mutation(pod_object("a", 6))
    assert version(cache) == "6"


def test_cache_73_a_late_write_of_what_was_deleted_does_not_come_back(store, clock):
    cache = MutationCache(store, include_adds=True, ttl=5.0, clock=clock)
    cache.on_delete(pod_object("a", 10, uid="one"))
    for late in [pod_object("a", 9, uid="zero"), pod_object("a", 10, uid="two"), pod_object("a", 12, uid="one")]:
        cache.mutation(late)
        assert version(cache) is None

    cache.mutation(pod_object("a", 11, uid="two"))
    assert version(cache) == "11"


def test_cache_73_a_tombstone_is_kept_for_a_while_only(store, clock):
    cache = MutationCache(store, include_adds=True, ttl=5.0, clock=clock)
    cache.on_delete(DeletedFinalStateUnknown("default/a", pod_object("a", 10)))
    clock.advance(5.1)
    cache.mutation(pod_object("a", 9))

    assert version(cache) == "9"


@pytest.mark.parametrize(
    ("rv", "uid", "left"), [(5, "one", None), (9, "two", None), (10, "two", None), (4, "two", "9")]
)
def test_cache_73_a_deletion_takes_what_is_not_newer_or_the_same_object(store, rv, uid, left):
    cache = MutationCache(store, include_adds=True)
    cache.mutation(pod_object("a", 9, uid="one"))
    cache.on_delete(pod_object("a", rv, uid=uid))

    assert version(cache) == left


@pytest.mark.parametrize(("rv", "left"), [(8, "9"), (9, None), (10, None)])
def test_cache_73_what_the_informer_hears_takes_what_is_not_newer(store, rv, left):
    cache = MutationCache(store, include_adds=True)
    cache.mutation(pod_object("a", 9))
    cache.on_add_or_update(pod_object("a", rv))
    cache.on_add_or_update(pod_object("b", rv))

    assert version(cache) == left
    assert repr(cache) == f"<MutationCache of {1 if left else 0} over <Indexer of 0 Pod>>"


def test_cache_73_a_deletion_without_a_last_state(store):
    cache = MutationCache(store, include_adds=True)
    cache.on_delete(DeletedFinalStateUnknown("default/a", None))
    assert version(cache) is None

    cache.mutation(pod_object("a", 1))
    assert version(cache) == "1"
