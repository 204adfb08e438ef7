"""Keys of things, and things of keys."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import NamespacedName
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import CacheKeyError
from k8srt.tools.cache import (
    DeletedFinalStateUnknown,
    ExplicitKey,
    NoMetadata,
    ObjectName,
    Store,
    deletion_handling_meta_namespace_key,
    deletion_handling_object_to_name,
    index_func_to_key_func_adapter,
    meta_namespace_key,
    parse_object_name,
    split_meta_namespace_key,
)
from tests.unit.tools.cache.scripted import pod, pod_object


@pytest.mark.parametrize(
    ("namespace", "name", "key"), [("ns", "n", "ns/n"), ("", "n", "n"), ("", "a/b", "a/b"), ("", "", "")]
)
def test_cache_01_key_is_namespace_slash_name_or_the_name(namespace, name, key):
    obj = Pod(metadata=ObjectMeta(name=name, namespace=namespace))

    assert meta_namespace_key(obj) == key
    assert meta_namespace_key(obj.to_record()) == key
    assert meta_namespace_key(Pod.from_record(obj.to_record())) == key
    assert meta_namespace_key(obj.to_dict()) == key


def test_cache_01_the_key_follows_a_change_of_the_metadata():
    obj = pod_object("a")
    plain = Unstructured.from_record(pod("a"))

    obj.metadata.name = "b"
    plain["metadata"]["name"] = "c"

    assert meta_namespace_key(obj) == "default/b"
    assert meta_namespace_key(plain) == "default/c"


def test_cache_02_an_explicit_key_is_its_own_key():
    assert meta_namespace_key(ExplicitKey("any/old/key")) == "any/old/key"


def test_cache_03_what_has_no_metadata_has_no_key():
    with pytest.raises(NoMetadata, match="object has no meta: 42"):
        meta_namespace_key(42)

    with pytest.raises(CacheKeyError) as caught:
        Store().add(42)

    assert caught.value.obj == 42
    assert isinstance(caught.value.__cause__, NoMetadata)


def test_cache_04_a_tombstone_has_its_own_key():
    tombstone = DeletedFinalStateUnknown("ns/gone", None)

    assert deletion_handling_meta_namespace_key(tombstone) == "ns/gone"
    assert deletion_handling_meta_namespace_key(pod("a")) == "default/a"
    assert deletion_handling_object_to_name(tombstone) == ObjectName("ns", "gone")
    assert deletion_handling_object_to_name(pod("a")) == ObjectName("default", "a")


def test_cache_04_the_plain_key_function_understands_tombstones_too():
    """A deviation: see docs/deviations.md."""
    assert meta_namespace_key(DeletedFinalStateUnknown("ns/gone", None)) == "ns/gone"


@pytest.mark.parametrize(
    ("key", "split"), [("a", ("", "a")), ("a/b", ("a", "b")), ("", ("", "")), ("a/", ("a", "")), ("/b", ("", "b"))]
)
def test_cache_05_keys_are_split_at_their_slash(key, split):
    assert split_meta_namespace_key(key) == split


def test_cache_05_two_slashes_are_an_error():
    with pytest.raises(ValueError, match='unexpected key format: "a/b/c"'):
        split_meta_namespace_key("a/b/c")


def test_cache_06_an_object_name_prints_as_the_key():
    assert str(ObjectName("ns", "n")) == "ns/n"
    assert str(ObjectName("", "n")) == "n"
    assert str(NamespacedName("", "n")) == "/n"
    assert parse_object_name("ns/n") == ObjectName("ns", "n")
    assert ObjectName.of(NamespacedName("ns", "n")).as_namespaced_name() == NamespacedName("ns", "n")
    with pytest.raises(ValueError, match="unexpected key format"):
        ObjectName.parse("a/b/c")


def test_cache_07_an_index_function_can_give_keys():
    key = index_func_to_key_func_adapter(lambda values: values)

    assert key(["one"]) == "one"
    with pytest.raises(ValueError, match="empty"):
        key([])
    with pytest.raises(ValueError, match=r"too many keys: \['a', 'b'\]"):
        key(["a", "b"])
