"""Building requests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import ConfigError
from k8srt.rest import Request, RESTClient
from k8srt.rest.config import Config
from tests.unit.rest.fakes import FakeReply, fake_client


def build(make: Callable[[Request], Request], host: str = "http://fake", verb: str = "GET") -> str:
    client, _, _ = fake_client(host=host)
    return make(client.verb(verb)).target()


@pytest.mark.parametrize(
    ("make", "target"),
    [
        (lambda r: r.resource("pods"), "/api/v1/pods"),
        (lambda r: r.namespace("d").resource("Pods").name("x"), "/api/v1/namespaces/d/pods/x"),
        (lambda r: r.namespace("").resource("pods"), "/api/v1/pods"),
        (lambda r: r.resource("pods").name("x").subresource("proxy", "a").suffix("b"), "/api/v1/pods/x/proxy/a/b"),
        (lambda r: r.prefix("watch").resource("pods"), "/api/v1/watch/pods"),
        (lambda r: r.abs_path("/healthz"), "/healthz"),
        (lambda r: r.abs_path("/apis/"), "/apis/"),
        (lambda r: r.abs_path("/apis/", "x/"), "/apis/x"),
        (lambda r: r.abs_path("/"), "/"),
        (lambda r: r.resource("nodes").name("system:node:a b"), "/api/v1/nodes/system:node:a%20b"),
        (lambda r: r.request_uri("/x y?a=1&a=2").param("lost", "1"), "/x%20y?a=1&a=2"),
    ],
)
def test_rest_11_paths(make: Callable[[Request], Request], target: str) -> None:
    assert build(make) == target


def test_rest_11_the_path_of_the_host_stays_in_front() -> None:
    host = "http://fake/prefix/"

    assert build(lambda r: r.resource("pods"), host) == "/prefix/api/v1/pods"
    assert build(lambda r: r.abs_path("/healthz"), host) == "/prefix/healthz"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda r: r.resource("a").resource("b"), "resource already set"),
        (lambda r: r.name("a").name("b"), "name already set"),
        (lambda r: r.namespace("a").namespace("b"), "namespace already set"),
        (lambda r: r.subresource("a").subresource("b"), "subresource already set"),
        (lambda r: r.name(""), "may not be empty"),
        (lambda r: r.name(".."), "may not be"),
        (lambda r: r.name("a/b"), "may not contain"),
        (lambda r: r.namespace("a%b"), "may not contain"),
        (lambda r: r.subresource("a", "."), "may not be"),
        (lambda r: r.body(object()), "cannot be sent"),
        (lambda r: r.body("/does/not/exist"), "/does/not/exist"),
    ],
)
def test_rest_10_rest_12_a_mistake_is_raised_when_the_request_is_sent(
    make: Callable[[Request], Request], problem: str
) -> None:
    client, transport, _ = fake_client()

    request = make(client.get()).name("later").param("later", "1").header("later", "1")

    with pytest.raises(ValueError, match=problem):
        request.do()
    assert transport.sent == []
    assert request.parameters == {}


@pytest.mark.parametrize(
    ("verb", "make", "fails"),
    [
        ("POST", lambda r: r.namespace("").resource("pods"), True),
        ("GET", lambda r: r.namespace("").resource("pods").name("x"), True),
        ("PUT", lambda r: r.namespace("").resource("pods").name("x"), True),
        ("DELETE", lambda r: r.namespace("").resource("pods").name("x"), True),
        ("GET", lambda r: r.namespace("").resource("pods"), False),
        ("POST", lambda r: r.resource("nodes"), False),
    ],
)
def test_rest_13_an_empty_namespace(verb: str, make: Callable[[Request], Request], fails: bool) -> None:
    client, transport, _ = fake_client()

    if fails:
        with pytest.raises(ValueError, match="empty namespace"):
            make(client.verb(verb)).do()
        assert transport.sent == []
    else:
        make(client.verb(verb)).do()


def test_rest_14_parameters_accumulate() -> None:
    target = build(lambda r: r.resource("pods").param("b", "1").param("a", "x").param("b", "2").options({"limit": 5}))

    assert target == "/api/v1/pods?a=x&b=1&b=2&limit=5"


def test_rest_15_a_timeout_is_told_and_bounds_the_call() -> None:
    client, transport, clock = fake_client()

    client.get().resource("pods").timeout(90).do()

    assert transport.sent[0]["target"] == "/api/v1/pods?timeout=1m30s"
    assert transport.sent[0]["deadline"] == clock.now() + 90


def test_rest_15_the_timeout_of_the_config_does_not_touch_watches() -> None:
    client, transport, _ = fake_client(FakeReply(body=b""), timeout=5.0)

    client.get().resource("pods").watch().close()
    client.get().resource("pods").do()

    assert transport.sent[0]["deadline"] is None
    assert "timeout" not in transport.sent[0]["target"]
    assert transport.sent[1]["target"].endswith("timeout=5s")


def sent_body(value: Any) -> tuple[Any, str | None]:
    client, transport, _ = fake_client()
    client.post().resource("x").body(value).do()
    return transport.sent[0]["body"], transport.sent[0]["headers"].get("Content-Type")


def test_rest_16_bodies(tmp_path: Path) -> None:
    file, stream = tmp_path / "body", io.BytesIO(b"s")
    file.write_bytes(b"content")

    assert sent_body(str(file)) == (b"content", None)
    assert sent_body(b"raw") == (b"raw", None)
    assert sent_body(stream) == (stream, None)
    assert sent_body(None) == (None, None)
    assert sent_body({"a": None}) == (b'{"a":null}', "application/json")
    assert sent_body(ObjectMeta(name="x")) == (b'{"name":"x"}', "application/json")
    body, kind = sent_body(ConfigMap(metadata=ObjectMeta(name="x")))
    assert json.loads(body) == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert kind == "application/json"


@pytest.mark.parametrize(
    ("patch_type", "header"),
    [
        ("json", "application/json-patch+json"),
        ("merge", "application/merge-patch+json"),
        ("strategic", "application/strategic-merge-patch+json"),
        ("apply", "application/apply-patch+yaml"),
        ("application/apply-patch+cbor", "application/apply-patch+cbor"),
    ],
)
def test_rest_17_mach_39_the_patch_type_is_the_content_type(patch_type: str, header: str) -> None:
    client, transport, _ = fake_client()

    client.patch(patch_type).resource("pods").name("x").body({"a": 1}).do()

    assert transport.sent[0]["method"] == "PATCH"
    assert transport.sent[0]["headers"]["Content-Type"] == header


def test_rest_18_accept_headers() -> None:
    for config, accept in (
        ({}, "application/json, */*"),
        ({"content_type": "application/x"}, "application/x, */*"),
        ({"accept_content_types": "a/b", "content_type": "c/d"}, "a/b"),
    ):
        client, transport, _ = fake_client(**config)
        client.get().do()
        assert transport.sent[0]["headers"]["Accept"] == accept


def test_rest_44_gzip_unless_it_is_turned_off_and_never_for_watches() -> None:
    client, transport, _ = fake_client(FakeReply(body=b""))
    client.get().do()
    client.get().watch()
    plain, plain_transport, _ = fake_client(disable_compression=True)
    plain.get().do()

    assert [one["headers"]["Accept-Encoding"] for one in transport.sent] == ["gzip", "identity"]
    assert plain_transport.sent[0]["headers"]["Accept-Encoding"] == "identity"


def test_rest_04_a_client_of_one_version_and_its_siblings() -> None:
    client = RESTClient(Config(host="http://fake"), "v1")
    apps = client.for_group_version("apps/v1")

    assert apps.get().path() == "/apis/apps/v1"
    assert client.get().path() == "/api/v1"
    assert apps.transport is client.transport
    assert apps.rate_limiter is client.rate_limiter
    with pytest.raises(ConfigError, match="group_version"):
        RESTClient(Config(), "a/b/c")
