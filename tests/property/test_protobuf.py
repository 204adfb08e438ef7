"""Protobuf: whatever bytes come, they are read or refused; whatever an object says comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8srt.apimachinery import protobuf
from k8srt.errors import DecodeError

KIND = {"kind": "Pod", "apiVersion": "v1"}
TEXTS = st.text(max_size=8).filter(lambda text: text.isprintable())
NAMES = st.text("abcxyz-.", min_size=1, max_size=8)
WHOLE = st.integers(-(2**63), 2**63 - 1)
PORTS = st.one_of(st.integers(-(2**31), 2**31 - 1), TEXTS)
METADATA = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "generation": WHOLE,
        "labels": st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3),
        "finalizers": st.lists(TEXTS, min_size=1, max_size=3),
        "ownerReferences": st.lists(
            st.fixed_dictionaries({"name": NAMES}, optional={"controller": st.booleans()}), min_size=1, max_size=2
        ),
    },
)
PROBES = st.fixed_dictionaries({"periodSeconds": WHOLE}, optional={"httpGet": st.fixed_dictionaries({"port": PORTS})})
CONTAINERS = st.fixed_dictionaries(
    {"name": TEXTS},
    optional={
        "stdin": st.booleans(),
        "livenessProbe": PROBES,
        "resources": st.fixed_dictionaries(
            {"limits": st.dictionaries(NAMES, st.just("1500m"), min_size=1, max_size=2)}
        ),
        "ports": st.lists(st.fixed_dictionaries({"containerPort": WHOLE}), min_size=1, max_size=2),
    },
)
PODS = st.fixed_dictionaries(
    {"metadata": METADATA, "spec": st.fixed_dictionaries({"containers": st.lists(CONTAINERS, min_size=1, max_size=2)})}
)


@given(PODS)
def test_an_object_comes_back(pod: dict[str, Any]) -> None:
    assert protobuf.decode(protobuf.encode({**KIND, **pod})) == {**KIND, **pod}


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    envelope = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12" + bytes((len(body),)) + body

    for data in (body, b"k8s\0" + body, envelope):
        try:
            assert isinstance(protobuf.decode(data), dict)
        except (DecodeError, protobuf.NoMessage):
            pass


SAMPLES = sorted((Path(__file__).resolve().parents[3] / "shared" / "protobuf" / "samples").glob("*.pb"))


@pytest.mark.shared
@settings(max_examples=200)
@given(st.data())
def test_a_message_that_was_damaged_is_read_or_refused(data: st.DataObject) -> None:
    if not SAMPLES:
        pytest.skip("no shared data beside the checkout")
    sample = bytearray(data.draw(st.sampled_from(SAMPLES)).read_bytes())
    at = data.draw(st.integers(0, len(sample) - 1))
    sample[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(at, len(sample)))

    try:
        found = protobuf.decode(bytes(sample[:end]))
    except (DecodeError, protobuf.NoMessage):
        return

    json.dumps(found)
