"""What configures admission: policies in CEL and their bindings, and the conditions of webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from k8srt.testing.apiserver.failures import Cause, invalid_value, not_supported, required
from k8srt.testing.apiserver.strategies import policies

JSON = dict[str, Any]
_FAILURE = ("Fail", "Ignore")
_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")


# ---- defaults


def policy_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    _match_defaults(spec.get("matchConstraints"))


def binding_defaults(obj: JSON) -> None:
    _match_defaults(obj.setdefault("spec", {}).get("matchResources"))


def _match_defaults(facts: JSON | None) -> None:
    if facts is None:
        return
    facts.setdefault("matchPolicy", "Equivalent")
    facts.setdefault("namespaceSelector", {})
    facts.setdefault("objectSelector", {})
    for part in ("resourceRules", "excludeResourceRules"):
        for rule in facts.get(part) or ():
            rule.setdefault("scope", "*")


# ---- what is wrong


def validate_policy(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if not (spec.get("matchConstraints") or {}).get("resourceRules"):
        causes.append(required("spec.matchConstraints.resourceRules"))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        text = "validations or auditAnnotations must contain at least one item"
        causes.append(required("spec.validations", text))
    if spec.get("failurePolicy") not in _FAILURE:
        causes.append(not_supported("spec.failurePolicy", spec.get("failurePolicy", ""), _FAILURE))
    for index, variable in enumerate(spec.get("variables") or ()):
        causes += _expression_causes(variable, "expression", f"spec.variables[{index}]", "")
    for index, rule in enumerate(spec.get("validations") or ()):
        path = f"spec.validations[{index}]"
        causes += _expression_causes(rule, "expression", path, "bool")
        if rule.get("messageExpression"):
            causes += _expression_causes(rule, "messageExpression", path, "string")
        if rule.get("reason") and rule["reason"] not in _REASONS:
            causes.append(not_supported(f"{path}.reason", rule["reason"], _REASONS))
    return [*causes, *_condition_causes(spec.get("matchConditions") or (), "spec.matchConditions")]


def validate_binding(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if not spec.get("policyName"):
        causes.append(required("spec.policyName"))
    actions = spec.get("validationActions") or []
    if not actions:
        causes.append(required("spec.validationActions", "at least one validation action is required"))
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            causes.append(not_supported(f"spec.validationActions[{index}]", action, _ACTIONS))
    if "Deny" in actions and "Warn" in actions:
        text = "must not contain both Deny and Warn (repeating the same validation failure information in the API "
        causes.append(
            invalid_value("spec.validationActions", actions, text + "response and headers serves no purpose)")
        )
    ref = spec.get("paramRef")
    if ref is not None and bool(ref.get("name")) == (ref.get("selector") is not None):
        causes.append(required("spec.paramRef.name", "one of name or selector must be specified"))
    return causes


def validate_webhooks(obj: JSON, old: JSON | None) -> list[Cause]:
    causes = policies.validate_webhooks(obj, old)
    for index, hook in enumerate(obj.get("webhooks") or ()):
        causes += _condition_causes(hook.get("matchConditions") or (), f"webhooks[{index}].matchConditions")
    return causes


def _condition_causes(conditions: Iterable[Mapping[str, Any]], path: str) -> Iterator[Cause]:
    for index, condition in enumerate(conditions):
        if not condition.get("name"):
            yield required(f"{path}[{index}].name")
        yield from _expression_causes(condition, "expression", f"{path}[{index}]", "bool")


def _expression_causes(facts: Mapping[str, Any], part: str, path: str, wanted: str) -> Iterator[Cause]:
    from k8srt.testing.apiserver.cel.failures import NotEvaluated  # few clusters have expressions
    from k8srt.testing.apiserver.cel.program import compile_program
    from k8srt.testing.apiserver.cel.types import BOOL, STRING
    from k8srt.testing.apiserver.webhooks.matching import VARIABLES

    text = facts.get(part) or ""
    if not text.strip():
        yield required(f"{path}.{part}")
        return
    try:
        compile_program(text, VARIABLES, {"bool": BOOL, "string": STRING}.get(wanted))
    except NotEvaluated:
        return
    except ValueError as err:
        yield invalid_value(f"{path}.{part}", text, str(err))
