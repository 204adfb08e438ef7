"""What the resource of a kind is probably called."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.restmapper import unsafe_guess_kind_to_resource


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Pod", "pods"),
        ("Endpoints", "endpoints"),
        ("NetworkEndpoints", "networkendpoints"),
        ("Ingress", "ingresses"),
        ("Policy", "policies"),
        ("Gateway", "gatewaies"),
        ("DNS", "dnses"),
        ("", ""),
    ],
)
def test_mach_33_the_ending_decides(kind: str, plural: str) -> None:
    guess = unsafe_guess_kind_to_resource(GroupVersionKind("x.io", "v1", kind))

    assert guess.plural == ("x.io", "v1", plural)
    assert guess.singular == ("x.io", "v1", kind.lower())
