"""Reads the text of a label selector.

    selector    = [ requirement { "," requirement } ]
    requirement = [ "!" ] key | key ( "=" | "==" | "!=" | ">" | "<" ) [ value ] | key ( "in" | "notin" ) "(" values ")"

The messages are those of a real server, since people and tests read them. Contract: MACH-01, MACH-04.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from k8srt.apimachinery._requirement import Operator, Requirement, SelectorError, key_errors, requirement

_PREFIX = "unable to parse requirement: "
_BINARY = "in, notin, =, ==, !=, gt, lt"


class _Kind(Enum):
    WORD = auto()
    SYMBOL = auto()
    END = auto()


class _Token(NamedTuple):
    kind: _Kind
    text: str

    def is_symbol(self, *symbols: str) -> bool:
        return self.kind is _Kind.SYMBOL and self.text in symbols

    @property
    def ends_requirement(self) -> bool:
        return self.kind is _Kind.END or self.is_symbol(",")


_END = _Token(_Kind.END, "")
_TOKEN = re.compile(r"[ \t\r\n]*(?:(==|!=|[=!(),><])|([^ \t\r\n=!(),><]+))")
_OPERATORS = {
    "=": Operator.EQUALS,
    "==": Operator.DOUBLE_EQUALS,
    "!=": Operator.NOT_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
    "in": Operator.IN,
    "notin": Operator.NOT_IN,
}


def _tokens(text: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        symbol, word = match.groups()
        found.append(_Token(_Kind.SYMBOL, symbol) if symbol else _Token(_Kind.WORD, word))
    return found


class _Reader:
    """Looks at one token at a time; past the last there is only the end."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0

    def peek(self) -> _Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else _END

    def take(self) -> _Token:
        token = self.peek()
        self._position += 1
        return token


def parse_requirements(text: str) -> list[Requirement]:
    """Read every requirement of a selector. Raises SelectorError."""
    reader = _Reader(text)
    found: list[Requirement] = []
    while reader.peek() is not _END:
        first = reader.peek()
        if first.kind is not _Kind.WORD and not first.is_symbol("!"):
            raise SelectorError(f"found '{first.text}', expected: !, identifier, or 'end of string'")
        found.append(_checked_requirement(reader))
        _separator(reader)
    return found


def _separator(reader: _Reader) -> None:
    token = reader.take()
    if not token.ends_requirement:
        raise SelectorError(f"found '{token.text}', expected: ',' or 'end of string'")
    following = reader.peek()
    if token is not _END and following.kind is not _Kind.WORD and not following.is_symbol("!"):
        raise SelectorError(f"found '{following.text}', expected: identifier after ','")


def _checked_requirement(reader: _Reader) -> Requirement:
    try:
        return _requirement(reader)
    except SelectorError as err:
        raise SelectorError(f"{_PREFIX}{err}") from None


def _requirement(reader: _Reader) -> Requirement:
    negated = reader.peek().is_symbol("!")
    if negated:
        reader.take()
    key = _key(reader)
    if negated:
        return requirement(key, Operator.DOES_NOT_EXIST)
    if reader.peek().ends_requirement:
        return requirement(key, Operator.EXISTS)
    operator = _operator(reader)
    values = _value_set(reader) if operator in (Operator.IN, Operator.NOT_IN) else [_exact_value(reader)]
    return requirement(key, operator, sorted(set(values)))


def _key(reader: _Reader) -> str:
    token = reader.take()
    if token.kind is not _Kind.WORD:
        raise SelectorError(f"found '{token.text}', expected: identifier")
    if errors := key_errors("<nil>", token.text):
        raise SelectorError(errors[0])
    return token.text


def _operator(reader: _Reader) -> Operator:
    token = reader.take()
    operator = _OPERATORS.get(token.text)
    if operator is None:
        raise SelectorError(f"found '{token.text}', expected: {_BINARY}")
    return operator


def _exact_value(reader: _Reader) -> str:
    if reader.peek().ends_requirement:
        return ""
    token = reader.take()
    if token.kind is not _Kind.WORD:
        raise SelectorError(f"found '{token.text}', expected: identifier")
    return token.text


def _value_set(reader: _Reader) -> list[str]:
    token = reader.take()
    if not token.is_symbol("("):
        raise SelectorError(f"found '{token.text}' expected: '('")
    values = _listed_values(reader)
    closing = reader.take()
    if not closing.is_symbol(")"):
        raise SelectorError(f"found '{closing.text}', expected: ')'")
    return values


def _listed_values(reader: _Reader) -> list[str]:
    """The values up to the parenthesis; nothing between two commas, or in empty parentheses, is the empty value."""
    values = []
    while True:
        token = reader.peek()
        if token.kind is _Kind.WORD:
            values.append(reader.take().text)
        elif token.is_symbol(",", ")"):
            values.append("")
        else:
            raise SelectorError(f"found '{token.text}', expected: ',', ')' or identifier")
        following = reader.peek()
        if not following.is_symbol(","):
            if not following.is_symbol(")"):
                raise SelectorError(f"found '{following.text}', expected: ',' or ')'")
            return values
        reader.take()
