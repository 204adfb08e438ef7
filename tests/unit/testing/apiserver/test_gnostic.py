"""The OpenAPI document in the binary form of older kubectl."""

from __future__ import annotations

from k8srt.testing.apiserver.gnostic import encode_document

DOCUMENT = {
    "swagger": "2.0",
    "info": {"title": "T", "version": "v"},
    "paths": {},
    "definitions": {"A": {"type": "object", "required": ["x"]}},
}


def test_a_small_document_byte_for_byte():
    schema = b"\x9a\x01\x01x" + b"\xb2\x01\x08" + b"\x0a\x06object"
    named = b"\x0a\x01A" + b"\x12" + bytes([len(schema)]) + schema
    definitions = b"\x0a" + bytes([len(named)]) + named

    encoded = encode_document(DOCUMENT)

    assert encoded == (
        b"\x0a\x032.0" + b"\x12\x06\x0a\x01T\x12\x01v" + b"\x42\x00" + b"\x4a" + bytes([len(definitions)]) + definitions
    )
