from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.patch import PatchError, apply_json_patch, create_json_patch
from k8srt.apimachinery.unstructured import Unstructured

A, B, C = ({"name": name, "image": "x"} for name in "abc")


def patch(original: list[Any], modified: list[Any]) -> list[dict[str, Any]]:
    """The operations on one list, with short paths; they do what they should."""
    made = create_json_patch({"l": original}, {"l": modified})
    assert apply_json_patch({"l": original}, made) == {"l": modified}
    return [{key: value.replace("/l", "") if key in ("path", "from") else value for key, value in each.items()}
            for each in made]  # fmt: skip


def add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def move(start: str, end: str) -> dict[str, Any]:
    return {"op": "move", "from": start, "path": end}


@pytest.mark.parametrize(
    ("original", "modified", "operations"),
    [
        ([1, 2, 3], [1, 2, 3], []),
        ([1, 2, 3], [0, 1, 2, 3], [add("/0", 0)]),
        ([1, 2, 3], [1, 3], [remove("/1")]),
        ([1, 2, 3], [1, 9, 3], [replace("/1", 9)]),
        ([1, 2], [1, 2, 3, 4], [add("/-", 3), add("/-", 4)]),
        ([1, 2, 3], [2, 3, 1], [move("/0", "/2")]),
        ([1, 2, 3], [3, 1, 2], [move("/2", "/0")]),
        ([1], [], [replace("", [])]),
        ([], [1, 2], [replace("", [1, 2])]),
        ([1, True, 1.0], [True, 1, 1.0], [move("/0", "/1")]),
        ([A, B], [B], [remove("/0")]),
        ([A, B], [A, {**B, "image": "y"}], [replace("/1/image", "y")]),
        ([A, B], [{**B, "image": "y"}], [remove("/0"), replace("/0/image", "y")]),
        ([A, B, C], [C, A, {**B, "image": "y"}], [move("/2", "/0"), replace("/2/image", "y")]),
        ([A], [B], [replace("/0", B)]),
        ([A, B], [A, C, B], [add("/1", C)]),
        ([{"x": 1}], [{"x": 1, "y": 2}], [add("/0/y", 2)]),
        ([[1, 2], 3], [[1], 3], [remove("/0/1")]),
    ],
)  # fmt: skip
def test_mach_43_a_list_changes_where_it_differs(original, modified, operations):
    assert patch(original, modified) == operations


def test_mach_43_what_has_nothing_in_common_is_replaced():
    assert create_json_patch({"a": {"b": 1}}, {"a": {"c": 1}}) == [replace("/a", {"c": 1})]
    assert create_json_patch({"a": [1]}, {"a": {"c": 1}}) == [replace("/a", {"c": 1})]
    assert create_json_patch({"a": {"b": 1, "c": 2}}, {"a": {"c": 1}}) == [remove("/a/b"), replace("/a/c", 1)]


def test_mach_43_the_whole_document_is_never_replaced():
    assert create_json_patch({"a": 1}, {"b": 1}) == [remove("/a"), add("/b", 1)]
    assert create_json_patch([1], [2]) == [replace("/0", 2)]
    with pytest.raises(PatchError, match="whole document"):
        create_json_patch({}, [])


def test_mach_41_names_are_escaped_in_pointers():
    before = {"metadata": {"annotations": {"a/b~c": "1", "x": "y"}}}
    after = {"metadata": {"annotations": {"a/b~c": "2", "x": "y"}}}

    assert create_json_patch(before, after) == [replace("/metadata/annotations/a~1b~0c", "2")]


def test_mach_43_documents_may_be_objects_or_text():
    typed = ConfigMap(metadata=ObjectMeta(name="x"), data={"a": "1"})
    changed = typed.copy()
    changed.data["b"] = "2"

    for one, other in (
        (typed, changed),
        (Unstructured(typed.to_dict()), Unstructured(changed.to_dict())),
        (typed.encode(), changed.encode().decode()),
        (typed.to_dict(), changed),
    ):
        assert create_json_patch(one, other) == [add("/data/b", "2")]


def test_long_lists_find_what_is_equal():
    long = [{"name": str(number), "v": number} for number in range(1000)]

    assert patch(long, [*long[:500], {"name": "new"}, *long[500:]]) == [add("/500", {"name": "new"})]
    assert patch(long, [*reversed(long[:3]), *long[3:900]]) == [
        *(remove(f"/{place}") for place in range(999, 899, -1)),
        move("/2", "/0"),
        move("/2", "/1"),
    ]
