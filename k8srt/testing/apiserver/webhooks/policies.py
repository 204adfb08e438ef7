"""Admission policies: rules in CEL that stand in the cluster, bound to what they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from k8srt.apimachinery import labels
from k8srt.testing.apiserver.cel.failures import EvaluationError, NotEvaluated
from k8srt.testing.apiserver.cel.program import Program, compile_program
from k8srt.testing.apiserver.cel.types import BOOL, DYN, STRING
from k8srt.testing.apiserver.failures import Failure, forbidden
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.webhooks.attributes import BINDINGS, POLICIES, Attributes
from k8srt.testing.apiserver.webhooks.matching import (
    VARIABLES,
    ConditionFailed,
    conditions_hold,
    matched,
    selected,
    variables_of,
)

JSON = dict[str, Any]
Facts = Mapping[str, Any]
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What a policy has against a write."""

    text: str
    reason: str = "Invalid"


class _NoParameters(Exception):
    """There is nothing that a binding refers to; the text says so."""


def validate(attributes: Attributes, warnings: list[str]) -> None:
    """Hold a write against the policies. Raises the Failure of the first that denies it."""
    cluster = attributes.cluster
    for stored in cluster.storage.page(BINDINGS).items:
        binding = stored.decode()
        policy = cluster.find(POLICIES, "", binding["spec"].get("policyName", ""))
        if policy is None:
            continue
        row = _concerned(policy, binding, attributes)
        if row is None:
            continue
        for complaint in _complaints(policy, binding, attributes, row, warnings):
            _act(policy, binding, complaint, attributes, warnings)


def _concerned(policy: JSON, binding: JSON, attributes: Attributes) -> Resource | None:
    row = _matches(policy["spec"].get("matchConstraints") or {}, attributes, always=False)
    if row is None:
        return None
    resources = binding["spec"].get("matchResources")
    return row if resources is None or _matches(resources, attributes, always=True) is not None else None


def _matches(facts: Facts, attributes: Attributes, *, always: bool) -> Resource | None:
    """The row as which a write matches; without rules, it does if `always`."""
    how = facts.get("matchPolicy") or "Equivalent"
    excluded = facts.get("excludeResourceRules") or ()
    if matched(excluded, how, attributes) is not None or not selected(facts, attributes):
        return None
    rules = facts.get("resourceRules") or ()
    return attributes.resource if always and not rules else matched(rules, how, attributes)


# ---- what is wrong


def _complaints(
    policy: JSON, binding: JSON, attributes: Attributes, row: Resource, warnings: list[str]
) -> Iterator[_Complaint]:
    spec = policy["spec"]
    strict = spec.get("failurePolicy", "Fail") == "Fail"
    known = variables_of(attributes, row)
    known["namespaceObject"] = (
        attributes.cluster.find("namespaces", "", attributes.namespace) if attributes.namespace else None
    )
    try:
        for parameters in _parameters(policy, binding, attributes):
            scope = {**known, "params": parameters}
            if conditions_hold(spec.get("matchConditions") or (), scope, warnings):
                yield from _broken(spec, scope, strict, warnings)
    except (ConditionFailed, _NoParameters) as err:
        if strict:
            yield _Complaint(str(err))


def _parameters(policy: JSON, binding: JSON, attributes: Attributes) -> list[Any]:
    """The objects that a binding names as parameters; one None where there are none to name. Raises _NoParameters."""
    kind, ref = policy["spec"].get("paramKind"), binding["spec"].get("paramRef")
    if not kind or not ref:
        return [None]
    cluster = attributes.cluster
    group, _, version = kind["apiVersion"].rpartition("/")
    resource = cluster.registry.for_kind(group, version, kind["kind"])
    if resource is None:
        raise _NoParameters(f"failed to find resource referenced by paramKind: '{kind['apiVersion']}, {kind['kind']}'")
    namespace = (ref.get("namespace") or attributes.namespace) if resource.namespaced else ""
    wanted = labels.label_selector_as_selector(ref["selector"]) if ref.get("selector") is not None else None
    found = [
        cluster.document(resource, stored)
        for stored in cluster.storage.page(resource.table, namespace).items
        if (stored.name == ref.get("name") if wanted is None else wanted.matches(stored.labels))
    ]
    if not found and ref.get("parameterNotFoundAction") != "Allow":
        raise _NoParameters("no params found for policy binding with `Deny` parameterNotFoundAction")
    return found


class _Variables(Mapping[str, Any]):
    """The variables of a policy, each computed when it is first asked for."""

    def __init__(self, spec: Facts, scope: Mapping[str, Any]) -> None:
        self._sources = {each["name"]: each["expression"] for each in spec.get("variables") or ()}
        self._scope = scope
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            scope = {**self._scope, "variables": self}
            self._values[name] = _program(self._sources[name], "").evaluate(scope)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


@lru_cache(maxsize=1024)
def _program(source: str, wanted: str) -> Program:
    return compile_program(source, VARIABLES, {"bool": BOOL, "string": STRING}.get(wanted, DYN))


def _broken(spec: JSON, scope: Mapping[str, Any], strict: bool, warnings: list[str]) -> Iterator[_Complaint]:
    known = {**scope, "variables": _Variables(spec, scope)}
    for rule in spec.get("validations") or ():
        text = rule["expression"]
        try:
            if _program(text, "bool").evaluate(known) is not True:
                yield _Complaint(_told(rule, known), rule.get("reason") or "Invalid")
        except NotEvaluated as err:
            warnings.append(f"validation is not evaluated by this server: {text} ({err})")
        except (EvaluationError, ValueError) as err:
            if strict:
                yield _Complaint(f"expression '{text}' resulted in error: {err}")


def _told(rule: Facts, known: Mapping[str, Any]) -> str:
    otherwise = (rule.get("message") or "").strip() or f"failed expression: {rule['expression'].strip()}"
    if not rule.get("messageExpression"):
        return otherwise
    try:
        made = _program(rule["messageExpression"], "string").evaluate(known)
    except (EvaluationError, NotEvaluated, ValueError):
        return otherwise
    return made.strip() if isinstance(made, str) and made.strip() else otherwise


# ---- what follows


def _act(policy: JSON, binding: JSON, complaint: _Complaint, attributes: Attributes, warnings: list[str]) -> None:
    names = f"ValidatingAdmissionPolicy '{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
    actions = binding["spec"].get("validationActions") or ()
    if "Deny" in actions:
        raise _denied(f"{names} denied request: {complaint.text}", complaint.reason, attributes)
    if "Warn" in actions:
        warnings.append(f"Validation failed for {names}: {complaint.text}")


def _denied(text: str, reason: str, attributes: Attributes) -> Failure:
    resource = attributes.resource
    failure = forbidden(resource.group, resource.plural, attributes.name, text)
    failure.status["reason"] = reason
    failure.status["code"] = _CODES.get(reason, 422)
    failure.status["details"]["causes"] = [{"message": text}]
    return failure
