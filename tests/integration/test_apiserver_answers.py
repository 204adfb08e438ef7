"""How the embedded server answers what a real one answers in a way of its own: mostly custom resources.

The rules were seen on an apiextensions-apiserver 1.36, which none of these tests needs.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, install_crds
from tests.integration.apiserver import CONFIG_MAPS, CRDS, Client

pytestmark = pytest.mark.embedded

RIGS = "/apis/example.com/v1/namespaces/default/rigs"
OLD = RIGS.replace("/v1/", "/v2/")
TEXT = {"type": "string"}
COUNT = {"type": "integer"}
SPEC = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": COUNT,
        "replicas": {"type": "integer", "default": 1},
        "color": {"type": "string", "enum": ["red", "blue"]},
        "step": {"type": "number", "multipleOf": 2.5},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": {
                "type": "object",
                "required": ["port"],
                "properties": {"port": COUNT, "protocol": {"type": "string", "default": "TCP"}},
            },
        },
        "notes": {"type": "object", "additionalProperties": {"type": "object"}},
        "inner": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
    },
    "x-kubernetes-validations": [{"rule": "self.size < 9"}],
}
STATUS = {"type": "object", "properties": {"ready": COUNT, "replicas": COUNT}}
SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}},
    "subresources": {"status": {}, "scale": SCALE},
    "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
}
NARROW = {"type": "object", "properties": {"size": COUNT, "extra": {"type": "string", "default": "two"}}}
SECOND = {
    "name": "v2",
    "served": True,
    "storage": False,
    "deprecated": True,
    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": NARROW}}},
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "rigs.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "rigs", "singular": "rig", "kind": "Rig"},
        "versions": [VERSION, SECOND],
    },
}
MERGE, JSON_PATCH, APPLY = (
    {"Content_Type": f"application/{kind}"} for kind in ("merge-patch+json", "json-patch+json", "apply-patch+yaml")
)
AS = "application/json;as={};v=v1;g=meta.k8s.io"


def rig(name: str = "a", **spec: Any) -> dict[str, Any]:
    meta = {"name": name} if name else {}
    return {"apiVersion": "example.com/v1", "kind": "Rig", "metadata": meta, "spec": spec}


@pytest.fixture(scope="module")
def server() -> Iterator[APIServer]:
    with APIServer() as server, Clientset(server.config) as cs:
        install_crds(cs, DEFINITION)
        yield server


@pytest.fixture
def client(server: APIServer) -> Iterator[Client]:
    with Client(server) as client:
        client.post(RIGS, rig(size=3))
        yield client
        client.delete(RIGS)


def causes(answer: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["message"]) for each in answer.body["details"]["causes"]]


# ---- one handler for all paths


def test_a_custom_resource_is_created_below_any_path(client):
    made = client.post(f"{RIGS}/whatever", rig("b", size=1))
    again = client.post(f"{RIGS}/b", rig("b", size=1))

    assert (made.status, made.body["metadata"]["name"]) == (201, "b")
    assert (again.status, again.reason) == (409, "AlreadyExists")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_collection_of_custom_resources_is_changed_by_name_only(client, method):
    answer = client.send(method, RIGS, {"a": 1}, **MERGE)

    assert (answer.status, answer.body["message"]) == (400, "name must be provided")
    assert client.send(method, CONFIG_MAPS, {"a": 1}, **MERGE).status == 405


def test_methods_that_a_custom_resource_does_not_take_are_named(client):
    deleted, asked = client.delete(f"{RIGS}/a/status"), client.send("OPTIONS", f"{RIGS}/a")

    assert deleted.body["message"] == 'delete is not supported on resources of kind "rigs.example.com"'
    assert asked.body["message"] == ' is not supported on resources of kind "rigs.example.com"'
    assert {deleted.status, asked.status} == {405}


def test_a_head_of_a_custom_resource_is_answered_without_a_body(client):
    answer = client.send("HEAD", f"{RIGS}/a")

    assert (answer.status, answer.data) == (200, b"")


def test_a_subresource_that_is_not_there_is_told_as_the_object(client):
    answer = client.get(f"{RIGS}/a/log")

    assert (answer.status, answer.body["message"]) == (404, 'rigs.example.com "a" not found')


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apis/example.com/v1/rigs/a"),
        ("POST", "/apis/example.com/v1/rigs"),
        ("GET", "/apis/example.com/v1/nope"),
        ("GET", "/apis/example.com/v9/rigs"),
    ],
)
def test_paths_of_custom_groups_that_lead_nowhere_are_pages_not_found(client, method, path):
    answer = client.send(method, path, rig() if method == "POST" else None)

    assert (answer.status, answer.data) == (404, b"404 page not found\n")


# ---- patches


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (b"{}", "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (b'["x"]', "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp"),
        (
            b'[{"op":1}]',
            "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
        ),
        (b"[", "error decoding patch: unexpected end of JSON input"),
    ],
)
def test_what_is_no_json_patch_is_refused_before_anything_is_read(client, patch, message):
    answer = client.send("PATCH", f"{CONFIG_MAPS}/kube-root-ca.crt", patch, **JSON_PATCH)
    custom = client.send("PATCH", f"{RIGS}/a", patch, **JSON_PATCH)

    assert (custom.status, custom.body["message"]) == (400, message)
    assert answer.status in (400, 404)


def test_an_operation_that_does_not_apply_is_not_named(client):
    for operation in ({"op": "test", "path": "/spec/size", "value": 9}, {"op": "remove", "path": "/spec/nope"}):
        answer = client.send("PATCH", f"{RIGS}/a", [operation], **JSON_PATCH)

        assert answer.status == 422
        assert answer.body["message"] == "the server rejected our request due to an error in our request"


def test_an_empty_json_patch_changes_nothing_and_an_empty_merge_patch_is_none(client):
    before = client.get(f"{RIGS}/a").body

    nothing = client.send("PATCH", f"{RIGS}/a", b"null", **JSON_PATCH)
    none = client.send("PATCH", f"{RIGS}/a", b"null", **MERGE)

    assert nothing.body == before
    assert (none.status, none.body["message"]) == (400, "Invalid JSON Patch")


def test_strictness_looks_at_the_patch_itself(client):
    twice = b'{"spec":{"size":4,"size":5}}'
    odd = [{"op": "replace", "path": "/spec/size", "value": 6, "why": "?"}]

    warned = client.send("PATCH", f"{RIGS}/a", twice, **MERGE)
    noted = client.send("PATCH", f"{RIGS}/a", odd, **JSON_PATCH)
    refused = client.send("PATCH", f"{RIGS}/a?fieldValidation=Strict", twice, **MERGE)
    silent = client.send("PATCH", f"{RIGS}/a?fieldValidation=Ignore", twice, **MERGE)

    assert warned.headers["Warning"] == '299 - "duplicate field \\"spec.size\\""'
    assert noted.headers["Warning"] == '299 - "json patch unknown field \\"[0].why\\""'
    assert refused.status == 422
    assert refused.body["details"]["causes"][0]["message"].endswith(
        ': strict decoding error: duplicate field "spec.size"'
    )
    assert (silent.status, silent.headers.get("Warning")) == (200, None)


def test_a_patch_that_takes_the_kind_away_or_another_version_is_invalid(client):
    without = client.send("PATCH", f"{RIGS}/a", {"kind": None}, **MERGE)
    other = client.send("PATCH", f"{RIGS}/a", {"apiVersion": "example.com/v2"}, **MERGE)

    assert "Object 'Kind' is missing in '{\"apiVersion\"" in causes(without)[0][1]
    assert causes(other) == [("apiVersion", 'Invalid value: "example.com/v2": must be example.com/v1')]


def test_what_may_not_change_is_told_twice(client):
    answer = client.send("PATCH", f"{RIGS}/a", {"metadata": {"deletionTimestamp": "2001-01-01T00:00:00Z"}}, **MERGE)

    first, second = causes(answer)
    assert first == second
    assert first[0] == "metadata.deletionTimestamp"


def test_types_of_patches_that_custom_resources_do_not_take_are_refused_with_those_they_do(client):
    answer = client.send("PATCH", f"{RIGS}/a", {"a": 1})

    assert answer.status == 415
    assert answer.body["message"].endswith(
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )


# ---- server-side apply


def test_an_apply_to_what_is_there_needs_no_name(client):
    there = client.send("PATCH", f"{RIGS}/a?fieldManager=m&force=true", rig("", size=5), **APPLY)
    absent = client.send("PATCH", f"{RIGS}/b?fieldManager=m", rig("", size=5), **APPLY)

    assert (there.status, there.body["spec"]["size"]) == (200, 5)
    assert (absent.status, absent.reason) == (400, "BadRequest")


def test_nulls_are_dropped_from_what_is_sent_and_not_from_what_is_applied(client):
    sent = client.post(RIGS, rig("b", size=1, color=None, notes={"x": None, "y": {}}))
    applied = client.send("PATCH", f"{RIGS}/a?fieldManager=m&force=true", rig(size=3, color=None), **APPLY)

    assert sent.body["spec"] == {"size": 1, "notes": {"y": {}}, "replicas": 1}
    assert applied.status == 422
    assert [field for field, _ in causes(applied)] == ["spec.color", "spec.color", "<nil>"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"size": "x"}, ".spec.size: expected numeric (int or float), got string"),
        ({"ports": "x"}, ".spec.ports: expected list, got &{x}"),
        ({"notes": [1]}, ".spec.notes: expected map, got &{[1]}"),
        ({"color": 1}, ".spec.color: expected string, got &value.valueUnstructured{Value:1}"),
    ],
)
def test_a_configuration_that_does_not_fit_is_told_what_it_has(client, spec, message):
    answer = client.send("PATCH", f"{RIGS}/a?fieldManager=m", rig(**spec), **APPLY)

    assert answer.status == 500
    assert answer.body["message"].endswith(message)


def test_a_key_given_twice_in_a_configuration_is_told_with_its_line(client):
    text = b"apiVersion: example.com/v1\nkind: Rig\nmetadata:\n  name: a\nspec:\n  size: 4\n  size: 4\n"

    warned = client.send("PATCH", f"{RIGS}/a?fieldManager=m&force=true", text, **APPLY)
    refused = client.send("PATCH", f"{RIGS}/a?fieldManager=m&fieldValidation=Strict", text, **APPLY)

    assert warned.headers["Warning"] == '299 - "line 7: key \\"size\\" already set in map"'
    assert refused.status == 400
    assert refused.body["message"].startswith("error strict decoding YAML: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "invalid object type: /, Kind="),
        (b"kind: Rig", "invalid object type: /, Kind=Rig"),
        (b"[]", "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into"),
    ],
)
def test_what_is_no_configuration_is_refused(client, text, message):
    answer = client.send("PATCH", f"{RIGS}/a?fieldManager=m", text, **APPLY)

    assert answer.status == 400
    assert answer.body["message"].startswith(message)


def test_names_of_managers_are_printable(client):
    answer = client.send("PATCH", f"{RIGS}/a?fieldManager=a%0Ab", rig(size=3), **APPLY)

    assert causes(answer) == [("fieldManager", 'Invalid value: "a\\nb": invalid character U+000A (at position 1)')]


def test_the_scale_of_a_custom_resource_cannot_be_applied(client):
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 2}}

    applied = client.send("PATCH", f"{RIGS}/a/scale?fieldManager=m", scale, **APPLY)
    merged = client.send("PATCH", f"{RIGS}/a/scale", {"spec": {"replicas": 2}}, **MERGE)

    assert (applied.status, merged.status) == (500, 200)
    assert "request to convert CR to an invalid group/version: autoscaling/v1" in applied.body["message"]


# ---- what is checked


def test_replicas_are_checked_beside_the_schema(client):
    large = client.post(RIGS, rig("b", size=1, replicas=2**31))
    nowhere = client.send("PATCH", f"{RIGS}/a", {"spec": "x"}, **MERGE)
    scaled = client.send("PATCH", f"{RIGS}/a/scale", {"spec": {"replicas": 2**31}}, **MERGE)

    limit = "should be less than or equal to 2147483647"
    assert (".spec.replicas", f"Invalid value: 2147483648: {limit}") in causes(large)
    text = ".spec.replicas accessor error: x is of the type string, expected map[string]interface{}"
    assert (".spec.replicas", f"Invalid value: 0: {text}") in causes(nowhere)
    assert causes(scaled)[0][1].endswith("into Go struct field ScaleSpec.spec.replicas of type int32")


def test_rules_are_left_alone_when_the_metadata_is_wrong(client):
    answer = client.post(RIGS, rig("", size=1))

    assert [field for field, _ in causes(answer)] == ["metadata.name", "<nil>"]


def test_the_status_is_checked_from_its_own_point_of_view(client):
    answer = client.send("PATCH", f"{RIGS}/a/status", {"status": {"ready": "x"}}, **MERGE)

    assert causes(answer)[0] == (
        "status.ready",
        'Invalid value: "string": ready in body must be of type integer: "string"',
    )


def test_whole_numbers_are_divided_by_the_whole_part_of_the_factor(client):
    whole = client.post(f"{RIGS}?dryRun=All", rig("b", size=1, step=2))
    broken = client.post(f"{RIGS}?dryRun=All", rig("b", size=1, step=5.5))

    assert whole.status == 201
    assert causes(broken) == [("spec.step", "Invalid value: 5.5: spec.step in body should be a multiple of 2.5")]


def test_embedded_objects_have_metadata_of_its_type(client):
    inner = {"apiVersion": "v1", "kind": "X", "metadata": {"labels": {"a": 1}}}

    answer = client.post(RIGS, rig("b", size=1, inner=inner))

    assert answer.status == 400
    assert 'spec.inner.metadata: Invalid value: {"labels":{"a":1}}: json: ' in answer.body["message"]


def test_events_own_nothing(client):
    body = rig("b", size=1)
    body["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "1"}]

    answer = client.post(RIGS, body)

    assert causes(answer)[0][1].endswith("/v1, Kind=Event is disallowed from being an owner")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "couldn't get version/kind; json parse error: unexpected end of JSON input ({)"),
        (b"null", "Object 'Kind' is missing in 'null' (6e756c6c)"),
        (b"{}", "Object 'Kind' is missing in '{}' ({})"),
    ],
)
def test_a_body_of_unknown_kind_is_shown(client, body, message):
    answer = client.send("POST", RIGS, body)

    assert answer.status == 400
    assert answer.body["message"] == f"the object provided is unrecognized (must be of type Rig): {message}"


def test_options_of_a_deletion_that_do_not_fit_are_bad_requests(client):
    answer = client.send("DELETE", f"{RIGS}/a", {"preconditions": "x"})

    assert (answer.status, answer.reason) == (400, "BadRequest")


# ---- versions without a webhook


def test_another_version_is_cut_to_its_schema_and_gets_the_defaults_of_what_is_stored(client):
    seen = client.get(f"{OLD}/a").body["spec"]
    sent = {**rig("b", size=2, extra="x"), "apiVersion": "example.com/v2"}
    made = client.post(OLD, sent)

    assert seen == {"size": 3}
    assert made.body["spec"] == {"size": 2}
    assert client.get(f"{RIGS}/b").body["spec"] == {"size": 2, "replicas": 1}


# ---- reading


def test_exact_versions_from_the_future_are_not_waited_for(client):
    exact = client.get(f"{RIGS}?resourceVersion=99999999&resourceVersionMatch=Exact")
    least = client.get(f"{RIGS}?resourceVersion=99999999")

    assert (exact.status, least.status) == (504, 504)
    assert "retryAfterSeconds" not in exact.body["details"]
    assert least.body["details"]["retryAfterSeconds"] == 1


def test_a_watch_does_not_continue_a_list(client):
    answer = client.get(f"{RIGS}?watch=1&continue=x")

    text = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
    assert causes(answer) == [("resourceVersionMatch", text)]


def test_one_object_is_not_read_at_what_is_no_version(client):
    assert client.get(f"{RIGS}/a?resourceVersion=x").status == 500
    assert client.get(f"{RIGS}?resourceVersion=x").status == 400


def test_watches_are_not_answered_in_yaml(client):
    answer = client.get(f"{RIGS}?watch=1", Accept="application/yaml")

    assert answer.status == 406
    assert b"application/json;stream=watch" in answer.data


def test_tables_of_custom_resources_say_where_a_column_is_from(client):
    table = client.get(RIGS, Accept=AS.format("Table")).body
    scale = client.get(f"{RIGS}/a/scale", Accept=AS.format("Table")).body

    name, size = table["columnDefinitions"]
    assert name["description"].startswith("Name must be unique within a namespace.")
    assert size["description"] == "Custom resource definition column (in JSONPath format): .spec.size"
    assert "continue" not in table["metadata"]
    assert [column["name"] for column in scale["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert scale["rows"][0]["cells"][:3] == ["a", 1, 0]


def test_forms_that_do_not_fit_are_refused(client):
    odd = client.get(f"{RIGS}?includeObject=Odd", Accept=AS.format("Table"))
    single = client.get(f"{RIGS}/a", Accept=AS.format("PartialObjectMetadataList"))

    assert odd.body["message"].startswith(
        'Unable to convert to Table as requested: includeObject: Invalid value: "Odd"'
    )
    assert (single.status, single.body["message"]) == (500, "content is not a list")


# ---- definitions


def test_the_status_of_a_definition_may_forget_stored_versions_but_its_versions_stay(client):
    path = f"{CRDS}/rigs.example.com"

    told = client.send("PATCH", f"{path}/status", {"status": {"storedVersions": ["v1", "v9"]}}, **MERGE)
    changed = client.send("PATCH", path, {"spec": {"names": {"shortNames": ["rg"]}}}, **MERGE)
    client.send("PATCH", f"{path}/status", {"status": {"storedVersions": ["v1"]}}, **MERGE)

    assert told.status == 200
    assert changed.status == 422
    assert causes(changed)[0][0] == "status.storedVersions[1]"
    assert "v9 was previously a storage version" in causes(changed)[0][1]


# ---- pages, and what may not be set


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (b'{"v":"x","rv":1,"start":"a"}', "server does not recognize this encoded version x"),
        (b'{"v":"meta.k8s.io/v1","rv":0,"start":"a"}', "incorrect encoded start resourceVersion"),
    ],
)
def test_tokens_that_no_server_gave_are_refused(client, token, why):
    answer = client.get(f"{RIGS}?continue={base64.urlsafe_b64encode(token).decode().rstrip('=')}")

    assert answer.status == 400
    assert answer.body["message"].startswith(f"invalid continue token: continue key is not valid: {why}")


def test_the_period_of_a_deletion_is_not_set_by_a_write(client):
    answer = client.send("PATCH", f"{RIGS}/a", {"metadata": {"deletionGracePeriodSeconds": 5}}, **MERGE)

    assert answer.status == 422
    assert causes(answer)[0] == ("metadata.deletionGracePeriodSeconds", "Invalid value: 5: field is immutable")


def test_owners_that_are_named_twice_are_kept_once(client):
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u-1"}
    body = rig("b", size=1)
    body["metadata"]["ownerReferences"] = [owner, owner, {**owner, "controller": True}]

    made = client.post(f"{RIGS}?dryRun=All", body)
    patch = {"metadata": {"ownerReferences": [owner, owner]}}
    patched = client.send("PATCH", f"{RIGS}/a?dryRun=All", patch, **MERGE)

    assert made.body["metadata"]["ownerReferences"] == [owner, {**owner, "controller": True}]
    assert "contains duplicate entries; API server dedups" in made.headers["Warning"]
    assert patched.body["metadata"]["ownerReferences"] == [owner]
    assert "duplicate entries after mutating admission happens" in patched.headers["Warning"]
