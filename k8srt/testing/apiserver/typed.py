"""Built-in kinds, read and written as the real server's Go types do it.

`typed(cls)` compiles a model class once into a plan; `Plan.read` takes plain data and gives it back in canonical
form: unknown fields dropped (and told), types checked, absent and zero values as Go writes them, quantities and
times normalised. Two documents that mean the same come out equal.
"""

from __future__ import annotations

import base64
import re
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any

from k8srt.apimachinery import quantity
from k8srt.apimachinery.model import Struct, fields_of
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.wire import format_micro_time, format_time
from k8srt.testing.apiserver.gotypes import always_written, keeps_zero, nil_when_absent

JSON = dict[str, Any]


class WrongType(Exception):
    """A value does not fit its field; the message is the one Go's decoder gives."""


class Trail:
    """Where a read is, and which unknown fields it has met. `hidden`: how much of the path no error mentions."""

    __slots__ = ("hidden", "path", "unknown")

    def __init__(self, hidden: int = 0) -> None:
        self.hidden = hidden
        self.path: list[str] = []
        self.unknown: list[str] = []

    def at(self, *more: str) -> str:
        return "".join((*self.path, *more)).lstrip(".")


Reader = Callable[[Any, Trail, str], Any]
_NAMES: dict[type, str] = {str: "string", bool: "bool", int: "number", float: "number", dict: "object", list: "array"}


def _mismatch(value: Any, trail: Trail, owner: str, go_type: str) -> WrongType:
    what = _NAMES.get(type(value), "null")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and go_type.startswith(("int", "float")):
        what = f"number {value}"
    path = re.sub(r"\[\d+\]", "", "".join(trail.path[trail.hidden :])).lstrip(".")
    field = f"Go struct field {owner}.{path}" if path else "Go value"
    return WrongType(f"json: cannot unmarshal {what} into {field} of type {go_type}")


def _text(value: Any, trail: Trail, owner: str) -> Any:
    if not isinstance(value, str):
        raise _mismatch(value, trail, owner, "string")
    return value


def _flag(value: Any, trail: Trail, owner: str) -> Any:
    if not isinstance(value, bool):
        raise _mismatch(value, trail, owner, "bool")
    return value


def _whole(value: Any, trail: Trail, owner: str) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(value, trail, owner, "int32")
    return value


def _number(value: Any, trail: Trail, owner: str) -> Any:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _mismatch(value, trail, owner, "float64")
    return value


def _int_or_text(value: Any, trail: Trail, owner: str) -> Any:
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        raise _mismatch(value, trail, owner, "int32")
    return value


def _quantity(value: Any, trail: Trail, owner: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _mismatch(value, trail, owner, "resource.Quantity")
    try:
        return quantity.canonical(value)
    except ValueError as err:
        raise WrongType(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ) from err


def _moment(value: Any, trail: Trail, owner: str) -> Any:
    parsed = _parse_time(value, trail, owner, "2006-01-02T15:04:05Z07:00")
    return format_time(parsed)


_MICRO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)$")


def _micro_moment(value: Any, trail: Trail, owner: str) -> Any:
    layout = "2006-01-02T15:04:05.000000Z07:00"
    parsed = _parse_time(value, trail, owner, layout)
    if not _MICRO.match(value):
        tail = value[19:]
        raise WrongType(f'parsing time "{value}" as "{layout}": cannot parse "{tail}" as ".000000"')
    return format_micro_time(parsed)


def _parse_time(value: Any, trail: Trail, owner: str, layout: str) -> datetime:
    if not isinstance(value, str):
        raise _mismatch(value, trail, owner, "string")
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is None or "T" not in value:
            raise ValueError(value)
        return parsed.astimezone(UTC)
    except ValueError:
        raise WrongType(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"') from None


def _bytes(value: Any, trail: Trail, owner: str) -> Any:
    text = _text(value, trail, owner)
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise WrongType(f"illegal base64 data at input byte {_first_bad(text)}") from None
    return text


def _first_bad(text: str) -> int:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return next((index for index, char in enumerate(text) if char not in alphabet), len(text))


def _any(value: Any, trail: Trail, owner: str) -> Any:
    return value


_SCALARS: dict[Any, tuple[Reader, Any]] = {
    str: (_text, ""), bool: (_flag, False), int: (_whole, 0), float: (_number, 0),
    int | str: (_int_or_text, 0), bytes: (_bytes, ""),
}  # fmt: skip
_FORMATS: dict[str, tuple[Reader, Any]] = {
    "date-time": (_moment, None), "micro-time": (_micro_moment, None), "quantity": (_quantity, "0"),
    "duration": (_text, ""),
}  # fmt: skip


class _Field:
    """How one field is read, and what stands in its place when it is absent."""

    __slots__ = ("drop_zero", "read", "wire", "zero")

    def __init__(self, wire: str, read: Reader, zero: Any, drop_zero: bool) -> None:
        self.wire = wire
        self.read = read
        self.zero = zero  # _ABSENT: leave it out
        self.drop_zero = drop_zero


_ABSENT: Any = object()


class Plan:
    """How one struct or kind is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[str, _Field] = {}

    def read(self, value: Any, trail: Trail, owner: str = "") -> JSON:
        """The canonical form of `value`, a private copy. Raises WrongType."""
        if not isinstance(value, dict):
            raise _mismatch(value, trail, owner, f"v1.{self.name}")
        result: JSON = {}
        for key, inner in value.items():
            field = self.fields.get(key)
            if field is None:
                trail.unknown.append(trail.at(".", key))
            elif inner is not None:
                trail.path.append("." + key)
                read = field.read(inner, trail, self.name)
                trail.path.pop()
                if not (field.drop_zero and _is_zero(read)):
                    result[key] = read
        for key, field in self.fields.items():
            if key not in result and field.zero is not _ABSENT:
                result[key] = field.zero() if callable(field.zero) else field.zero
            elif field.zero is None and result.get(key) == []:
                result[key] = None  # an empty list does not survive the way through storage
        return result

    def blank(self) -> JSON:
        """What is written of a value nobody sent."""
        return self.read({}, Trail())


def _is_zero(value: Any) -> bool:
    return value == "" or value is False or (value == 0 and value is not False) or value == [] or value == {}


@cache
def plan_of(cls: type) -> Plan:
    """The plan of a model class, of a kind or of a struct inside one. Compiled once."""
    top = issubclass(cls, Object)
    plan = Plan(cls.__name__)
    infos: list[tuple[str, Any, bool]]
    if top:
        infos = [(part.wire, part.type, part.required) for part in parts_of(cls).values()]
        plan.fields["kind"] = _Field("kind", _text, _ABSENT, False)
        plan.fields["apiVersion"] = _Field("apiVersion", _text, _ABSENT, False)
    else:
        infos = [(info.wire, info.type, info.required) for info in fields_of(cls).values()]
    for wire, annotation, required in infos:
        plan.fields[wire] = _field(cls.__name__, wire, annotation, required, top)
    return plan


def _field(owner: str, wire: str, annotation: Any, required: bool, top: bool) -> _Field:
    read, zero, kind = _reader(annotation)
    written = required or always_written(owner, wire, top=top) or (top and wire == "metadata")
    if wire == "managedFields":
        return _Field(wire, _any, _ABSENT, True)
    if kind == "struct":
        zero = None if nil_when_absent(owner, wire) else zero
        return _Field(wire, read, zero if written else _ABSENT, False)
    if kind in ("list", "map"):
        return _Field(wire, read, None if written else _ABSENT, not written)
    drop = kind == "scalar" and not written and not keeps_zero(owner, wire)
    return _Field(wire, read, zero if written else _ABSENT, drop)


def _reader(annotation: Any) -> tuple[Reader, Any, str]:
    """How a type is read, its zero value, and of which sort it is."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        extra = getattr(args[1], "extra", None) or {}
        if extra.get("format") in _FORMATS:
            return (*_FORMATS[extra["format"]], "scalar")
        return _reader(args[0])
    if annotation in _SCALARS:
        return (*_SCALARS[annotation], "scalar")
    if origin is list:
        return _list_reader(_reader(args[0])), None, "list"
    if origin is dict:
        return _map_reader(_reader(args[1])), None, "map"
    if isinstance(annotation, type) and issubclass(annotation, (Struct, Object)):
        return _struct_reader(annotation), lambda: plan_of(annotation).blank(), "struct"
    return _any, None, "any"


def _struct_reader(cls: type) -> Reader:
    def read(value: Any, trail: Trail, owner: str) -> Any:
        return plan_of(cls).read(value, trail, owner)  # looked up late: types may contain themselves

    return read


def _list_reader(inner: tuple[Reader, Any, str]) -> Reader:
    read, zero, _ = inner

    def read_list(value: Any, trail: Trail, owner: str) -> Any:
        if not isinstance(value, list):
            raise _mismatch(value, trail, owner, "[]v1")
        result = []
        for index, item in enumerate(value):
            trail.path.append(f"[{index}]")
            if item is None:
                result.append(zero() if callable(zero) else zero)
            else:
                result.append(read(item, trail, owner))
            trail.path.pop()
        return result

    return read_list


def _map_reader(inner: tuple[Reader, Any, str]) -> Reader:
    read, zero, kind = inner

    def read_map(value: Any, trail: Trail, owner: str) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(value, trail, owner, "map[string]string")
        result = {}
        for key, item in value.items():
            trail.path.append("." + key if kind != "scalar" else "")  # Go names no keys of plain maps
            if item is None:
                result[key] = zero() if callable(zero) else zero
            else:
                result[key] = read(item, trail, owner)
            trail.path.pop()
        return result

    return read_map


def read_typed(cls: type, value: Any) -> tuple[JSON, list[str]]:
    """Canonical data and the unknown fields of a document of the kind `cls`. Raises WrongType."""
    trail = Trail()
    return plan_of(cls).read(value, trail), trail.unknown
