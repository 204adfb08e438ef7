"""Custom resources: pruned, defaulted and checked as recorded from a real server, and what the recordings leave out."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from k8srt import errors
from k8srt.apimachinery.structure import Structure, structure_of_schema
from k8srt.testing import FakeClientset
from k8srt.testing.apiserver.failures import Cause
from k8srt.testing.apiserver.schema_check import schema_errors
from k8srt.testing.apiserver.schema_formats import has_format, matches
from k8srt.testing.apiserver.schema_values import value_errors
from k8srt.testing.apiserver.structural import default, drop_nulls, has_rules, prune, unchecked_rules, validate

JSON = dict[str, Any]


def of_spec(**properties: Any) -> Structure:
    return structure_of_schema({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}})


def texts(causes: list[Cause]) -> list[str]:
    return [f"{cause.field}: {cause.text}" for cause in causes]


# ---- pruning and defaulting


def test_unknown_fields_are_dropped_and_told():
    structure = of_spec(
        a={"type": "string"},
        free={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        rows={"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        map={"type": "object", "additionalProperties": {"type": "object"}},
    )
    obj = {
        "metadata": {"name": "x", "junk": 1},
        "other": 1,
        "spec": {"a": "x", "b": 1, "free": {"x": {"y": 1}}, "rows": [{"n": 1, "junk": 2}], "map": {"k": {"junk": 1}}},
    }

    unknown = prune(obj, structure)

    assert unknown == ["metadata.junk", "other", "spec.b", "spec.map.k.junk", "spec.rows[0].junk"]
    assert obj["spec"] == {"a": "x", "free": {"x": {"y": 1}}, "rows": [{"n": 1}], "map": {"k": {}}}
    assert obj["metadata"] == {"name": "x"}


def test_defaults_are_filled_in_where_nothing_is_and_inside_of_defaults():
    structure = of_spec(
        size={"type": "integer", "default": 3},
        nested={"type": "object", "default": {}, "properties": {"a": {"type": "string", "default": "x"}}},
        rows={"type": "array", "items": {"type": "object", "properties": {"p": {"type": "string", "default": "TCP"}}}},
        opt={"type": "string", "nullable": True, "default": "d"},
    )
    obj: JSON = {"spec": {"size": None, "opt": None, "rows": [{}]}}

    default(obj, structure)

    assert obj == {"spec": {"size": 3, "opt": None, "rows": [{"p": "TCP"}], "nested": {"a": "x"}}}


def test_a_default_is_not_shared_between_objects():
    structure, one, other = of_spec(l={"type": "array", "default": []}), {"spec": {}}, {"spec": {}}
    default(one, structure)
    default(other, structure)

    one["spec"]["l"].append(1)  # type: ignore[attr-defined]

    assert other == {"spec": {"l": []}}


def test_null_is_no_value_unless_the_schema_says_so():
    obj: JSON = {"spec": {"a": None, "b": None}}

    drop_nulls(obj, of_spec(a={"type": "string"}, b={"type": "string", "nullable": True}))

    assert obj == {"spec": {"b": None}}


# ---- values


@pytest.mark.parametrize(
    ("schema", "value", "messages"),
    [
        ({"type": "integer"}, 1.0, []),
        ({"type": "number"}, 1, []),
        ({"type": "integer"}, True, ['x: Invalid value: "boolean": x in body must be of type integer: "boolean"']),
        ({"type": "string"}, None, ['x: Invalid value: "null": x in body must be of type string: "null"']),
        ({"type": "string", "nullable": True}, None, []),
        ({"x-kubernetes-int-or-string": True}, "5", []),
        (
            {"x-kubernetes-int-or-string": True},
            True,
            ['x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"'],
        ),
        (
            {"type": "integer", "format": "int32"},
            3_000_000_000,
            ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in x'],
        ),
        ({"maximum": 1.5, "exclusiveMaximum": True}, 1.5, ["x: Invalid value: 1.5: x in body should be less than 1.5"]),
        ({"minimum": 0, "exclusiveMinimum": True}, 0, ["x: Invalid value: 0: x in body should be greater than 0"]),
        ({"multipleOf": 0.1}, 0.3, []),
        ({"maxItems": 1}, [1, 2], ["x: Too many: 2: must have at most 1 item"]),
        ({"minProperties": 1}, {}, ["x: Invalid value: 0: x in body should have at least 1 properties"]),
        ({"enum": [1, "a", None]}, 2, ['x: Unsupported value: 2: supported values: "1", "a", "null"']),
        ({"enum": [1]}, True, ['x: Unsupported value: true: supported values: "1"']),
        ({"minLength": 2}, "é", ['x: Invalid value: "é": x in body should be at least 2 chars long']),
        ({"not": {"type": "string"}}, "a", ['<nil>: Invalid value: "": "x" must not validate the schema (not)']),
        ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 0, []),
        (
            {"oneOf": [{"minimum": 0}, {"maximum": 9}]},
            5,
            ['<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
        ),
        (
            {"allOf": [{"minimum": 1}, {"minimum": 0}]},
            0,
            [
                "x: Invalid value: 0: x in body should be greater than or equal to 1",
                '<nil>: Invalid value: "": "x" must validate all the schemas (allOf)',
            ],
        ),
        (
            {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {},
            ['<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)', "x.a: Required value"],
        ),
    ],
)
def test_keywords(schema, value, messages):
    assert texts(value_errors(value, schema, "x")) == messages


@pytest.mark.parametrize(
    ("format", "good", "bad"),
    [
        ("date-time", "2001-02-03T04:05:06.7+02:00", "2001-02-30T04:05:06Z"),
        ("date", "2001-02-03", "2001-02-3x"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.1/8", "10.0.0.1"),
        ("uuid", "11111111-1111-4111-8111-111111111111", "1"),
        ("uuid4", "11111111-1111-4111-8111-111111111111", "11111111-1111-1111-8111-111111111111"),
        ("byte", "YQ==", "a"),
        ("duration", "1h30m", "soon!"),
        ("email", "a@b.c", "a"),
        ("hostname", "a.example.com", "a b"),
        ("mac", "00:11:22:33:44:55", "00:11"),
        ("hexcolor", "#fff", "#ffff"),
        ("rgbcolor", "rgb(1,2,3)", "rgb(1,2,300)"),
        ("k8s-short-name", "a-b", "a.b"),
        ("uri", "https://a/b", "a b"),
    ],
)
def test_formats(format, good, bad):
    assert has_format(good, format)
    assert not has_format(bad, format)
    assert has_format(bad, "no-such-format")


def test_expressions_are_gos():
    assert matches("^a$", "a")
    assert not matches("^a$", "a\n")
    assert matches("^[[:alpha:]$]+$", "ab$")
    assert not matches(r"^\d$", "١")


def test_duplicates_in_sets_and_keyed_lists():
    structure = of_spec(
        tags={"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        rows={
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["id", "kind"],
            "items": {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "kind": {"type": "string", "default": "a"}},
            },
        },
    )
    obj = {"spec": {"tags": ["x", "y", "x"], "rows": [{"id": 1}, {"id": 1, "kind": "a"}, {"id": 1, "kind": "b"}]}}

    assert texts(validate(obj, structure)) == [
        'spec.tags[2]: Duplicate value: "x"',
        'spec.rows[1]: Duplicate value: {"id":1,"kind":"a"}',
    ]


def test_what_has_not_changed_may_stay_wrong():
    structure = of_spec(x={"type": "integer", "maximum": 10}, y={"type": "string"})
    old = {"spec": {"x": 100, "y": "a"}}

    assert validate({"spec": {"x": 100, "y": "b"}}, structure, old) == []
    assert len(validate({"spec": {"x": 101, "y": "a"}}, structure, old)) == 1


def test_rules_that_cannot_be_looked_at_are_told():
    assert has_rules({"properties": {"a": {"items": {"x-kubernetes-validations": [{"rule": "true"}]}}}})
    assert not has_rules({"properties": {"a": {"type": "string"}}})
    assert unchecked_rules([Cause("FieldValueRequired", "a", "Required value")]) is not None
    assert unchecked_rules([Cause("FieldValueInvalid", "a", "Invalid value: 1: no")]) is None


# ---- schemas


@pytest.mark.parametrize(
    ("schema", "messages"),
    [
        ({"type": "object"}, []),
        ({}, ["s.type: Required value: must not be empty at the root"]),
        (
            {"type": "object", "properties": {"a": {"type": "text"}}},
            [
                's.properties[a].type: Unsupported value: "text": supported values: '
                '"array", "boolean", "integer", "number", "object", "string"'
            ],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "array", "items": {}}}},
            ["s.properties[a].items.type: Required value: must not be empty for specified array items"],
        ),
        ({"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": True}}}, []),
        (
            {
                "type": "object",
                "properties": {
                    "a": {"type": "object", "default": {"b": 1}, "properties": {"b": {"type": "string"}}},
                },
            },
            ['s.properties[a].default.b: Invalid value: "integer": b in body must be of type string: "integer"'],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string", "x-kubernetes-list-type": "set"}}},
            ['s.properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'],
        ),
    ],
)  # fmt: skip
def test_schemas_must_be_structural(schema, messages):
    assert texts(schema_errors(schema, "s")) == messages


# ---- recordings


def recorded(shared: Any, name: str) -> list[tuple[JSON, JSON]]:
    yaml = pytest.importorskip("yaml")
    scenario = yaml.safe_load((shared / f"conformance/scenarios/{name}.yaml").read_text())
    golden = json.loads((shared / f"conformance/golden/{name}.json").read_text())
    return list(zip(scenario["steps"], golden["steps"], strict=True))


def posts(steps: list[tuple[JSON, JSON]]) -> list[tuple[str, JSON, JSON]]:
    return [
        (step["id"], step["request"]["body"], golden)
        for step, golden in steps
        if step["request"]["method"] == "POST" and step["id"] != "crd" and isinstance(step["request"]["body"], dict)
    ]


def as_causes(causes: list[Cause]) -> list[JSON]:
    return sorted((cause.as_json() for cause in causes), key=lambda cause: (cause["field"], cause["message"]))


@pytest.mark.parametrize("name", ["crd-validation", "crd-defaulting-pruning", "crd-ssa-lists"])
def test_custom_resources_are_taken_and_refused_as_by_a_real_server(shared, name):
    steps = recorded(shared, name)
    structure = structure_of_schema(steps[0][0]["request"]["body"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    for step, body, golden in posts(steps):
        if golden["status"] == 400:
            continue  # strictness is the server's
        obj = copy.deepcopy(body)
        prune(obj, structure)
        drop_nulls(obj, structure)
        default(obj, structure)
        causes = validate(obj, structure)
        if golden["status"] == 201:
            assert (causes, obj.get("spec")) == ([], golden["body"].get("spec")), step
        else:
            assert as_causes(causes) == golden["body"]["details"]["causes"], step


def test_schemas_are_refused_as_by_a_real_server(shared):
    root = "spec.validation.openAPIV3Schema"
    for step, golden in recorded(shared, "crd-invalid"):
        versions = step["request"]["body"]["spec"].get("versions")
        if not versions or "openAPIV3Schema" not in versions[0].get("schema", {}) or "ignore" in step:
            continue
        found = as_causes(schema_errors(versions[0]["schema"]["openAPIV3Schema"], root))
        causes = (golden["body"].get("details") or {}).get("causes", [])
        assert found == [cause for cause in causes if cause["field"].startswith(root)], step["id"]


def test_the_server_refuses_a_definition_whose_schema_real_ones_refuse():
    rows = {"type": "object", "properties": {"type": {"type": "string"}, "n": {"type": "object", "default": {}}}}
    keyed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"], "items": rows}
    version = {"name": "v1", "served": True, "storage": True}
    definition: JSON = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{**version, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"rows": keyed}}}}],
        },
    }
    crds = FakeClientset().resource("customresourcedefinitions.apiextensions.k8s.io")

    with pytest.raises(errors.Invalid, match=r"items\.properties\[type\]\.default: Required value: this property is"):
        crds.create(definition)
    rows["required"] = ["type"]

    assert crds.create(definition)["spec"]["versions"] == definition["spec"]["versions"]


def test_looking_at_a_default_leaves_it_as_it_was():
    inner = {"type": "object", "default": {}, "properties": {"times": {"type": "integer", "default": 5}}}
    schema = {"type": "object", "properties": {"retry": inner}}

    assert schema_errors(schema, "") == []
    assert inner["default"] == {}


STRING = {"type": "string"}
KEYED = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}
NAMED = {"type": "object", "required": ["k"], "properties": {"k": STRING}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "object", "additionalProperties": False}, None),
        ({"type": "object", "properties": {"x": STRING}, "additionalProperties": False}, "mutual exclusive"),
        ({**KEYED, "x-kubernetes-list-map-keys": ["k", "k"], "items": NAMED}, "must not contain duplicate entries"),
        ({**KEYED, "items": {**NAMED, "nullable": True}}, "cannot be nullable when x-kubernetes-list-type is map"),
        ({**KEYED, "items": {**NAMED, "properties": {"k": {**STRING, "nullable": True}}}}, "so it cannot be nullable"),
        ({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}}, "must be atomic as item"),
        (
            {"type": "array", "x-kubernetes-list-type": "set", "items": KEYED | {"items": NAMED}},
            "must be atomic as item",
        ),
        ({**STRING, "x-kubernetes-map-type": "atomic"}, "must be object if x-kubernetes-map-type"),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, "must not be empty if x-kubernetes-embedded"),
        ({"type": "object", "properties": {"x": STRING}, "default": {"y": 1}}, "must not have unknown fields"),
        ({**STRING, "anyOf": [{"type": "string"}]}, "anyOf[0].type: Forbidden: must be empty to be structural"),
        (
            {**STRING, "allOf": [{"description": "x"}]},
            "allOf[0].description: Forbidden: must be empty to be structural",
        ),
        ({**STRING, "not": {"nullable": True}}, "not.nullable: Forbidden: must be false to be structural"),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, STRING]}, None),
        ({"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": [{"type": "integer"}, STRING]}]}, None),
    ],
)
def test_a_schema_is_refused_where_a_server_of_1_36_does(schema: JSON, told: str | None):
    found = texts(schema_errors({"type": "object", "properties": {"a": schema}}, "s"))

    assert len(found) == (told is not None)
    assert told is None or told in found[0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"scope": ""}, "spec.scope: Required value"),
        ({"preserveUnknownFields": True}, "spec.preserveUnknownFields: Invalid value: true: cannot set to true"),
        ({"names": {"plural": "foos", "kind": "Foo", "shortNames": ["F_"]}}, "spec.names.shortNames[0]: Invalid value"),
        (
            {"conversion": {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}},
            "should not be set when",
        ),
        (
            {
                "conversion": {
                    "strategy": "Webhook",
                    "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "http://x"}},
                }
            },
            "'https' is the only allowed URL scheme",
        ),
        ({"deprecationWarning": "x"}, "can only be set for deprecated versions"),
        ({"deprecated": True, "deprecationWarning": ""}, "must not be an empty string"),
        (
            {"additionalPrinterColumns": [{"name": "A", "type": "text", "jsonPath": ".a"}]},
            "must be one of boolean,date",
        ),
        ({"additionalPrinterColumns": [{"name": "A", "type": "date", "jsonPath": "a"}]}, "must be a simple json path"),
        ({"selectableFields": [{"jsonPath": ".b"}]}, 'spec.selectableFields[0].jsonPath: Invalid value: ".b": is an'),
        ({"selectableFields": [{"jsonPath": ".o"}]}, "must point to a field of type string, boolean or integer"),
        ({"selectableFields": [{"jsonPath": ".a"}] * 2}, "spec.selectableFields[1].jsonPath: Duplicate value"),
        ({"selectableFields": [{"jsonPath": ".a"}]}, None),
    ],
)
def test_a_definition_is_refused_where_a_server_of_1_36_does(change: JSON, told: str | None):
    schema = {"type": "object", "properties": {"a": STRING, "o": {"type": "object"}}}
    version: JSON = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec: JSON = {"group": "example.com", "scope": "Namespaced", "names": {"plural": "foos", "kind": "Foo"}}
    of_spec = {"scope", "names", "conversion", "preserveUnknownFields"}
    for name, value in change.items():
        (spec if name in of_spec else version)[name] = value
    crds = FakeClientset().resource("customresourcedefinitions.apiextensions.k8s.io")
    document = {"metadata": {"name": "foos.example.com"}, "spec": {**spec, "versions": [version]}}

    if told is None:
        crds.create(document)
        return
    with pytest.raises(errors.Invalid) as caught:
        crds.create(document)
    assert told in caught.value.message


def test_a_finalizer_without_a_domain_is_taken_of_custom_resources_and_warned_of(caplog: pytest.LogCaptureFixture):
    fake = FakeClientset(
        {"apiVersion": "example.com/v1", "kind": "Foo", "metadata": {"name": "a", "namespace": "default"}}
    )
    foos, maps = fake.resource("foos.example.com", "default"), fake.core_v1.config_maps("default")

    made = foos.create({"metadata": {"name": "b", "finalizers": ["mine", "a.b/c"]}})
    foos.patch("b", {"metadata": {"finalizers": ["mine", "my.own"]}}, patch_type="merge")

    assert made.metadata.finalizers == ["mine", "a.b/c"]
    warned = [each for each in caplog.messages if "prefer a domain-qualified finalizer name" in each]
    assert ['"mine"' in each for each in warned] == [True, False]
    assert 'metadata.finalizers: "my.own": prefer a domain-qualified finalizer name including a path (/)' in warned[1]
    with pytest.raises(errors.Invalid, match="neither a standard finalizer name nor is it fully qualified"):
        maps.create({"metadata": {"name": "a", "finalizers": ["mine"]}})
