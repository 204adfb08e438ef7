"""Looks at an expression before it is used: every name is known, every call has an overload, as far as types tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from k8srt.testing.apiserver.cel.evaluator import TYPE_NAMES
from k8srt.testing.apiserver.cel.failures import Issue
from k8srt.testing.apiserver.cel.nodes import Call, ListOf, Literal, Macro, MapOf, Name, Node, Select
from k8srt.testing.apiserver.cel.overloads import Overload, functions_named, methods_named, namespaced
from k8srt.testing.apiserver.cel.types import (
    BOOL,
    DYN,
    INT,
    TYPE,
    Bindings,
    Type,
    filled,
    fits,
    joined,
    list_of,
    map_of,
    optional_of,
)
from k8srt.testing.apiserver.cel.values import kind_of

Scope = Mapping[str, Type]


class Checker:
    """Finds the type of an expression, and what is wrong with it."""

    def __init__(self, variables: Scope) -> None:
        self._variables = variables
        self.issues: list[Issue] = []

    def type_of(self, node: Node) -> Type:
        return self._type(node, self._variables)

    def _type(self, node: Node, scope: Scope) -> Type:
        return _VISIT[type(node)](self, node, scope)

    def _wrong(self, node: Node, text: str) -> Type:
        self.issues.append(Issue(node.at, text))
        return DYN

    # ---- names and fields

    def _literal(self, node: Literal, scope: Scope) -> Type:
        return Type(kind_of(node.value))

    def _name(self, node: Name, scope: Scope) -> Type:
        if node.name in scope:
            return scope[node.name]
        if node.name in TYPE_NAMES:
            return TYPE
        return self._wrong(node, f"undeclared reference to '{node.name}' (in container '')")

    def _select(self, node: Select, scope: Scope) -> Type:
        holder = self._type(node.operand, scope)
        through = holder.name == "optional_type"
        found = self._field(node, holder.params[0] if through and holder.params else holder)
        if node.test:
            return BOOL
        return optional_of(found) if (node.optional or through) and found.name != "optional_type" else found

    def _field(self, node: Select, holder: Type) -> Type:
        if holder.fields is not None:
            fields = holder.fields()
            return fields[node.field] if node.field in fields else self._wrong(node, f"undefined field '{node.field}'")
        if holder.name == "map":
            return holder.params[1] if len(holder.params) == 2 else DYN
        if holder.name in ("dyn", "object"):
            return DYN
        return self._wrong(node, f"type '{holder}' does not support field selection")

    # ---- calls

    def _call(self, node: Call, scope: Scope) -> Type:
        special = _SPECIAL.get(node.name)
        if special is not None:
            return special(self, node, scope)
        name = namespaced(node, lambda each: each in scope)
        if name:
            return self._overload(node, name, functions_named(name), [self._type(each, scope) for each in node.args])
        args = [self._type(each, scope) for each in node.args]
        if node.target is None:
            return self._overload(node, node.name, functions_named(node.name), args)
        target = self._type(node.target, scope)
        return self._overload(node, node.name, methods_named(node.name), [target, *args])

    def _overload(self, node: Call, name: str, overloads: list[Overload], args: list[Type]) -> Type:
        if not overloads:
            return self._wrong(node, f"undeclared reference to '{name}' (in container '')")
        results: list[Type] = []
        for overload in overloads:
            bound: Bindings = {}
            if len(args) == len(overload.params) and all(map(_fitting(bound), overload.params, args)):
                results.append(filled(overload.result, bound))
        if results:
            return joined(results)
        if node.target is not None and not namespaced(node, lambda _: False):
            applied = f"{args[0]}.({', '.join(map(str, args[1:]))})"
        else:
            applied = f"({', '.join(map(str, args))})"
        return self._wrong(node, f"found no matching overload for '{name}' applied to '{applied}'")

    def _logic(self, node: Call, scope: Scope) -> Type:
        kinds = [self._type(each, scope) for each in node.args]
        if not all(fits(BOOL, kind, {}) for kind in kinds):
            applied = ", ".join(map(str, kinds))
            self._wrong(node, f"found no matching overload for '{node.name}' applied to '({applied})'")
        return BOOL

    def _conditional(self, node: Call, scope: Scope) -> Type:
        condition, chosen, otherwise = (self._type(each, scope) for each in node.args)
        if not fits(BOOL, condition, {}) or not (fits(chosen, otherwise, {}) or fits(otherwise, chosen, {})):
            applied = f"{condition}, {chosen}, {otherwise}"
            return self._wrong(node, f"found no matching overload for '_?_:_' applied to '({applied})'")
        return joined([chosen, otherwise])

    def _index(self, node: Call, scope: Scope) -> Type:
        holder, key = (self._type(each, scope) for each in node.args)
        through = holder.name == "optional_type"
        if through:
            holder = holder.params[0] if holder.params else DYN
        found = DYN
        if holder.name == "list" and fits(INT, key, {}):
            found = holder.params[0] if holder.params else DYN
        elif holder.name == "map" and len(holder.params) == 2 and fits(holder.params[0], key, {}):
            found = holder.params[1]
        elif holder.name not in ("dyn", "map"):
            self._wrong(node, f"found no matching overload for '{node.name}' applied to '({holder}, {key})'")
        return optional_of(found) if through or node.name == "_[?_]" else found

    # ---- aggregates

    def _list(self, node: ListOf, scope: Scope) -> Type:
        return list_of(joined([self._type(each, scope) for each in node.items]))

    def _map(self, node: MapOf, scope: Scope) -> Type:
        keys = [self._type(key, scope) for key, _ in node.entries]
        values = [self._type(value, scope) for _, value in node.entries]
        return map_of(joined(keys), joined(values))

    # ---- macros

    def _macro(self, node: Macro, scope: Scope) -> Type:
        target = self._type(node.target, scope)
        if node.name == "@bind":
            return self._type(node.args[0], {**scope, node.names[0]: target})
        if node.name.startswith("opt"):
            inner = target.params[0] if target.name == "optional_type" and target.params else DYN
            made = self._type(node.args[0], {**scope, node.names[0]: inner})
            return made if node.name == "optFlatMap" else optional_of(made)
        bound = self._round(node, target)
        kinds = [self._type(each, {**scope, **bound}) for each in node.args]
        return self._result(node, target, bound, kinds)

    def _round(self, node: Macro, target: Type) -> dict[str, Type]:
        key, item = DYN, DYN
        if target.name == "list":
            key, item = INT, target.params[0] if target.params else DYN
        elif target.name == "map":
            key, item = target.params if len(target.params) == 2 else (DYN, DYN)
        elif target.name != "dyn":
            text = f"expression of type '{target}' cannot be range of a comprehension (must be list, map, or dynamic)"
            self._wrong(node.target, text)
        if len(node.names) == 2:
            return {node.names[0]: key, node.names[1]: item}
        return {node.names[0]: key if target.name == "map" else item}

    def _result(self, node: Macro, target: Type, bound: dict[str, Type], kinds: list[Type]) -> Type:
        single = bound[node.names[0]]
        decides = node.name in ("all", "exists", "exists_one", "existsOne", "filter")
        condition = kinds[0] if decides or len(kinds) == 2 else BOOL
        if not fits(BOOL, condition, {}):
            self._wrong(node.args[0], f"expected type 'bool' but found '{condition}'")
        if node.name == "filter":
            return list_of(single)
        if decides:
            return BOOL
        if node.name in ("map", "transformList"):
            return list_of(kinds[-1])
        return map_of(single, kinds[-1]) if node.name == "transformMap" else DYN


def _fitting(bound: Bindings) -> Callable[[Type, Type], bool]:
    return lambda wanted, given: fits(wanted, given, bound)


_VISIT: dict[type, Callable[[Checker, Any, Scope], Type]] = {
    Literal: Checker._literal, Name: Checker._name, Select: Checker._select, Call: Checker._call,
    ListOf: Checker._list, MapOf: Checker._map, Macro: Checker._macro,
}  # fmt: skip
_SPECIAL: dict[str, Callable[[Checker, Call, Scope], Type]] = {
    "_&&_": Checker._logic, "_||_": Checker._logic, "_?_:_": Checker._conditional,
    "_[_]": Checker._index, "_[?_]": Checker._index,
}  # fmt: skip
