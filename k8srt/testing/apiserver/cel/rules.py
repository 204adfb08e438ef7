"""The `x-kubernetes-validations` of a schema: compiled once, held against every object.

rules = compile_rules(schema)
causes = rules.check(obj, old)          # old: None on creates
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError, NotEvaluated
from k8srt.testing.apiserver.cel.program import Program, compile_program
from k8srt.testing.apiserver.cel.schema_types import type_of_schema, value_of, with_headers
from k8srt.testing.apiserver.cel.types import BOOL, STRING, Type, optional_of
from k8srt.testing.apiserver.cel.values import NONE, Optional
from k8srt.testing.apiserver.failures import Cause, shown
from k8srt.testing.apiserver.ssa_compare import equal

JSON = dict[str, Any]
Schema = Mapping[str, Any]
_ABSENT: Any = object()
_HEADS = {"FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value"}


@dataclass(frozen=True)
class Rule:
    """One rule; `message` is its expression for the message, if it has one."""

    program: Program
    facts: Mapping[str, Any]
    message: Program | None = None

    @property
    def transition(self) -> bool:
        return "oldSelf" in self.program.names

    def text(self) -> str:
        """What is wrong when it does not hold, without a computed message."""
        told = (self.facts.get("message") or "").strip()
        return told or f"failed rule: {self.facts['rule'].strip()}"


@dataclass
class RuleNode:
    """The rules of one schema, and the nodes below that have some."""

    schema: Schema
    rules: list[Rule] = field(default_factory=list)
    fields: dict[str, RuleNode] = field(default_factory=dict)
    values: RuleNode | None = None
    items: RuleNode | None = None
    not_evaluated: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.rules or self.fields or self.values or self.items or self.not_evaluated)

    def unevaluated(self) -> list[str]:
        """The rules that are not evaluated here, everywhere below, too."""
        below = [*self.fields.values(), *(each for each in (self.values, self.items) if each is not None)]
        return [*self.not_evaluated, *(rule for node in below for rule in node.unevaluated())]

    def check(self, obj: Any, old: Any = None) -> list[Cause]:
        """What is wrong with an object, given the old one on updates."""
        return list(_check(self, obj, _ABSENT if old is None else old, ""))


def scope_of(schema: Schema, facts: Mapping[str, Any]) -> dict[str, Type]:
    """The variables of a rule."""
    kind = type_of_schema(schema)
    return {"self": kind, "oldSelf": optional_of(kind) if facts.get("optionalOldSelf") else kind}


def compile_rules(schema: Schema, *, root: bool = True) -> RuleNode:
    """Compile what compiles; definitions with other rules have been refused before."""
    node = RuleNode(with_headers(schema) if root or schema.get("x-kubernetes-embedded-resource") else schema)
    for facts in schema.get("x-kubernetes-validations") or ():
        try:
            node.rules.append(_rule(node.schema, facts))
        except (NotEvaluated, ValueError):
            node.not_evaluated.append(facts.get("rule", ""))
    for name, below in (schema.get("properties") or {}).items():
        if not (made := compile_rules(below, root=False)).empty:
            node.fields[name] = made
    if isinstance(more := schema.get("additionalProperties"), Mapping):
        made = compile_rules(more, root=False)
        node.values = None if made.empty else made
    if isinstance(items := schema.get("items"), Mapping):
        made = compile_rules(items, root=False)
        node.items = None if made.empty else made
    return node


def _rule(schema: Schema, facts: Mapping[str, Any]) -> Rule:
    scope = scope_of(schema, facts)
    message = facts.get("messageExpression")
    told = compile_program(message, scope, STRING) if message else None
    return Rule(compile_program(facts["rule"], scope, BOOL), facts, told)


# ---- walking


def _check(node: RuleNode, value: Any, old: Any, path: str) -> Iterator[Cause]:
    if value is None:
        return
    if node.rules:
        yield from _own(node, value, old, path)
    if isinstance(value, Mapping):
        before = old if isinstance(old, Mapping) else {}
        for name, item in value.items():
            below = node.fields.get(name, node.values)
            if below is not None:
                yield from _check(below, item, before.get(name, _ABSENT), f"{path}.{name}" if path else name)
    elif isinstance(value, list) and node.items is not None:
        keyed = _by_key(node.schema, old)
        for index, item in enumerate(value):
            before = keyed.get(_key(node.schema, item), _ABSENT)
            yield from _check(node.items, item, before, f"{path}[{index}]")


def _key(schema: Schema, item: Any) -> str | None:
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(item, Mapping):
        return None
    return shown([item.get(key) for key in schema.get("x-kubernetes-list-map-keys") or ()])


def _by_key(schema: Schema, old: Any) -> dict[str | None, Any]:
    found = {_key(schema, item): item for item in old} if isinstance(old, list) else {}
    found.pop(None, None)
    return found


def _own(node: RuleNode, value: Any, old: Any, path: str) -> Iterator[Cause]:
    unchanged = old is not _ABSENT and equal(old, value)
    try:
        own = value_of(value, node.schema)
        before = _ABSENT if old is _ABSENT or old is None else value_of(old, node.schema)
    except EvaluationError as err:
        yield _invalid(path, value, str(err))
        return
    for rule in node.rules:
        variables = {"self": own}
        if rule.facts.get("optionalOldSelf"):
            variables["oldSelf"] = NONE if before is _ABSENT else Optional(True, before)
        elif rule.transition:
            if before is _ABSENT:
                continue
            variables["oldSelf"] = before
        elif unchanged:
            continue  # what has not changed may stay as wrong as it is
        yield from _apply(rule, variables, value, path)


def _apply(rule: Rule, variables: Mapping[str, Any], value: Any, path: str) -> Iterator[Cause]:
    try:
        if rule.program.evaluate(variables) is True:
            return
    except EvaluationError as err:
        yield _invalid(path, value, _failure_text(rule, err))
        return
    where = _at(path, rule.facts.get("fieldPath") or "")
    text = _message(rule, variables)
    reason = rule.facts.get("reason") or "FieldValueInvalid"
    if reason in _HEADS:
        yield Cause(reason, where, f"{_HEADS[reason]}: {text}")
    elif reason == "FieldValueDuplicate":
        yield Cause(reason, where, "Duplicate value" if _omitted(value) else f"Duplicate value: {shown(value)}")
    else:
        yield _invalid(where, value, text)


def _failure_text(rule: Rule, err: EvaluationError) -> str:
    told = (rule.facts.get("message") or "").strip() or rule.facts["rule"].strip()
    if str(err).startswith("no such overload"):
        return (
            f"'{err}': call arguments did not match a supported operator, function or macro signature for rule: {told}"
        )
    if str(err).startswith("operation cancelled"):
        return f"'{err}': no further validation rules will be run due to call cost exceeds limit for rule: {told}"
    return f"{err} evaluating rule: {told}"


def _message(rule: Rule, variables: Mapping[str, Any]) -> str:
    if rule.message is not None:
        try:
            made = rule.message.evaluate(variables)
        except EvaluationError:
            return rule.text()
        if isinstance(made, str) and made.strip() and "\n" not in made.strip() and len(made) <= 5 * 1024:
            return made.strip()
    return rule.text()


def _omitted(value: Any) -> bool:
    """Whether a server leaves a value out of its messages: objects and lists are."""
    return isinstance(value, (dict, list))


def _invalid(path: str, value: Any, why: str) -> Cause:
    told = f"Invalid value: {why}" if _omitted(value) else f"Invalid value: {shown(value)}: {why}"
    return Cause("FieldValueInvalid", path or "<nil>", told)


def _at(path: str, more: str) -> str:
    """Where a rule's own path leads, from where the rule stands."""
    shown_path = re.sub(r"\['([^']*)'\]", r".\1", more)
    return f"{path}{shown_path}" if path else shown_path.removeprefix(".") or "<nil>"
