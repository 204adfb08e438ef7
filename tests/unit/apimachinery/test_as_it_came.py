"""What a changed part holds and nobody changed is written in the very form it came in."""

from __future__ import annotations

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import Struct, Time, field, unset
from k8srt.apimachinery.object import Object


class ClockSpec(Struct):
    started: Time = unset
    limit: int = field(default=1, schema={"nullable": True})
    note: str = unset


class Clock(Object, gvk="example.com/v1/Clock", resource="clocks"):
    metadata: ObjectMeta = unset
    spec: ClockSpec = unset


def changed(**spec):
    got = Clock.from_dict({"metadata": {"name": "a"}, "spec": spec})
    got.spec.note = "seen"
    return got.to_dict()["spec"]


def test_a_moment_keeps_its_fraction_and_its_zone():
    spec = changed(started="2026-01-02T03:04:05.123456789+02:00")

    assert spec == {"started": "2026-01-02T03:04:05.123456789+02:00", "note": "seen"}


def test_a_null_that_stands_for_no_default_stays():
    assert changed(limit=None) == {"limit": None, "note": "seen"}


def test_a_value_in_the_place_of_a_null_is_written():
    got = Clock.from_dict({"metadata": {"name": "a"}, "spec": {"limit": None}})
    got.spec.limit = 3

    assert got.to_dict()["spec"] == {"limit": 3}
