"""Rules of schemas: held against objects, with the words of a server, and checked themselves."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.testing.apiserver.cel.rule_check import rule_causes
from k8srt.testing.apiserver.cel.rules import compile_rules
from k8srt.testing.apiserver.failures import Cause

JSON = dict[str, Any]


def of_spec(*rules: JSON, **properties: JSON) -> JSON:
    spec: JSON = {"type": "object", "properties": properties}
    if rules:
        spec["x-kubernetes-validations"] = list(rules)
    return {"type": "object", "properties": {"spec": spec}}


def with_rule(schema: JSON, rule: str, **facts: Any) -> JSON:
    return {**schema, "x-kubernetes-validations": [{"rule": rule, **facts}]}


def texts(causes: list[Cause]) -> list[str]:
    return [f"{cause.field}: {cause.text}" for cause in causes]


def told(schema: JSON, spec: Any, old: Any = None) -> list[str]:
    before = None if old is None else {"metadata": {"name": "a"}, "spec": old}
    return texts(compile_rules(schema).check({"metadata": {"name": "a"}, "spec": spec}, before))


INTEGER: JSON = {"type": "integer"}
TEXT: JSON = {"type": "string"}


# ---- what is said


def test_a_rule_that_holds_says_nothing():
    schema = of_spec({"rule": "self.min <= self.max"}, min=INTEGER, max=INTEGER)

    assert told(schema, {"min": 1, "max": 2}) == []


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, "spec: Invalid value: failed rule: self.n > 1"),
        ({"message": " too small "}, "spec: Invalid value: too small"),
        ({"messageExpression": "'got %d'.format([self.n])"}, "spec: Invalid value: got 1"),
        ({"message": "m", "messageExpression": "string(1 / 0)"}, "spec: Invalid value: m"),
        ({"message": "m", "reason": "FieldValueForbidden", "fieldPath": ".n"}, "spec.n: Forbidden: m"),
        ({"message": "m", "reason": "FieldValueRequired"}, "spec: Required value: m"),
        ({"message": "m", "reason": "FieldValueDuplicate"}, "spec: Duplicate value"),
    ],
)
def test_a_broken_rule_is_told_as_its_definition_says(facts: JSON, text: str):
    schema = of_spec({"rule": "self.n > 1", **facts}, n=INTEGER)

    assert told(schema, {"n": 1}) == [text]


def test_scalars_are_shown_objects_and_lists_are_not():
    schema = of_spec(
        n=with_rule(INTEGER, "self > 1", message="m"),
        l=with_rule({"type": "array", "items": TEXT}, "size(self) > 1", message="m"),
    )

    assert told(schema, {"n": 1, "l": ["a"]}) == ["spec.n: Invalid value: 1: m", "spec.l: Invalid value: m"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("self.n / 0 == 1", "spec: Invalid value: division by zero evaluating rule: self.n / 0 == 1"),
        ("self.x > 1", "spec: Invalid value: no such key: x evaluating rule: self.x > 1"),
        (
            "self.any + 1 == 2",
            "spec: Invalid value: 'no such overload': call arguments did not match a supported operator, function or "
            "macro signature for rule: self.any + 1 == 2",
        ),
    ],
)
def test_a_rule_that_fails_on_a_value_says_why(rule: str, text: str):
    schema = of_spec({"rule": rule}, n=INTEGER, x=INTEGER, any={"x-kubernetes-int-or-string": True})

    assert told(schema, {"n": 1, "any": "text"}) == [text]


def test_rules_are_found_in_lists_and_maps():
    schema = of_spec(
        rows={"type": "array", "items": with_rule(INTEGER, "self > 1", message="m")},
        named={"type": "object", "additionalProperties": with_rule(INTEGER, "self > 1", message="m")},
    )

    found = told(schema, {"rows": [2, 1], "named": {"a": 1}})

    assert found == ["spec.rows[1]: Invalid value: 1: m", "spec.named.a: Invalid value: 1: m"]


def test_the_root_sees_its_name_and_names_are_escaped():
    schema = of_spec(**{"a-b": INTEGER, "in": INTEGER, "c.d": INTEGER})
    schema["x-kubernetes-validations"] = [
        {"rule": "self.metadata.name == 'a' && self.spec.a__dash__b == 1 && self.spec.__in__ == 2"},
        {"rule": "self.spec.c__dot__d == 3"},
    ]

    assert told(schema, {"a-b": 1, "in": 2, "c.d": 3}) == []


def test_formats_give_types():
    schema = of_spec(
        {"rule": "self.at.getFullYear() == 2024 && self.span > duration('1m') && self.raw == b'hi' && self.x == 1.0"},
        at={"type": "string", "format": "date-time"},
        span={"type": "string", "format": "duration"},
        raw={"type": "string", "format": "byte"},
        x={"type": "number"},
    )

    assert rule_causes(schema, "s") == []
    assert told(schema, {"at": "2024-05-06T07:08:09Z", "span": "2m", "raw": "aGk=", "x": 1}) == []


# ---- transitions


def test_transition_rules_wait_for_an_old_value():
    schema = of_spec(name=with_rule(TEXT, "self == oldSelf", message="immutable"))

    assert told(schema, {"name": "a"}) == []
    assert told(schema, {"name": "a"}, {}) == []
    assert told(schema, {"name": "a"}, {"name": "a"}) == []
    assert told(schema, {"name": "b"}, {"name": "a"}) == ['spec.name: Invalid value: "b": immutable']


def test_an_optional_old_value_is_there_from_the_beginning():
    rule = "oldSelf.hasValue() || self > 0"
    schema = of_spec(n=with_rule(INTEGER, rule, optionalOldSelf=True, message="m"))

    assert told(schema, {"n": 0}) == ["spec.n: Invalid value: 0: m"]
    assert told(schema, {"n": 0}, {"n": 5}) == []


def test_items_with_keys_are_compared_with_those_before():
    item = {"type": "object", "properties": {"k": TEXT, "v": with_rule(INTEGER, "self >= oldSelf", message="shrinks")}}
    rows = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item}
    before = {"rows": [{"k": "a", "v": 5}, {"k": "b", "v": 1}]}

    found = told(of_spec(rows=rows), {"rows": [{"k": "b", "v": 2}, {"k": "a", "v": 4}, {"k": "c", "v": 0}]}, before)

    assert found == ["spec.rows[1].v: Invalid value: 4: shrinks"]


def test_what_has_not_changed_may_stay_wrong():
    schema = of_spec(n=with_rule(INTEGER, "self > 1", message="m"), other=INTEGER)

    assert told(schema, {"n": 1, "other": 2}, {"n": 1, "other": 1}) == []
    assert told(schema, {"n": 0, "other": 2}, {"n": 1, "other": 1}) == ["spec.n: Invalid value: 0: m"]


def test_sets_have_no_order():
    kind = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}
    schema = of_spec(l=with_rule(kind, "self == oldSelf", message="m"))

    assert told(schema, {"l": ["a", "b"]}, {"l": ["b", "a"]}) == []
    assert told(schema, {"l": ["a", "c"]}, {"l": ["b", "a"]}) == ["spec.l: Invalid value: m"]


# ---- what is not evaluated


def test_what_python_cannot_read_is_not_evaluated_and_told():
    rule = r"self.name.matches('^\\p{Lu}+$')"
    schema = of_spec({"rule": rule}, name=TEXT)

    assert rule_causes(schema, "schema") == []
    assert compile_rules(schema).unevaluated() == [rule]
    assert told(schema, {"name": "x"}) == []


# ---- definitions


@pytest.mark.parametrize(
    ("facts", "field", "text"),
    [
        ({"rule": "self.n >"}, "rule", "compilation failed: ERROR: <input>:1:9: Syntax error"),
        ({"rule": "self.b > 1"}, "rule", "compilation failed: ERROR: <input>:1:5: undefined field 'b'"),
        ({"rule": "self.n"}, "rule", "cel expression must evaluate to a bool"),
        ({"rule": " "}, "rule", "rule is not specified"),
        ({"rule": "true", "messageExpression": "1"}, "messageExpression", "must evaluate to string"),
        ({"rule": "true", "message": " "}, "message", "message must be non-empty if specified"),
        ({"rule": "true", "message": "a\nb"}, "message", "must not contain line breaks"),
        ({"rule": "true &&\ntrue"}, "message", "message must be specified if rule contains line breaks"),
        ({"rule": "true", "reason": "Odd"}, "reason", 'Unsupported value: "Odd"'),
        ({"rule": "true", "fieldPath": ".odd"}, "fieldPath", "must be a valid path"),
        ({"rule": "true", "optionalOldSelf": True}, "optionalOldSelf", "only allowed when rule uses oldSelf"),
        ({"rule": "self.l.all(a, self.l.all(b, a == b))"}, "rule", "estimated rule cost exceeds budget"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(facts: JSON, field: str, text: str):
    schema = of_spec(facts, n=INTEGER, l={"type": "array", "items": TEXT})

    (cause,) = rule_causes(schema, "schema")

    assert cause.field == f"schema.properties[spec].x-kubernetes-validations[0].{field}"
    assert text in cause.text


def test_old_values_need_something_to_find_them_by():
    schema = of_spec(l={"type": "array", "items": with_rule(TEXT, "self == oldSelf")})

    (cause,) = rule_causes(schema, "schema")

    assert "oldSelf cannot be used on the uncorrelatable portion of the schema" in cause.text


def test_limits_make_nested_rules_affordable():
    items = {"type": "array", "items": TEXT, "maxItems": 100}
    schema = of_spec({"rule": "self.l.all(a, self.l.all(b, a == b))"}, l=items)

    assert rule_causes(schema, "schema") == []
