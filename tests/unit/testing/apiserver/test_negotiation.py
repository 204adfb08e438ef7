"""Which form an answer takes."""

from __future__ import annotations

import gzip

import pytest

from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.messages import Request
from k8srt.testing.apiserver.negotiation import PROTOBUF, Form, answer, form_of

METADATA = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def form(accept: str, **headers: str) -> Form:
    return form_of(Request("GET", "/", {"accept": accept, **headers}))


@pytest.mark.parametrize(
    ("accept", "media", "kind"),
    [
        ("", "application/json", ""),
        ("*/*", "application/json", ""),
        ("application/yaml", "application/yaml", ""),
        ("application/vnd.kubernetes.protobuf,application/json", PROTOBUF, ""),
        ("application/vnd.kubernetes.protobuf;stream=watch", PROTOBUF, ""),
        ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", "application/json", ""),
        (METADATA, PROTOBUF, "PartialObjectMetadata"),
        ("application/json;q=0.5,application/yaml", "application/yaml", ""),
        (TABLE, "application/json", "Table"),
        ("application/json;as=Odd;v=v1;g=meta.k8s.io,application/json", "application/json", ""),
    ],
)
def test_the_accept_header_chooses(accept, media, kind):
    chosen = form(accept)

    assert (chosen.media, chosen.kind) == (media, kind)


@pytest.mark.parametrize("accept", ["text/*", "text/html", "application/cbor"])
def test_nothing_acceptable_is_a_failure(accept):
    with pytest.raises(Failure) as caught:
        form(accept)

    assert caught.value.code == 406


def test_people_get_indented_answers():
    assert form("", **{"user-agent": "curl/8"}).pretty
    assert not form("", **{"user-agent": "kubectl/1"}).pretty


def test_large_answers_are_compressed_on_request():
    request = Request("GET", "/", {"accept-encoding": "gzip"})

    large = answer(request, Form(), {"k": "x" * 200_000})
    small = answer(request, Form(), {"k": "x"})

    assert ("Content-Encoding", "gzip") in large.headers
    assert gzip.decompress(large.body).startswith(b'{"k":"xxx')
    assert small.body == b'{"k":"x"}\n'


def test_what_has_no_messages_is_asked_for_as_json_or_as_metadata():
    wanted = Request("GET", "/", {"accept": f"{PROTOBUF},application/json"})
    assert form_of(wanted, messages=False).media == "application/json"
    assert form_of(Request("GET", "/", {"accept": METADATA}), messages=False).media == PROTOBUF
    with pytest.raises(Failure):
        form_of(Request("GET", "/", {"accept": PROTOBUF}), messages=False)


def test_what_has_no_protobuf_form_is_answered_as_json():
    request = Request("GET", "/", {"accept": PROTOBUF})
    assert answer(request, Form(PROTOBUF), {"paths": []}).content_type == "application/json"
    odd = {"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": 1}}
    assert answer(request, Form(PROTOBUF), odd).content_type == "application/json"
    found = answer(request, Form(PROTOBUF), b'{"kind":"ConfigMap","apiVersion":"v1"}')
    assert (found.content_type, found.body[:4]) == (PROTOBUF, b"k8s\0")
