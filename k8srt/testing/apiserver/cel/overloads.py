"""The table of what expressions can call: for each name, the overloads with their types.

@method("startsWith", "(string, string) -> bool")     # the first parameter is what it is called on
@function("size", "(string) -> int", "(list(A)) -> int")
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from k8srt.testing.apiserver.cel.nodes import Call, Name, Node, Select
from k8srt.testing.apiserver.cel.types import Type, is_variable, read_type
from k8srt.testing.apiserver.cel.values import kind_of

F = TypeVar("F", bound=Callable[..., Any])


class Overload(NamedTuple):
    """One signature; `call` takes the values, for methods with the target first."""

    params: tuple[Type, ...]
    result: Type
    call: Callable[..., Any]

    def takes(self, values: list[Any]) -> bool:
        return len(values) == len(self.params) and all(map(_suits, self.params, values))


def _suits(kind: Type, value: Any) -> bool:
    if kind.name == "dyn" or is_variable(kind):
        return True
    return kind.name == kind_of(value)


_functions: dict[str, list[Overload]] = {}
_methods: dict[str, list[Overload]] = {}


def function(name: str, *signatures: str) -> Callable[[F], F]:
    """Add overloads of a function; of `a.b`, one in a namespace."""
    return _adder(_functions, name, signatures)


def method(name: str, *signatures: str) -> Callable[[F], F]:
    """Add overloads of a method."""
    return _adder(_methods, name, signatures)


def _adder(table: dict[str, list[Overload]], name: str, signatures: tuple[str, ...]) -> Callable[[F], F]:
    def add(call: F) -> F:
        for text in signatures:
            params, _, result = text.rpartition(" -> ")
            kinds = read_type("f" + params).params if params != "()" else ()
            table.setdefault(name, []).append(Overload(kinds, read_type(result), call))
        return call

    return add


@cache
def _load() -> None:
    """Fill the table, when the first expression is compiled."""
    from k8srt.testing.apiserver.cel import (  # noqa: F401
        functions,
        functions_kube,
        functions_lists,
        functions_more,
        functions_text,
        functions_time,
    )


def functions_named(name: str) -> list[Overload]:
    _load()
    return _functions.get(name, [])


def methods_named(name: str) -> list[Overload]:
    _load()
    return _methods.get(name, [])


def namespaced(call: Call, is_bound: Callable[[str], bool]) -> str:
    """The name of the function in a namespace that a call speaks of (`sets.contains`), or the empty text."""
    if call.target is None:
        return ""
    path = _path(call.target, is_bound)
    name = f"{path}.{call.name}" if path else ""
    return name if name and functions_named(name) else ""


def _path(node: Node, is_bound: Callable[[str], bool]) -> str:
    if isinstance(node, Name):
        return "" if is_bound(node.name) else node.name
    if isinstance(node, Select) and not node.optional and not node.test:
        before = _path(node.operand, is_bound)
        return f"{before}.{node.field}" if before else ""
    return ""
