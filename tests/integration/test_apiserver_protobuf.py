"""Protobuf over real HTTP: what clients send, what they ask for, and what is answered where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.apimachinery import protobuf
from k8srt.testing import APIServer
from tests.integration.apiserver import CONFIG_MAPS, CRDS, Answer, Client

pytestmark = pytest.mark.embedded

PODS = "/api/v1/namespaces/default/pods"
EITHER = f"{protobuf.MEDIA_TYPE},application/json"
WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def client(server: APIServer) -> Iterator[Client]:
    with Client(server) as client:
        yield client


def send(client: Client, method: str, path: str, obj: dict[str, Any] | None = None, accept: str = EITHER) -> Answer:
    body = None if obj is None else protobuf.encode(obj)
    return client.send(method, path, body, Content_Type=protobuf.MEDIA_TYPE, Accept=accept)


def decoded(answer: Answer) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == protobuf.MEDIA_TYPE
    return protobuf.decode(answer.data)


def test_an_object_lives_and_dies(client):
    made = send(client, "POST", CONFIG_MAPS, config_map(k="1"))
    assert (made.status, decoded(made)["data"]) == (201, {"k": "1"})
    read = client.get(f"{CONFIG_MAPS}/a", Accept="application/json").body
    assert (read["data"], read["metadata"]["uid"]) == ({"k": "1"}, decoded(made)["metadata"]["uid"])

    changed = send(client, "PUT", f"{CONFIG_MAPS}/a", {**decoded(made), "data": {"k": "2"}})
    assert (changed.status, decoded(changed)["data"]) == (200, {"k": "2"})
    read = client.get(f"{CONFIG_MAPS}/a", Accept="application/json").body
    assert [entry["manager"] for entry in read["metadata"]["managedFields"]] == ["test"]
    assert "" not in read["metadata"].values()

    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "another"}}
    refused = send(client, "DELETE", f"{CONFIG_MAPS}/a", options)
    assert (refused.status, decoded(refused)["reason"]) == (409, "Conflict")
    gone = send(client, "DELETE", f"{CONFIG_MAPS}/a", {"apiVersion": "v1", "kind": "DeleteOptions"})
    assert decoded(gone)["status"] == "Success"


def test_an_object_sent_as_protobuf_is_the_one_sent_as_json(client):
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": ""}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}

    sent = send(client, "POST", PODS, pod, accept="application/json").body
    client.delete(f"{PODS}/p")
    plain = client.post(PODS, pod).body

    for obj in (sent, plain):
        for part in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
            del obj["metadata"][part]
        token = obj["spec"]["volumes"][0]["name"]
        obj["spec"]["volumes"][0]["name"] = obj["spec"]["containers"][0]["volumeMounts"][0]["name"] = token[:15]
    assert sent == plain


def test_lists_and_their_parts(client):
    for name in ("a", "b"):
        client.post(CONFIG_MAPS, config_map(name))

    found = decoded(client.get(f"{CONFIG_MAPS}?limit=1", Accept=EITHER))

    assert (found["kind"], [item["metadata"]["name"] for item in found["items"]]) == ("ConfigMapList", ["a"])
    assert found["metadata"]["remainingItemCount"] == 1
    rest = decoded(client.get(f"{CONFIG_MAPS}?limit=1&continue={found['metadata']['continue']}", Accept=EITHER))
    assert [item["metadata"]["name"] for item in rest["items"]] == ["b"]


def test_metadata_alone(client):
    client.post(CONFIG_MAPS, config_map(k="1"))
    form = "as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"

    one = decoded(client.get(f"{CONFIG_MAPS}/a", Accept=f"{protobuf.MEDIA_TYPE};{form.format('')}"))
    several = decoded(client.get(CONFIG_MAPS, Accept=f"{protobuf.MEDIA_TYPE};{form.format('List')}"))

    assert (one["kind"], one["metadata"]["name"], "data" in one) == ("PartialObjectMetadata", "a", False)
    assert [item["metadata"]["name"] for item in several["items"]] == ["a"]


def test_watches(client, server):
    client.post(CONFIG_MAPS, config_map("a"))
    client.post(CONFIG_MAPS, config_map("b"))
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"

    answer = client.get(f"{CONFIG_MAPS}?{query}&timeoutSeconds=1", Accept=EITHER)

    assert answer.headers["Content-Type"] == protobuf.STREAM_TYPE
    events = frames(answer.data)
    assert [(kind, obj["metadata"]["name"]) for kind, obj in events[:2]] == [("ADDED", "a"), ("ADDED", "b")]
    kind, bookmark = events[2]
    assert (kind, bookmark["metadata"]["annotations"]) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})


def test_a_watch_of_the_forgotten_past(client, server):
    client.post(CONFIG_MAPS, config_map("a"))
    client.post(CONFIG_MAPS, config_map("b"))
    server.compact()

    events = frames(client.get(f"{CONFIG_MAPS}?watch=true&resourceVersion=1", Accept=EITHER).data)

    assert [(kind, obj["code"]) for kind, obj in events] == [("ERROR", 410)]


def frames(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(protobuf.decode_event(data[4 : 4 + length]))
        data = data[4 + length :]
    return found


@pytest.mark.parametrize("path", ["/apis", "/api/v1", "/apis/apps", "/apis/apps/v1"])
def test_what_is_served(client, path):
    found = decoded(client.get(path, Accept=EITHER))
    plain = client.get(path, Accept="application/json").body

    assert found["kind"] == plain["kind"]
    for part in ("resources", "groups", "versions"):
        names = [each if isinstance(each, str) else each.get("name") for each in plain.get(part, ())]
        assert [each if isinstance(each, str) else each.get("name") for each in found.get(part, ())] == names


def test_custom_resources_have_no_messages(client):
    client.post(CRDS, WIDGETS)
    client.get(f"{CRDS}/widgets.example.com")
    widgets = "/apis/example.com/v1/namespaces/default/widgets"
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 2}}
    assert client.post(widgets, widget).status == 201

    assert client.get(f"{widgets}/w", Accept=EITHER).body["spec"] == {"size": 2}
    assert client.get(f"{widgets}/w", Accept=protobuf.MEDIA_TYPE).status == 406
    body = b"k8s\0\x0a\x18\x0a\x0eexample.com/v1\x12\x06Widget"
    refused = client.send("POST", widgets, body, Content_Type=protobuf.MEDIA_TYPE)
    assert refused.status == 415
    missing = client.get(f"{widgets}/nope", Accept=EITHER)
    assert (missing.status, decoded(missing)["details"]["name"]) == (404, "nope")


def test_reviews_and_tokens(client):
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    asked = {"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": "default"}}
    found = send(client, "POST", f"/apis/{review['apiVersion']}/selfsubjectaccessreviews", {**review, "spec": asked})
    assert decoded(found)["status"]["allowed"] is True

    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    assert decoded(send(client, "POST", path, token))["status"]["token"].count(".") == 2


def test_what_is_no_message_is_refused(client):
    assert client.send("POST", CONFIG_MAPS, b"{}", Content_Type=protobuf.MEDIA_TYPE).status == 400
    wrong = send(client, "POST", CONFIG_MAPS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})
    assert wrong.status == 400
