"""Which writes a webhook or a policy is about: rules, selectors, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from k8srt.apimachinery import labels
from k8srt.testing.apiserver.cel.failures import EvaluationError, NotEvaluated
from k8srt.testing.apiserver.cel.program import Program, compile_program
from k8srt.testing.apiserver.cel.types import BOOL, DYN, Type
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.webhooks.attributes import Attributes

JSON = dict[str, Any]
Facts = Mapping[str, Any]
VARIABLES: dict[str, Type] = dict.fromkeys(
    ("object", "oldObject", "request", "authorizer", "params", "namespaceObject", "variables"), DYN
)
_NAMESPACES = "namespaces"


class ConditionFailed(Exception):
    """A condition has no value; the text says which and why."""


def matched(rules: Iterable[Facts], policy: str, attributes: Attributes) -> Resource | None:
    """The row as which a write is one of those the rules speak of; None if it is none of them."""
    found = list(rules)
    rows = attributes.equivalents() if policy == "Equivalent" else [attributes.resource]
    for row in rows:
        if any(_rule_matches(rule, row, attributes) for rule in found):
            return row
    return None


def _rule_matches(rule: Facts, row: Resource, attributes: Attributes) -> bool:
    scope = "Namespaced" if attributes.namespace and row.table != _NAMESPACES else "Cluster"
    names = rule.get("resourceNames") or ()
    return (
        _among(attributes.operation, rule.get("operations"))
        and _among(row.group, rule.get("apiGroups"))
        and _among(row.version, rule.get("apiVersions"))
        and (rule.get("scope") or "*") in ("*", scope)
        and (not names or attributes.name in names)
        and any(_resource_matches(each, row.plural, attributes.subresource) for each in rule.get("resources") or ())
    )


def _among(value: str, wanted: Iterable[str] | None) -> bool:
    return any(each in ("*", value) for each in wanted or ())


def _resource_matches(text: str, plural: str, subresource: str) -> bool:
    resource, _, sub = text.partition("/")
    return resource in ("*", plural) and sub in ("*", subresource)


# ---- selectors


def selected(facts: Facts, attributes: Attributes) -> bool:
    """Whether the selectors of a webhook or policy choose the object and its namespace."""
    return _namespace_selected(facts.get("namespaceSelector"), attributes) and _object_selected(
        facts.get("objectSelector"), attributes
    )


def _namespace_selected(selector: Facts | None, attributes: Attributes) -> bool:
    if not selector:
        return True
    if attributes.resource.table == _NAMESPACES:
        subject = attributes.obj or attributes.old
        return _chooses(selector, subject)
    if not attributes.namespace:
        return True
    return _chooses(selector, attributes.cluster.find(_NAMESPACES, "", attributes.namespace))


def _object_selected(selector: Facts | None, attributes: Attributes) -> bool:
    if not selector:
        return True
    return _chooses(selector, attributes.obj) or _chooses(selector, attributes.old)


def _chooses(selector: Facts, obj: JSON | None) -> bool:
    if obj is None:
        return False
    found = (obj.get("metadata") or {}).get("labels") or {}
    return labels.label_selector_as_selector(selector).matches(found)


# ---- conditions


@lru_cache(maxsize=1024)
def _condition(source: str) -> Program:
    return compile_program(source, VARIABLES, BOOL)


def conditions_hold(conditions: Iterable[Facts], variables: Mapping[str, Any], warnings: list[str]) -> bool:
    """Whether all match conditions hold. One that is false decides, whatever others fail. Raises ConditionFailed."""
    failed = ""
    for condition in conditions:
        try:
            if _condition(condition["expression"]).evaluate(variables) is not True:
                return False
        except NotEvaluated as err:
            warnings.append(f"match condition {condition.get('name', '')} is not evaluated by this server: {err}")
        except (EvaluationError, ValueError) as err:
            failed = failed or f"expression '{condition['expression']}' resulted in error: {err}"
    if failed:
        raise ConditionFailed(failed)
    return True


def variables_of(attributes: Attributes, row: Resource) -> dict[str, Any]:
    """What conditions can look at."""
    request = attributes.request(row)
    return {
        "object": request["object"],
        "oldObject": request["oldObject"],
        "request": {key: value for key, value in request.items() if key not in ("object", "oldObject", "uid")},
    }
