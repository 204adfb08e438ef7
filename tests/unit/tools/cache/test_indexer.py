"""Indices of stores."""

from __future__ import annotations

import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.tools.cache import (
    NAMESPACE_INDEX,
    Indexer,
    IndexFuncError,
    NoMetadata,
    NoSuchIndex,
    label_index,
    meta_namespace_index,
)
from tests.unit.tools.cache.scripted import pod, pod_object


def by_node(obj):
    return [obj.spec.node_name]


def by_labels(obj):
    return list((obj.metadata.labels or {}).values())


@pytest.fixture
def indexer():
    return Indexer(indexers={"node": by_node, "labels": by_labels}, kind=Pod)


def names(objects):
    return sorted(obj.metadata.name for obj in objects)


def test_cache_18_an_object_is_found_under_each_of_its_values(indexer):
    indexer.add(pod_object("a", labels={"one": "x", "two": "y", "three": "x"}))
    indexer.add(pod_object("b"))

    assert names(indexer.by_index("labels", "x")) == ["a"]
    assert names(indexer.by_index("labels", "y")) == ["a"]
    assert sorted(indexer.list_index_func_values("labels")) == ["x", "y"]


def test_cache_19_an_index_function_that_fails_is_not_swallowed():
    def fails(obj):
        if obj.metadata.name == "bad":
            raise RuntimeError("boom")
        return ["v"]

    indexer = Indexer(indexers={"fails": fails}, kind=Pod)

    with pytest.raises(IndexFuncError, match="'default/bad' on index 'fails': boom"):
        indexer.add(pod_object("bad"))
    with pytest.raises(IndexFuncError):
        indexer.replace([pod_object("good"), pod_object("bad")])
    assert len(indexer) == 0


def test_cache_20_an_update_moves_the_key(indexer):
    indexer.add(pod_object("a", node="n1"))
    indexer.update(pod_object("a", node="n2"))

    assert indexer.by_index("node", "n1") == []
    assert names(indexer.by_index("node", "n2")) == ["a"]
    assert indexer.list_index_func_values("node") == ["n2"]

    indexer.delete(pod_object("a"))
    assert indexer.list_index_func_values("node") == []


def test_cache_20_only_some_values_change(indexer):
    indexer.add(pod_object("a", labels={"1": "x", "2": "y"}))
    indexer.update(pod_object("a", labels={"1": "y", "2": "z"}))

    assert sorted(indexer.list_index_func_values("labels")) == ["y", "z"]


def test_cache_21_unknown_values_give_nothing_and_unknown_indices_an_error(indexer):
    assert indexer.by_index("node", "nowhere") == []
    with pytest.raises(NoSuchIndex, match="Index with name nope does not exist"):
        indexer.by_index("nope", "x")


def test_cache_22_index_keys_are_sorted(indexer):
    for name in "cab":
        indexer.add(pod_object(name, node="n"))

    assert indexer.index_keys("node", "n") == ["default/a", "default/b", "default/c"]
    with pytest.raises(NoSuchIndex):
        indexer.index_keys("nope", "n")


def test_cache_23_index_finds_those_that_share_a_value(indexer):
    indexer.add(pod_object("a", labels={"1": "x", "2": "y"}))
    indexer.add(pod_object("b", labels={"1": "y"}))

    assert names(indexer.index("labels", pod_object("not-stored", labels={"1": "x", "2": "y"}))) == ["a", "b"]
    with pytest.raises(AttributeError):
        indexer.index("labels", 42)


def test_cache_23_a_bare_metadata_object_will_do():
    indexer = Indexer(indexers={NAMESPACE_INDEX: meta_namespace_index}, kind=Pod)
    indexer.add(pod_object("a"))

    assert names(indexer.index(NAMESPACE_INDEX, ObjectMeta(namespace="default"))) == ["a"]


def test_cache_24_values_of_an_unknown_index_are_none(indexer):
    assert indexer.list_index_func_values("nope") == []


def test_cache_25_indexers_can_be_added_to_a_populated_store(indexer):
    indexer.add(pod_object("a", namespace="ns"))
    indexer.add_indexers({NAMESPACE_INDEX: meta_namespace_index})

    assert names(indexer.by_index(NAMESPACE_INDEX, "ns")) == ["a"]
    with pytest.raises(ValueError, match="indexer conflict: node"):
        indexer.add_indexers({"node": by_node, "fresh": by_node})
    assert "fresh" not in indexer.get_indexers()


def test_cache_25_what_is_written_meanwhile_is_indexed_too(indexer):
    indexer.add(pod_object("a", node="n"))
    first = threading.Event()

    def slow(obj):
        if not first.is_set():  # in the first round: as if another thread wrote
            first.set()
            indexer.add(pod_object("b", node="n"))
            indexer.update(pod_object("a", node="m"))
        return [obj.spec.node_name]

    indexer.add_indexers({"slow": slow})

    assert indexer.index_keys("slow", "m") == ["default/a"]
    assert indexer.index_keys("slow", "n") == ["default/b"]


def test_cache_26_the_functions_can_be_asked_for(indexer):
    assert dict(indexer.get_indexers()) == {"node": by_node, "labels": by_labels}


def test_cache_27_the_namespace_index():
    assert meta_namespace_index(pod("a", namespace="ns")) == ("ns",)
    assert meta_namespace_index(pod_object("a", namespace="")) == ("",)
    with pytest.raises(NoMetadata):
        meta_namespace_index(42)


def test_cache_28_a_query_is_of_one_moment(indexer, pool):
    indexer.add(pod_object("a", node="n0"))
    done = threading.Event()

    def write():
        for number in range(300):
            indexer.update(pod_object("a", node=f"n{number % 2}"))
        done.set()

    writer = pool.submit(write)
    while not done.is_set():
        for value in ("n0", "n1"):
            assert all(found.spec.node_name == value for found in indexer.by_index("node", value))
    writer.result(timeout=10)


def test_cache_29_changing_what_was_stored_does_not_corrupt_the_index():
    """Safer than upstream: what the index function said is remembered."""
    things = Indexer(lambda thing: thing["id"], {"color": lambda thing: [thing["color"]]})
    thing = {"id": "a", "color": "red"}
    things.add(thing)

    thing["color"] = "blue"
    things.update({"id": "a", "color": "green"})

    assert things.list_index_func_values("color") == ["green"]


def test_a_value_that_is_absent_counts_as_empty(indexer):
    indexer.add(Pod(metadata=ObjectMeta(name="a", namespace="default")))

    assert names(indexer.by_index("node", "")) == ["a"]


def test_label_index_reads_the_record_only():
    indexer = Indexer(indexers={"app": label_index("app")}, kind=Pod)
    indexer.replace([pod_object("a", labels={"app": "web"}), pod_object("b"), pod_object("c", labels={"app": "web"})])

    assert indexer.index_keys("app", "web") == ["default/a", "default/c"]


def test_replace_rebuilds_the_indices(indexer):
    indexer.add(pod_object("a", node="n1"))
    indexer.replace([pod_object("b", node="n2")], "5")

    assert indexer.list_index_func_values("node") == ["n2"]
    assert names(indexer.by_index("node", "n2")) == ["b"]


def test_cache_30_a_typed_indexer_is_the_same_thing(indexer):
    typed: Indexer[Pod] = Indexer(kind=Pod)
    assert type(typed) is type(indexer)
