"""Owner references. Contract: MACH-36."""

from __future__ import annotations

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta, OwnerReference
from k8srt.apimachinery.owners import controller_of, is_controlled_by, new_controller_ref
from k8srt.apimachinery.unstructured import Unstructured


def owner(uid: str = "u1") -> Deployment:
    return Deployment(metadata=ObjectMeta(name="web", uid=uid))


def owned(*refs: OwnerReference) -> Pod:
    return Pod(metadata=ObjectMeta(name="web-0", owner_references=list(refs)))


def test_mach_36_a_controller_reference_is_one_of_the_controller_and_blocks_its_deletion():
    assert new_controller_ref(owner()).to_dict() == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": "u1",
        "controller": True,
        "blockOwnerDeletion": True,
    }


def test_mach_36_control_is_told_by_the_uid_alone():
    ref = new_controller_ref(owner())
    ref.name, ref.kind = "another", "Thing"

    assert is_controlled_by(owned(ref), owner())
    assert not is_controlled_by(owned(new_controller_ref(owner())), owner("u2"))


def test_mach_36_the_controller_is_the_one_owner_that_says_so():
    other = OwnerReference(api_version="v1", kind="Node", name="n", uid="u1")
    ref = new_controller_ref(owner("u3"))

    assert controller_of(owned(other, ref)) is not None
    assert controller_of(owned(other, ref)).uid == "u3"
    assert controller_of(owned(other)) is None
    assert controller_of(Pod()) is None
    assert not is_controlled_by(owned(other), owner("u1"))


def test_what_nobody_knows_the_kind_of_cannot_be_an_owner():
    with pytest.raises(ValueError, match="its kind is not known"):
        new_controller_ref(Unstructured({"metadata": {"name": "x"}}))

    assert new_controller_ref(Unstructured({}), owner().gvk).kind == "Deployment"
