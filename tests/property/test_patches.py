"""Patches: a patch made of two documents leads from the one to the other; nothing is changed in place."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.patch import (
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge,
    create_json_patch,
    create_merge_patch,
    create_strategic_patch,
    create_three_way_merge_patch,
)
from k8srt.apimachinery.structure import structure_of

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


@given(CONTAINERS, CONTAINERS)
def test_mach_43_a_strategic_patch_leads_from_one_list_to_the_other(one, other):
    original, modified = {"spec": {"containers": one}}, {"spec": {"containers": other}}
    patch = create_strategic_patch(original, modified, structure_of(Pod))

    assert apply_strategic_merge(original, patch, structure_of(Pod)) == modified
    assert (patch == {}) == (one == other)
