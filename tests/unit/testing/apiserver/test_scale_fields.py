"""What may stand in the fields that the scale of a custom resource is made of."""

from __future__ import annotations

import pytest

from k8srt.testing.apiserver.scale_fields import scale_causes

PATHS = {
    "specReplicasPath": ".spec.size.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def told(obj, *, status_only=False):
    return [f"{cause.field}: {cause.text}" for cause in scale_causes(obj, PATHS, status_only=status_only)]


@pytest.mark.parametrize("obj", [{}, {"spec": None}, {"spec": {"size": {"replicas": 0}}, "status": {"selector": ""}}])
def test_what_is_not_there_or_fits_is_not_told(obj):
    assert told(obj) == []


def test_a_resource_without_a_scale_is_left_alone():
    assert scale_causes({"spec": "x"}, None, status_only=False) == []


@pytest.mark.parametrize(
    ("replicas", "text"),
    [
        (-1, "Invalid value: -1: should be a non-negative integer"),
        (2**31, "Invalid value: 2147483648: should be less than or equal to 2147483647"),
        ("x", "Invalid value: 0: .status.replicas accessor error: x is of the type string, expected int64"),
        (1.5, "Invalid value: 0: .status.replicas accessor error: 1.5 is of the type float64, expected int64"),
        (True, "Invalid value: 0: .status.replicas accessor error: true is of the type bool, expected int64"),
        (None, "Invalid value: 0: .status.replicas accessor error: <nil> is of the type <nil>, expected int64"),
    ],
)
def test_replicas_that_do_not_fit_are_told(replicas, text):
    assert told({"status": {"replicas": replicas}}) == [f".status.replicas: {text}"]


def test_what_is_no_object_on_the_way_is_told_with_how_far_one_came():
    shown = ".spec.size accessor error: [1 2] is of the type []interface {}, expected map[string]interface{}"

    assert told({"spec": [1, 2]}) == [f".spec.size.replicas: Invalid value: 0: {shown}"]


def test_a_write_of_the_status_is_not_asked_about_the_replicas_that_are_wanted():
    obj = {"spec": {"size": {"replicas": -1}}, "status": {"replicas": -1, "selector": 5}}

    assert [line.partition(":")[0] for line in told(obj)] == [
        ".spec.size.replicas", ".status.replicas", ".status.selector",
    ]  # fmt: skip
    assert [line.partition(":")[0] for line in told(obj, status_only=True)] == [".status.replicas", ".status.selector"]
