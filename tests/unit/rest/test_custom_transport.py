"""A transport of the caller's own, under the whole client."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.errors import TransportError
from k8srt.rest import Config, ImpersonationConfig, RESTClient
from tests.unit.rest.fakes import FakeReply, FakeTransport

POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'


def client_over(transport: FakeTransport, **config: Any) -> RESTClient:
    return RESTClient(Config(host="http://anywhere", qps=-1, transport=transport, **config), "v1")  # type: ignore[arg-type]


def test_rest_47_requests_go_through_the_transport_of_the_config() -> None:
    transport = FakeTransport(FakeReply(body=POD))

    result = client_over(transport).get().resource("pods").name("x").do()

    assert result.raw() == POD
    assert [(sent["method"], sent["target"]) for sent in transport.sent] == [("GET", "/api/v1/pods/x")]


def test_rest_52_it_gets_the_headers_and_credentials_of_the_config() -> None:
    transport = FakeTransport(FakeReply(body=POD))
    boss = ImpersonationConfig("boss", groups=["a", "b"])
    client = client_over(transport, bearer_token="t", user_agent="me", impersonate=boss)

    client.get().header("X-Own", "1").do()

    headers = transport.sent[0]["headers"]
    assert headers["Authorization"] == "Bearer t"
    assert headers["User-Agent"] == "me"
    assert headers["X-Own"] == "1"
    assert headers.getlist("Impersonate-Group") == ["a", "b"]


def test_a_closed_client_sends_nothing_and_leaves_the_transport_to_others() -> None:
    transport = FakeTransport(FakeReply(body=POD))
    one, other = client_over(transport), client_over(transport)
    one.close()

    with pytest.raises(TransportError, match="closed"):
        one.get().do()

    other.get().do()
    assert len(transport.sent) == 1


def test_the_config_keeps_its_transport_when_copied_and_shows_it() -> None:
    transport = FakeTransport()
    config = Config(host="x", transport=transport)  # type: ignore[arg-type]

    assert config.copy().transport is transport
    assert "FakeTransport" in repr(config)
    assert config.anonymous().transport is None
