"""An estimate of what a rule may cost at most: only what is far over a server's budget is refused.

A real server counts much finer. What counts here are the rounds that nested macros can make over lists and maps of
the greatest size that the schema and the limit of a request allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8srt.testing.apiserver.cel.nodes import Call, Macro, Name, Node, Select, children
from k8srt.testing.apiserver.cel.program import Program
from k8srt.testing.apiserver.cel.schema_types import escaped

Schema = Mapping[str, Any]
LIMIT = 10_000_000  # of one rule, on a server
_FAR = 100
_REQUEST = 3 * 1024 * 1024  # bytes
_ROUND = 5
_LEAST = {"string": 3, "object": 3, "array": 3, "boolean": 5, "integer": 2, "number": 2}


def most_items(schema: Schema) -> int:
    """How many items or entries a list or a map can have at most."""
    limit = schema.get("maxItems") if schema.get("type") == "array" else schema.get("maxProperties")
    if limit is not None:
        return max(int(limit), 1)
    items = schema.get("items") or schema.get("additionalProperties")
    kind = items.get("type") if isinstance(items, Mapping) else ""
    return _REQUEST // _LEAST.get(kind or "", 2)


def over_budget(program: Program, schema: Schema, rounds: int) -> bool:
    """Whether a rule, which runs `rounds` times, costs far more than a server allows."""
    return rounds * _cost(program.tree, {"self": schema, "oldSelf": schema}) > LIMIT * _FAR


def _cost(node: Node, scope: Mapping[str, Schema | None]) -> int:
    if isinstance(node, Macro) and node.name not in ("@bind", "optMap", "optFlatMap"):
        target = _schema_at(node.target, scope)
        times = most_items(target) if target is not None else 1
        item = _item(target)
        inner = {**scope, **dict.fromkeys(node.names)}
        inner[node.names[-1]] = item
        body = sum(_cost(each, inner) for each in node.args)
        return _cost(node.target, scope) + times * (_ROUND + body)
    return 1 + sum(_cost(below, scope) for below in children(node))


def _item(schema: Schema | None) -> Schema | None:
    if schema is None or schema.get("type") != "array":
        return None  # what runs over a map sees its keys
    items = schema.get("items")
    return items if isinstance(items, Mapping) else None


def _schema_at(node: Node, scope: Mapping[str, Schema | None]) -> Schema | None:
    """The schema of what an expression leads to, where it is only a path."""
    if isinstance(node, Name):
        return scope.get(node.name)
    if isinstance(node, Select):
        holder = _schema_at(node.operand, scope)
        properties = (holder or {}).get("properties") or {}
        found = next((below for name, below in properties.items() if escaped(name) == node.field), None)
        more = (holder or {}).get("additionalProperties")
        return found if found is not None else (more if isinstance(more, Mapping) else None)
    if isinstance(node, Call) and node.name == "_[_]":
        holder = _schema_at(node.args[0], scope) or {}
        below = holder.get("items") or holder.get("additionalProperties")
        return below if isinstance(below, Mapping) else None
    return None
