from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.patch import (
    IDENTITY,
    PatchConflict,
    PatchError,
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge,
    create_merge_patch,
    create_strategic_patch,
    create_three_way_strategic_patch,
)
from k8srt.apimachinery.structure import structure_of
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import DecodeError
from k8srt.examples.sample_controller.foo.api.v1alpha1 import Foo, FooSpec

DEPLOYMENT = structure_of(Deployment)


def pods(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers), **more}}}}


MAIN = {"name": "main", "image": "a:1", "env": [{"name": "A", "value": "1"}]}
SIDE = {"name": "side"}


def test_mach_43_items_are_told_by_their_keys():
    patch = create_strategic_patch(pods(MAIN, SIDE), pods({**MAIN, "image": "a:2"}), DEPLOYMENT)

    assert patch == {
        "spec": {
            "template": {
                "spec": {
                    "$setElementOrder/containers": [{"name": "main"}],
                    "containers": [{"name": "main", "image": "a:2"}, {"name": "side", "$patch": "delete"}],
                }
            }
        }
    }


def test_mach_43_no_change_is_an_empty_patch():
    assert create_strategic_patch(pods(MAIN), pods(MAIN), DEPLOYMENT) == {}


def test_mach_43_an_order_alone_is_a_change():
    patch = create_strategic_patch(pods(MAIN, SIDE), pods(SIDE, MAIN), DEPLOYMENT)

    assert apply_strategic_merge(pods(MAIN, SIDE), patch, DEPLOYMENT) == pods(SIDE, MAIN)


def test_mach_42_retain_keys_where_the_api_says_so():
    original, modified = (
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}},
        {"spec": {"strategy": {"type": "Recreate"}}},
    )

    patch = create_strategic_patch(original, modified, DEPLOYMENT)

    assert patch["spec"]["strategy"] == {"type": "Recreate", "rollingUpdate": None, "$retainKeys": ["type"]}
    assert apply_strategic_merge(original, patch, DEPLOYMENT) == modified


@pytest.mark.parametrize(
    ("original", "modified"),
    [
        (pods(MAIN), pods(SIDE, MAIN)),
        (pods(MAIN, SIDE), pods({**MAIN, "env": [{"name": "B"}, {"name": "A", "value": "2"}]})),
        (pods({**MAIN, "args": ["a", "b"]}), pods({**MAIN, "args": ["b"]})),
        (pods(MAIN, volumes=[{"name": "v", "emptyDir": {}}]), pods(MAIN, volumes=[{"name": "v", "secret": {}}])),
        (pods(MAIN), {"spec": {"replicas": 1}}),
        ({}, pods(MAIN)),
    ],
)
def test_mach_43_a_patch_leads_from_one_to_the_other(original, modified):
    patch = create_strategic_patch(original, modified, DEPLOYMENT)

    assert apply_strategic_merge(original, patch, DEPLOYMENT) == modified


def test_mach_43_lists_of_scalars():
    original, modified = {"metadata": {"finalizers": ["a", "b"]}}, {"metadata": {"finalizers": ["c", "b"]}}
    structure = structure_of(ConfigMap)

    patch = create_strategic_patch(original, modified, structure)

    assert patch["metadata"] == {
        "finalizers": ["c"],
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "$setElementOrder/finalizers": ["c", "b"],
    }
    assert apply_strategic_merge(original, patch, structure) == modified


def test_mach_43_three_ways_leave_what_others_added_and_remove_what_was_mine():
    original, modified = pods(MAIN, SIDE), pods({**MAIN, "image": "a:2", "env": []})
    injected = {"name": "injected"}
    current = pods({**MAIN, "imagePullPolicy": "Always"}, SIDE, injected)

    patch = create_three_way_strategic_patch(original, modified, current, DEPLOYMENT)

    merged = apply_strategic_merge(current, patch, DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
    assert sorted(merged, key=lambda each: str(each["name"])) == [
        injected,
        {"name": "main", "image": "a:2", "imagePullPolicy": "Always", "env": []},
    ]
    assert create_three_way_strategic_patch(original, original, current, DEPLOYMENT) == {}


def test_mach_43_what_others_changed_is_a_conflict_unless_overwritten():
    original, modified, current = ({"data": {"k": value}} for value in ("1", "2", "3"))
    structure = structure_of(ConfigMap)

    assert create_three_way_strategic_patch(original, modified, current, structure) == {"data": {"k": "2"}}
    with pytest.raises(PatchConflict, match=r"data\.k"):
        create_three_way_strategic_patch(original, modified, current, structure, overwrite=False)
    assert create_three_way_strategic_patch(original, modified, modified, structure, overwrite=False) == {}


def test_mach_44_preconditions_protect_fields():
    current = {"kind": "ConfigMap", "metadata": {"name": "a"}}

    with pytest.raises(PatchConflict, match=r"metadata\.name"):
        create_three_way_strategic_patch(
            current,
            {"kind": "ConfigMap", "metadata": {"name": "b"}},
            current,
            structure_of(ConfigMap),
            fixed=[("metadata", "name")],
        )


def test_mach_44_so_they_do_of_two_ways():
    one, renamed = ConfigMap(metadata=ObjectMeta(name="a")), ConfigMap(metadata=ObjectMeta(name="b"))
    other = {**one.to_dict(), "kind": "Secret"}

    for create in (create_merge_patch, create_strategic_patch):
        assert create(one, renamed) == {"metadata": {"name": "b"}}
        with pytest.raises(PatchConflict, match=r"changes metadata\.name, which it must not"):
            create(one, renamed, fixed=IDENTITY)
        with pytest.raises(PatchConflict, match="changes kind"):
            create(one, other, fixed=IDENTITY)
        assert create(one, {**one.to_dict(), "data": {"k": "v"}}, fixed=IDENTITY) == {"data": {"k": "v"}}


def ports(*items: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "spec": {"ports": list(items)}}


TCP, UDP, WEB = {"name": "t", "port": 53}, {"name": "u", "port": 53, "protocol": "UDP"}, {"name": "w", "port": 80}
THEIRS = {"name": "theirs", "port": 99, "protocol": "TCP"}


def test_mach_43_a_list_in_which_keys_are_not_unique_is_replaced():
    patch = create_strategic_patch(ports(TCP), ports(TCP, UDP))

    assert patch == {"spec": {"ports": [{"$patch": "replace"}, TCP, UDP]}}
    assert apply_strategic_merge(ports(TCP), patch) == ports(TCP, UDP)


def test_mach_43_such_a_list_keeps_what_others_set_and_added():
    filled = {**TCP, "protocol": "TCP", "nodePort": 30000}

    patch = create_three_way_strategic_patch(ports(TCP, WEB), ports(TCP, UDP), ports(filled, WEB, THEIRS))
    merged = apply_strategic_merge(ports(filled, WEB, THEIRS), patch)

    assert merged == ports(filled, UDP, THEIRS)
    assert create_three_way_strategic_patch(ports(TCP, UDP), ports(TCP, UDP), merged) == {}
    removal = create_three_way_strategic_patch(ports(TCP, UDP, WEB), ports(TCP, UDP), ports(TCP, UDP, WEB))
    assert apply_strategic_merge(ports(TCP, UDP, WEB), removal) == ports(TCP, UDP)


def test_mach_43_what_an_item_of_such_a_list_no_longer_says_goes():
    target, filled = {**UDP, "targetPort": "dns"}, {"nodePort": 30000}
    current = ports({**TCP, **filled}, {**target, **filled}, THEIRS)

    patch = create_three_way_strategic_patch(ports(TCP, target), ports(TCP, UDP), current)

    assert apply_strategic_merge(current, patch) == ports({**TCP, **filled}, {**UDP, **filled}, THEIRS)


def test_mach_43_such_lists_are_in_conflict_unless_they_are_to_be_the_same():
    mine, theirs = ports(TCP, UDP), ports(TCP, {**UDP, "name": "x"})

    with pytest.raises(PatchConflict, match=r"spec\.ports"):
        create_three_way_strategic_patch(ports(TCP), mine, theirs, overwrite=False)
    assert create_three_way_strategic_patch(ports(TCP), mine, mine, overwrite=False) == {}


def test_mach_42_the_kind_is_found_by_class_by_name_or_said():
    old, new = pods(MAIN), pods({**MAIN, "image": "a:2"})
    named = {"apiVersion": "apps/v1", "kind": "Deployment"}
    wanted = create_strategic_patch(old, new, DEPLOYMENT)

    assert create_strategic_patch(old, new, Deployment) == wanted
    assert create_strategic_patch(Deployment.from_dict(old), Deployment.from_dict(new)) == wanted
    assert create_strategic_patch({**named, **old}, Unstructured({**named, **new})) == wanted
    assert create_strategic_patch(Deployment.from_dict(old).spec, Deployment.from_dict(new).spec) == wanted["spec"]
    assert apply_strategic_merge(Deployment.from_dict(old), wanted) == {**named, **new}


def test_mach_42_of_custom_resources_there_are_no_strategic_patches():
    boat = {"apiVersion": "example.com/v1", "kind": "Boat", "spec": {"crew": []}}

    for call in (
        lambda: create_strategic_patch(boat, boat),
        lambda: create_three_way_strategic_patch(boat, boat, boat),
        lambda: apply_strategic_merge(boat, {}),
    ):
        with pytest.raises(PatchError, match=r"example.com/v1 Boat: .* merge patch") as caught:
            call()
        assert caught.value.code == 415
    with pytest.raises(PatchError, match="without apiVersion and kind"):
        create_strategic_patch({}, {})
    with pytest.raises(PatchError, match=r"samplecontroller.k8s.io/v1alpha1 Foo: "):
        create_strategic_patch(Foo(), Foo())
    assert create_strategic_patch(Foo(), Foo(spec=FooSpec(replicas=1)), Foo) == {"spec": {"replicas": 1}}


def test_documents_that_are_no_objects_are_refused():
    with pytest.raises(DecodeError, match="expected a JSON object, got list"):
        create_strategic_patch(b"[1]", b"{}", DEPLOYMENT)
    with pytest.raises(DecodeError, match="expected a JSON object: Input data"):
        create_strategic_patch("no", "{}", DEPLOYMENT)
    with pytest.raises(TypeError, match="expected an API object, a dict or JSON text, got list"):
        create_strategic_patch([], {}, DEPLOYMENT)


def test_patches_are_applied_to_objects_in_any_form():
    obj = ConfigMap(data={"a": "1"})
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "2"}}
    operations = [{"op": "replace", "path": "/data/a", "value": "2"}]

    for doc in (obj, Unstructured(obj.to_dict()), obj.to_dict(), obj.encode()):
        assert apply_merge_patch(doc, {"data": {"a": "2"}}) == wanted
        assert apply_strategic_merge(doc, {"data": {"a": "2"}}) == wanted
        assert apply_json_patch(doc, operations) == wanted
    assert obj.data == {"a": "1"}
