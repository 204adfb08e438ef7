"""References to objects that do not say their kind. Contract: EVT-03."""

from __future__ import annotations

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.tools.reference import get_reference

PARTIAL = PartialObjectMetadata.from_dict({"metadata": {"name": "web", "namespace": "shop", "uid": "u1"}})


@pytest.mark.parametrize("kind", [Deployment, GroupVersionKind("apps", "v1", "Deployment")])
def test_evt_03_who_asks_may_say_which_kind_it_is(kind):
    assert get_reference(PARTIAL, kind=kind).to_dict() == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "uid": "u1",
    }


@pytest.mark.parametrize("wrong", ["web-0", 7, {"kind": "Pod"}])
def test_what_is_no_object_is_refused(wrong):
    with pytest.raises(ValueError, match="expected an object of the API"):
        get_reference(wrong)


def test_what_is_no_kind_is_refused():
    with pytest.raises(ValueError, match="Unstructured is no kind of its own"):
        get_reference(PARTIAL, kind=Unstructured)
