"""In which form bodies are sent, and which are asked for."""

from __future__ import annotations

import pytest

from k8srt.rest import Config
from k8srt.rest.media import negotiate
from tests.unit.rest.fakes import FakeReply, fake_client


def test_rest_18_json_is_sent_and_preferred() -> None:
    assert negotiate(Config()) == ("application/json", "application/json, */*")
    assert negotiate(Config(accept_content_types="a/b;q=0.5, c/d")) == ("application/json", "a/b;q=0.5, c/d")
    assert negotiate(Config(content_type="application/json; charset=utf-8")).accept.startswith("application/json; c")


@pytest.mark.parametrize(
    ("configured", "sent"),
    [
        ("application/cbor", "application/json"),
        ("application/cbor;q=0.9, application/json;q=0.1", "application/json;q=0.9, application/json;q=0.1"),
        ("text/plain , APPLICATION/CBOR ;x=y", "text/plain , application/json ;x=y"),
        ("application/cbor-seq", "application/cbor-seq"),
    ],
)
def test_rest_43_cbor_becomes_json_and_keeps_its_quality(configured: str, sent: str) -> None:
    assert negotiate(Config(accept_content_types=configured)).accept == sent


def test_rest_43_cbor_bodies_become_json() -> None:
    client, transport, _ = fake_client(FakeReply(201), content_type="application/cbor")

    client.post().resource("pods").body({"kind": "Pod"}).do()

    assert transport.sent[0]["headers"]["Content-Type"] == "application/json"
    assert transport.sent[0]["body"] == b'{"kind":"Pod"}'


@pytest.mark.parametrize("kind", ["application/vnd.kubernetes.protobuf", "text/html"])
def test_what_cannot_be_written_is_refused_before_anything_is_sent(kind: str) -> None:
    client, transport, _ = fake_client(content_type=kind)

    with pytest.raises(ValueError, match=r"body: objects are sent as application/json"):
        client.post().resource("pods").body({"kind": "Pod"}).do()
    assert transport.sent == []


def test_a_body_of_its_own_names_its_own_type() -> None:
    client, transport, _ = fake_client()

    client.post().body(b"\x00").header("Content-Type", "application/cbor").do()

    assert transport.sent[0]["headers"]["Content-Type"] == "application/cbor"
