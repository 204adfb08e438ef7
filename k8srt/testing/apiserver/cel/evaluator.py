"""Walks a tree and computes its value. Errors on one side of && and || do not count where the other side decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError, no_such_overload
from k8srt.testing.apiserver.cel.nodes import Call, ListOf, Literal, Macro, MapOf, Name, Node, Select
from k8srt.testing.apiserver.cel.overloads import Overload, functions_named, methods_named, namespaced
from k8srt.testing.apiserver.cel.values import NONE, Optional, TypeName, kind_of

Scope = Mapping[str, Any]
TYPE_NAMES = ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type")
BUDGET = 1_000_000
"""How many nodes one evaluation may visit before it is stopped, as a server stops what costs too much."""


def call_function(name: str, values: list[Any]) -> Any:
    """Call the overload that takes the values. Raises EvaluationError."""
    return _call(functions_named(name), values)


def _call(overloads: list[Overload], values: list[Any]) -> Any:
    for overload in overloads:
        if overload.takes(values):
            return overload.call(*values)
    raise no_such_overload()


class Evaluator:
    """One evaluation of one expression."""

    def __init__(self, variables: Scope) -> None:
        self._variables = variables
        self._left = BUDGET

    def value(self, node: Node) -> Any:
        """Raises EvaluationError."""
        return self._value(node, self._variables)

    def _value(self, node: Node, scope: Scope) -> Any:
        self._left -= 1
        if self._left < 0:
            raise EvaluationError("operation cancelled: actual cost limit exceeded")
        return _VISIT[type(node)](self, node, scope)

    # ---- names and fields

    def _literal(self, node: Literal, scope: Scope) -> Any:
        return node.value

    def _name(self, node: Name, scope: Scope) -> Any:
        if node.name in scope:
            return scope[node.name]
        if node.name in TYPE_NAMES:
            return TypeName(node.name)
        raise EvaluationError(f"no such attribute(s): {node.name}")

    def _select(self, node: Select, scope: Scope) -> Any:
        holder = self._value(node.operand, scope)
        if isinstance(holder, Optional):
            found = self._field(holder.value, node.field) if holder.has else NONE
            return found.has if node.test else found
        if node.test:
            return self._field(holder, node.field).has
        if node.optional:
            return self._field(holder, node.field)
        found = self._field(holder, node.field)
        if not found.has:
            raise EvaluationError(f"no such key: {node.field}")
        return found.value

    @staticmethod
    def _field(holder: Any, field: str) -> Optional:
        if not isinstance(holder, Mapping):
            raise no_such_overload()
        return Optional(True, holder[field]) if field in holder else NONE

    # ---- calls

    def _call(self, node: Call, scope: Scope) -> Any:
        special = _SPECIAL.get(node.name)
        if special is not None:
            return special(self, node, scope)
        name = namespaced(node, lambda each: each in scope)
        if name:
            return call_function(name, [self._value(arg, scope) for arg in node.args])
        if node.target is None:
            return call_function(node.name, [self._value(arg, scope) for arg in node.args])
        values = [self._value(each, scope) for each in (node.target, *node.args)]
        return _call(methods_named(node.name), values)

    def _and(self, node: Call, scope: Scope) -> Any:
        return self._decided(node, scope, by=False)

    def _or(self, node: Call, scope: Scope) -> Any:
        return self._decided(node, scope, by=True)

    def _decided(self, node: Call, scope: Scope, *, by: bool) -> bool:
        failed: EvaluationError | None = None
        for side in node.args:
            try:
                if _truth(self._value(side, scope)) is by:
                    return by
            except EvaluationError as err:
                failed = failed or err
        if failed is not None:
            raise failed
        return not by

    def _conditional(self, node: Call, scope: Scope) -> Any:
        condition, chosen, otherwise = node.args
        return self._value(chosen if _truth(self._value(condition, scope)) else otherwise, scope)

    def _index(self, node: Call, scope: Scope) -> Any:
        holder, key = (self._value(arg, scope) for arg in node.args)
        if isinstance(holder, Optional):
            return self._item(holder.value, key) if holder.has else NONE
        if node.name == "_[?_]":
            return self._item(holder, key)
        found = self._item(holder, key)
        if not found.has:
            raise EvaluationError(f"index out of bounds: {key}" if isinstance(holder, list) else f"no such key: {key}")
        return found.value

    @staticmethod
    def _item(holder: Any, key: Any) -> Optional:
        kind = kind_of(key)
        if isinstance(holder, list):
            if kind not in ("int", "uint") and not (kind == "double" and key.is_integer()):
                raise no_such_overload()
            return Optional(True, holder[int(key)]) if 0 <= key < len(holder) else NONE
        if not isinstance(holder, Mapping) or kind not in ("string", "int", "uint", "bool", "double"):
            raise no_such_overload()
        return Optional(True, holder[key]) if key in holder else NONE

    # ---- aggregates

    def _list(self, node: ListOf, scope: Scope) -> Any:
        found: list[Any] = []
        for index, item in enumerate(node.items):
            value = self._value(item, scope)
            if index not in node.optional:
                found.append(value)
            elif value.has:
                found.append(value.value)
        return found

    def _map(self, node: MapOf, scope: Scope) -> Any:
        found: dict[Any, Any] = {}
        for index, (key_node, value_node) in enumerate(node.entries):
            key, value = self._value(key_node, scope), self._value(value_node, scope)
            if kind_of(key) not in ("string", "int", "uint", "bool"):
                raise EvaluationError(f"unsupported key type: {kind_of(key)}")
            if key in found:
                raise EvaluationError(f"Failed with repeated key {key}")
            if index not in node.optional:
                found[key] = value
            elif value.has:
                found[key] = value.value
        return found

    # ---- macros

    def _macro(self, node: Macro, scope: Scope) -> Any:
        target = self._value(node.target, scope)
        return _MACROS[node.name](self, node, target, scope)

    def _rounds(self, node: Macro, target: Any, scope: Scope) -> Iterable[tuple[Any, Scope]]:
        """The key or item of each round, and the scope in it."""
        if isinstance(target, list):
            pairs: Iterable[tuple[Any, Any]] = enumerate(target)
            single = list(target)
        elif isinstance(target, Mapping):
            pairs = target.items()
            single = list(target)
        else:
            raise no_such_overload()
        if len(node.names) == 2:
            for key, item in pairs:
                yield key, {**scope, node.names[0]: key, node.names[1]: item}
        else:
            for item in single:
                yield item, {**scope, node.names[0]: item}

    def _all(self, node: Macro, target: Any, scope: Scope) -> bool:
        return self._quantified(node, target, scope, stop=False)

    def _exists(self, node: Macro, target: Any, scope: Scope) -> bool:
        return self._quantified(node, target, scope, stop=True)

    def _quantified(self, node: Macro, target: Any, scope: Scope, *, stop: bool) -> bool:
        failed: EvaluationError | None = None
        for _, inner in self._rounds(node, target, scope):
            try:
                if _truth(self._value(node.args[0], inner)) is stop:
                    return stop
            except EvaluationError as err:
                failed = failed or err
        if failed is not None:
            raise failed
        return not stop

    def _exists_one(self, node: Macro, target: Any, scope: Scope) -> bool:
        rounds = self._rounds(node, target, scope)
        return sum(_truth(self._value(node.args[0], inner)) for _, inner in rounds) == 1

    def _filter(self, node: Macro, target: Any, scope: Scope) -> list[Any]:
        rounds = self._rounds(node, target, scope)
        return [item for item, inner in rounds if _truth(self._value(node.args[0], inner))]

    def _transform(self, node: Macro, target: Any, scope: Scope) -> list[Any]:
        return [made for _, made in self._made(node, target, scope)]

    def _made(self, node: Macro, target: Any, scope: Scope) -> Iterable[tuple[Any, Any]]:
        *condition, result = node.args
        for key, inner in self._rounds(node, target, scope):
            if not condition or _truth(self._value(condition[0], inner)):
                yield key, self._value(result, inner)

    def _transform_map(self, node: Macro, target: Any, scope: Scope) -> dict[Any, Any]:
        return dict(self._made(node, target, scope))

    def _transform_entry(self, node: Macro, target: Any, scope: Scope) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _, made in self._made(node, target, scope):
            found.update(made)
        return found

    def _bind(self, node: Macro, target: Any, scope: Scope) -> Any:
        return self._value(node.args[0], {**scope, node.names[0]: target})

    def _optional_map(self, node: Macro, target: Any, scope: Scope) -> Any:
        if not isinstance(target, Optional):
            raise no_such_overload()
        if not target.has:
            return NONE
        made = self._value(node.args[0], {**scope, node.names[0]: target.value})
        return made if node.name == "optFlatMap" else Optional(True, made)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise no_such_overload()
    return value


_VISIT: dict[type, Callable[[Evaluator, Any, Scope], Any]] = {
    Literal: Evaluator._literal, Name: Evaluator._name, Select: Evaluator._select, Call: Evaluator._call,
    ListOf: Evaluator._list, MapOf: Evaluator._map, Macro: Evaluator._macro,
}  # fmt: skip
_SPECIAL: dict[str, Callable[[Evaluator, Call, Scope], Any]] = {
    "_&&_": Evaluator._and, "_||_": Evaluator._or, "_?_:_": Evaluator._conditional,
    "_[_]": Evaluator._index, "_[?_]": Evaluator._index,
}  # fmt: skip
_MACROS: dict[str, Callable[[Evaluator, Macro, Any, Scope], Any]] = {
    "all": Evaluator._all, "exists": Evaluator._exists, "exists_one": Evaluator._exists_one,
    "existsOne": Evaluator._exists_one, "map": Evaluator._transform, "filter": Evaluator._filter,
    "transformList": Evaluator._transform, "transformMap": Evaluator._transform_map,
    "transformMapEntry": Evaluator._transform_entry, "@bind": Evaluator._bind,
    "optMap": Evaluator._optional_map, "optFlatMap": Evaluator._optional_map,
}  # fmt: skip
