from __future__ import annotations

import copy
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Node, Service, ServiceAccount
from k8srt.apimachinery.patch import (
    PatchConflict,
    PatchError,
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge,
    create_json_patch,
    create_merge_patch,
    create_three_way_merge_patch,
)
from k8srt.apimachinery.structure import structure_of

DOC: dict[str, Any] = {"data": {"one": "1", "a/b": "2"}, "list": [1, 2, 3]}


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


# ---- merge patch


@pytest.mark.parametrize(
    ("doc", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_mach_40_merge_patch(doc, patch, result):
    before = copy.deepcopy(doc)

    assert apply_merge_patch(doc, patch) == result
    assert doc == before


def test_mach_40_a_merge_patch_is_an_object():
    with pytest.raises(PatchError) as caught:
        apply_merge_patch({}, [1])

    assert caught.value.code == 400


# ---- JSON patch


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([op("add", "/data/two", value="2")], {"one": "1", "a/b": "2", "two": "2"}),
        ([op("remove", "/data/one")], {"a/b": "2"}),
        ([op("replace", "/data/a~1b", value="3")], {"one": "1", "a/b": "3"}),
        ([op("replace", "/data/new", value="3")], {"one": "1", "a/b": "2", "new": "3"}),
        ([op("move", "/data/x", **{"from": "/data/one"})], {"a/b": "2", "x": "1"}),
        ([op("copy", "/data/x", **{"from": "/data/one"})], {"one": "1", "a/b": "2", "x": "1"}),
        ([op("test", "/data/one", value="1"), op("remove", "/data/one")], {"a/b": "2"}),
        ([op("test", "/data/missing", value=None)], {"one": "1", "a/b": "2"}),
        ([op("add", "/data", value={"q": "r"})], {"q": "r"}),
    ],
)
def test_mach_41_operations_on_maps(operations, result):
    before = copy.deepcopy(DOC)

    assert apply_json_patch(DOC, operations)["data"] == result
    assert before == DOC


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        (op("add", "/list/1", value=9), [1, 9, 2, 3]),
        (op("add", "/list/3", value=9), [1, 2, 3, 9]),
        (op("add", "/list/-", value=9), [1, 2, 3, 9]),
        (op("add", "/list/-1", value=9), [1, 2, 3, 9]),
        (op("remove", "/list/0"), [2, 3]),
        (op("remove", "/list/-1"), [1, 2]),
        (op("replace", "/list/1", value=9), [1, 9, 3]),
        (op("move", "/list/0", **{"from": "/list/2"}), [3, 1, 2]),
    ],
)
def test_mach_41_operations_on_lists(operation, result):
    assert apply_json_patch(DOC, [operation])["list"] == result


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/data/missing"),
        op("add", "/missing/x", value=1),
        op("add", "/list/4", value=1),
        op("add", "/list/x", value=1),
        op("replace", "/list/3", value=1),
        op("test", "/data/one", value="2"),
        op("test", "/data/one", value=None),
        op("move", "/data/x", **{"from": "/data/missing"}),
        op("add", "", value={}),
        op("add", "/data/one/deeper", value=1),
        op("frobnicate", "/data"),
        {"op": "remove"},
    ],
)
def test_mach_41_one_failure_rejects_the_whole(operation):
    before = copy.deepcopy(DOC)

    with pytest.raises(PatchError) as caught:
        apply_json_patch(DOC, [op("add", "/data/two", value="2"), operation])

    assert caught.value.code == 422
    assert before == DOC


@pytest.mark.parametrize(("patch", "code"), [({}, 400), ([1], 400), ([op("test", "/x")] * 10_001, 413)])
def test_mach_41_malformed_patches(patch, code):
    with pytest.raises(PatchError) as caught:
        apply_json_patch(DOC, patch)

    assert caught.value.code == code


def test_mach_41_a_test_is_strict_about_types():
    with pytest.raises(PatchError):
        apply_json_patch({"a": 1}, [op("test", "/a", value=True)])


# ---- strategic merge


def deployment(**template: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": template}}}


def strategic(doc: dict[str, Any], patch: dict[str, Any], kind: type[Any] = Deployment) -> Any:
    before, asked = copy.deepcopy(doc), copy.deepcopy(patch)
    result = apply_strategic_merge(doc, patch, structure_of(kind))
    assert (doc, patch) == (before, asked)
    return result


def containers(doc: dict[str, Any], *patch: dict[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = strategic(doc, deployment(containers=list(patch)))["spec"]["template"]["spec"][
        "containers"
    ]
    return result


TWO = deployment(containers=[{"name": "main", "image": "a:1", "env": [{"name": "A"}]}, {"name": "side"}])


def test_mach_42_lists_merge_by_their_key():
    assert containers(TWO, {"name": "side", "image": "b:2"})[1] == {"name": "side", "image": "b:2"}
    assert containers(TWO, {"name": "main", "env": [{"name": "B"}, {"name": "A", "value": "1"}]})[0]["env"] == [
        {"name": "B"},
        {"name": "A", "value": "1"},
    ]


def test_mach_42_new_items_come_where_the_patch_has_them():
    assert [each["name"] for each in containers(TWO, {"name": "extra"})] == ["extra", "main", "side"]
    assert [each["name"] for each in containers(TWO, {"name": "main"}, {"name": "extra"})] == ["main", "extra", "side"]


def test_mach_42_patch_delete_takes_an_item_out():
    assert [each["name"] for each in containers(TWO, {"name": "main", "$patch": "delete"})] == ["side"]


def test_mach_42_patch_replace_takes_the_place_of_a_list_or_map():
    assert containers(TWO, {"name": "only"}, {"$patch": "replace"}) == [{"name": "only"}]
    assert strategic(TWO, {"spec": {"$patch": "replace", "replicas": 1}}) == {"spec": {"replicas": 1}}
    assert strategic(TWO, {"spec": {"$patch": "delete"}}) == {"spec": {}}


def test_mach_42_atomic_lists_are_replaced():
    doc = deployment(containers=[{"name": "main", "args": ["a", "b"]}])

    assert containers(doc, {"name": "main", "args": ["c"]}) == [{"name": "main", "args": ["c"]}]
    assert strategic({"imagePullSecrets": [{"name": "a"}]}, {"imagePullSecrets": [{"name": "b"}]}, ServiceAccount) == {
        "imagePullSecrets": [{"name": "b"}]
    }


def test_mach_42_retain_keys():
    doc = deployment(volumes=[{"name": "v", "emptyDir": {}}])
    patch = {"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}

    assert strategic(doc, deployment(volumes=[patch])) == deployment(
        volumes=[{"name": "v", "configMap": {"name": "c"}}]
    )
    with pytest.raises(PatchError) as caught:
        strategic(doc, deployment(volumes=[{**patch, "secret": {}}]))
    assert caught.value.code == 400


def test_mach_42_lists_of_scalars():
    doc = {"metadata": {"finalizers": ["a", "b", "c"]}}

    def finalizers(patch: dict[str, Any]) -> Any:
        return strategic(doc, {"metadata": patch}, ConfigMap)["metadata"].get("finalizers")

    assert finalizers({"$deleteFromPrimitiveList/finalizers": ["b"]}) == ["a", "c"]
    assert finalizers({"finalizers": ["d", "a"]}) == ["d", "a", "b", "c"]
    assert finalizers({"$setElementOrder/finalizers": ["c", "a", "e", "b"], "finalizers": ["e"]}) == [
        "c",
        "a",
        "e",
        "b",
    ]
    assert finalizers({"finalizers": None}) is None


def test_mach_42_set_element_order():
    doc = {"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Disk", "status": "False"}]}}
    order = [{"type": "Disk"}, {"type": "Ready"}]

    assert strategic(
        doc,
        {"status": {"$setElementOrder/conditions": order, "conditions": [{"type": "Disk", "status": "True"}]}},
        Node,
    ) == {"status": {"conditions": [{"type": "Disk", "status": "True"}, {"type": "Ready", "status": "True"}]}}
    with pytest.raises(PatchError, match="doesn't match"):
        strategic(doc, {"status": {"$setElementOrder/conditions": order[:1], "conditions": [{"type": "Ready"}]}}, Node)


@pytest.mark.parametrize(
    "patch",
    [
        {"image": "x"},
        {"name": "main", "$patch": "frobnicate"},
        {"name": "main", "$patch": "merge"},
        {"$patch": "delete"},
    ],
)
def test_mach_42_bad_directives_and_missing_keys_are_errors_of_the_server(patch):
    with pytest.raises(PatchError) as caught:
        containers(TWO, patch)

    assert caught.value.code == 500


def test_mach_42_nulls_and_directives_do_not_stay_where_nothing_was():
    patch = {"metadata": {"labels": {"a": "b", "c": None}, "$setElementOrder/finalizers": ["x"]}}

    assert strategic({}, patch, ConfigMap) == {"metadata": {"labels": {"a": "b"}}}


def test_mach_42_numbers_may_be_keys():
    doc = {"spec": {"ports": [{"port": 80}, {"port": 81}]}}

    assert strategic(doc, {"spec": {"ports": [{"port": 81, "name": "b"}]}}, Service) == {
        "spec": {"ports": [{"port": 80}, {"port": 81, "name": "b"}]}
    }


# ---- making patches


def test_mach_43_two_ways():
    original, modified = {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 1, "d": 3}, "e": [1]}

    assert create_merge_patch(original, modified) == {"a": None, "b": {"d": 3}, "e": [1]}
    assert create_merge_patch(original, original) == {}


def test_mach_43_three_ways_leave_what_others_added():
    original, modified = {"a": 1, "gone": 1}, {"a": 2}
    current = {"a": 1, "gone": 1, "others": 1}

    assert create_three_way_merge_patch(original, modified, current) == {"a": 2, "gone": None}
    assert create_three_way_merge_patch(original, original, current) == {}


def test_mach_44_preconditions_protect_fields():
    current = {"kind": "A", "metadata": {"name": "x"}}

    with pytest.raises(PatchConflict, match="kind"):
        create_three_way_merge_patch(current, {**current, "kind": "B"}, current, fixed=[("kind",)])
    assert create_three_way_merge_patch(current, current, current, fixed=[("kind",), ("metadata", "name")]) == {}


def test_a_json_patch_makes_one_document_of_the_other():
    original = {"a/b": 1, "c~d": [1, 2, 3], "e": {"f": 1}}
    modified = {"c~d": [1, 4], "e": {"f": 1, "g": 2}, "h": None}

    patch = create_json_patch(original, modified)

    assert apply_json_patch(original, patch) == modified
    assert create_json_patch(original, original) == []
    with pytest.raises(PatchError):
        create_json_patch({}, [])
