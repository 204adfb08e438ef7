"""Whether values mean the same. Contract: MACH-38."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from k8srt.apimachinery import fields, labels
from k8srt.apimachinery.equality import deep_derivative, deep_equal
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.quantity import Quantity
from k8srt.apimachinery.unstructured import Unstructured
from tests.unit.apimachinery.models import Boat, BoatSpec, Container, EmptyDir, Port, Volume

NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)


def boat(**spec) -> Boat:
    return Boat(metadata=ObjectMeta(name="b1"), spec=BoatSpec(**spec))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (BoatSpec(host_ips=[]), BoatSpec()),
        (ObjectMeta(labels={}), ObjectMeta()),
        (Container(limits={"cpu": "1000m", "memory": "1Gi"}), Container(limits={"cpu": "1", "memory": "1024Mi"})),
        (BoatSpec(started=NOON), BoatSpec(started=NOON.astimezone(timezone(timedelta(hours=2))))),
        (boat(containers=[Container(limits={"cpu": "0.5"})]), boat(containers=[Container(limits={"cpu": "500m"})])),
        (Boat(metadata=ObjectMeta(name="b1"), data={}), Boat(metadata=ObjectMeta(name="b1"))),
        (labels.parse("a=1,b"), labels.parse("b,a=1")),
        (fields.parse("a=1,b=2"), fields.parse("b==2,a=1")),
        (Quantity("1"), Quantity("1000m")),
        ({"a": [], "c": [{"d": {}}]}, {"a": None, "c": [{"d": []}]}),
        (Unstructured({"kind": "B", "spec": {"a": 1}}), Unstructured.decode('{"spec":{"a":1},"kind":"B"}')),
        (None, []),
    ],
)
def test_mach_38_what_means_the_same_is_equal(a, b):
    assert deep_equal(a, b)
    assert deep_equal(b, a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (BoatSpec(host_ips=["a"]), BoatSpec()),
        (BoatSpec(host_ips=["a", "b"]), BoatSpec(host_ips=["b", "a"])),
        (Container(limits={"cpu": "1"}), Container(limits={"cpu": "2"})),
        (Container(limits={"cpu": "1"}), Container(limits={"memory": "1"})),
        (Container(limits={"cpu": "no"}), Container(limits={"cpu": "nope"})),
        (BoatSpec(started=NOON), BoatSpec(started=NOON + timedelta(seconds=1))),
        (Volume(name="v", empty_dir=EmptyDir()), Volume(name="v")),
        (Volume(name="v"), Container(name="v")),
        (labels.parse("a=1"), labels.parse("a=2")),
        ({"cpu": "1000m"}, {"cpu": "1"}),
        ({"emptyDir": {}}, {}),
        (80, "80"),
        ("", None),
    ],
)
def test_mach_38_what_differs_in_meaning_is_not(a, b):
    assert not deep_equal(a, b)
    assert not deep_equal(b, a)


def test_mach_38_a_derivative_may_have_more():
    wanted = boat(containers=[Container(name="c", ports=[Port(container_port=80)])])
    there = boat(containers=[Container(name="c", args=["x"], ports=[Port(container_port=80)])], host_ips=["10.0.0.1"])

    assert deep_derivative(wanted, there)
    assert not deep_derivative(there, wanted)
    assert deep_derivative({"a": {"x": 1}}, {"a": {"x": 1, "y": 2}, "b": 3})
    assert not deep_derivative({"a": {"x": 1}}, {"a": {}})
    assert not deep_derivative([1], [1, 2])
    assert deep_derivative([], [1, 2])
    assert deep_derivative(ObjectMeta(labels={}), ObjectMeta(labels={"a": "b"}))
