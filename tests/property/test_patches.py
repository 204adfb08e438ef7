"""Patches: a patch made of two documents leads from the one to the other; nothing is changed in place."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.patch import (
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge,
    create_json_patch,
    create_merge_patch,
    create_strategic_patch,
    create_three_way_merge_patch,
    create_three_way_strategic_patch,
)
from k8srt.apimachinery.structure import structure_of
from k8srt.apimachinery.unstructured import Unstructured

NAMES = st.sampled_from(["a", "b", "c/d", "e~f"])
SCALARS = st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "y"]))


def documents(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    below = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
    )
    return st.dictionaries(NAMES, below, max_size=4)


WITHOUT_NULLS = documents(SCALARS)
ANY = documents(SCALARS | st.none())


@given(WITHOUT_NULLS, WITHOUT_NULLS)
def test_mach_43_a_merge_patch_leads_from_one_to_the_other(one, other):
    before = copy.deepcopy(one)

    assert apply_merge_patch(one, create_merge_patch(one, other)) == other
    assert one == before


@given(ANY, ANY)
def test_mach_40_a_merge_patch_applied_twice_is_one_applied_once(doc, patch):
    once = apply_merge_patch(doc, patch)

    assert apply_merge_patch(once, patch) == once


@given(WITHOUT_NULLS)
def test_mach_40_the_empty_patch_changes_nothing(doc):
    assert apply_merge_patch(doc, {}) == doc
    assert create_merge_patch(doc, doc) == {}


@given(WITHOUT_NULLS, WITHOUT_NULLS)
def test_mach_43_without_others_three_ways_are_two(original, modified):
    patch = create_three_way_merge_patch(original, modified, original)

    assert apply_merge_patch(original, patch) == modified


@given(ANY, ANY)
def test_mach_41_a_json_patch_leads_from_one_to_the_other(one, other):
    before = copy.deepcopy(one)

    assert apply_json_patch(one, create_json_patch(one, other)) == other
    assert one == before


CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcd")}, optional={"image": st.sampled_from("xy")}),
    max_size=4,
    unique_by=lambda each: each["name"],
)


@given(CONTAINERS, CONTAINERS)
def test_mach_42_a_keyed_list_keeps_every_item_and_takes_every_change(live, patch):
    merged = apply_strategic_merge({"spec": {"containers": live}}, {"spec": {"containers": patch}}, structure_of(Pod))[
        "spec"
    ]["containers"]
    names = [each["name"] for each in merged]

    assert sorted(names) == sorted({each["name"] for each in (*live, *patch)})
    assert [name for name in names if name in {each["name"] for each in patch}] == [each["name"] for each in patch]
    by_name = {each["name"]: each for each in merged}
    assert all(by_name[each["name"]].items() >= each.items() for each in patch)


VALUES = st.sampled_from(["1", "2"])
ENV = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("PQR")}, optional={"value": VALUES}),
    max_size=3,
    unique_by=lambda each: each["name"],
)
VOLUMES = st.lists(
    st.builds(
        lambda name, source: {"name": name, **source},
        st.sampled_from("uvw"),
        st.sampled_from([{"emptyDir": {}}, {"secret": {"secretName": "s"}}, {"hostPath": {"path": "/"}}]),
    ),
    max_size=3,
    unique_by=lambda each: each["name"],
)
WORKLOAD_CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abcd")},
        optional={
            "image": st.sampled_from("xy"),
            "env": ENV,
            "args": st.lists(VALUES, max_size=3),
            "resources": st.fixed_dictionaries({}, optional={"limits": st.dictionaries(st.just("cpu"), VALUES)}),
        },
    ),
    max_size=3,
    unique_by=lambda each: each["name"],
)
LABELS = st.dictionaries(st.sampled_from(["l", "m/n"]), VALUES, max_size=2)


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """A Deployment with all that makes strategic patches interesting."""
    spec = {
        "replicas": draw(st.integers(0, 3)),
        "strategy": draw(
            st.sampled_from([{"type": "Recreate"}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}])
        ),
        "template": {
            "metadata": {"labels": draw(LABELS)},
            "spec": {"containers": draw(WORKLOAD_CONTAINERS), "volumes": draw(VOLUMES)},
        },
    }
    for name in draw(st.sets(st.sampled_from(["replicas", "strategy", "template"]), max_size=1)):
        del spec[name]
    finalizers = draw(st.lists(st.sampled_from(["f/1", "f/2", "f/3"]), unique=True))
    meta = {"name": "web", "labels": draw(LABELS), "finalizers": finalizers}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


@given(deployments(), deployments())
def test_mach_43_a_strategic_patch_of_a_deployment_leads_from_one_to_the_other(one, other):
    before = copy.deepcopy(one)

    patch = create_strategic_patch(one, other)

    assert apply_strategic_merge(one, patch) == other
    assert (patch == {}) == (one == other)
    assert one == before


@given(deployments(), deployments())
def test_mach_43_every_kind_of_patch_leads_from_one_object_to_the_other(one, other):
    before, after = Deployment.from_dict(one), Deployment.from_dict(other)

    assert apply_merge_patch(one, create_merge_patch(before, after)) == other
    assert apply_json_patch(one, create_json_patch(before, Unstructured(other))) == other
    assert apply_strategic_merge(one, create_strategic_patch(before.encode(), after)) == other
    assert apply_strategic_merge(one, create_three_way_strategic_patch(one, after, before)) == other
    assert apply_merge_patch(one, create_three_way_merge_patch(one, after, before)) == other


@given(deployments(), deployments(), deployments())
def test_mach_43_of_three_ways_the_wish_is_met_and_then_there_is_nothing_to_do(original, modified, current):
    merged = apply_merge_patch(current, create_three_way_merge_patch(original, modified, current))
    assert create_three_way_merge_patch(modified, modified, merged) == {}

    patch = create_three_way_strategic_patch(original, modified, current)
    merged = apply_strategic_merge(current, patch)

    assert create_three_way_strategic_patch(modified, modified, merged) == {}
    for path in (["metadata", "labels"], ["spec", "template", "metadata", "labels"]):
        was, want, found = (at(each, path) for each in (original, modified, merged))
        assert want.items() <= found.items()
        assert not (was.keys() - want.keys()) & found.keys()


def at(document: Any, path: list[str]) -> Any:
    for key in path:
        document = document.get(key) or {}
    return document


PORTS = st.lists(
    st.fixed_dictionaries(
        {"port": st.sampled_from([53, 80]), "protocol": st.sampled_from(["TCP", "UDP"])}, optional={"name": VALUES}
    ),
    max_size=4,
).map(lambda ports: sorted(ports, key=lambda each: each["port"]))  # a server puts those of one number together


@given(PORTS, PORTS)
def test_mach_43_ports_that_share_a_number_are_kept_apart(one, other):
    before, after = ({"apiVersion": "v1", "kind": "Service", "spec": {"ports": ports}} for ports in (one, other))

    patch = create_strategic_patch(before, after)

    assert apply_strategic_merge(before, patch) == after


INTEGERS = st.lists(st.integers(0, 4), max_size=8)


@given(INTEGERS, INTEGERS)
def test_mach_43_a_json_patch_leads_from_one_list_to_the_other(one, other):
    assert apply_json_patch({"l": one}, create_json_patch({"l": one}, {"l": other})) == {"l": other}


@given(st.lists(st.integers(), min_size=1, max_size=8, unique=True), st.data())
def test_mach_43_what_is_one_change_of_a_list_is_one_operation(items, data):
    place, to = (data.draw(st.integers(0, len(items) - 1)) for _ in range(2))
    without = items[:place] + items[place + 1 :]
    moved = [*without[:to], items[place], *without[to:]]

    for one, other in (
        (items, without),
        (without, items),
        (items, moved),
        (items, [*items[:place], "x", *items[place + 1 :]]),
    ):
        patch = create_json_patch({"l": one}, {"l": other})
        assert apply_json_patch({"l": one}, patch) == {"l": other}
        assert len(patch) == (one != other)


@given(CONTAINERS, CONTAINERS)
def test_mach_43_a_strategic_patch_leads_from_one_list_to_the_other(one, other):
    original, modified = {"spec": {"containers": one}}, {"spec": {"containers": other}}
    patch = create_strategic_patch(original, modified, structure_of(Pod))

    assert apply_strategic_merge(original, patch, structure_of(Pod)) == modified
    assert (patch == {}) == (one == other)
