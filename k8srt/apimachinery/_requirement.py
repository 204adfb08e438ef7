"""One condition of a label selector, and what makes it valid. Contract: MACH-02, MACH-04, MACH-06."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from k8srt.apimachinery.names import label_value_errors, qualified_name_errors
from k8srt.errors import K8srtError, joined

_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1


class SelectorError(K8srtError, ValueError):
    """A selector cannot be understood; the message is the one a server answers with."""


class Operator(StrEnum):
    """How a requirement compares. The values are those of selection.Operator."""

    EQUALS = "="
    DOUBLE_EQUALS = "=="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER_THAN = "gt"
    LESS_THAN = "lt"


EXACT = frozenset({Operator.EQUALS, Operator.DOUBLE_EQUALS})
_SETS = frozenset({Operator.IN, Operator.NOT_IN})
_NEGATIVE = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})
_ORDER = {Operator.GREATER_THAN: ">", Operator.LESS_THAN: "<"}


def parse_int64(text: str) -> int | None:
    """Read a decimal 64-bit integer as Go does; None if it is none."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = int(text)
    return number if _MIN_INT <= number <= _MAX_INT else None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. Made by `requirement`, which checks it."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels satisfy the requirement. Contract: MACH-02."""
        value = labels.get(self.key)
        operator = self.operator
        if operator is Operator.EXISTS:
            return value is not None
        if operator is Operator.DOES_NOT_EXIST:
            return value is None
        if operator in _NEGATIVE:
            return value is None or value not in self.values
        if value is None:
            return False
        return self._compares(value) if operator in _ORDER else value in self.values

    def _compares(self, text: str) -> bool:
        value, (bound,) = parse_int64(text), (parse_int64(text) for text in self.values)
        if value is None or bound is None:
            return False
        return value > bound if self.operator is Operator.GREATER_THAN else value < bound

    def __str__(self) -> str:
        operator = self.operator
        if operator is Operator.DOES_NOT_EXIST:
            return f"!{self.key}"
        if operator is Operator.EXISTS:
            return self.key
        joined = ",".join(sorted(self.values))
        if operator in _SETS:
            return f"{self.key} {operator.value} ({joined})"
        return f"{self.key}{_ORDER.get(operator, operator.value)}{joined}"


def requirement(key: str, operator: Operator | str, values: Iterable[str] = ()) -> Requirement:
    """Make a checked requirement. Raises SelectorError. Contract: MACH-04, MACH-06."""
    try:
        op = Operator(operator)
    except ValueError:
        raise SelectorError(_unknown_operator(operator)) from None
    listed = list(values)
    errors = key_errors("key", key) + _count_errors(op, listed)
    for index, value in enumerate(listed):
        if op in _ORDER and parse_int64(value) is None:
            errors.append(
                f"values[{index}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
            )
        if messages := label_value_errors(value):
            errors.append(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(messages)}')
    if errors:
        raise SelectorError(joined(errors))
    return Requirement(key, op, frozenset(listed))


def _unknown_operator(operator: str) -> str:
    known = ", ".join(f'"{name}"' for name in sorted(op.value for op in Operator))
    return f'operator: Unsupported value: "{operator}": supported values: {known}'


def key_errors(path: str, key: str) -> list[str]:
    messages = qualified_name_errors(key)
    return [f'{path}: Invalid value: "{key}": {"; ".join(messages)}'] if messages else []


def _count_errors(operator: Operator, values: list[str]) -> list[str]:
    shown = "[]" if not values else "[" + ",".join(f'"{value}"' for value in values) + "]"
    if operator in _SETS:
        wrong, message = not values, "for 'in', 'notin' operators, values set can't be empty"
    elif operator in _ORDER:
        wrong, message = len(values) != 1, "for 'Gt', 'Lt' operators, exactly one value is required"
    elif operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
        wrong, message = bool(values), "values set must be empty for exists and does not exist"
    else:
        wrong, message = len(values) != 1, "exact-match compatibility requires one single value"
    return [f"values: Invalid value: {shown}: {message}"] if wrong else []
