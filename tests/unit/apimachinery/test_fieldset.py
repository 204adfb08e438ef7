from __future__ import annotations

import pytest

from k8srt.apimachinery.fieldset import FieldSet, from_fields_v1, path_text, to_fields_v1, value_element

FIELDS = {
    "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
    "f:spec": {
        "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}}},
        "f:replicas": {},
        "f:tags": {'v:"x"': {}},
    },
}


def fields(*paths: str) -> FieldSet:
    return FieldSet.of_names(path.split(".") for path in paths)


def test_what_is_read_is_written_again():
    assert to_fields_v1(from_fields_v1(FIELDS)) == FIELDS


def test_elements_are_written_in_a_servers_order():
    found = from_fields_v1({'v:"b"': {}, "f:b": {}, 'k:{"a":1}': {}, "f:a": {".": {}, "f:x": {}}})

    assert list(to_fields_v1(found)) == ["f:a", "f:b", 'k:{"a":1}', 'v:"b"']
    assert list(to_fields_v1(found)["f:a"]) == [".", "f:x"]


def test_keys_are_the_same_however_a_client_writes_them():
    assert from_fields_v1({'k:{"protocol": "TCP", "port": 80}': {}}) == from_fields_v1(
        {'k:{"port":80,"protocol":"TCP"}': {}}
    )


@pytest.mark.parametrize("wrong", [{"x": {}}, {"f:a": 1}, {"k:[]": {}}, {"k:{": {}}, {"i:x": {}}, []])
def test_what_is_no_fields_v1(wrong):
    with pytest.raises(ValueError):
        from_fields_v1(wrong)


def test_paths_print_as_a_servers():
    texts = [path_text(path) for path in from_fields_v1(FIELDS).paths()]

    assert texts == [
        ".metadata.labels",
        ".metadata.labels.a",
        ".spec.replicas",
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
        '.spec.tags[="x"]',
    ]
    assert path_text(("i:3", value_element(1))) == "[3][=1]"


def test_sets_of_paths():
    one, other = fields("a", "a.b", "c.d"), fields("a.b", "c.e")

    assert one.union(other) == fields("a", "a.b", "c.d", "c.e")
    assert one.intersection(other) == fields("a.b")
    assert one.difference(other) == fields("a", "c.d")
    assert one.intersection(fields("x.y")).empty
    assert fields("a.b", "a.c.d", "e").recursive_difference(fields("a")) == fields("e")
    assert fields("a.b").difference(fields("a")) == fields("a.b")


def test_membership():
    found = fields("a", "c.d")

    assert found.has(("f:a",))
    assert found.has(("f:c", "f:d"))
    assert not found.has(("f:c",))
    assert not found.has(())
    assert not FieldSet()
