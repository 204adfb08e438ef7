"""Structs as JSON and back, in the form the API demands.

Three things the plain encoder would get wrong are put right on the way out: a `Time` has whole seconds and a
`MicroTime` exactly six digits; an optional list or map that is empty is left out, unless it is required or a server
would fill in another; and whole API objects inside structs (volume claim templates) are written by themselves.
"""

from __future__ import annotations

import threading
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from k8srt.apimachinery.choice import Choice
from k8srt.apimachinery.model import Struct, fields_of, format_of

Convert = Callable[[Any], Any]
Plan = tuple[tuple[str, Convert], ...]

# Making a decoder has msgspec note on each struct class what its fields are. Another thread that makes one meanwhile
# takes half a note for a whole one, and the process dies of it. Re-entrant: resolving types may import modules.
_making = threading.RLock()

_foreign_decode: Callable[[type, Any], Any] | None = None
_foreign_check: Callable[[type, Any], Any] | None = None
_foreign_encode: Callable[[Any], Any] | None = None


def set_foreign(
    decode: Callable[[type, Any], Any], check: Callable[[type, Any], Any], encode: Callable[[Any], Any]
) -> None:
    """Let `object.py` say how whole API objects inside structs are read, checked and written."""
    global _foreign_decode, _foreign_check, _foreign_encode
    _foreign_decode, _foreign_check, _foreign_encode = decode, check, encode
    decoder.cache_clear()
    checker.cache_clear()


@cache
def decoder(annotation: Any) -> msgspec.json.Decoder[Any]:
    """The JSON decoder for a type; made once, shared by all threads."""
    with _making:
        return msgspec.json.Decoder(annotation, dec_hook=_read)


@cache
def checker(annotation: Any) -> msgspec.json.Decoder[Any]:
    """A decoder for what was made here: it refuses values that aren't among those of a `Literal`, and looks into whole
    API objects at once, which `decoder` leaves for later."""
    with _making:
        return msgspec.json.Decoder(annotation, dec_hook=_check)


def _read(cls: type, value: Any) -> Any:
    return cls.read(value) if issubclass(cls, Choice) else _foreign(_foreign_decode, cls, value)


def _check(cls: type, value: Any) -> Any:
    return cls.check(value) if issubclass(cls, Choice) else _foreign(_foreign_check, cls, value)


def _foreign(hook: Callable[[type, Any], Any] | None, cls: type, value: Any) -> Any:
    if hook is None:
        raise NotImplementedError(cls)
    return hook(cls, value)


def encode(value: Any, annotation: Any = None) -> bytes:
    """Write a struct, or lists and maps of structs, as JSON; or a time, of which the annotation says which it is."""
    if isinstance(value, datetime) and (convert := _time_leaf(annotation)) is not None:
        value = convert(value)
    value = _walk(value, _time_plan)
    data = msgspec.json.encode(value, enc_hook=_foreign_encode)
    if b"[]" not in data and b"{}" not in data:
        return data
    return msgspec.json.encode(_walk(value, _empty_plan), enc_hook=_foreign_encode)


# ---- walking structs by a plan: which fields to look at, and what to do with each ---------------------------------


def _walk(value: Any, plan_of: Callable[[type[Struct]], Plan]) -> Any:
    """Return `value`, or a copy of it where the plan changes something; nothing is changed in place."""
    if isinstance(value, Struct):
        changes = {}
        for name, convert in plan_of(type(value)):
            old = getattr(value, name)
            if old is not None and (new := convert(old)) is not old:
                changes[name] = new
        return msgspec.structs.replace(value, **changes) if changes else value
    if isinstance(value, list):
        return _walk_list(value, lambda item: _walk(item, plan_of))
    if isinstance(value, dict):
        return _walk_dict(value, lambda item: _walk(item, plan_of))
    return value


def _walk_list(values: Any, convert: Convert) -> Any:
    if not isinstance(values, list):
        return values
    converted = [convert(value) for value in values]
    return converted if any(new is not old for new, old in zip(converted, values, strict=True)) else values


def _walk_dict(values: Any, convert: Convert) -> Any:
    if not isinstance(values, dict):
        return values
    converted = {key: convert(value) for key, value in values.items()}
    return converted if any(converted[key] is not values[key] for key in values) else values


def _nested(annotation: Any, leaf: Callable[[Any], Convert | None], deeper: Callable[[type], Convert | None]) -> Any:
    """The conversion for a type: by `leaf` for scalars, by `deeper` for structs, item by item for containers."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (list, dict) and args:
        inner = _nested(args[-1], leaf, deeper)
        walk = _walk_list if origin is list else _walk_dict
        return None if inner is None else (lambda values: walk(values, inner))
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return deeper(annotation)
    return leaf(annotation)


# ---- times --------------------------------------------------------------------------------------------------------


def format_time(moment: datetime) -> str:
    """`2026-01-02T03:04:05Z`: UTC, whole seconds. Raises ValueError for a moment without a time zone."""
    moment = _utc(moment)
    return f"{moment.year:04d}{moment:-%m-%dT%H:%M:%S}Z"


def format_micro_time(moment: datetime) -> str:
    """`2026-01-02T03:04:05.000006Z`: UTC, always six digits. Raises ValueError without a time zone."""
    moment = _utc(moment)
    return f"{moment.year:04d}{moment:-%m-%dT%H:%M:%S.%f}Z"


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; use datetime.now(UTC)")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _plain_time(moment: Any) -> Any:
    if not isinstance(moment, datetime):
        return moment
    ready = moment.tzinfo is not None and not moment.microsecond and not moment.utcoffset()
    return moment if ready else format_time(moment)


def _micro_time(moment: Any) -> Any:
    return format_micro_time(moment) if isinstance(moment, datetime) else moment


@cache
def _time_plan(cls: type[Struct]) -> Plan:
    found = ((name, _time_converter(info.type, frozenset({cls}))) for name, info in fields_of(cls).items())
    return tuple((name, convert) for name, convert in found if convert is not None)


def _time_converter(annotation: Any, above: frozenset[type]) -> Convert | None:
    def deeper(cls: type[Struct]) -> Convert | None:
        return (lambda value: _walk(value, _time_plan)) if _holds_times(cls, above) else None

    converter: Convert | None = _nested(annotation, _time_leaf, deeper)
    return converter


def _time_leaf(annotation: Any) -> Convert | None:
    if format_of(annotation) == "micro-time":
        return _micro_time
    return _plain_time if annotation is datetime or format_of(annotation) == "date-time" else None


def _holds_times(cls: type[Struct], above: frozenset[type]) -> bool:
    if cls in above:
        return False
    return any(_time_converter(info.type, above | {cls}) is not None for info in fields_of(cls).values())


# ---- optional lists and maps that are empty -----------------------------------------------------------------------


@cache
def _empty_plan(cls: type[Struct]) -> Plan:
    plan = []
    for name, info in fields_of(cls).items():
        inner = _nested(info.type, lambda _: None, lambda _: lambda value: _walk(value, _empty_plan))
        container = (typing.get_origin(info.type) or info.type) in (list, dict)
        if container and not info.required and not info.default:
            plan.append((name, _none_if_empty(inner)))
        elif inner is not None:
            plan.append((name, inner))
    return tuple(plan)


def _none_if_empty(inner: Convert | None) -> Convert:
    def convert(value: Any) -> Any:
        if value in ([], {}):
            return None
        return inner(value) if inner else value

    return convert
