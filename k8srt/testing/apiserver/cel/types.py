"""Types as the checker sees them, and how signatures are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Type:
    """`list(int)` is Type("list", (INT,)); of an object, `fields` gives the types of its fields when called."""

    name: str
    params: tuple[Type, ...] = ()
    fields: Callable[[], Mapping[str, Type]] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        shown = _SHOWN.get(self.name, self.name)
        return f"{shown}({', '.join(map(str, self.params))})" if self.params else shown


_SHOWN = {
    "duration": "google.protobuf.Duration",
    "timestamp": "google.protobuf.Timestamp",
    "null_type": "null",
    "Quantity": "kubernetes.Quantity",
    "URL": "kubernetes.URL",
    "IP": "net.IP",
    "CIDR": "net.CIDR",
    "Semver": "kubernetes.Semver",
    "NamedFormat": "kubernetes.NamedFormat",
}
DYN, NULL, BOOL, BYTES, STRING = Type("dyn"), Type("null_type"), Type("bool"), Type("bytes"), Type("string")
INT, UINT, DOUBLE = Type("int"), Type("uint"), Type("double")
DURATION, TIMESTAMP = Type("duration"), Type("timestamp")
TYPE = Type("type")
_PIECE = re.compile(r"[\w.]+|[(),]")


def list_of(item: Type) -> Type:
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    return Type("optional_type", (value,))


def read_type(text: str) -> Type:
    """`map(string, list(A))` as a type; one capital letter is a variable."""
    pieces = _PIECE.findall(text)

    def take() -> Type:
        name = pieces.pop(0)
        if not pieces or pieces[0] != "(":
            return Type(name)
        params = []
        while pieces.pop(0) != ")":
            params.append(take())
        return Type(name, tuple(params))

    return take()


def is_variable(kind: Type) -> bool:
    return len(kind.name) == 1


Bindings = dict[str, Type]


def fits(wanted: Type, given: Type, bound: Bindings) -> bool:
    """Whether a value of the type `given` can stand where `wanted` is asked for; variables are bound in `bound`."""
    if is_variable(wanted):
        known = bound.get(wanted.name)
        if known is None or known.name == "dyn":
            bound[wanted.name] = given
            return True
        return fits(known, given, bound) or given.name in ("dyn", "null_type")
    if "dyn" in (wanted.name, given.name) or "null_type" in (wanted.name, given.name):
        return True
    if {wanted.name, given.name} == {"map", "object"}:
        return True
    if wanted.name != given.name:
        return False
    return all(fits(a, b, bound) for a, b in zip(wanted.params, given.params, strict=False))


def filled(kind: Type, bound: Bindings) -> Type:
    """A type with its variables replaced; free ones can be anything."""
    if is_variable(kind):
        return bound.get(kind.name, DYN)
    if not kind.params:
        return kind
    return Type(kind.name, tuple(filled(each, bound) for each in kind.params), kind.fields)


def joined(kinds: list[Type]) -> Type:
    """The type of a list with such items."""
    if not kinds:
        return DYN
    first = kinds[0]
    return first if all(each == first for each in kinds) else DYN
