"""From tokens to a tree, by recursive descent; one method for each level of the grammar."""

from __future__ import annotations

from typing import NoReturn

from k8srt.testing.apiserver.cel.failures import CompileError, Issue
from k8srt.testing.apiserver.cel.lexer import Token, tokens_of
from k8srt.testing.apiserver.cel.nodes import Call, ListOf, Literal, Macro, MapOf, Name, Node, Select

_RELATIONS = ("<", "<=", ">=", ">", "==", "!=", "in")
_RESERVED_TEXT = "as break const continue else for function if import let loop package namespace return var void while"
_RESERVED = frozenset(_RESERVED_TEXT.split())
_CONSTANTS = {"true": True, "false": False, "null": None}
# Macros: how many names they bind and how many expressions they take.
_MACROS = {
    "all": {(1, 1), (2, 1)}, "exists": {(1, 1), (2, 1)}, "exists_one": {(1, 1), (2, 1)},
    "existsOne": {(1, 1), (2, 1)}, "map": {(1, 1), (1, 2)}, "filter": {(1, 1)},
    "transformList": {(2, 1), (2, 2)}, "transformMap": {(2, 1), (2, 2)}, "transformMapEntry": {(2, 1), (2, 2)},
    "optMap": {(1, 1)}, "optFlatMap": {(1, 1)},
}  # fmt: skip
_DEEPEST = 250


def parse(source: str) -> Node:
    """The tree of an expression. Raises CompileError."""
    try:
        return _Parser(source).whole()
    except RecursionError:
        raise CompileError(source, [Issue(0, f"expression recursion limit exceeded: {_DEEPEST}")]) from None


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokens_of(source)
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._expression()
        if self._token.kind != "end":
            self._unexpected("mismatched input")
        return node

    # ---- tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _is(self, *texts: str) -> bool:
        token = self._token
        return token.kind in ("op", "name") and token.text in texts

    def _skip(self, text: str) -> bool:
        if self._is(text):
            self._next += 1
            return True
        return False

    def _need(self, text: str) -> Token:
        if not self._is(text):
            self._unexpected("missing '" + text + "' at")
        return self._take()

    def _unexpected(self, what: str) -> NoReturn:
        self._fail(self._token.at, f"Syntax error: {what} '{self._token.text}'")

    def _fail(self, at: int, text: str) -> NoReturn:
        raise CompileError(self._source, [Issue(at, text)])

    # ---- operators

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(self._token.at, f"expression recursion limit exceeded: {_DEEPEST}")
        condition = self._or()
        if self._is("?"):
            at = self._take().at
            chosen = self._or()
            self._need(":")
            condition = Call(at, "_?_:_", (condition, chosen, self._expression()))
        self._depth -= 1
        return condition

    def _or(self) -> Node:
        left = self._and()
        while self._is("||"):
            at = self._take().at
            left = Call(at, "_||_", (left, self._and()))
        return left

    def _and(self) -> Node:
        left = self._relation()
        while self._is("&&"):
            at = self._take().at
            left = Call(at, "_&&_", (left, self._relation()))
        return left

    def _relation(self) -> Node:
        left = self._sum()
        while self._is(*_RELATIONS):
            token = self._take()
            name = "@in" if token.text == "in" else f"_{token.text}_"
            left = Call(token.at, name, (left, self._sum()))
        return left

    def _sum(self) -> Node:
        left = self._product()
        while self._is("+", "-"):
            token = self._take()
            left = Call(token.at, f"_{token.text}_", (left, self._product()))
        return left

    def _product(self) -> Node:
        left = self._unary()
        while self._is("*", "/", "%"):
            token = self._take()
            left = Call(token.at, f"_{token.text}_", (left, self._unary()))
        return left

    def _unary(self) -> Node:
        if self._is("!", "-"):
            token = self._take()
            number = self._token.value
            if token.text == "-" and self._token.kind == "value" and type(number) in (int, float):
                return self._members(Literal(token.at, -self._take().value))
            return Call(token.at, "!_" if token.text == "!" else "-_", (self._unary(),))
        return self._members(self._primary())

    # ---- members

    def _members(self, node: Node) -> Node:
        while True:
            if self._is("."):
                at = self._take().at
                optional = self._skip("?")
                if self._token.kind != "name":
                    self._unexpected("no viable alternative at input")
                field = self._take().text
                node = self._method(node, field) if self._is("(") else Select(at, node, field, optional)
            elif self._is("["):
                at = self._take().at
                name = "_[?_]" if self._skip("?") else "_[_]"
                node = Call(at, name, (node, self._expression()))
                self._need("]")
            else:
                return node

    def _method(self, target: Node, name: str) -> Node:
        at = self._token.at
        args = self._arguments()
        if isinstance(target, Name) and target.name == "cel" and name == "bind":
            return self._bind(at, args)
        shapes = _MACROS.get(name, ())
        for names, bodies in shapes:
            bound = args[:names]
            if len(args) == names + bodies and all(isinstance(each, Name) for each in bound):
                if names == 1 and (len(bound), len(args)) == (1, 3) and (2, 1) in shapes:
                    continue
                texts = tuple(each.name for each in bound if isinstance(each, Name))
                return Macro(at, name, target, texts, tuple(args[names:]))
        if shapes and name not in ("map",) and args:
            self._fail(args[0].at, "argument must be a simple name")
        return Call(at, name, tuple(args), target)

    def _bind(self, at: int, args: list[Node]) -> Node:
        if len(args) != 3 or not isinstance(args[0], Name):
            self._fail(at, "cel.bind() variable names must be simple identifiers")
        return Macro(at, "@bind", args[1], (args[0].name,), (args[2],))

    def _arguments(self) -> list[Node]:
        self._need("(")
        args: list[Node] = []
        while not self._is(")"):
            args.append(self._expression())
            if not self._skip(","):
                break
        self._need(")")
        return args

    # ---- primaries

    def _primary(self) -> Node:
        token = self._token
        if token.kind == "value":
            self._take()
            if type(token.value) is int and token.value > 2**63 - 1:
                self._fail(token.at, "Syntax error: invalid int literal")
            return Literal(token.at, token.value)
        if self._skip("("):
            node = self._expression()
            self._need(")")
            return node
        if self._is("["):
            return self._list()
        if self._is("{"):
            return self._map()
        self._skip(".")
        if self._token.kind != "name" or self._token.text == "in":
            self._unexpected("mismatched input")
        return self._name()

    def _name(self) -> Node:
        token = self._take()
        if token.text in _CONSTANTS:
            return Literal(token.at, _CONSTANTS[token.text])
        if token.text in _RESERVED:
            self._fail(token.at, f"reserved identifier: {token.text}")
        if not self._is("("):
            return Name(token.at, token.text)
        at = self._token.at
        args = self._arguments()
        if token.text == "has":
            if len(args) != 1 or not isinstance(args[0], Select) or args[0].optional:
                self._fail(at, "invalid argument to has() macro")
            return Select(at, args[0].operand, args[0].field, test=True)
        return Call(at, token.text, tuple(args))

    def _list(self) -> Node:
        at = self._take().at
        items: list[Node] = []
        optional: set[int] = set()
        while not self._is("]"):
            if self._skip("?"):
                optional.add(len(items))
            items.append(self._expression())
            if not self._skip(","):
                break
        self._need("]")
        return ListOf(at, tuple(items), frozenset(optional))

    def _map(self) -> Node:
        at = self._take().at
        entries: list[tuple[Node, Node]] = []
        optional: set[int] = set()
        while not self._is("}"):
            if self._skip("?"):
                optional.add(len(entries))
            key = self._expression()
            self._need(":")
            entries.append((key, self._expression()))
            if not self._skip(","):
                break
        self._need("}")
        return MapOf(at, tuple(entries), frozenset(optional))
