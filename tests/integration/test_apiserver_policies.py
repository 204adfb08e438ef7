"""Admission policies in CEL, and the conditions that stand in configurations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8srt import errors
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer

pytestmark = pytest.mark.embedded

JSON = dict[str, Any]
API = "admissionregistration.k8s.io/v1"
RULES = [{"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as running:
        yield running


@pytest.fixture
def cs(server: APIServer) -> Iterator[Clientset]:
    with Clientset(server.config) as made:
        yield made


def policy(*validations: JSON, name: str = "p", **spec: Any) -> JSON:
    made = {"matchConstraints": {"resourceRules": RULES}, "validations": list(validations), **spec}
    return {"apiVersion": API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": made}


def binding(name: str = "b", **spec: Any) -> JSON:
    made = {"policyName": "p", "validationActions": ["Deny"], **spec}
    return {"apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": made}


def config_map(name: str = "a", **data: str) -> JSON:
    return {"metadata": {"name": name, "labels": {"x": "y"}}, "data": data}


SMALL = {"expression": "size(object.data) < 2", "message": "too much data"}


def test_a_write_that_breaks_a_rule_is_denied(server: APIServer, cs: Clientset):
    server.load(policy(SMALL), binding())

    cs.core_v1.config_maps("default").create(config_map(k="v"))
    with pytest.raises(errors.StatusError) as caught:
        cs.core_v1.config_maps("default").create(config_map("b", k="v", l="w"))

    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert caught.value.message == (
        "configmaps \"b\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too much data"
    )


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"expression": "false"}, "failed expression: false"),
        ({"expression": "false", "messageExpression": "'no ' + object.metadata.name"}, "no a"),
        ({"expression": "object.spec.none == 1"}, "resulted in error: no such key: spec"),
        ({"expression": "oldObject != null"}, "failed expression: oldObject != null"),
        ({"expression": "request.operation == 'DELETE'"}, "failed expression"),
        ({"expression": "namespaceObject.metadata.name != 'default'"}, "failed expression"),
    ],
)
def test_what_is_said(server: APIServer, cs: Clientset, rule: JSON, text: str):
    server.load(policy(rule), binding())

    with pytest.raises(errors.StatusError, match="denied request: .*" + text.replace("+", r"\+")):
        cs.core_v1.config_maps("default").create(config_map())


def test_a_reason_gives_the_code(server: APIServer, cs: Clientset):
    server.load(policy({"expression": "false", "reason": "Forbidden"}), binding())

    with pytest.raises(errors.Forbidden):
        cs.core_v1.config_maps("default").create(config_map())


def test_variables_build_on_one_another(server: APIServer, cs: Clientset):
    variables = [
        {"name": "keys", "expression": "object.data.map(k, k)"},
        {"name": "odd", "expression": "variables.keys.filter(k, !k.startsWith('x'))"},
    ]
    rule = {"expression": "variables.odd.size() == 0", "messageExpression": "'odd: ' + variables.odd.join(',')"}
    server.load(policy(rule, variables=variables), binding())

    cs.core_v1.config_maps("default").create(config_map(x1="v"))
    with pytest.raises(errors.StatusError, match="odd: y1"):
        cs.core_v1.config_maps("default").create(config_map("b", x1="v", y1="v"))


def test_parameters_come_from_objects(server: APIServer, cs: Clientset):
    limit = {"apiVersion": "v1", "kind": "ConfigMap"}
    rule = {"expression": "params == null || size(object.data) <= int(params.data.most)"}
    cs.core_v1.config_maps("kube-public").create(config_map("limit", most="1"))
    ref = {"name": "limit", "namespace": "kube-public", "parameterNotFoundAction": "Deny"}
    server.load(policy(rule, paramKind=limit), binding(paramRef=ref))

    cs.core_v1.config_maps("default").create(config_map(k="v"))
    with pytest.raises(errors.StatusError, match="denied request"):
        cs.core_v1.config_maps("default").create(config_map("b", k="v", l="w"))
    server.load(binding(paramRef={**ref, "name": "none"}))
    with pytest.raises(errors.StatusError, match="no params found"):
        cs.core_v1.config_maps("default").create(config_map("b", k="v"))


def test_warnings_do_not_stop_a_write(server: APIServer, cs: Clientset, caplog: pytest.LogCaptureFixture):
    server.load(policy({"expression": "false", "message": "mind this"}), binding(validationActions=["Warn"]))

    cs.core_v1.config_maps("default").create(config_map())

    assert "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': mind this" in caplog.text


@pytest.mark.parametrize(
    ("facts", "bound"),
    [
        ({"matchConstraints": {"resourceRules": RULES, "objectSelector": {"matchLabels": {"x": "z"}}}}, {}),
        ({"matchConstraints": {"resourceRules": RULES, "excludeResourceRules": RULES}}, {}),
        ({"matchConditions": [{"name": "c", "expression": "object.metadata.name == 'z'"}]}, {}),
        ({"failurePolicy": "Ignore", "validations": [{"expression": "object.none.at == 1"}]}, {}),
        ({}, {"matchResources": {"namespaceSelector": {"matchLabels": {"team": "a"}}}}),
        ({}, {"policyName": "another"}),
        ({}, {"validationActions": ["Audit"]}),
    ],
)
def test_what_does_not_concern_a_policy_goes_through(server: APIServer, cs: Clientset, facts: JSON, bound: JSON):
    server.load(policy(*facts.pop("validations", [{"expression": "false"}]), **facts), binding(**bound))

    assert cs.core_v1.config_maps("default").create(config_map()).metadata.name == "a"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (policy({"expression": "object."}), "spec.validations[0].expression"),
        (policy({"expression": "1 + 1"}), "must evaluate to bool"),
        (policy({"expression": "none == 1"}), "undeclared reference to 'none'"),
        (policy({"expression": "true", "messageExpression": "1"}), "spec.validations[0].messageExpression"),
        (policy({"expression": "true", "reason": "Odd"}), "spec.validations[0].reason"),
        (policy(), "spec.validations"),
        (policy(SMALL, matchConstraints={}), "spec.matchConstraints.resourceRules"),
        (policy(SMALL, matchConditions=[{"name": "c", "expression": ""}]), "spec.matchConditions[0].expression"),
        (binding(policyName=""), "spec.policyName"),
        (binding(validationActions=["Deny", "Warn"]), "must not contain both Deny and Warn"),
        (binding(validationActions=["Odd"]), "spec.validationActions[0]"),
        (binding(paramRef={"parameterNotFoundAction": "Deny"}), "spec.paramRef.name"),
    ],
)
def test_what_cannot_be_used_is_refused(cs: Clientset, source: JSON, complaint: str):
    clients = {"ValidatingAdmissionPolicy": cs.admissionregistration_v1.validating_admission_policies()}
    bindings = cs.admissionregistration_v1.validating_admission_policy_bindings()

    with pytest.raises(errors.Invalid) as caught:
        clients.get(source["kind"], bindings).create(source)

    assert complaint in caught.value.message


def test_conditions_of_webhooks_are_looked_at_when_they_come(cs: Clientset):
    facts: JSON = {"name": "a.b.c", "clientConfig": {"url": "https://x/"}, "sideEffects": "None"}
    facts.update(admissionReviewVersions=["v1"], matchConditions=[{"name": "c", "expression": "object.x =="}])

    with pytest.raises(errors.Invalid, match=r"webhooks\[0\]\.matchConditions\[0\]\.expression"):
        cs.admissionregistration_v1.validating_webhook_configurations().create(
            {"metadata": {"name": "w"}, "webhooks": [facts]}
        )
