"""The store that forgets."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import new_ttl_store
from tests.unit.tools.cache.scripted import pod_object
from tests.unit.tools.cache.things import by_name, thing


@pytest.fixture
def clock():
    return FakeClock()


def test_cache_68_an_entry_expires_when_its_age_exceeds_the_limit(clock):
    store = new_ttl_store(by_name, 10.0, clock=clock)
    store.add(thing("a"))
    clock.advance(10.0)
    assert store.get_by_key("a") == ("a", 0)

    clock.advance(0.001)
    assert store.list_keys() == ["a"]
    assert store.get(thing("a")) is None
    assert store.list_keys() == []


def test_cache_68_an_update_starts_the_time_anew(clock):
    store = new_ttl_store(by_name, 10.0, clock=clock)
    store.add(thing("a", 1))
    store.add(thing("b", 1))
    clock.advance(6.0)
    store.update(thing("a", 2))
    clock.advance(6.0)

    assert store.list() == [("a", 2)]
    assert store.list_keys() == ["a"]


@pytest.mark.parametrize("ttl", [0.0, -1.0])
def test_cache_68_without_a_limit_nothing_expires(clock, ttl):
    store = new_ttl_store(by_name, ttl, clock=clock)
    store.add(thing("a"))
    clock.advance(1e9)

    assert store.list() == [("a", 0)]


def test_cache_68_a_replace_has_one_time(clock):
    store = new_ttl_store(by_name, 10.0, clock=clock)
    store.add(thing("old"))
    clock.advance(9.0)
    store.replace([thing("a"), thing("b")], "7")
    clock.advance(10.0)
    assert sorted(store.list()) == [("a", 0), ("b", 0)]

    clock.advance(1.0)
    assert store.list() == []
    assert store.last_store_sync_resource_version() == "7"


def test_cache_68_what_was_deleted_and_added_again_is_new(clock):
    store = new_ttl_store(ttl=10.0, kind=Pod, clock=clock)
    store.add(pod_object("a"))
    clock.advance(9.0)
    store.delete(pod_object("a"))
    store.add(pod_object("a"))
    clock.advance(9.0)

    assert store.get(pod_object("a")).metadata.name == "a"
