"""Objects as a real server answered them, through the generated models: nothing is lost, and nothing raises."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from k8srt.api._index import GROUP_VERSIONS
from k8srt.apimachinery import scheme, wire
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.record import decode_record
from k8srt.apimachinery.schema import GroupVersionKind

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "protobuf" / "samples"
FILES = sorted(SAMPLES.glob("*-[0-9].json"))


@pytest.fixture(params=FILES or [None], ids=lambda path: path.stem if path else "none")
def sample(request) -> tuple[type[Object], bytes]:
    if request.param is None:
        pytest.skip("no shared data beside the checkout")
    data = request.param.read_bytes().strip()
    record = decode_record(data)
    gvk = GroupVersionKind.of(record.text("apiVersion"), record.text("kind"))
    importlib.import_module(GROUP_VERSIONS[gvk.api_version])
    cls = scheme.default.lookup(gvk)
    assert cls is not None
    return cls, data


def touch_everything(obj: Object) -> None:
    for name in parts_of(type(obj)):
        getattr(obj, name)
    obj.metadata.managed_fields


def test_every_part_that_was_only_read_is_written_byte_for_byte(sample):
    cls, data = sample
    obj = cls.decode(data)

    touch_everything(obj)

    assert decode_record(obj.encode()).parts == decode_record(data).parts


def test_the_models_know_every_field_a_server_sends(sample):
    """A pass through the structs loses nothing, so nothing depends on unknown fields being put back."""
    cls, data = sample
    obj = cls.decode(data)

    for part in parts_of(cls).values():
        value = getattr(obj, part.name)
        raw = obj._record.parts.get(part.wire)
        if raw is not None and value is not None:
            assert without_null_and_empty(json.loads(wire.encode(value))) == without_null_and_empty(json.loads(raw))


def test_a_change_reaches_the_wire_and_nothing_else_changes(sample):
    cls, data = sample
    obj = cls.decode(data)

    obj.metadata.annotations = {**(obj.metadata.annotations or {}), "tests/changed": "yes"}

    before, after = json.loads(data), obj.to_dict()
    assert after["metadata"].pop("annotations")["tests/changed"] == "yes"
    before["metadata"].pop("annotations", None)
    assert after == before


def without_null_and_empty(value):
    if isinstance(value, dict):
        pairs = ((key, without_null_and_empty(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not None and item != []}
    if isinstance(value, list):
        return [without_null_and_empty(item) for item in value]
    return value
