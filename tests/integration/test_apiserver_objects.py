"""Objects on the embedded server, over real HTTP: made, read, changed, patched, applied, deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt.testing import APIServer
from tests.integration.apiserver import CONFIG_MAPS, Client

pytestmark = pytest.mark.embedded

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"


def config_map(name: str = "a", **data: str):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str = "d", replicas: int = 1):
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def client() -> Iterator[Client]:
    with APIServer() as server, Client(server) as client:
        yield client


def test_an_object_lives_and_dies(client):
    made = client.post(CONFIG_MAPS, config_map(k="1"))
    read = client.get(f"{CONFIG_MAPS}/a")
    gone = client.delete(f"{CONFIG_MAPS}/a")

    assert made.status == 201
    assert read.body == made.body
    assert read.body["metadata"]["uid"]
    assert gone.body["status"] == "Success"
    assert client.get(f"{CONFIG_MAPS}/a").reason == "NotFound"


def test_a_write_with_an_old_version_is_refused(client):
    made = client.post(CONFIG_MAPS, config_map(k="1")).body
    client.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "2"}})

    stale = client.put(f"{CONFIG_MAPS}/a", made)

    assert (stale.status, stale.reason) == (409, "Conflict")
    assert "the object has been modified" in stale.body["message"]


def test_a_write_that_changes_nothing_keeps_the_version(client):
    made = client.post(CONFIG_MAPS, config_map(k="1")).body

    again = client.put(f"{CONFIG_MAPS}/a", made).body

    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_every_form_of_patch(client):
    client.post(DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/d"

    json_patch = [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    assert client.patch(path, json_patch, "json-patch+json").body["spec"]["replicas"] == 2
    assert client.patch(path, {"spec": {"replicas": 3}}).body["spec"]["replicas"] == 3
    containers = {"containers": [{"name": "side", "image": "s:1"}]}
    merged = client.patch(path, {"spec": {"template": {"spec": containers}}}, "strategic-merge-patch+json").body
    assert [each["name"] for each in merged["spec"]["template"]["spec"]["containers"]] == ["side", "c"]
    assert client.patch(path, {}, "json").status == 415


def test_apply_tracks_owners_and_refuses_to_take(client):
    def apply(manager: str, value: str, force: str = ""):
        path = f"{CONFIG_MAPS}/a?fieldManager={manager}{force}"
        return client.patch(path, config_map(k=value), "apply-patch+yaml")

    first, conflict, forced = apply("one", "1"), apply("two", "2"), apply("two", "2", "&force=true")

    assert (first.status, conflict.status, forced.status) == (201, 409, 200)
    assert conflict.body["details"]["causes"][0]["field"] == ".data.k"
    owners = {entry["manager"]: entry["operation"] for entry in forced.body["metadata"]["managedFields"]}
    assert owners == {"two": "Apply"}


def test_status_and_spec_do_not_mix(client):
    client.post(DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/d"

    client.patch(path, {"status": {"replicas": 9}})
    status = client.patch(f"{path}/status", {"status": {"replicas": 3}, "spec": {"replicas": 7}}).body

    assert status["spec"]["replicas"] == 1
    assert status["status"] == {"replicas": 3}
    assert status["metadata"]["generation"] == 1


def test_scale_is_read_and_written(client):
    client.post(DEPLOYMENTS, deployment(replicas=2))

    scale = client.patch(f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 5}}).body
    refused = client.patch(f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": -1}})

    assert scale["spec"] == {"replicas": 5}
    assert scale["status"] == {"replicas": 0, "selector": "app=d"}
    assert client.get(f"{DEPLOYMENTS}/d").body["metadata"]["generation"] == 2
    assert refused.status == 422


def test_a_finalizer_holds_an_object_until_it_is_taken_off(client):
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    client.post(CONFIG_MAPS, body)

    held = client.delete(f"{CONFIG_MAPS}/a").body
    released = client.patch(f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": None}})

    assert held["metadata"]["deletionTimestamp"]
    assert released.status == 200
    assert client.get(f"{CONFIG_MAPS}/a").status == 404


def test_a_pod_that_runs_somewhere_is_given_time(client):
    spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "n"}
    client.post(PODS, {"metadata": {"name": "p"}, "spec": spec})

    graceful = client.delete(f"{PODS}/p").body
    forced = client.delete(f"{PODS}/p?gracePeriodSeconds=0")

    assert graceful["metadata"]["deletionGracePeriodSeconds"] == 30
    assert forced.status == 200
    assert client.get(f"{PODS}/p").status == 404


def test_lists_are_selected_and_paged(client):
    for name in "abcd":
        body = config_map(name)
        body["metadata"]["labels"] = {"even": str(name in "bd").lower()}
        client.post(CONFIG_MAPS, body)

    even = client.get(f"{CONFIG_MAPS}?labelSelector=even%3Dtrue").body
    named = client.get(f"{CONFIG_MAPS}?fieldSelector=metadata.name%21%3Da").body
    first = client.get(f"{CONFIG_MAPS}?limit=3").body
    rest = client.get(f"{CONFIG_MAPS}?limit=3&continue={first['metadata']['continue']}").body

    assert [each["metadata"]["name"] for each in even["items"]] == ["b", "d"]
    assert [each["metadata"]["name"] for each in named["items"]] == ["b", "c", "d"]
    assert first["metadata"]["remainingItemCount"] == 1
    assert [each["metadata"]["name"] for each in rest["items"]] == ["d"]
    assert "continue" not in rest["metadata"]


def test_a_dry_run_stores_nothing(client):
    made = client.post(f"{CONFIG_MAPS}?dryRun=All", config_map())

    assert made.status == 201
    assert client.get(f"{CONFIG_MAPS}/a").status == 404


def test_unknown_fields_are_warned_of_or_refused(client):
    body = {**config_map(), "bogus": 1}

    warned = client.post(CONFIG_MAPS, body)
    strict = client.post(f"{CONFIG_MAPS}?fieldValidation=Strict", {**body, "metadata": {"name": "b"}})

    assert warned.headers["Warning"] == '299 - "unknown field \\"bogus\\""'
    assert strict.status == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("POST", "/api/v1/namespaces/nowhere/configmaps", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/widgets", 404, "NotFound"),
        ("PUT", CONFIG_MAPS, 405, "MethodNotAllowed"),
        ("DELETE", "/api/v1/namespaces", 405, "MethodNotAllowed"),
    ],
)
def test_what_is_refused_is_told(client, method, path, status, reason):
    answer = client.send(method, path, config_map())

    assert (answer.status, answer.reason) == (status, reason)
    assert answer.body["kind"] == "Status"


def test_several_things_wrong_are_told_at_once(client):
    body = config_map("Bad")
    body["metadata"]["labels"] = {"ok": "no!"}

    answer = client.post(CONFIG_MAPS, body)

    assert [cause["field"] for cause in answer.body["details"]["causes"]] == ["metadata.name", "metadata.labels"]


def test_answers_come_as_tables_metadata_yaml_and_compressed(client):
    client.post(CONFIG_MAPS, config_map(k="x" * 200_000))
    group = "v=v1;g=meta.k8s.io"

    table = client.get(CONFIG_MAPS, Accept=f"application/json;as=Table;{group}").body
    partial = client.get(f"{CONFIG_MAPS}/a", Accept=f"application/json;as=PartialObjectMetadata;{group}").body
    yaml = client.get(f"{CONFIG_MAPS}/a", Accept="application/yaml").data

    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["a", 1]
    assert "data" not in partial
    assert yaml.startswith(b"apiVersion: v1")
    raw = client.get(CONFIG_MAPS, Accept_Encoding="gzip")
    assert raw.headers["Content-Encoding"] == "gzip"
    assert raw.body["kind"] == "ConfigMapList"


def test_one_object_is_seen_through_two_groups(client):
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default"}, "message": "m"}
    client.post("/api/v1/namespaces/default/events", event)

    seen = client.get("/apis/events.k8s.io/v1/namespaces/default/events/e").body

    assert (seen["note"], seen["regarding"]["kind"]) == ("m", "Pod")


@pytest.mark.parametrize("query", ["timeoutSeconds=x", "limit=x", "watch=1&timeoutSeconds=x"])
def test_what_is_no_number_is_refused(client, query):
    answer = client.get(f"{CONFIG_MAPS}?{query}")

    assert (answer.status, answer.reason) == (400, "BadRequest")
    assert answer.body["message"] == 'strconv.ParseInt: parsing "x": invalid syntax'
