"""Paths and methods, taken apart."""

from __future__ import annotations

import pytest

from k8srt.testing.apiserver.messages import Request, parse_head
from k8srt.testing.apiserver.requests import request_info
from k8srt.util.http1 import BadMessage


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/api/v1/pods", ("list", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/pods?watch=true", ("watch", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/pods?watch=false", ("list", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/watch/pods", ("watch", "", "v1", "", "pods", "", "")),
        ("GET", "/api/v1/namespaces/n/pods/p", ("get", "", "v1", "n", "pods", "p", "")),
        ("GET", "/api/v1/namespaces/n/pods/p?watch=1", ("get", "", "v1", "n", "pods", "p", "")),
        ("GET", "/api/v1/namespaces", ("list", "", "v1", "", "namespaces", "", "")),
        ("GET", "/api/v1/namespaces/n", ("get", "", "v1", "n", "namespaces", "n", "")),
        ("PUT", "/api/v1/namespaces/n/finalize", ("update", "", "v1", "n", "namespaces", "n", "finalize")),
        ("PATCH", "/apis/apps/v1/namespaces/n/deployments/d/scale",
         ("patch", "apps", "v1", "n", "deployments", "d", "scale")),
        ("DELETE", "/apis/apps/v1/namespaces/n/deployments",
         ("deletecollection", "apps", "v1", "n", "deployments", "", "")),
        ("POST", "/api/v1/namespaces/n/pods/p/eviction", ("create", "", "v1", "n", "pods", "p", "eviction")),
        ("GET", "/healthz", ("get", "", "", "", "", "", "")),
        ("GET", "/apis/apps/v1", ("get", "", "", "", "", "", "")),
    ],
)  # fmt: skip
def test_request_info(method, target, expected):
    info = request_info(Request(method, target, {}))

    found = (info.verb, info.group, info.version, info.namespace, info.resource, info.name, info.subresource)
    assert found == expected


def test_a_head_is_parsed():
    request = parse_head(b"GET /a%20b?x=1&x=2&y HTTP/1.1\r\nHost: h\r\nA: 1\r\na: 2")

    assert (request.method, request.path) == ("GET", "/a b")
    assert request.query == {"x": ["1", "2"], "y": [""]}
    assert request.header("a") == "1, 2"
    assert not request.wants_close


@pytest.mark.parametrize("head", [b"GET /", b"GET / HTTP/2", b"GET / HTTP/1.1\r\nno colon", b"\xff"])
def test_what_is_no_request_is_refused(head):
    with pytest.raises(BadMessage):
        parse_head(head)
