"""The metadata of resources, without the rest."""

from __future__ import annotations

import json

import pytest

from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.errors import DecodeError, Expired, NotAcceptable
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


WHOLE = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "x", "namespace": "default", "uid": "u", "labels": {"a": "b"}},
    "spec": {"replicas": 3},
}
PARTIAL = {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": WHOLE["metadata"]}


def test_cli_16_of_a_whole_object_the_metadata_is_taken() -> None:
    client, _ = client_for(WHOLE)
    assert client.get("x").to_dict() == PARTIAL
    assert client.patch("x", {}, patch_type="merge").to_dict() == PARTIAL

    client, _ = client_for({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {"resourceVersion": "3"},
                            "items": [WHOLE, {"metadata": {"name": "y"}}]})  # fmt: skip
    found = client.list()
    assert [each.to_dict() for each in found] == [PARTIAL, {**PARTIAL, "metadata": {"name": "y"}}]
    assert found.metadata.resource_version == "3"


def test_cli_16_of_whole_objects_in_a_watch_too() -> None:
    bookmark = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"resourceVersion": "9"}, "spec": {}}
    lines = [{"type": "ADDED", "object": WHOLE}, {"type": "DELETED", "object": PARTIAL},
             {"type": "BOOKMARK", "object": bookmark}]  # fmt: skip
    client, transport, _ = fake_client(FakeReply(body=b"\n".join(json.dumps(each).encode() for each in lines) + b"\n"))

    with MetadataClient.over(client).resource(DEPLOYMENTS).watch() as events:
        found = [(event.type, event.object.to_dict()) for event in events]

    assert found == [
        ("ADDED", PARTIAL),
        ("DELETED", PARTIAL),
        ("BOOKMARK", {**PARTIAL, "metadata": {"resourceVersion": "9"}}),
    ]
    assert transport.sent[0]["headers"]["Accept"] == AS


def test_cli_16_a_failure_in_a_watch_stays_one() -> None:
    status = {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": 410,
        "reason": "Expired",
        "message": "old",
    }
    client, _, _ = fake_client(FakeReply(body=json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"))

    with MetadataClient.over(client).resource(DEPLOYMENTS).watch() as events, pytest.raises(Expired, match="old"):
        next(events)


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "Status", "apiVersion": "v1", "status": "Success", "metadata": {"name": "x"}},
        {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {}},
        {"some": "thing"},
        {"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {}, "items": []},
    ],
)
def test_cli_16_what_is_no_object_is_an_error(answer: dict[str, object]) -> None:
    client, _ = client_for(answer)

    with pytest.raises(DecodeError, match="asked for metadata only, got"):
        client.get("x")


@pytest.mark.parametrize("answer", [WHOLE, {"kind": "DeploymentList", "items": [{"spec": {}}]}])
def test_cli_16_what_is_no_list_of_objects_is_an_error(answer: dict[str, object]) -> None:
    client, _ = client_for(answer)

    with pytest.raises(DecodeError, match=r"list deployments\.apps: asked for .*metadata only|Deployment is no list"):
        client.list()


def test_cli_17_a_server_that_does_not_know_the_form_says_so() -> None:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 406, "reason": "NotAcceptable",
              "message": "only the following media types are accepted: application/json"}  # fmt: skip
    client, _, _ = fake_client(FakeReply(406, body=json.dumps(status).encode()))
    deployments = MetadataClient.over(client).resource(DEPLOYMENTS)

    for call in (lambda: deployments.get("x"), deployments.list, deployments.watch):
        with pytest.raises(NotAcceptable, match="media types"):
            call()


def test_cli_16_there_are_the_verbs_that_make_sense_and_no_others() -> None:
    client, _ = client_for(ONE)

    assert {
        "get",
        "list",
        "iterate",
        "watch",
        "wait",
        "patch",
        "label",
        "annotate",
        "delete",
        "delete_collection",
    } <= set(dir(client))
    assert not {"create", "update", "update_status", "apply", "apply_status", "get_scale"} & set(dir(client))


def test_clients_say_what_they_are_of() -> None:
    client, _ = client_for(ONE)

    assert repr(client) == "<MetadataResourceClient of deployments.apps v1 in default>"
    assert repr(client.namespace("")) == "<MetadataResourceClient of deployments.apps v1>"
    assert repr(MetadataClient.over(client._rest)).startswith("<MetadataClient of ")
    with pytest.raises(TypeError, match=r"expected a GroupVersionResource, .* got 'deployments'"):
        MetadataClient.over(client._rest).resource("deployments")  # type: ignore[arg-type]
