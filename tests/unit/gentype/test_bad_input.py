"""Calls that make no sense: told before anything is sent, by what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.gentype import ResourceClient
from tests.unit.rest.fakes import FakeReply, FakeTransport, fake_client

Pods = ResourceClient[Pod]
DEPLOYMENT = Deployment(metadata=ObjectMeta(name="web"))


def pods() -> tuple[Pods, FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=b'{"apiVersion":"v1","kind":"Pod"}'))
    return ResourceClient(client, Pod, "d"), transport


@pytest.mark.parametrize(
    "call",
    [
        lambda pods, obj: pods.create(obj),
        lambda pods, obj: pods.update(obj),
        lambda pods, obj: pods.update_status(obj),
        lambda pods, obj: pods.apply(obj, field_manager="me"),
        lambda pods, obj: pods.apply_status(obj, field_manager="me"),
    ],
    ids=["create", "update", "update_status", "apply", "apply_status"],
)
@pytest.mark.parametrize(
    ("obj", "got"),
    [
        (DEPLOYMENT, "got apps/v1 Deployment (<Deployment web>)"),
        (DEPLOYMENT.to_dict(), "got apps/v1 Deployment"),
        ({"apiVersion": "v2", "kind": "Pod", "metadata": {"name": "x"}}, "got v2 Pod"),
        ({"kind": "Node", "metadata": {"name": "x"}}, "got ? Node"),
        (Unstructured(DEPLOYMENT.to_dict()), "got apps/v1 Deployment (<Unstructured Deployment web>)"),
        (None, "got NoneType"),
        ("kind: Pod", "got str"),
        ([{"kind": "Pod"}], "got list"),
    ],
    ids=["object", "dict", "version", "kind-alone", "unstructured", "nothing", "text", "list"],
)
def test_cli_04_an_object_of_another_kind_is_not_sent(call: Callable[[Pods, Any], object], obj: Any, got: str) -> None:
    client, transport = pods()

    with pytest.raises(ValueError, match=r"pods: expected v1 Pod") as caught:
        call(client, obj)

    assert got in str(caught.value)
    assert transport.sent == []


def test_an_object_without_a_model_is_taken_where_its_kind_fits() -> None:
    client, transport = pods()

    client.create(Unstructured({"metadata": {"name": "x"}}))  # type: ignore[arg-type]
    client.create(Unstructured({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}))  # type: ignore[arg-type]

    first, second = (one["body"] for one in transport.sent)
    assert first == second == b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}'


@pytest.mark.parametrize(
    "call",
    [
        lambda pods, name: pods.get(name),
        lambda pods, name: pods.delete(name),
        lambda pods, name: pods.patch(name, {}, patch_type="merge"),
        lambda pods, name: pods.patch_status(name, {}, patch_type="merge"),
        lambda pods, name: pods.label(name, a="b"),
        lambda pods, name: pods.logs(name),
        lambda pods, name: pods.evict(name),
        lambda pods, name: pods.bind(name, "n"),
    ],
    ids=["get", "delete", "patch", "patch_status", "label", "logs", "evict", "bind"],
)
def test_cli_04_a_call_needs_a_name_and_never_means_all_objects_instead(call: Callable[[Pods, Any], object]) -> None:
    client, transport = pods()

    with pytest.raises(ValueError, match="the object has no name"):
        call(client, "")
    with pytest.raises(TypeError, match="name: expected str, got None"):
        call(client, None)
    with pytest.raises(TypeError, match="name: expected str, got 5"):
        call(client, 5)
    assert transport.sent == []


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        ("get", lambda pods, **no: pods.get("x", **no)),
        ("list", lambda pods, **no: pods.list(**no)),
        ("watch", lambda pods, **no: pods.watch(**no)),
        ("create", lambda pods, **no: pods.create({}, **no)),
        ("update", lambda pods, **no: pods.update({}, **no)),
        ("update_status", lambda pods, **no: pods.update_status({}, **no)),
        ("patch", lambda pods, **no: pods.patch("x", {}, patch_type="merge", **no)),
        ("patch_status", lambda pods, **no: pods.patch_status("x", {}, patch_type="merge", **no)),
        ("apply", lambda pods, **no: pods.apply({}, field_manager="me", **no)),
        ("apply_status", lambda pods, **no: pods.apply_status({}, field_manager="me", **no)),
        ("delete", lambda pods, **no: pods.delete("x", **no)),
        ("delete_collection", lambda pods, **no: pods.delete_collection(**no)),
        ("logs", lambda pods, **no: pods.logs("x", **no)),
        ("get_logs", lambda pods, **no: pods.get_logs("x", **no)),
        ("evict", lambda pods, **no: pods.evict("x", **no)),
        ("bind", lambda pods, **no: pods.bind("x", "n", **no)),
        ("update_resize", lambda pods, **no: pods.update_resize({}, **no)),
        ("update_ephemeral_containers", lambda pods, **no: pods.update_ephemeral_containers({}, **no)),
        ("create_token", lambda pods, **no: pods.create_token("x", **no)),
        ("get_scale", lambda pods, **no: pods.get_scale("x", **no)),
    ],
)
def test_an_option_that_a_verb_does_not_have_is_told_with_those_it_has(verb: str, call: Callable[..., object]) -> None:
    client, transport = pods()

    with pytest.raises(TypeError, match=rf"{verb}\(\) got an unexpected keyword argument 'fieldManger'; it takes .+"):
        call(client, fieldManger="me")
    assert transport.sent == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda pods: pods.patch("x", None, patch_type="merge"), "patch pods x: there is no patch"),
        (lambda pods: pods.patch("x", {}, patch_type="stategic"), "must be json, merge, strategic or apply"),
        (lambda pods: pods.logs("x", follow=True, timeout=5), "has no timeout"),
        (lambda pods: pods.get_scale("x"), "pods/scale in v1 cannot get; possible: nothing"),
        (lambda pods: pods.finalize(Pod(metadata=ObjectMeta(name="x"))), "pods/finalize in v1 cannot update"),
        (lambda pods: pods.create_token("x"), "pods/token in v1 cannot create"),
        (lambda pods: pods.get("x", subresource="eviction"), "pods/eviction in v1 cannot get; possible: create"),
        (lambda pods: pods.get("x", subresource="nope"), "pods/nope in v1 cannot get"),
    ],
)
def test_cli_02_what_a_resource_cannot_do_is_not_sent(call: Callable[[Pods], object], problem: str) -> None:
    client, transport = pods()

    with pytest.raises(ValueError, match=problem):
        call(client)
    assert transport.sent == []


def test_cli_14_what_came_from_a_server_is_not_applied_whole() -> None:
    client, transport = pods()
    owned = [{"manager": "other", "operation": "Apply"}]

    with pytest.raises(ValueError, match=r"apply pods: x: metadata.managedFields must not be set"):
        client.apply(Pod.from_dict({"metadata": {"name": "x", "managedFields": owned}}), field_manager="me")
    assert transport.sent == []
    client.apply({"metadata": {"name": "x", "annotations": {"a": '"managedFields"'}}}, field_manager="me")
    client.apply({"metadata": {"name": "x", "managedFields": []}}, field_manager="me")
    assert len(transport.sent) == 2


def test_a_client_without_a_model_knows_its_group_version() -> None:
    client, transport, _ = fake_client()
    foos = DynamicClient.over(client).resource(GroupVersionResource("example.com", "v1", "foos"), "d")

    with pytest.raises(ValueError, match=r"foos: expected example.com/v1, got apps/v1 Deployment"):
        foos.create(Unstructured(DEPLOYMENT.to_dict()))
    assert transport.sent == []
