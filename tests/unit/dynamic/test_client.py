"""Resources without a model."""

from __future__ import annotations

import json

import pytest

from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.dynamic.client import DynamicResourceClient
from k8srt.errors import NotAcceptable
from k8srt.examples.sample_controller.foo.api.v1alpha1 import Foo, FooSpec
from tests.unit.rest.fakes import FakeReply, FakeTransport, fake_client

FOOS = GroupVersionResource("samplecontroller.k8s.io", "v1alpha1", "foos")
FOO = b'{"apiVersion":"samplecontroller.k8s.io/v1alpha1","kind":"Foo","metadata":{"name":"x"},"spec":{"replicas":2}}'
PATH = "/apis/samplecontroller.k8s.io/v1alpha1"


def foos(body: bytes = FOO) -> tuple[DynamicResourceClient, FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=body))
    return DynamicClient.over(client).resource(FOOS), transport


def test_cli_13_get() -> None:
    client, transport = foos()

    obj = client.namespace("default").get("x")

    assert isinstance(obj, Unstructured)
    assert (obj["spec"]["replicas"], obj.metadata.name, obj.kind) == (2, "x", "Foo")
    assert transport.sent[0]["target"] == f"{PATH}/namespaces/default/foos/x"


def test_cli_13_without_a_namespace_the_server_judges() -> None:
    client, transport = foos()

    client.get("x")
    client.create({"kind": "Foo", "metadata": {"name": "x"}})

    assert [one["target"] for one in transport.sent] == [f"{PATH}/foos/x", f"{PATH}/foos"]


def test_cli_13_an_empty_name_is_an_error() -> None:
    client, _ = foos()

    with pytest.raises(ValueError, match="no name"):
        client.get("")


def test_cli_14_nothing_with_managed_fields_is_applied() -> None:
    client, transport = foos()
    managed = Unstructured({"kind": "Foo", "metadata": {"name": "x", "managedFields": [{"manager": "m"}]}})

    with pytest.raises(ValueError, match="managedFields"):
        client.apply(managed, field_manager="me")
    client.apply({"kind": "Foo", "metadata": {"name": "x"}}, field_manager="me")

    assert len(transport.sent) == 1


def test_cli_15_items_get_the_kind_that_the_list_implies() -> None:
    body = {"apiVersion": "v1", "kind": "FooList", "metadata": {"resourceVersion": "3"}, "items": [{"metadata": {}}]}
    client, _ = foos(json.dumps(body).encode())

    found = client.list()

    assert [(one.api_version, one.kind) for one in found] == [("v1", "Foo")]
    assert found.metadata.resource_version == "3"


def test_cli_13_every_verb_has_its_method_and_path() -> None:
    client, transport = foos()
    client = client.namespace("d")
    foo = {"kind": "Foo", "metadata": {"name": "x"}}

    client.create(foo)
    client.update(foo)
    client.update_status(foo)
    client.delete("x")
    client.delete_collection(label_selector="a=b")
    client.get("x")
    client.patch("x", {}, patch_type="merge")
    client.apply(foo, field_manager="me", force=True)
    client.apply_status(foo, field_manager="me")

    here = f"{PATH}/namespaces/d/foos"
    assert [(one["method"], one["target"]) for one in transport.sent] == [
        ("POST", here),
        ("PUT", f"{here}/x"),
        ("PUT", f"{here}/x/status"),
        ("DELETE", f"{here}/x"),
        ("DELETE", f"{here}?labelSelector=a%3Db"),
        ("GET", f"{here}/x"),
        ("PATCH", f"{here}/x"),
        ("PATCH", f"{here}/x?fieldManager=me&force=true"),
        ("PATCH", f"{here}/x/status?fieldManager=me"),
    ]


def test_cli_13_subresources_may_be_of_another_kind() -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x", "namespace": "d"}}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "x", "namespace": "d"}}
    client, transport = foos(json.dumps(scale).encode())

    assert client.get("x", subresource="scale").kind == "Scale"
    assert client.update(scale, subresource="scale").kind == "Scale"
    client.update(Unstructured(scale), subresource="scale")
    client.patch("x", {}, patch_type="merge", subresource="scale")
    client.apply(scale, field_manager="me", subresource="scale")
    client.create(eviction, subresource="eviction")
    client.delete("x", subresource="log")

    assert [(one["method"], one["target"].removeprefix(PATH)) for one in transport.sent] == [
        ("GET", "/foos/x/scale"),
        ("PUT", "/namespaces/d/foos/x/scale"),
        ("PUT", "/namespaces/d/foos/x/scale"),
        ("PATCH", "/foos/x/scale"),
        ("PATCH", "/namespaces/d/foos/x/scale?fieldManager=me"),
        ("POST", "/namespaces/d/foos/x/eviction"),
        ("DELETE", "/foos/x/log"),
    ]


def test_cli_13_objects_say_their_kind_and_are_of_this_group_and_version() -> None:
    client, transport = foos()
    for call in (client.create, client.update, client.update_status):
        with pytest.raises(ValueError, match="foos: d/x does not say its kind"):
            call({"metadata": {"name": "x", "namespace": "d"}})
        with pytest.raises(ValueError, match=r"foos: expected samplecontroller.k8s.io/v1alpha1, got apps/v1 Foo"):
            call({"apiVersion": "apps/v1", "kind": "Foo", "metadata": {"name": "x"}})
        with pytest.raises(ValueError, match="expected an object or a dict, got str"):
            call("x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not say its kind"):
        client.apply({"metadata": {"name": "x"}}, field_manager="me")
    assert transport.sent == []

    client.create({"kind": "Foo", "metadata": {"name": "x"}})

    assert json.loads(transport.sent[0]["body"])["apiVersion"] == "samplecontroller.k8s.io/v1alpha1"


def test_cli_13_typed_objects_may_be_sent() -> None:
    client, transport = foos()

    client.create(Foo(metadata=ObjectMeta(name="x"), spec=FooSpec(replicas=1)))

    assert json.loads(transport.sent[0]["body"]) == {
        "apiVersion": "samplecontroller.k8s.io/v1alpha1",
        "kind": "Foo",
        "metadata": {"name": "x"},
        "spec": {"replicas": 1},
    }


def test_cli_14_nor_to_the_status() -> None:
    client, transport = foos()
    managed = {"kind": "Foo", "metadata": {"name": "x", "managedFields": [{"manager": "m"}]}}

    with pytest.raises(ValueError, match="managedFields"):
        client.apply_status(managed, field_manager="me")
    with pytest.raises(ValueError, match="managedFields"):
        client.apply(managed, field_manager="me", subresource="scale")
    with pytest.raises(ValueError, match="name must be provided"):
        client.apply({"kind": "Foo", "metadata": {}}, field_manager="me")

    assert transport.sent == []


def test_cli_15_a_list_tells_its_version_and_where_it_goes_on() -> None:
    meta = {"resourceVersion": "3", "continue": "next", "remainingItemCount": 5}
    item = {"apiVersion": "other/v1", "kind": "Other", "metadata": {"name": "x"}}
    client, _ = foos(json.dumps({"apiVersion": "v1", "kind": "List", "metadata": meta, "items": [item]}).encode())

    found = client.list(limit=1)

    assert (found.metadata.resource_version, found.metadata.continue_) == ("3", "next")
    assert found[0].to_dict() == item


def test_cli_17_not_acceptable_is_an_error() -> None:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 406, "reason": "NotAcceptable"}
    client, _, _ = fake_client(FakeReply(406, body=json.dumps(status).encode()))

    with pytest.raises(NotAcceptable):
        DynamicClient.over(client).resource(FOOS).get("x")


def test_clients_say_what_they_are_of() -> None:
    client, _ = foos()

    assert repr(client) == "<DynamicResourceClient of foos.samplecontroller.k8s.io v1alpha1>"
    assert repr(client.namespace("d")) == "<DynamicResourceClient of foos.samplecontroller.k8s.io v1alpha1 in d>"
    assert isinstance(client.namespace("d"), DynamicResourceClient)
    assert {"create", "get_scale", "patch_status", "watch"} <= set(dir(client))
    assert not {"evict", "create_token", "logs"} & set(dir(client))


@pytest.mark.parametrize("wrong", ["foos", None, ("", "v1", "pods")])
def test_a_resource_is_said_by_group_version_and_plural(wrong: object) -> None:
    dynamic = DynamicClient.over(fake_client()[0])

    with pytest.raises(TypeError, match="expected a GroupVersionResource, such as"):
        dynamic.resource(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="version and resource are needed"):
        dynamic.resource(GroupVersionResource("apps", "", "deployments"))


def test_subresources_are_not_judged_here() -> None:
    client, transport = foos()

    client.update_status(Unstructured({"kind": "Foo", "metadata": {"name": "x", "namespace": "d"}}))

    assert transport.sent[0]["target"] == f"{PATH}/namespaces/d/foos/x/status"
