"""Structs: the typed insides of API objects, one class per definition, one line per field.

    class PodSpec(Struct):
        node_name: str = unset
        host_ips: list[HostIP] = field("hostIPs", list_type="atomic")

Every field may be absent, and absent reads as None; None is left out when the struct is written, so a struct with
only some fields set is an apply configuration, and empty (`[]`, `{}`) stays apart from absent. Static types leave
the None out, as Go's zero values do: `pod.spec.containers[0].image` needs no check to please a type checker.

Python names are snake_case, wire names camelCase by rule; a field whose wire name the rule does not give names it.
What the API knows about a field beyond its type (list type, merge keys, patch strategy, default, required) is data
beside it: `fields_of(cls)`.

Structs are untracked by the cyclic garbage collector, so a cache full of them costs a collection nothing. They are
meant for one owner at a time; they are not locked.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

import msgspec

from k8srt.apimachinery import choice

unset: Any = None
"""The default of every field: not there. Assigning it removes a field."""

Time = Annotated[datetime, msgspec.Meta(tz=True, extra={"format": "date-time"})]
"""A moment, written in UTC with whole seconds. Contract: MACH-23."""

MicroTime = Annotated[datetime, msgspec.Meta(tz=True, extra={"format": "micro-time"})]
"""A moment, written in UTC with exactly six fractional digits. Contract: MACH-23."""

Duration = Annotated[str, msgspec.Meta(extra={"format": "duration"})]
"""A Go duration string, kept as it came."""

IntOrString = int | str
"""A port or percentage: `80` and `"80"` differ, and stay what they were. Contract: MACH-21."""

if typing.TYPE_CHECKING:
    from typing import Literal as Literal

    QuantityText = str
else:
    Literal = choice.Literal
    QuantityText = Annotated[str | int | float, msgspec.Meta(extra={"format": "quantity"})]


class _Marker:
    """What `field(...)` leaves in a class body until the metaclass takes it away."""

    __slots__ = ("facts", "wire")

    def __init__(self, wire: str | None, facts: dict[str, Any]) -> None:
        self.wire = wire
        self.facts = facts


def field(
    wire: str | None = None,
    *,
    required: bool = False,
    list_type: str | None = None,
    keys: Sequence[str] = (),
    map_type: str | None = None,
    patch: str | None = None,
    patch_key: str | None = None,
    default: Any = None,
    schema: Mapping[str, Any] | None = None,
) -> Any:
    """Declare a field with what the API knows about it.

    `wire` is its name in JSON where the camelCase rule does not give it; `keys` are the merge keys of a list of
    type "map"; `patch` is a strategic-merge strategy ("merge", "replace", "retainKeys", or several joined by
    commas) and `patch_key` its merge key; `default` is the value a server fills in; `schema` holds validation
    keywords as they stand in OpenAPI.
    """
    facts = {
        "required": required,
        "list_type": list_type,
        "keys": tuple(keys),
        "map_type": map_type,
        "patch": tuple(patch.split(",")) if patch else (),
        "patch_key": patch_key,
        "default": default,
        "schema": schema,
    }
    return _Marker(wire, facts)


class FieldInfo(NamedTuple):
    """What is known about one field; `type` is its resolved annotation, without the None."""

    name: str
    wire: str
    type: Any
    required: bool = False
    list_type: str | None = None
    keys: tuple[str, ...] = ()
    map_type: str | None = None
    patch: tuple[str, ...] = ()
    patch_key: str | None = None
    default: Any = None
    schema: Mapping[str, Any] | None = None


def camel(name: str) -> str:
    """The wire name that the rule gives: `pod_cidr` → `podCidr`; a trailing underscore falls away."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def take_markers(namespace: dict[str, Any]) -> dict[str, _Marker]:
    """Take the `field(...)` markers out of a class body; each leaves None, the value of what is absent."""
    markers = {name: value for name, value in namespace.items() if isinstance(value, _Marker)}
    for name in markers:
        namespace[name] = None
    return markers


def _or_none(annotation: Any) -> Any:
    if isinstance(annotation, str):
        return annotation if annotation.startswith(("ClassVar", "msgspec.Raw")) else f"{annotation} | None"
    return annotation if typing.get_origin(annotation) is ClassVar else annotation | None


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class _StructType(msgspec.StructMeta):
    """Makes every field optional at run time, and keeps the facts of `field(...)` aside."""

    __markers__: dict[str, _Marker]
    __map_type__: str | None

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        map_type: str | None = None,
        **config: Any,
    ) -> Any:
        markers = take_markers(namespace)
        annotations = namespace.get("__annotations__", {})
        for field_name, annotation in annotations.items():
            annotations[field_name] = _or_none(annotation)
        wires = {key: marker.wire for key, marker in markers.items() if marker.wire}
        # "camel" is msgspec's own rule: the same as `camel`, and faster
        config.setdefault("kw_only", True)
        config.setdefault("rename", (lambda key: wires.get(key) or camel(key)) if wires else "camel")
        cls = super().__new__(mcs, name, bases, namespace, **config)
        cls.__markers__ = {**getattr(cls, "__markers__", {}), **markers}
        cls.__map_type__ = map_type  # "atomic": server-side apply owns such a struct as a whole
        return cls

    def __call__(cls, **fields: Any) -> Any:
        """Make one. Decoding does not come through here."""
        try:
            return _make(cls, **fields)
        except TypeError as err:
            unknown = [name for name in fields if name not in cls.__struct_fields__]
            raise unknown_field(cls.__name__, unknown[0], cls.__struct_fields__) if unknown else err from None


_make = msgspec.StructMeta.__call__


def unknown_field(owner: str, name: str, known: Iterable[str]) -> TypeError:
    """What to raise for a keyword that a constructor does not take: it names those that are close, or all if few."""
    fields = [field for field in known if not field.startswith("_")]
    close = difflib.get_close_matches(name, fields, n=3, cutoff=0.6) or [
        field for field in fields if camel(field) == camel(name) or camel(field).lower() == name.lower()
    ]
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
    if not close and len(fields) <= _FEW:
        hint = f"; it has {', '.join(fields)}"
    return TypeError(f"{owner} has no field {name!r}{hint}")


_FEW = 12


class Struct(
    msgspec.Struct,
    metaclass=_StructType,
    kw_only=True,
    omit_defaults=True,
    repr_omit_defaults=True,
    gc=False,
):
    """The base of every nested part of an API object. See the module."""

    def to_dict(self) -> dict[str, Any]:
        """The plain JSON form: wire names, absent fields left out."""
        from k8srt.apimachinery import wire

        result: dict[str, Any] = msgspec.json.decode(wire.encode(self))
        return result

    @classmethod
    def from_dict(cls: type[S], data: Mapping[str, Any]) -> S:
        """Build from the plain JSON form. Raises WrongValue, which names the path, for values of the wrong type."""
        from k8srt.apimachinery import wire, wrong

        try:
            result: S = wire.decoder(cls).decode(wire.encode(data))
        except (msgspec.MsgspecError, TypeError, ValueError) as err:
            wrong.raise_wrong(cls, cls.__name__, wrong.find_wrong(cls, data, lenient=True), err)
        return result


S = TypeVar("S", bound=Struct)


@cache
def fields_of(cls: type[Struct]) -> Mapping[str, FieldInfo]:
    """The fields of a struct class by Python name, in the order of their declaration."""
    hints = typing.get_type_hints(cls, include_extras=True)
    infos = {}
    for name, wire in zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True):
        marker = cls.__markers__.get(name)
        infos[name] = FieldInfo(name, wire, without_none(hints[name]), **(marker.facts if marker else {}))
    return MappingProxyType(infos)


def format_of(annotation: Any) -> str:
    """The format that a type is written in, such as "micro-time" or "quantity"; "" if it has none of its own."""
    extras = (getattr(meta, "extra", None) for meta in getattr(annotation, "__metadata__", ()))
    return next((str(extra["format"]) for extra in extras if extra), "")


def is_model(annotation: Any) -> bool:
    """Whether a type is a struct or a whole kind, which stands above this module."""
    return isinstance(annotation, type) and (issubclass(annotation, Struct) or hasattr(annotation, "__wires__"))


def without_none(annotation: Any) -> Any:
    """Take the None out of an annotation: `list[str] | None` → `list[str]`."""
    args = typing.get_args(annotation)
    if type(None) not in args:
        return annotation
    rest = tuple(arg for arg in args if arg is not type(None))
    return rest[0] if len(rest) == 1 else typing.Union[rest]  # noqa: UP007 - built from a tuple
