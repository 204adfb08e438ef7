"""Resources without a model."""

from __future__ import annotations

import json

import pytest

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.dynamic.client import DynamicResourceClient
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


def test_subresources_are_not_judged_here() -> None:
    client, transport = foos()

    client.update_status(Unstructured({"kind": "Foo", "metadata": {"name": "x", "namespace": "d"}}))

    assert transport.sent[0]["target"] == f"{PATH}/namespaces/d/foos/x/status"
