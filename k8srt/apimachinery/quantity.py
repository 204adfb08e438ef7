"""Quantities: exact amounts with a unit prefix, such as `500m`, `1.5Gi`, `2e3`.

    Quantity("1.5Gi") + "512Mi" == Quantity("2Gi")
    Quantity("100m").value()                             # 1: rounded up

Immutable, ordered and hashed by value; the text is canonical and keeps the family of prefixes it was written in.
A quantity is as precise as the API's: down to nano. Contract: MACH-13 to MACH-20.
"""

from __future__ import annotations

import re
from enum import Enum
from fractions import Fraction
from functools import total_ordering
from math import ceil
from typing import Any, NamedTuple

_MESSAGE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_TEXT = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d+)", re.ASCII)
_NANO = Fraction(1, 10**9)
_MAX = 2**63 - 1
_MAX_EXPONENT = 10_000


class Format(Enum):
    """The family of prefixes that a quantity is written in."""

    DECIMAL = "DecimalSI"
    BINARY = "BinarySI"
    EXPONENT = "DecimalExponent"


_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()} | {0: ""}
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}


class QuantityError(ValueError):
    """A text is no quantity."""


class _Parsed(NamedTuple):
    amount: Fraction
    format: Format


@total_ordering
class Quantity:
    """An exact amount. Takes text, a number, or another quantity; raises QuantityError."""

    __slots__ = ("_text", "amount", "format")

    amount: Fraction
    format: Format

    def __init__(self, value: str | int | float | Fraction | Quantity | None = 0, format: Format | None = None) -> None:
        amount, found = _read(value)
        self.format = format or found
        self.amount = _rounded(amount, self.format)
        self._text: str | None = None

    # ---- as numbers

    def value(self) -> int:
        """The amount, rounded up to a whole number. Contract: MACH-18."""
        return self.scaled_value(0)

    def milli_value(self) -> int:
        """The amount in thousandths, rounded up."""
        return self.scaled_value(-3)

    def scaled_value(self, scale: int) -> int:
        """The amount in units of 10**scale, rounded away from zero."""
        return _away_from_zero(self.amount / Fraction(10) ** scale)

    def as_int64(self) -> int | None:
        """The amount, if it is a whole number of 64 bits; else None."""
        whole = self.amount.denominator == 1 and -_MAX - 1 <= self.amount <= _MAX
        return int(self.amount) if whole else None

    def __float__(self) -> float:
        return float(self.amount)

    def __bool__(self) -> bool:
        return self.amount != 0

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.amount > 0) - (self.amount < 0)

    # ---- arithmetic: in the family of the left operand, or of the right if the left is zero (MACH-19)

    def __add__(self, other: Any) -> Quantity:
        right = _operand(other)
        return NotImplemented if right is None else Quantity(self.amount + right.amount, self._family(right))

    def __sub__(self, other: Any) -> Quantity:
        right = _operand(other)
        return NotImplemented if right is None else Quantity(self.amount - right.amount, self._family(right))

    def __neg__(self) -> Quantity:
        return Quantity(-self.amount, self.format)

    def _family(self, right: Quantity) -> Format:
        return self.format if self else right.format

    # ---- comparing: by value, with whole numbers and fractions too, whose hashes agree (MACH-17)

    def __eq__(self, other: object) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.amount == amount

    def __lt__(self, other: Any) -> bool:
        amount = _amount(other)
        return NotImplemented if amount is None else self.amount < amount

    def __hash__(self) -> int:
        return hash(self.amount)

    # ---- text

    def __str__(self) -> str:
        """The canonical text. Contract: MACH-14, MACH-15."""
        if self._text is None:
            self._text = _text(self.amount, self.format)
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Quantity, (self.amount, self.format)


def parse(text: str) -> Quantity:
    """Read a quantity. Raises QuantityError. Contract: MACH-13."""
    return Quantity(text)


def canonical(value: Any) -> str:
    """What a server makes of a quantity in JSON: text or number in, canonical text out. Contract: MACH-20."""
    return str(Quantity(value))


def _operand(other: object) -> Quantity | None:
    if isinstance(other, Quantity):
        return other
    return Quantity(other) if isinstance(other, (str, int, float, Fraction)) else None


def _amount(other: object) -> int | Fraction | None:
    if isinstance(other, Quantity):
        return other.amount
    return other if isinstance(other, (int, Fraction)) else None


# ---- reading ------------------------------------------------------------------------------------------------------


def _read(value: str | int | float | Fraction | Quantity | None) -> _Parsed:
    if value is None:
        return _Parsed(Fraction(0), Format.DECIMAL)
    if isinstance(value, Quantity):
        return _Parsed(value.amount, value.format)
    if isinstance(value, (int, Fraction)):
        return _Parsed(Fraction(value), Format.DECIMAL)
    return _parse(repr(value) if isinstance(value, float) else value.strip())


def _parse(text: str) -> _Parsed:
    match = _TEXT.fullmatch(text)
    if not match:
        raise QuantityError(_MESSAGE)
    sign, digits, suffix = match.groups()
    factor, format = _suffix(suffix)
    whole, _, fraction = digits.partition(".")
    amount = Fraction(int(whole + fraction), 10 ** len(fraction)) * factor
    return _Parsed(-amount if sign == "-" else amount, format)


def _suffix(suffix: str) -> tuple[Fraction, Format]:
    if suffix in _BINARY:
        return Fraction(1024 ** _BINARY[suffix]), Format.BINARY
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix], Format.DECIMAL
    exponent = int(suffix[1:])
    if abs(exponent) > _MAX_EXPONENT:
        raise QuantityError(_MESSAGE)
    return Fraction(10) ** exponent, Format.EXPONENT


def _rounded(amount: Fraction, format: Format) -> Fraction:
    """What can be kept: whole nanos, and in the binary family no more than 64 bits. Contract: MACH-16."""
    if (amount / _NANO).denominator != 1:
        amount = _away_from_zero(amount / _NANO) * _NANO
    if format is Format.BINARY:
        amount = max(min(amount, Fraction(_MAX)), Fraction(-_MAX))
    return amount


def _away_from_zero(amount: Fraction) -> int:
    return ceil(amount) if amount >= 0 else -ceil(-amount)


# ---- writing ------------------------------------------------------------------------------------------------------


def _text(amount: Fraction, format: Format) -> str:
    if not amount:
        return "0"
    if format is Format.BINARY and amount.denominator == 1 and abs(amount) >= 1024:
        return _binary_text(int(amount))
    return _decimal_text(amount, exponent=format is Format.EXPONENT)


def _binary_text(amount: int) -> str:
    power = 0
    while power < 6 and amount % 1024 == 0:
        amount //= 1024
        power += 1
    return f"{amount}{_BINARY_SUFFIX[power]}"


def _decimal_text(amount: Fraction, *, exponent: bool) -> str:
    """The largest prefix that leaves a whole number; prefixes go in steps of a thousand."""
    power = -9
    number = int(amount / _NANO)
    while number % 1000 == 0 and (exponent or power < 18):
        number //= 1000
        power += 3
    if exponent:
        return f"{number}e{power}" if power else str(number)
    return f"{number}{_DECIMAL_SUFFIX[power]}"
