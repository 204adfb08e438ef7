"""Operators, sizes and conversions: the standard part of the language."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.overloads import function, method
from k8srt.testing.apiserver.cel.times import duration_text, read_duration, read_timestamp, timestamp_text
from k8srt.testing.apiserver.cel.values import (
    MapList,
    SetList,
    TypeName,
    UInt,
    compare,
    contains,
    equal,
    kind_of,
    unsigned,
    whole,
)

# ---- arithmetic


@function("_+_", "(int, int) -> int")
def _add(left: int, right: int) -> int:
    return whole(left + right)


@function("_-_", "(int, int) -> int")
def _subtract(left: int, right: int) -> int:
    return whole(left - right)


@function("_*_", "(int, int) -> int")
def _multiply(left: int, right: int) -> int:
    return whole(left * right)


@function("_/_", "(int, int) -> int")
def _divide(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right)
    return whole(quotient if (left < 0) == (right < 0) else -quotient)


@function("_%_", "(int, int) -> int")
def _modulus(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("modulus by zero")
    rest = abs(left) % abs(right)
    return whole(-rest if left < 0 else rest)


@function("-_", "(int) -> int")
def _negate(value: int) -> int:
    return whole(-value)


@function("_+_", "(uint, uint) -> uint")
def _add_unsigned(left: int, right: int) -> UInt:
    return unsigned(int(left) + int(right))


@function("_-_", "(uint, uint) -> uint")
def _subtract_unsigned(left: int, right: int) -> UInt:
    return unsigned(int(left) - int(right))


@function("_*_", "(uint, uint) -> uint")
def _multiply_unsigned(left: int, right: int) -> UInt:
    return unsigned(int(left) * int(right))


@function("_/_", "(uint, uint) -> uint")
def _divide_unsigned(left: int, right: int) -> UInt:
    return unsigned(_divide(int(left), int(right)))


@function("_%_", "(uint, uint) -> uint")
def _modulus_unsigned(left: int, right: int) -> UInt:
    return unsigned(_modulus(int(left), int(right)))


@function("_+_", "(double, double) -> double")
def _add_doubles(left: float, right: float) -> float:
    return left + right


@function("_-_", "(double, double) -> double")
def _subtract_doubles(left: float, right: float) -> float:
    return left - right


@function("_*_", "(double, double) -> double")
def _multiply_doubles(left: float, right: float) -> float:
    return left * right


@function("_/_", "(double, double) -> double")
def _divide_doubles(left: float, right: float) -> float:
    if right == 0.0:
        return math.nan if left == 0.0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


@function("-_", "(double) -> double")
def _negate_double(value: float) -> float:
    return -value


@function("_+_", "(string, string) -> string", "(bytes, bytes) -> bytes")
def _concatenate(left: Any, right: Any) -> Any:
    return left + right


@function("_+_", "(list(A), list(A)) -> list(A)")
def _join_lists(left: list[Any], right: list[Any]) -> list[Any]:
    """Sets become their union; of lists with keys, what is on the right takes the place of what has its key."""
    if isinstance(left, SetList):
        return SetList([*left, *(each for each in right if not contains(left, each))])
    if isinstance(left, MapList):
        later = {repr(left.key(each)): each for each in right}
        kept = [later.pop(repr(left.key(each)), each) for each in left]
        return MapList([*kept, *later.values()], left.keys)
    return [*left, *right]


# ---- comparison


@function("_==_", "(A, A) -> bool")
def _equal(left: Any, right: Any) -> bool:
    return equal(left, right)


@function("_!=_", "(A, A) -> bool")
def _unequal(left: Any, right: Any) -> bool:
    return not equal(left, right)


_NUMBER_PAIRS = [f"({a}, {b}) -> bool" for a in ("int", "uint", "double") for b in ("int", "uint", "double")]
_SAME = ("bool", "string", "bytes", "duration", "timestamp")
_ORDERED = (*_NUMBER_PAIRS, *(f"({kind}, {kind}) -> bool" for kind in _SAME))


@function("_<_", *_ORDERED)
def _less(left: Any, right: Any) -> bool:
    return left == left and right == right and compare(left, right) < 0


@function("_<=_", *_ORDERED)
def _at_most(left: Any, right: Any) -> bool:
    return left == left and right == right and compare(left, right) <= 0


@function("_>_", *_ORDERED)
def _greater(left: Any, right: Any) -> bool:
    return left == left and right == right and compare(left, right) > 0


@function("_>=_", *_ORDERED)
def _at_least(left: Any, right: Any) -> bool:
    return left == left and right == right and compare(left, right) >= 0


@function("@in", "(A, list(A)) -> bool")
def _in_list(value: Any, items: list[Any]) -> bool:
    return contains(items, value)


@function("@in", "(A, map(A, B)) -> bool")
def _in_map(value: Any, items: Mapping[Any, Any]) -> bool:
    return kind_of(value) in ("string", "int", "uint", "bool") and value in items


@function("!_", "(bool) -> bool")
def _not(value: bool) -> bool:
    return not value


# ---- sizes


@method("size", "(string) -> int", "(bytes) -> int", "(list(A)) -> int", "(map(A, B)) -> int")
@function("size", "(string) -> int", "(bytes) -> int", "(list(A)) -> int", "(map(A, B)) -> int")
def _size(value: Any) -> int:
    return len(value)


# ---- conversions


@function("int", "(int) -> int", "(uint) -> int")
def _int(value: int) -> int:
    return whole(int(value))


@function("int", "(double) -> int")
def _int_of_double(value: float) -> int:
    if math.isnan(value) or math.isinf(value):
        raise EvaluationError("integer overflow")
    return whole(int(value))


@function("int", "(string) -> int")
def _int_of_text(text: str) -> int:
    try:
        return whole(int(text))
    except ValueError:
        raise EvaluationError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


@function("int", "(timestamp) -> int")
def _int_of_timestamp(moment: datetime) -> int:
    return int(moment.timestamp() // 1)


@function("int", "(duration) -> int")
def _int_of_duration(span: timedelta) -> int:
    return whole((span // timedelta(microseconds=1)) * 1000)


@function("uint", "(int) -> uint", "(uint) -> uint", "(double) -> uint", "(string) -> uint")
def _uint(value: Any) -> UInt:
    try:
        return unsigned(int(value))
    except (ValueError, OverflowError):
        raise EvaluationError(f'strconv.ParseUint: parsing "{value}": invalid syntax') from None


@function("double", "(int) -> double", "(uint) -> double", "(double) -> double", "(string) -> double")
def _double(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise EvaluationError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None


@function("bool", "(bool) -> bool", "(string) -> bool")
def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("1", "t", "true", "T", "TRUE", "True"):
        return True
    if value in ("0", "f", "false", "F", "FALSE", "False"):
        return False
    raise EvaluationError(f'strconv.ParseBool: parsing "{value}": invalid syntax')


@function(
    "string",
    "(string) -> string", "(int) -> string", "(uint) -> string", "(bool) -> string", "(double) -> string",
    "(bytes) -> string", "(duration) -> string", "(timestamp) -> string",
)  # fmt: skip
def text_of(value: Any) -> str:
    """A value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None
    return str(value)


@function("bytes", "(string) -> bytes", "(bytes) -> bytes")
def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


@function("duration", "(string) -> duration", "(duration) -> duration")
def _duration(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else read_duration(value)


@function("timestamp", "(string) -> timestamp", "(timestamp) -> timestamp", "(int) -> timestamp")
def _timestamp(value: Any) -> datetime:
    return value if isinstance(value, datetime) else read_timestamp(value)


@function("type", "(dyn) -> type")
def _type(value: Any) -> TypeName:
    return TypeName(kind_of(value))


@function("dyn", "(dyn) -> dyn")
def _dyn(value: Any) -> Any:
    return value


@function("base64.encode", "(bytes) -> string")
def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


@function("base64.decode", "(string) -> bytes")
def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise EvaluationError("illegal base64 data") from None
