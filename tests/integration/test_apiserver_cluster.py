"""What a cluster does by itself: namespaces, garbage, definitions; and how a server starts, stops and lets in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import AUTHENTICATED, User
from tests.integration.apiserver import CONFIG_MAPS, CRDS, Client

pytestmark = pytest.mark.embedded

WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.fixture
def client() -> Iterator[Client]:
    with APIServer() as server, Client(server) as client:
        yield client


def definition(**version):
    size = {"type": "integer", "minimum": 1, "default": 3}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": size}}}}
    v1 = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [v1]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": spec,
    }


def widget(name: str = "w", **spec: object):
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


# ---- definitions


def test_a_definition_is_served_at_once(client):
    client.post(CRDS, definition())

    conditions = client.get(f"{CRDS}/widgets.example.com").body["status"]["conditions"]
    resources = client.get("/apis/example.com/v1").body["resources"]
    groups = client.get("/apis", Accept=AGGREGATED)

    assert {each["type"]: each["status"] for each in conditions} == {"NamesAccepted": "True", "Established": "True"}
    assert [each["name"] for each in resources] == ["widgets"]
    assert "example.com" in [each["metadata"]["name"] for each in groups.body["items"]]
    assert client.send("GET", "/apis", Accept=AGGREGATED, If_None_Match=groups.headers["ETag"]).status == 304


def test_custom_objects_are_pruned_defaulted_and_checked(client):
    client.post(CRDS, definition())

    made = client.post(WIDGETS, widget(junk=1))
    wrong = client.post(WIDGETS, widget("x", size=0))

    assert made.body["spec"] == {"size": 3}
    assert made.headers["Warning"] == '299 - "unknown field \\"spec.junk\\""'
    assert [cause["field"] for cause in wrong.body["details"]["causes"]] == ["spec.size"]


def test_subresources_and_columns_of_custom_objects(client):
    column = {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
    subresources = {"status": {}, "scale": scale}
    client.post(CRDS, definition(subresources=subresources, additionalPrinterColumns=[column]))
    client.post(WIDGETS, widget(size=2))

    scaled = client.patch(f"{WIDGETS}/w/scale", {"spec": {"replicas": 4}}).body
    table = client.get(WIDGETS, Accept="application/json;as=Table;v=v1;g=meta.k8s.io").body

    assert scaled["spec"] == {"replicas": 4}
    assert client.get(f"{WIDGETS}/w").body["spec"] == {"size": 4}
    assert table["rows"][0]["cells"] == ["w", 4]


def test_a_new_schema_shows_in_old_objects(client):
    made = client.post(CRDS, definition()).body
    client.post(WIDGETS, widget())
    properties = {"color": {"type": "string", "default": "red"}}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    made["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": schema}

    client.patch(f"{CRDS}/widgets.example.com", {"spec": made["spec"]})

    assert client.get(f"{WIDGETS}/w").body["spec"]["color"] == "red"


def test_a_definition_takes_its_objects_along(client):
    client.post(CRDS, definition())
    client.post(WIDGETS, widget())

    client.delete(f"{CRDS}/widgets.example.com")

    client.until_gone(f"{CRDS}/widgets.example.com")
    client.until_gone(WIDGETS)
    assert client.post(CRDS, definition()).status == 201
    assert client.get(WIDGETS).body["items"] == []


# ---- namespaces and garbage


def test_a_new_namespace_has_a_service_account(client):
    client.post("/api/v1/namespaces", {"metadata": {"name": "new"}})

    assert client.get("/api/v1/namespaces/new/serviceaccounts/default").status == 200


def test_a_deleted_namespace_is_emptied(client):
    client.post("/api/v1/namespaces", {"metadata": {"name": "old"}})
    client.post("/api/v1/namespaces/old/configmaps", {"metadata": {"name": "a"}})

    answer = client.delete("/api/v1/namespaces/old")

    assert answer.body["status"]["phase"] == "Terminating"
    client.until_gone("/api/v1/namespaces/old")
    assert client.get("/api/v1/namespaces/old/configmaps").body["items"] == []


def owned_by(owner, name: str, *, block: bool = False):
    ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
    return {"metadata": {"name": name, "ownerReferences": [{**ref, "blockOwnerDeletion": block}]}}


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_dependents_go_with_their_owner(client, policy):
    owner = client.post(CONFIG_MAPS, {"metadata": {"name": "owner"}}).body
    child = client.post(CONFIG_MAPS, owned_by(owner, "child", block=True)).body
    client.post(CONFIG_MAPS, owned_by(child, "grandchild"))

    client.delete(f"{CONFIG_MAPS}/owner?propagationPolicy={policy}")

    for name in ("grandchild", "child", "owner"):
        client.until_gone(f"{CONFIG_MAPS}/{name}")


def test_orphans_stay(client):
    owner = client.post(CONFIG_MAPS, {"metadata": {"name": "owner"}}).body
    client.post(CONFIG_MAPS, owned_by(owner, "child"))

    client.delete(f"{CONFIG_MAPS}/owner?propagationPolicy=Orphan")

    client.until_gone(f"{CONFIG_MAPS}/owner")
    assert "ownerReferences" not in client.get(f"{CONFIG_MAPS}/child").body["metadata"]


def test_an_object_whose_owner_never_was_is_collected(client):
    owner = {"metadata": {"name": "ghost", "uid": "11111111-1111-4111-8111-111111111111"}}
    client.post(CONFIG_MAPS, owned_by(owner, "child"))

    client.until_gone(f"{CONFIG_MAPS}/child")


def test_the_workers_can_be_switched_off():
    switches = {"garbage_collection": False, "namespace_controller": False, "default_service_accounts": False}
    with APIServer(**switches) as server, Client(server) as client:
        client.post("/api/v1/namespaces", {"metadata": {"name": "old"}})
        client.delete("/api/v1/namespaces/old")

        assert client.get("/api/v1/namespaces/old").body["status"]["phase"] == "Terminating"
        assert client.get("/api/v1/namespaces/default/serviceaccounts").body["items"] == []


# ---- life and access


def test_a_server_starts_once_and_stops_as_often_as_one_likes():
    server = APIServer()
    server.start()
    with pytest.raises(RuntimeError):
        server.start()

    server.stop()
    server.stop()


def test_a_server_that_never_started_can_be_stopped():
    APIServer().stop()


def test_a_kubeconfig_leads_to_the_server(client):
    with APIServer() as server:
        text = server.kubeconfig()

    assert f"server: {server.url}" in text
    assert server.token in text


def test_roles_decide_where_they_are_asked():
    alice = User("alice", "2", ("dev", AUTHENTICATED))
    with (
        APIServer(tokens={"secret": alice}, authorization_mode="RBAC") as server,
        Client(server) as admin,
        Client(server, "secret") as user,
        Client(server, "wrong") as stranger,
    ):
        assert user.get(CONFIG_MAPS).status == 403
        assert stranger.get(CONFIG_MAPS).status == 401

        role = {
            "metadata": {"name": "r"},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
        }
        binding = {
            "metadata": {"name": "b"},
            "subjects": [{"kind": "Group", "name": "dev"}],
            "roleRef": {"kind": "Role", "name": "r"},
        }
        base = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
        admin.post(f"{base}/roles", role)
        admin.post(f"{base}/rolebindings", binding)

        assert user.get(CONFIG_MAPS).status == 200
        assert user.get(f"{CONFIG_MAPS}/a").status == 403
        assert user.post(f"{base}/roles", {**role, "metadata": {"name": "x"}}).status == 403


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/version", "/openapi/v2", "/openapi/v3", "/api"])
def test_what_clients_ask_first_is_there(client, path):
    assert client.get(path).status == 200
    assert client.send("HEAD", path).status == 200


def test_openapi_describes_built_in_and_custom_kinds(client):
    client.post(CRDS, definition())

    apps = client.get("/openapi/v3/apis/apps/v1").body["components"]["schemas"]
    custom = client.get("/openapi/v3/apis/example.com/v1").body["components"]["schemas"]
    both = client.get("/openapi/v2").body["definitions"]

    assert apps["io.k8s.api.apps.v1.DeploymentSpec"]["required"] == ["selector", "template"]
    assert "com.example.v1.Widget" in custom
    assert "io.k8s.api.core.v1.Pod" in both
    assert "com.example.v1.Widget" in both
