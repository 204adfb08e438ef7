"""Field selectors: which objects, by a few of their fields.

    parse("metadata.name=web,status.phase!=Running").matches({"metadata.name": "web"})      # True

Selectors are immutable and hashable; any thread may use them. Contract: MACH-10 to MACH-12.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from k8srt.apimachinery.labels import SelectorError

FieldOperator = Literal["!=", "==", "="]
_OPERATORS: tuple[FieldOperator, ...] = get_args(FieldOperator)  # the longer ones first
_TERM = re.compile(r"(?:\\.|[^\\,])*\\?", re.DOTALL)  # up to an unescaped comma
_SPECIAL = re.compile(r"([\\,=])")

FieldSource = Mapping[str, str] | Callable[[str], str]


class FieldRequirement(NamedTuple):
    """One condition: `field` equals (`=`), or does not equal (`!=`), `value`."""

    field: str
    operator: Literal["=", "!="]
    value: str

    def matches(self, actual: str) -> bool:
        return (actual == self.value) == (self.operator == "=")

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{escape(self.value)}"


class FieldSelector:
    """Requirements that must all hold; sorted. Immutable, hashable, thread-safe."""

    __slots__ = ("requirements",)

    requirements: tuple[FieldRequirement, ...]

    def __init__(self, requirements: Iterable[FieldRequirement] = ()) -> None:
        self.requirements = tuple(requirements)

    def matches(self, fields: FieldSource) -> bool:
        """Whether an object's fields satisfy it. An absent field equals the empty text. Contract: MACH-11.

        `fields` maps names to texts, or is a function that does.
        """
        if isinstance(fields, Mapping):
            return all(each.matches(fields.get(each.field, "")) for each in self.requirements)
        return all(each.matches(fields(each.field)) for each in self.requirements)

    @property
    def empty(self) -> bool:
        """Whether it selects everything."""
        return not self.requirements

    def requires_exact_match(self, field: str) -> str | None:
        """The only value of `field` that can match, if an equality says so; else None."""
        return next((each.value for each in self.requirements if each.field == field and each.operator == "="), None)

    def transform(self, change: Callable[[str, str], tuple[str, str]]) -> FieldSelector:
        """A selector with every (field, value) changed; `("", "")` drops the term. `change` may raise to refuse."""
        changed = []
        for each in self.requirements:
            field, value = change(each.field, each.value)
            if field or value:
                changed.append(FieldRequirement(field, each.operator, value))
        return FieldSelector(changed)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def __repr__(self) -> str:
        return f"FieldSelector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return self.requirements == other.requirements if isinstance(other, FieldSelector) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.requirements)


_EVERYTHING = FieldSelector()


def everything() -> FieldSelector:
    """The selector that matches all."""
    return _EVERYTHING


def parse(text: str) -> FieldSelector:
    """Read `field=value,field!=value`. Raises SelectorError. Contract: MACH-10."""
    terms = sorted(_terms(text))
    return FieldSelector(_requirement(text, term) for term in terms if term)


def _terms(text: str) -> list[str]:
    terms, position = [], 0
    while position <= len(text):
        match = _TERM.match(text, position)
        assert match is not None  # the pattern matches the empty text
        terms.append(match.group())
        position = match.end() + 1
    return terms


def _requirement(text: str, term: str) -> FieldRequirement:
    for position in range(len(term)):
        for operator in _OPERATORS:
            if term.startswith(operator, position):
                value = unescape(term[position + len(operator) :])
                return FieldRequirement(term[:position], "!=" if operator == "!=" else "=", value)
    raise SelectorError(f"invalid selector: '{text}'; can't understand '{term}'")


def escape(value: str) -> str:
    r"""Put `\` before `\`, `,` and `=`."""
    return _SPECIAL.sub(r"\\\1", value)


def unescape(value: str) -> str:
    r"""Undo `escape`. Raises SelectorError on another escape, or a special character without one."""
    result, position = [], 0
    while position < len(value):
        char = value[position]
        if char == "\\":
            position += 1
            char = value[position : position + 1]
            if not char or char not in "\\,=":
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{char}")
        elif char in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {value}")
        result.append(char)
        position += 1
    return "".join(result)


def from_set(fields: Mapping[str, str] | None) -> FieldSelector:
    """Equality with each field."""
    made = [FieldRequirement(key, "=", value) for key, value in (fields or {}).items()]
    return FieldSelector(sorted(made, key=str))  # as parsing the text would


def one_term_equal_selector(field: str, value: str) -> FieldSelector:
    """`field=value`. Contract: MACH-12."""
    return FieldSelector((FieldRequirement(field, "=", value),))


def as_field_selector(value: str | Mapping[str, str] | FieldSelector | None) -> FieldSelector:
    """Understand what a person wrote: text, fields, a selector; None is everything. Raises SelectorError."""
    if isinstance(value, FieldSelector):
        return value
    if value is None:
        return everything()
    return parse(value) if isinstance(value, str) else from_set(value)
