"""References to objects. Contract: CLI-53, EVT-03."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import ObjectReference, Pod, PodList
from k8srt.apimachinery.meta import ListMeta, ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.tools.reference import get_partial_reference, get_reference


def pod() -> Pod:
    return Pod(metadata=ObjectMeta(name="web-0", namespace="shop", uid="u1", resource_version="7"))


def test_cli_53_a_reference_says_which_object_and_which_version_of_it():
    assert get_reference(pod()).to_dict() == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "shop",
        "name": "web-0",
        "uid": "u1",
        "resourceVersion": "7",
    }


def test_cli_53_a_reference_is_used_as_it_is():
    given = ObjectReference(name="x")

    assert get_reference(given) is given


def test_cli_53_the_kind_is_what_the_object_says_before_what_its_class_does():
    made = Unstructured({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}})

    assert get_reference(made) == ObjectReference(api_version="example.com/v1", kind="Thing", name="t")


def test_cli_53_a_list_is_referred_to_by_its_kind_and_version():
    found = get_reference(PodList([], metadata=ListMeta(resource_version="9")))

    assert found == ObjectReference(api_version="v1", kind="PodList", resource_version="9")


def test_cli_53_nothing_and_what_nobody_knows_the_kind_of_are_errors():
    with pytest.raises(ValueError, match="can't refer to None"):
        get_reference(None)
    with pytest.raises(ValueError, match="its kind is not known"):
        get_reference(Unstructured({"metadata": {"name": "t"}}))


def test_cli_53_a_partial_reference_names_the_part_and_leaves_the_given_one_alone():
    given = get_reference(pod())

    part = get_partial_reference(given, "spec.containers{web}")

    assert (part.field_path, part.name, given.field_path) == ("spec.containers{web}", "web-0", None)
    assert get_partial_reference(pod(), "spec").uid == "u1"
