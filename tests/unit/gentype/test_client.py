"""What each verb sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.autoscaling.v1 import Scale, ScaleSpec
from k8srt.api.core.v1 import Binding, ConfigMap, Node, Pod, PodList
from k8srt.apimachinery.labels import parse
from k8srt.apimachinery.meta import LabelSelector, ObjectMeta
from k8srt.errors import DecodeError, Stopped
from k8srt.gentype import ResourceClient
from k8srt.util.threads import Stop
from tests.unit.rest.fakes import FakeReply, FakeTransport, fake_client

POD = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","namespace":"d"},"unknown":{"kept":1}}'
PODS = b'{"apiVersion":"v1","kind":"PodList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"}}]}'
DEPLOYMENT = b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}'


def pods(body: bytes = POD, namespace: str = "d") -> tuple[ResourceClient[Pod], FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=body))
    return ResourceClient(client, Pod, namespace), transport


def deployments() -> tuple[ResourceClient[Deployment], FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=DEPLOYMENT))
    return ResourceClient(client, Deployment, "d"), transport


def sent(transport: FakeTransport) -> tuple[str, str, Any]:
    (one,) = transport.sent
    body = one["body"]
    return one["method"], one["target"], json.loads(body) if body is not None else None


def pod(name: str = "x") -> Pod:
    return Pod(metadata=ObjectMeta(name=name))


def test_cli_02_get() -> None:
    client, transport = pods()

    got = client.get("x", resource_version="5")

    assert isinstance(got, Pod)
    assert sent(transport) == ("GET", "/api/v1/namespaces/d/pods/x?resourceVersion=5", None)


def test_cli_02_list() -> None:
    client, transport = pods(PODS)

    got = client.list(label_selector="app=web", limit=5, continue_="t")

    assert isinstance(got, PodList)
    assert [one.metadata.name for one in got] == ["a"]
    assert got.metadata.resource_version == "9"
    assert sent(transport)[1] == "/api/v1/namespaces/d/pods?continue=t&labelSelector=app%3Dweb&limit=5"


def test_cli_03_the_timeout_of_a_list_is_the_server_s_and_ours() -> None:
    client, transport = pods(PODS)

    client.list(timeout_seconds=30)

    assert transport.sent[0]["target"].endswith("?timeout=30s&timeoutSeconds=30")
    assert transport.sent[0]["deadline"] is not None


@pytest.mark.parametrize(
    "selector",
    ["app=web", {"app": "web"}, parse("app=web"), LabelSelector(match_labels={"app": "web"})],
    ids=["text", "dict", "selector", "LabelSelector"],
)
def test_a_selector_may_be_written_in_any_way(selector: Any) -> None:
    client, transport = pods(PODS)

    client.list(label_selector=selector, field_selector={"metadata.name": "x"})

    assert transport.sent[0]["target"].endswith("?fieldSelector=metadata.name%3Dx&labelSelector=app%3Dweb")


def test_all_namespaces_and_another_namespace() -> None:
    client, transport = pods(PODS, namespace="")

    client.list()
    client.namespace("e").list()

    assert [one["target"] for one in transport.sent] == ["/api/v1/pods", "/api/v1/namespaces/e/pods"]


def test_cli_03_watch() -> None:
    client, transport = pods(b'{"type":"DELETED","object":{"metadata":{"name":"a"}}}\n')

    (event,) = client.watch(resource_version="5", allow_watch_bookmarks=True, send_initial_events=False)

    assert (event.type, event.object.metadata.name) == ("DELETED", "a")
    assert transport.sent[0]["target"] == (
        "/api/v1/namespaces/d/pods?allowWatchBookmarks=true&resourceVersion=5&sendInitialEvents=false&watch=true"
    )


def test_cli_02_create() -> None:
    client, transport = pods()

    client.create(pod(), dry_run=True, field_manager="me", field_validation="Strict")

    assert sent(transport) == (
        "POST",
        "/api/v1/namespaces/d/pods?dryRun=All&fieldManager=me&fieldValidation=Strict",
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}},
    )
    assert transport.sent[0]["headers"]["Content-Type"] == "application/json"


def test_an_object_may_be_a_dict_and_say_its_namespace() -> None:
    client, transport = pods(namespace="")

    client.create({"metadata": {"name": "x", "namespace": "mine"}})

    assert sent(transport)[1] == "/api/v1/namespaces/mine/pods"


def test_usr_27_an_update_sends_what_came_also_what_no_model_knows() -> None:
    client, transport = pods()

    client.update(Pod.decode(POD))

    assert transport.sent[0]["body"] == POD
    assert transport.sent[0]["method"] == "PUT"


def test_cli_02_update_status() -> None:
    client, transport = deployments()

    client.update_status(Deployment.decode(DEPLOYMENT))

    assert sent(transport)[:2] == ("PUT", "/apis/apps/v1/namespaces/d/deployments/web/status")


@pytest.mark.parametrize(
    ("patch_type", "patch", "content_type", "body"),
    [
        ("merge", {"spec": {"replicas": None}}, "application/merge-patch+json", b'{"spec":{"replicas":null}}'),
        ("json", [{"op": "remove", "path": "/a"}], "application/json-patch+json", b'[{"op":"remove","path":"/a"}]'),
        ("strategic", {"a": 1}, "application/strategic-merge-patch+json", b'{"a":1}'),
        ("apply", "kind: Pod\n", "application/apply-patch+yaml", b"kind: Pod\n"),
        ("merge", b"raw", "application/merge-patch+json", b"raw"),
    ],
)
def test_usr_24_a_patch_is_of_the_type_named(patch_type: Any, patch: Any, content_type: str, body: bytes) -> None:
    client, transport = deployments()

    client.patch("web", patch, patch_type=patch_type, subresource="status", field_manager="me")

    (one,) = transport.sent
    assert one["headers"]["Content-Type"] == content_type
    assert one["body"] == body
    assert one["target"] == "/apis/apps/v1/namespaces/d/deployments/web/status?fieldManager=me"


def test_mach_45_apply() -> None:
    client, transport = pods()

    client.apply(pod(), field_manager="me", force=True)

    method, target, body = sent(transport)
    assert (method, target) == ("PATCH", "/api/v1/namespaces/d/pods/x?fieldManager=me&force=true")
    assert body == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
    assert transport.sent[0]["headers"]["Content-Type"] == "application/apply-patch+yaml"


def test_mach_45_apply_status_without_force_says_nothing_of_force() -> None:
    client, transport = deployments()

    client.apply_status({"metadata": {"name": "web"}}, field_manager="me")

    assert sent(transport)[1] == "/apis/apps/v1/namespaces/d/deployments/web/status?fieldManager=me"


def test_cli_02_delete() -> None:
    client, transport = pods(b'{"kind":"Status","status":"Success"}')

    client.delete("x", propagation_policy="Background", preconditions={"uid": "u"}, grace_period_seconds=0)

    options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
    assert sent(transport) == (
        "DELETE",
        "/api/v1/namespaces/d/pods/x",
        {**options, "propagationPolicy": "Background", "preconditions": {"uid": "u"}},
    )


def test_cli_02_delete_collection() -> None:
    client, transport = pods(PODS)

    client.delete_collection(label_selector={"a": "b"}, dry_run=True)

    assert sent(transport) == (
        "DELETE",
        "/api/v1/namespaces/d/pods?labelSelector=a%3Db",
        {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]},
    )


def test_usr_25_labels_and_annotations_none_removes() -> None:
    client, transport = pods()

    client.label("x", {"example.com/a": "1"}, tier="fe", old=None)
    client.annotate("x", note="n")

    first, second = (json.loads(one["body"]) for one in transport.sent)
    assert first == {"metadata": {"labels": {"example.com/a": "1", "tier": "fe", "old": None}}}
    assert second == {"metadata": {"annotations": {"note": "n"}}}
    assert transport.sent[0]["headers"]["Content-Type"] == "application/merge-patch+json"


def test_cli_07_scale() -> None:
    scale = b'{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":2}}'
    client, transport, _ = fake_client(FakeReply(body=scale))
    deployments = ResourceClient(client, Deployment, "d")

    got = deployments.get_scale("web")
    deployments.update_scale("web", Scale(metadata=got.metadata, spec=ScaleSpec(replicas=3)))

    assert got.spec.replicas == 2
    assert [one["method"] for one in transport.sent] == ["GET", "PUT"]
    assert transport.sent[1]["target"] == "/apis/apps/v1/namespaces/d/deployments/web/scale"
    assert json.loads(transport.sent[1]["body"])["spec"] == {"replicas": 3}


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda client: client.get(""), "get pods: the object has no name"),
        (lambda client: client.update(Pod()), "update pods: the object has no name"),
        (lambda client: client.apply(Pod(), field_manager="me"), "name must be provided to Apply"),
        (lambda client: client.apply(pod(), field_manager=""), "needs a field_manager"),
        (lambda client: client.get("a/b"), "may not contain '/'"),
        (lambda client: client.patch("x", {}, patch_type="guess"), "patch_type must be"),
        (lambda client: client.get_scale("x"), "pods/scale in v1 cannot get; possible: nothing"),
        (lambda client: client.create(5), "expected v1 Pod or a dict, got int"),
        (lambda client: client.namespace("").get("x"), "empty namespace"),
        (lambda client: client.namespace("").create(pod()), "empty namespace"),
    ],
)
def test_rest_12_rest_13_cli_04_calls_that_make_no_sense_are_not_sent(
    call: Callable[[ResourceClient[Pod]], object], problem: str
) -> None:
    client, transport = pods()

    with pytest.raises(ValueError, match=problem):
        call(client)
    assert transport.sent == []


def test_an_option_that_does_not_exist_is_a_type_error() -> None:
    client, _ = pods()

    with pytest.raises(TypeError, match=r"list\(\) got an unexpected keyword argument 'labelSelector'"):
        client.list(labelSelector="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="limit"):
        client.delete("x", limit=1)  # type: ignore[call-arg]


def test_only_resources_have_clients_and_only_namespaced_ones_namespaces() -> None:
    client, _, _ = fake_client()

    with pytest.raises(ValueError, match="nodes are not in namespaces"):
        ResourceClient(client, Node, "d")
    with pytest.raises(ValueError, match="not served"):
        ResourceClient(client, Scale)
    with pytest.raises(ValueError, match="cannot list; possible: create"):
        ResourceClient(client, Binding, "d").list()


def test_a_list_of_something_else_is_told() -> None:
    client, _ = pods(b'{"apiVersion":"v1","kind":"NodeList","items":[]}')

    with pytest.raises(DecodeError, match="get pods: expected PodList, got v1 NodeList"):
        client.list()


def test_iterate_goes_through_all_pages() -> None:
    pages = [
        b'{"kind":"ConfigMapList","metadata":{"continue":"t"},"items":[{"metadata":{"name":"a"}}]}',
        b'{"kind":"ConfigMapList","metadata":{},"items":[{"metadata":{"name":"b"}}]}',
    ]
    client, transport, _ = fake_client(*(FakeReply(body=page) for page in pages))

    found = list(ResourceClient(client, ConfigMap, "d").iterate(page_size=1, label_selector="x"))

    assert [one.metadata.name for one in found] == ["a", "b"]
    assert transport.sent[1]["target"].endswith("?continue=t&labelSelector=x&limit=1")


EVERY_VERB: list[Callable[..., object]] = [
    lambda client, **how: client.get("x", **how),
    lambda client, **how: client.create(pod(), **how),
    lambda client, **how: client.update(pod(), **how),
    lambda client, **how: client.update_status(pod(), **how),
    lambda client, **how: client.patch("x", {}, patch_type="merge", **how),
    lambda client, **how: client.patch_status("x", {}, patch_type="merge", **how),
    lambda client, **how: client.apply(pod(), field_manager="me", **how),
    lambda client, **how: client.apply_status(pod(), field_manager="me", **how),
    lambda client, **how: client.delete("x", **how),
    lambda client, **how: client.delete_collection(**how),
    lambda client, **how: client.update_resize(pod(), **how),
    lambda client, **how: client.update_ephemeral_containers(pod(), **how),
    lambda client, **how: client.bind("x", "n", **how),
    lambda client, **how: client.evict("x", **how),
    lambda client, **how: client.logs("x", **how),
]


@pytest.mark.parametrize("call", EVERY_VERB)
def test_cli_02_every_verb_takes_a_timeout_and_a_stop(call: Callable[..., object]) -> None:
    client, transport, clock = fake_client(FakeReply(body=POD), FakeReply(429, headers={"retry-after": "1"}))
    pods = ResourceClient(client, Pod, "d")

    call(pods, timeout=5.0)

    (one,) = transport.sent
    assert "timeout=5s" in one["target"]
    assert one["deadline"] == clock.now() + 5.0
    stop = Stop()
    stop.set()
    with pytest.raises(Stopped):
        call(pods, stop=stop)
