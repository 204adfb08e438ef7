"""The metadata of resources, without the rest."""

from __future__ import annotations

import json

import pytest

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.errors import DecodeError
from k8srt.metadata import MetadataClient, PartialObjectMetadata
from k8srt.metadata.client import MetadataResourceClient
from tests.unit.rest.fakes import FakeReply, FakeTransport, fake_client

DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
PATH = "/apis/apps/v1/namespaces/default/deployments"
ONE = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "x", "labels": {"a": "b"}}}
AS = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def client_for(answer: object) -> tuple[MetadataResourceClient, FakeTransport]:
    client, transport, _ = fake_client(FakeReply(body=json.dumps(answer).encode()))
    return MetadataClient.over(client).resource(DEPLOYMENTS, "default"), transport


def test_cli_16_get_asks_for_the_metadata_only() -> None:
    client, transport = client_for(ONE)

    found = client.get("x")

    assert isinstance(found, PartialObjectMetadata)
    assert (found.metadata.name, found.metadata.labels) == ("x", {"a": "b"})
    assert transport.sent[0]["target"] == f"{PATH}/x"
    assert transport.sent[0]["headers"]["Accept"] == AS


def test_cli_16_list_asks_for_a_list_of_metadata() -> None:
    meta = {"resourceVersion": "7"}
    client, transport = client_for(
        {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": meta, "items": [ONE]}
    )

    found = client.list(label_selector="a=b")

    assert [each.metadata.name for each in found] == ["x"]
    assert found.metadata.resource_version == "7"
    assert transport.sent[0]["headers"]["Accept"] == AS.replace("Metadata;", "MetadataList;")


def test_cli_16_patch_asks_for_the_metadata_of_the_result() -> None:
    client, transport = client_for(ONE)

    client.namespace("default").patch("x", {"metadata": {"labels": {"a": "b"}}}, patch_type="merge")

    assert transport.sent[0]["headers"]["Accept"] == AS
    assert transport.sent[0]["headers"]["Content-Type"] == "application/merge-patch+json"


def test_cli_16_delete_is_as_ever() -> None:
    client, transport = client_for({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    client.delete("x")

    assert transport.sent[0]["headers"]["Accept"] != AS


def test_cli_16_an_answer_of_another_kind_is_an_error() -> None:
    client, _ = client_for({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}})
    with pytest.raises(DecodeError, match="Deployment"):
        client.get("x")

    client, _ = client_for({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {}, "items": []})
    with pytest.raises(DecodeError, match="asked for metadata only, got apps/v1 DeploymentList"):
        client.list()


def test_what_was_not_seen_cannot_be_written() -> None:
    client, transport = client_for(ONE)
    obj = PartialObjectMetadata.from_dict(ONE)
    for write in (client.create, client.update):
        with pytest.raises(ValueError, match="a metadata client cannot"):
            write(obj)

    assert transport.sent == []
    assert repr(MetadataClient.over(client._rest)).startswith("<MetadataClient of ")
