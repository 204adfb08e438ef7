"""Bodies as the real server reads them."""

from __future__ import annotations

import pytest

from k8srt.apimachinery import protobuf
from k8srt.testing.apiserver.bodies import parse_json, parse_yaml, read_body
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.messages import Request


def test_keys_given_twice_are_found_with_their_paths():
    value, twice = parse_json(b'{"a":[{"b":1,"b":2}],"c":1,"c":2}')

    assert value == {"a": [{"b": 2}], "c": 2}
    assert twice == ["a[0].b", "c"]


def test_yaml_has_the_booleans_and_texts_of_version_one():
    value, _ = parse_yaml(b"a: y\nb: off\nc: 2001-02-03\nd: '1'\n1: x")

    assert value == {"a": True, "b": False, "c": "2001-02-03", "d": "1", "1": "x"}


def test_yaml_notices_a_key_given_twice():
    _, twice = parse_yaml(b"a: 1\na: 2")

    assert twice == ['line 2: key "a" already set in map']


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"content-type": "text/plain"}, b"{}", 415),
        ({"content-type": "application/json; charset=utf-8"}, b"{", 400),
        ({"content-type": "application/yaml"}, b"a: [", 400),
        ({}, b"x" * (3 * 1024 * 1024 + 1), 413),
    ],
)
def test_what_cannot_be_read_is_refused(headers, body, code):
    with pytest.raises(Failure) as caught:
        read_body(Request("POST", "/", headers, body))

    assert caught.value.code == code


def test_protobuf_is_read_like_json():
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"k": "v"}}

    value, twice = read_body(Request("POST", "/", {"content-type": protobuf.MEDIA_TYPE}, protobuf.encode(obj)))

    assert (value, twice) == (obj, [])


@pytest.mark.parametrize(("body", "code"), [(b"{}", 400), (b"k8s\0\x0a\x09\x0a\x02x/1\x12\x03Foo", 400)])
def test_protobuf_that_cannot_be_read_is_refused(body, code):
    with pytest.raises(Failure) as caught:
        read_body(Request("POST", "/", {"content-type": protobuf.MEDIA_TYPE}, body))

    assert caught.value.code == code


def test_kinds_without_messages_are_not_sent_as_protobuf():
    body = b"k8s\0\x0a\x0a\x0a\x03x/1\x12\x03Foo"

    with pytest.raises(Failure) as caught:
        read_body(Request("POST", "/", {"content-type": protobuf.MEDIA_TYPE}, body))

    assert caught.value.code == 415
