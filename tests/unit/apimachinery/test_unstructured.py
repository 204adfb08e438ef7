from __future__ import annotations

import pickle

import pytest

from k8srt.apimachinery.record import decode_record, decode_record_list
from k8srt.apimachinery.unstructured import Unstructured, UnstructuredList
from k8srt.errors import DecodeError

WIRE = b'{"apiVersion":"a.io/v1","kind":"Foo","metadata":{"name":"x", "namespace":"n"},"spec":{"replicas":  2},"n":1.0}'


@pytest.fixture
def foo() -> Unstructured:
    return Unstructured.from_record(decode_record(WIRE))


def test_parts_are_plain_values_by_wire_name(foo):
    assert foo["spec"]["replicas"] == 2
    assert foo.get("status") is None
    assert "spec" in foo
    assert "status" not in foo
    assert (foo.kind, foo.api_version) == ("Foo", "a.io/v1")
    assert foo.metadata.name == "x"
    with pytest.raises(KeyError):
        foo["status"]


def test_what_was_only_read_is_written_byte_for_byte(foo):
    assert foo["spec"]["replicas"] == 2
    assert foo.metadata.name == "x"
    assert foo["metadata"]["name"] == "x"

    assert foo.encode() == WIRE


def test_mach_35_integers_stay_integers_and_floats_floats(foo):
    assert type(foo["spec"]["replicas"]) is int
    assert type(foo["n"]) is float
    foo["n"] = 2.0
    assert b'"n":2.0' in foo.encode()


def test_changes_are_written(foo):
    foo["spec"]["replicas"] = 3
    foo["status"] = {"ready": True}
    del foo["n"]

    assert foo.to_dict() == {
        "apiVersion": "a.io/v1",
        "kind": "Foo",
        "metadata": {"name": "x", "namespace": "n"},
        "spec": {"replicas": 3},
        "status": {"ready": True},
    }
    with pytest.raises(KeyError):
        del foo["n"]
    with pytest.raises(KeyError):
        foo["n"]


def test_both_views_of_the_metadata_carry_changes_over(foo):
    foo.metadata.labels = {"a": "1"}
    assert foo["metadata"]["labels"] == {"a": "1"}

    foo["metadata"]["labels"]["b"] = "2"
    assert foo.metadata.labels == {"a": "1", "b": "2"}

    foo["metadata"] = {"name": "y"}
    assert foo.metadata.name == "y"
    assert repr(foo) == "<Unstructured Foo y>"


def test_a_new_one_from_a_mapping():
    foo = Unstructured({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    foo.setdefault("data", {})["k"] = "v"

    assert foo.kind == "ConfigMap"
    assert repr(foo) == "<Unstructured ConfigMap c>"
    assert foo.to_record().name == "c"
    assert dict(foo) == foo.to_dict()
    assert foo.to_dict()["data"] == {"k": "v"}


def test_copies_are_independent(foo):
    twin = foo.copy()
    twin["spec"]["replicas"] = 9

    assert foo["spec"]["replicas"] == 2
    assert pickle.loads(pickle.dumps(twin))["spec"]["replicas"] == 9
    assert twin != foo


def test_values_that_json_cannot_hold_are_refused(foo):
    foo["spec"] = {"x": object()}

    with pytest.raises(DecodeError, match=r"Foo n/x>: spec.x: expected something that JSON can hold"):
        foo.encode()


def test_items_of_a_list_get_the_kind_it_implies():
    found = decode_record_list(b'{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"x"}}]}')

    item = UnstructuredList.of(Unstructured, found)[0]

    assert (item.kind, item.api_version) == ("Pod", "v1")
