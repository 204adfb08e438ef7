"""The syntax tree. `at` is the offset in the source that complaints point to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    at: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`; with `optional`, `operand.?field`; with `test`, `has(operand.field)`."""

    at: int
    operand: Node
    field: str
    optional: bool = False
    test: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function, a method (`target` is set), or an operator under the name `_+_`."""

    at: int
    name: str
    args: tuple[Node, ...]
    target: Node | None = None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; the items at the positions in `optional` are left out when they are none."""

    at: int
    items: tuple[Node, ...]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MapOf:
    at: int
    entries: tuple[tuple[Node, Node], ...]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Macro:
    """`target.all(x, …)` and its like: `names` are bound, one or two of them, while `args` are evaluated."""

    at: int
    name: str
    target: Node
    names: tuple[str, ...]
    args: tuple[Node, ...]


Node = Literal | Name | Select | Call | ListOf | MapOf | Macro


def names_in(node: Node) -> set[str]:
    """The names an expression mentions, bound ones among them."""
    if isinstance(node, Name):
        return {node.name}
    found: set[str] = set()
    for below in children(node):
        found |= names_in(below)
    return found


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    if isinstance(node, Select):
        return (node.operand,)
    if isinstance(node, Call):
        return node.args if node.target is None else (node.target, *node.args)
    if isinstance(node, ListOf):
        return node.items
    if isinstance(node, MapOf):
        return tuple(part for entry in node.entries for part in entry)
    if isinstance(node, Macro):
        return (node.target, *node.args)
    return ()
