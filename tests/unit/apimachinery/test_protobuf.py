"""Objects as protobuf: what a real server sent, what this package sends, and what is broken."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from k8srt.apimachinery import protobuf
from k8srt.codegen.protobuf import render
from k8srt.errors import DecodeError
from k8srt.testing.apiserver.registry import Registry
from k8srt.testing.apiserver.strategies.table import STRATEGIES
from k8srt.testing.apiserver.typed import read_typed

HERE = Path(__file__).resolve()
SAMPLES = HERE.parents[4] / "shared" / "protobuf" / "samples"


@cache
def registry() -> Registry:
    return Registry(STRATEGIES)


def canonical(obj: dict[str, Any]) -> dict[str, Any]:
    """As a server keeps it: without the empty values that protobuf sends and JSON does not."""
    group, _, version = obj["apiVersion"].rpartition("/")
    if "items" in obj:
        row = registry().for_kind(group, version, obj["kind"].removesuffix("List"))
        return {**without_empty(obj), "items": [as_read(row, item) for item in obj["items"]]}
    row = registry().for_kind(group, version, obj["kind"])
    return as_read(row, obj) if row is not None else without_empty(obj)


def as_read(row: Any, obj: dict[str, Any]) -> dict[str, Any]:
    found, unknown = read_typed(row.model, obj)
    assert unknown == []
    for claim in found.get("spec", {}).get("volumeClaimTemplates") or ():
        claim.pop("kind", None)  # protobuf has none inside of objects
        claim.pop("apiVersion", None)
    return found


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_empty(inner) for key, inner in value.items() if inner not in ("", 0, None)}
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.shared
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.pb")), ids=lambda path: path.stem)
def test_what_a_real_server_sent_is_what_it_sent_as_json(path: Path):
    expected = canonical(json.loads(path.with_suffix(".json").read_text()))

    assert canonical(protobuf.decode(path.read_bytes())) == expected


@pytest.mark.shared
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_what_is_written_is_read_again(path: Path):
    obj = json.loads(path.read_text())

    again = protobuf.decode(protobuf.encode(obj))

    assert canonical(again) == canonical(obj)


@pytest.mark.shared
def test_events_of_a_real_watch():
    stream = (SAMPLES / "configmap-watch.pbstream").read_bytes()
    expected = [json.loads(line) for line in (SAMPLES / "configmap-watch.jsonl").read_text().splitlines()]

    found = []
    while stream:
        length = int.from_bytes(stream[:4], "big")
        found.append(protobuf.decode_event(stream[4 : 4 + length]))
        stream = stream[4 + length :]

    assert [kind for kind, _ in found] == [event["type"] for event in expected]
    assert [canonical(obj) for _, obj in found] == [canonical(event["object"]) for event in expected]
    for kind, obj in found:
        frame = protobuf.encode_event(kind, obj)
        assert int.from_bytes(frame[:4], "big") == len(frame) - 4
        assert canonical(protobuf.decode_event(frame[4:])[1]) == canonical(obj)


@pytest.mark.shared
def test_the_table_is_what_the_generator_makes(shared: Path):
    fields = json.loads((shared / "protobuf" / "fields-v1.36.json").read_text())
    document = json.loads((shared / "openapi" / "swagger-v1.36.json").read_text())
    written = HERE.parents[3] / "k8srt" / "apimachinery" / "_protobuf_fields.py"

    assert written.read_text() == render(fields, document["definitions"])


def again(kind: str, api_version: str = "v1", **parts: Any) -> dict[str, Any]:
    """What arrives of an object that is sent."""
    found = protobuf.decode(protobuf.encode({"kind": kind, "apiVersion": api_version, **parts}))
    assert (found.pop("kind"), found.pop("apiVersion")) == (kind, api_version)
    return found


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": True},
        {"additionalProperties": {"type": "string"}},
        {"additionalProperties": False},
        {"items": {"type": "string"}},
        {"items": [{"type": "string"}, {"type": "integer"}]},
        {"dependencies": {"a": ["b", "c"], "d": {"type": "object"}}},
        {"default": {"a": [1, None, "x"]}, "enum": ["a", 1, None, {}], "example": 0},
        {"minimum": 0.5, "maximum": 10, "multipleOf": 2.25, "exclusiveMinimum": False},
        {"$ref": "#/x", "$schema": "y", "x-kubernetes-preserve-unknown-fields": True},
        {"x-kubernetes-validations": [{"rule": "true", "message": "m"}], "x-kubernetes-list-map-keys": ["k"]},
        {"properties": {"a": {"properties": {"b": {"not": {"type": "null"}}}}}},
    ],
)
def test_schemas_of_definitions(schema):
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "g", "versions": [version]}

    found = again("CustomResourceDefinition", "apiextensions.k8s.io/v1", spec=spec)

    assert found["spec"] == spec


@pytest.mark.parametrize("value", [0, 80, -1, "", "http", "50%"])
def test_ports_are_numbers_or_names(value):
    ports = [{"port": -(2**31), "targetPort": value}]
    assert again("Service", spec={"ports": ports})["spec"] == {"ports": ports}


@pytest.mark.parametrize("time", ["2026-01-02T03:04:05Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:01Z", None])
def test_times(time):
    found = again("Event", metadata={"name": "e"}, firstTimestamp=time)
    assert found.get("firstTimestamp") == time


def test_micro_times_have_six_digits_and_any_zone():
    found = again("Lease", "coordination.k8s.io/v1", spec={"renewTime": "2026-01-02T05:04:05.1+02:00"})
    assert found["spec"]["renewTime"] == "2026-01-02T03:04:05.100000Z"


def test_embedded_structs_stand_among_the_other_fields():
    rules = [{"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"]}]
    spec = {"matchConstraints": {"resourceRules": rules}}
    found = again("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", spec=spec)
    assert found["spec"] == spec

    probe = {"httpGet": {"port": "http"}, "periodSeconds": 3}
    volumes = [{"name": "v", "configMap": {"name": "c", "optional": False}}]
    containers = [{"name": "c", "livenessProbe": probe, "resources": {"limits": {"cpu": "1500m"}}}]
    spec = {"volumes": volumes, "containers": containers}
    assert again("Pod", spec=spec)["spec"] == spec


def test_data_extra_values_and_raw_objects():
    assert again("Secret", data={"a": "AP8=", "b": ""})["data"] == {"a": "AP8=", "b": ""}
    extra = {"scopes": ["a", "b"], "none": []}
    found = again("SubjectAccessReview", "authorization.k8s.io/v1", spec={"extra": extra})
    assert found["spec"]["extra"] == extra
    revision = again("ControllerRevision", "apps/v1", data={"spec": {"x": [1, "y"]}}, revision=-3)
    assert revision == {"data": {"spec": {"x": [1, "y"]}}, "revision": -3}


def test_kinds_that_all_groups_share():
    options = again("DeleteOptions", "policy/v1", gracePeriodSeconds=0, preconditions={"uid": "u"})
    assert options == {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}}
    assert protobuf.knows("meta.k8s.io/v1", "PartialObjectMetadataList")
    assert not protobuf.knows("samplecontroller.k8s.io/v1alpha1", "Foo")
    assert not protobuf.knows("v1", "")


def test_an_envelope_may_hold_json():
    kinds = b"\x0a\x02v1\x12\x09ConfigMap"
    body = b'{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"1"}}'
    data = b"k8s\0" + b"\x0a" + bytes((len(kinds),)) + kinds + b"\x12" + bytes((len(body),)) + body
    data += b"\x22\x10application/json"
    assert protobuf.decode(data)["data"] == {"a": "1"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"k8s\0\x0a",  # no length
        b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # a length of eleven bytes
        b"k8s\0\x0b",  # a group
        b"k8s\0\x0a\x05ab",  # shorter than it says
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(DecodeError):
        protobuf.decode(data)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x03\x0a\x05a",  # metadata whose name is longer than it
        b"\x08\x01",  # metadata that is a number
        b"\x0a\x03\x0a\x01\xff",  # a name that is no text
        b"\x0a\x06\x42\x04\x08\xff\xff\x01\x12\x01",  # a time that ends in the middle
        b"\x12\x03\x0a\x09a",  # data with a broken entry
        b"\x10\x01",  # data that is a number
    ],
)
def test_what_is_no_config_map_is_refused(body):
    envelope = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12"

    with pytest.raises(DecodeError):
        protobuf.decode(envelope + bytes((len(body),)) + body)


@pytest.mark.parametrize(
    ("api_version", "kind", "body"),
    [
        (b"v1", b"Event", b"\x32\x02\x0a\x00"),  # firstTimestamp whose seconds are bytes
        (b"v1", b"Event", b"\x32\x0b\x08" + b"\xff" * 8 + b"\x7f\x10"),  # and one in the far future
        (b"v1", b"ResourceQuota", b"\x12\x09\x0a\x07\x0a\x01a\x12\x02\x08\x01"),  # a quantity that is a number
        (b"v1", b"ConfigMap", b"\x12\x05\x0a\x01a\x10\x01"),  # data with a number
        (b"apps/v1", b"ControllerRevision", b"\x12\x02\x08\x01"),  # raw data that is a number
        (b"apps/v1", b"ControllerRevision", b"\x12\x03\x0a\x01{"),  # raw data that is no JSON
    ],
)
def test_values_of_another_sort_are_refused(api_version, kind, body):
    kinds = b"\x0a" + bytes((len(api_version),)) + api_version + b"\x12" + bytes((len(kind),)) + kind
    data = b"k8s\0\x0a" + bytes((len(kinds),)) + kinds + b"\x12" + bytes((len(body),)) + body

    with pytest.raises(DecodeError):
        protobuf.decode(data)


def test_fields_that_are_not_known_are_skipped():
    envelope = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12"
    body = b"\xa0\x06\x01" + b"\xa1\x06" + bytes(8) + b"\xa5\x06" + bytes(4) + b"\xa2\x06\x01x" + b"\x20\x01"
    found = protobuf.decode(envelope + bytes((len(body),)) + body)
    assert found == {"kind": "ConfigMap", "apiVersion": "v1", "immutable": True}


def test_what_cannot_be_written_is_refused():
    with pytest.raises(protobuf.NoMessage, match=r"Foo of example\.com/v1"):
        protobuf.encode({"kind": "Foo", "apiVersion": "example.com/v1"})
    for spec in (1, {"replicas": "1"}, {"replicas": True}, {"selector": {"matchLabels": {"a": 1}}}):
        with pytest.raises(DecodeError, match="Deployment of apps/v1"):
            protobuf.encode({"kind": "Deployment", "apiVersion": "apps/v1", "spec": spec})
    with pytest.raises(DecodeError):
        protobuf.encode({"kind": "Secret", "apiVersion": "v1", "data": {"a": "not base64"}})
