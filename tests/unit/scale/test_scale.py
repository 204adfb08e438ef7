"""Scales of all kinds as autoscaling/v1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.autoscaling.v1 import Scale
from k8srt.apimachinery.schema import GroupResource, GroupVersionKind, GroupVersionResource
from k8srt.rest import Config
from k8srt.scale import ScaleClient
from k8srt.scale.conversion import from_wire, to_wire
from k8srt.testing.apiserver.messages import Request, Response
from tests.unit.discovery.answers import Answers, at_once, told, told_group

DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
PATH = "/apis/apps/v1/namespaces/shop/deployments/web/scale"
CURRENT: dict[str, Any] = {
    "kind": "Scale",
    "apiVersion": "autoscaling/v1",
    "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7"},
    "spec": {"replicas": 2},
    "status": {"replicas": 1, "selector": "app=web"},
}


def old_scales(version: str) -> Answers:
    """A server whose `things` have a scale of this kind."""
    group, _, number = version.partition("/")
    scale = {
        "subresource": "scale",
        "responseKind": {"group": group, "version": number, "kind": "Scale"},
        "verbs": ["get", "patch", "update"],
    }
    return at_once(told_group("x.io", v1=[told("things", "Thing", group="x.io", subresources=[scale])]))


def scales(server: Answers) -> ScaleClient:
    return ScaleClient(server.config())


def test_cli_28_get_update_and_patch_go_to_the_subresource() -> None:
    server = at_once()
    server.paths[PATH] = CURRENT
    client = scales(server).resource(DEPLOYMENTS).namespace("shop")

    scale = client.get("web")
    scale.spec.replicas = 5
    client.update(scale, field_manager="me")
    client.patch("web", {"spec": {"replicas": 3}}, patch_type="merge", dry_run=True)

    assert (type(scale), scale.status.selector) == (Scale, "app=web")
    get, put, patch = server.requests[2:]
    assert {each.path for each in (get, put, patch)} == {PATH}
    assert [each.method for each in (get, put, patch)] == ["GET", "PUT", "PATCH"]
    assert json.loads(put.body) == {**CURRENT, "spec": {"replicas": 5}}
    assert put.param("fieldManager") == "me"
    assert (json.loads(patch.body), patch.param("dryRun")) == ({"spec": {"replicas": 3}}, "All")
    assert patch.header("content-type") == "application/merge-patch+json"


@pytest.mark.parametrize("version", ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"])
def test_cli_28_old_kinds_are_converted_both_ways(version: str) -> None:
    server = old_scales(version)
    path = "/apis/x.io/v1/namespaces/shop/things/web/scale"
    server.paths[path] = {
        **CURRENT,
        "apiVersion": version,
        "status": {"replicas": 1, "selector": {"app": "web", "a": "b"}},
    }
    client = scales(server).resource("things", "shop")

    scale = client.get("web")
    client.update(scale)

    assert (scale.api_version, scale.status.selector) == ("autoscaling/v1", "a=b,app=web")
    sent = json.loads(server.requests[-1].body)
    assert (sent["apiVersion"], sent["kind"]) == (version, "Scale")
    assert sent["status"] == {
        "replicas": 1,
        "selector": {"a": "b", "app": "web"},
        "targetSelector": "a=b,app=web",
    }


def test_cli_28_a_selector_that_is_no_map_is_sent_as_text() -> None:
    old = GroupVersionKind("apps", "v1beta2", "Scale")
    scale = Scale.from_dict({**CURRENT, "status": {"replicas": 1, "selector": "app in (a,b)"}})

    sent = to_wire(scale, old)

    assert sent["status"] == {"replicas": 1, "targetSelector": "app in (a,b)"}
    assert from_wire(sent, "get").status.selector == "app in (a,b)"
    assert "selector" not in from_wire({**sent, "status": {"replicas": 1}}, "get").to_dict()["status"]


def test_cli_28_the_kind_is_looked_up_in_discovery_once() -> None:
    server = at_once()
    server.paths[PATH] = CURRENT
    client = scales(server).resource(DEPLOYMENTS, "shop")

    client.get("web")
    client.get("web")

    assert server.asked == ["/api", "/apis", PATH, PATH]


def test_cli_28_what_has_no_scale_is_an_error_before_anything_is_asked_of_it() -> None:
    server = at_once()

    with pytest.raises(errors.NoMatch, match="pods in v1 cannot be scaled"):
        scales(server).resource(GroupVersionResource("", "v1", "pods"), "shop").get("web")
    with pytest.raises(errors.NoMatch, match="it does not serve that group"):
        scales(server).resource("foos.nope.io")
    with pytest.raises(errors.NoMatch, match=r"the scale of things in x\.io/v1 is an unknown y\.io/v7, Kind=Scale"):
        scales(old_scales("y.io/v7")).resource("things", "shop").get("web")
    assert set(server.asked) == {"/api", "/apis"}


def test_resources_by_text_and_group() -> None:
    client = scales(at_once())

    assert repr(client.resource("deploy", "shop")) == "<ScaleResourceClient of deployments.apps v1 in shop>"
    assert repr(client.resource(GroupResource("apps", "deployments"))) == "<ScaleResourceClient of deployments.apps v1>"


def test_calls_that_make_no_sense() -> None:
    server = at_once()
    client = scales(server).resource(DEPLOYMENTS, "shop")

    with pytest.raises(ValueError, match="the scale has no name"):
        client.get("")
    with pytest.raises(TypeError, match="expected str, got None"):
        client.get(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the scale has no name"):
        client.update({"spec": {"replicas": 1}})
    with pytest.raises(TypeError, match="expected a Scale or a dict, got int"):
        client.update(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="patch_type must be"):
        client.patch("web", {}, patch_type="best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there is no patch"):
        client.patch("web", None, patch_type="merge")
    with pytest.raises(TypeError, match="unexpected keyword argument 'nope'"):
        client.get("web", nope=1)  # type: ignore[call-arg]
    assert server.asked == []


@pytest.mark.parametrize(
    "answer", [b"[]", b'{"kind":"Pod","apiVersion":"v1"}', b'{"kind":"Scale","apiVersion":"a/b/c"}']
)
def test_an_answer_that_is_no_scale(answer: bytes) -> None:
    def serve(request: Request) -> Response:
        return Response(200, answer)

    server = at_once()
    server.paths[PATH] = serve

    with pytest.raises(errors.DecodeError, match="expected a scale"):
        scales(server).resource(DEPLOYMENTS, "shop").get("web")


def test_a_client_opens_nothing() -> None:
    with ScaleClient(Config(host="http://fake")) as client:
        assert repr(client) == "<ScaleClient of http://fake>"
