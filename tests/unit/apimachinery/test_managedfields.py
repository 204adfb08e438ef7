from __future__ import annotations

import copy
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, Service
from k8srt.apimachinery.managedfields import extract_apply
from k8srt.apimachinery.structure import structure_of_schema
from k8srt.apimachinery.unstructured import Unstructured


def entry(manager: str, fields: dict[str, Any], operation: str = "Apply", **more: str) -> dict[str, Any]:
    head = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return {**head, "fieldsV1": fields, **more}


def config_map(*entries: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": "cfg", "namespace": "d", "uid": "u", "resourceVersion": "7", "managedFields": list(entries)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**meta, "labels": {"a": "1", "b": "2"}, "finalizers": ["x/a", "x/b"]},
        "data": {"k": "v", "l": "w"},
    }


def foo(spec: Any, *entries: dict[str, Any]) -> Unstructured:
    meta = {"name": "x", "managedFields": list(entries)}
    return Unstructured({"apiVersion": "example.com/v1", "kind": "Foo", "metadata": meta, "spec": spec})


BARE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg", "namespace": "d"}}
ONLY_K = {"f:data": {"f:k": {}}}


def test_cli_11_only_what_the_manager_owns_is_in_the_extraction():
    mine = entry("me", {"f:metadata": {"f:labels": {"f:b": {}}, "f:finalizers": {'v:"x/a"': {}}}, **ONLY_K})
    obj = ConfigMap.from_dict(config_map(mine, entry("you", {"f:data": {"f:l": {}}})))

    found = extract_apply(obj, "me")

    assert isinstance(found, ConfigMap)
    assert found.to_dict() == {
        **BARE,
        "metadata": {**BARE["metadata"], "labels": {"b": "2"}, "finalizers": ["x/a"]},
        "data": {"k": "v"},
    }


def test_cli_11_without_an_entry_there_is_name_namespace_and_kind():
    obj = config_map(entry("me", ONLY_K, "Update"), entry("me", ONLY_K, subresource="status"))

    assert extract_apply(ConfigMap.from_dict(obj), "me").to_dict() == BARE
    assert extract_apply(Unstructured(obj), "nobody").to_dict() == BARE
    assert extract_apply(ConfigMap.from_dict({"metadata": {"name": "new"}}), "me").to_dict() == {
        **BARE,
        "metadata": {"name": "new"},
    }


def test_cli_11_a_subresource_has_entries_of_its_own():
    obj = config_map(entry("me", ONLY_K), entry("me", {"f:data": {"f:l": {}}}, subresource="status"))

    assert extract_apply(obj, "me")["data"] == {"k": "v"}
    assert extract_apply(obj, "me", "status")["data"] == {"l": "w"}


def test_cli_11_a_dict_stays_a_dict_and_shares_nothing_with_the_extraction():
    obj = foo({"atomic": [{"a": [1]}]}, entry("me", {"f:spec": {"f:atomic": {}}})).to_dict()
    before = copy.deepcopy(obj)

    found = extract_apply(obj, "me")
    found["spec"]["atomic"][0]["a"].append(2)

    assert obj == before


def test_cli_11_items_of_lists_come_with_their_keys_but_not_with_those_that_were_filled_in():
    ports = [{"port": 80, "protocol": "TCP", "name": "web"}, {"port": 80, "protocol": "UDP"}]
    fields = {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}, "f:port": {}}}}}
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}
    document["metadata"]["managedFields"] = [entry("me", fields)]

    for obj in (Service.from_dict(document), Unstructured(document), document):
        found = extract_apply(obj, "me")
        spec = found.to_dict()["spec"] if isinstance(found, Service) else found["spec"]
        assert spec == {"ports": [{"port": 80, "name": "web"}]}


def test_cli_11_an_item_of_which_nothing_else_is_owned_has_its_keys():
    obj = foo({"items": [{"id": 1, "x": 2}, {"id": 2}]}, entry("me", {"f:spec": {"f:items": {'k:{"id":1}': {}}}}),
              entry("you", {"f:spec": {"f:items": {'k:{"id":1}': {"f:x": {}}}}}))  # fmt: skip

    assert extract_apply(obj, "me")["spec"] == {"items": [{"id": 1}]}


def test_cli_11_what_is_owned_as_a_whole_comes_as_a_whole():
    obj = foo({"selector": {"a": "b"}, "list": [1, 2], "empty": {"theirs": 1}},
              entry("me", {"f:spec": {"f:selector": {}, "f:list": {}, "f:empty": {}}}),
              entry("you", {"f:spec": {"f:empty": {"f:theirs": {}}}}))  # fmt: skip

    assert extract_apply(obj, "me")["spec"] == {"selector": {"a": "b"}, "list": [1, 2], "empty": {}}


def test_cli_11_a_schema_says_what_is_owned_as_a_whole():
    obj = foo({"defaulted": {"x": 1}}, entry("me", {"f:spec": {"f:defaulted": {}}}))
    below = {"type": "object", "properties": {"x": {"type": "integer", "default": 1}}}
    spec = {"type": "object", "properties": {"defaulted": below}}
    structure = structure_of_schema({"type": "object", "properties": {"spec": spec}})

    assert extract_apply(obj, "me", structure=structure)["spec"] == {"defaulted": {}}
    assert extract_apply(obj, "me")["spec"] == {"defaulted": {"x": 1}}


def test_cli_11_items_by_value_are_told_by_type_and_items_by_index_by_place():
    obj = foo({"set": [1, True, "1"], "list": ["a", "b"]},
              entry("me", {"f:spec": {"f:set": {"v:1": {}}, "f:list": {"i:1": {}}}}))  # fmt: skip

    assert extract_apply(obj, "me")["spec"] == {"set": [1], "list": ["b"]}


def test_cli_11_what_is_gone_meanwhile_is_left_out():
    obj = config_map(entry("me", {"f:data": {"f:gone": {}, "f:k": {}}, "f:immutable": {}}))

    assert extract_apply(obj, "me") == {**BARE, "data": {"k": "v"}}


def test_cli_11_entries_that_cannot_be_read_are_an_error():
    with pytest.raises(ValueError, match="no path element"):
        extract_apply(config_map(entry("me", {"q:x": {}})), "me")
    with pytest.raises(ValueError, match="'me': fields of type 'FieldsV2'"):
        extract_apply(config_map(entry("me", {}, fieldsType="FieldsV2")), "me")
    with pytest.raises(TypeError, match="expected an API object or a dict, got str"):
        extract_apply("cfg", "me")


def test_cli_11_values_stay_as_they_are_written():
    resources = {"limits": {"cpu": "1000m"}}
    container = {"name": "c", "resources": resources}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"c"}': {
        ".": {}, "f:name": {}, "f:resources": {"f:limits": {"f:cpu": {}}}}}}}}}  # fmt: skip
    document = {"metadata": {"name": "d", "managedFields": [entry("me", fields)]},
                "spec": {"template": {"spec": {"containers": [container]}}}}  # fmt: skip

    found = extract_apply(Deployment.from_dict(document), "me")

    assert found.to_dict()["spec"]["template"]["spec"] == {"containers": [container]}
