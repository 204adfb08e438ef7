"""Whether the rules of a definition can be used: they compile, give a boolean, and do not cost too much."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from k8srt.testing.apiserver.cel.cost import most_items, over_budget
from k8srt.testing.apiserver.cel.failures import CompileError, NotEvaluated
from k8srt.testing.apiserver.cel.program import Program, compile_program
from k8srt.testing.apiserver.cel.rules import scope_of
from k8srt.testing.apiserver.cel.schema_types import with_headers
from k8srt.testing.apiserver.cel.types import BOOL, STRING, Type
from k8srt.testing.apiserver.failures import Cause, forbidden_field, invalid_value, not_supported, required

Schema = Mapping[str, Any]
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_WORD = "x-kubernetes-validations"
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']+)'\]")


def rule_causes(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with the rules of a schema; `path` is where it stands in the definition."""
    return list(_causes(schema, path, rounds=1, correlatable=True, root=True))


def _causes(schema: Schema, path: str, *, rounds: int, correlatable: bool, root: bool) -> Iterator[Cause]:
    for index, facts in enumerate(schema.get(_WORD) or ()):
        whole = with_headers(schema) if root or schema.get("x-kubernetes-embedded-resource") else schema
        yield from _rule_causes(whole, facts, f"{path}.{_WORD}[{index}]", rounds, correlatable)
    for name, below in (schema.get("properties") or {}).items():
        where = f"{path}.properties[{name}]"
        yield from _causes(below, where, rounds=rounds, correlatable=correlatable, root=False)
    if isinstance(more := schema.get("additionalProperties"), Mapping):
        where = f"{path}.additionalProperties"
        yield from _causes(more, where, rounds=rounds * most_items(schema), correlatable=correlatable, root=False)
    if isinstance(items := schema.get("items"), Mapping):
        keyed = correlatable and schema.get("x-kubernetes-list-type") == "map"
        yield from _causes(items, f"{path}.items", rounds=rounds * most_items(schema), correlatable=keyed, root=False)


def _rule_causes(
    schema: Schema, facts: Mapping[str, Any], path: str, rounds: int, correlatable: bool
) -> Iterator[Cause]:
    text = facts.get("rule") or ""
    if not text.strip():
        yield required(f"{path}.rule", "rule is not specified")
        return
    yield from _message_causes(facts, path)
    if facts.get("reason") and facts["reason"] not in _REASONS:
        yield not_supported(f"{path}.reason", facts["reason"], _REASONS)
    if facts.get("fieldPath") and _path_problem(schema, facts["fieldPath"]):
        yield invalid_value(f"{path}.fieldPath", facts["fieldPath"], "must be a valid path")
    scope = scope_of(schema, facts)
    program = yield from _compiled(text, scope, BOOL, f"{path}.rule", "cel expression must evaluate to a bool")
    if program is not None:
        uses_old = "oldSelf" in program.names
        if uses_old and not correlatable:
            why = "oldSelf cannot be used on the uncorrelatable portion of the schema"
            yield invalid_value(f"{path}.rule", text, f"{why} within {path.rpartition('.')[0]}")
        if facts.get("optionalOldSelf") is not None and not uses_old:
            why = "option is only allowed when rule uses oldSelf"
            yield invalid_value(f"{path}.optionalOldSelf", facts["optionalOldSelf"], why)
        if over_budget(program, schema, rounds):
            why = (
                "estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding "
                "maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
            )
            yield forbidden_field(f"{path}.rule", why)
    if facts.get("messageExpression"):
        where = f"{path}.messageExpression"
        yield from _compiled(facts["messageExpression"], scope, STRING, where, "must evaluate to string")


def _compiled(
    text: str, scope: Mapping[str, Type], wanted: Type, path: str, otherwise: str
) -> Generator[Cause, None, Program | None]:
    try:
        return compile_program(text, scope, wanted)
    except NotEvaluated:
        return None
    except CompileError as err:
        yield invalid_value(path, text, str(err))
    except ValueError:
        yield invalid_value(path, text, otherwise)
    return None


def _message_causes(facts: Mapping[str, Any], path: str) -> Iterator[Cause]:
    message, rule = facts.get("message"), facts.get("rule") or ""
    if message is not None and not message.strip():
        yield invalid_value(f"{path}.message", message, "message must be non-empty if specified")
    elif message and "\n" in message.strip():
        yield invalid_value(f"{path}.message", message, "must not contain line breaks")
    elif not message and "\n" in rule.strip():
        text = "message must be specified if rule contains line breaks"
        yield required(f"{path}.message", text)
    expression = facts.get("messageExpression")
    if expression is not None and not expression.strip():
        yield required(f"{path}.messageExpression", "must be non-empty if specified")


def _path_problem(schema: Schema, text: str) -> str:
    at, here = 0, schema
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            return f"expected [ or . but got: {text[at:]}"
        name = step.group(1) or step.group(2)
        properties, more = here.get("properties") or {}, here.get("additionalProperties")
        below = properties.get(name, more if isinstance(more, Mapping) else None)
        if below is None:
            return f"does not refer to a valid field: {name}"
        here, at = below, step.end()
    return ""
