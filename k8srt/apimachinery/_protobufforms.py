"""Messages that JSON does not write as objects: times, quantities, ports, raw JSON, and values of several sorts.

Each form is a pair of functions: from what JSON has to the bytes of the message, and back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from k8srt.apimachinery._protobufwire import Broken, chunk, fields, signed, tag, varint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAGIC = b"k8s\0"
Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


class Form(NamedTuple):
    """How a message is written and read."""

    encode: Encode
    decode: Decode


Parts = dict[int, int | bytes]


def _parts(data: bytes) -> Parts:
    """The last value of each field."""
    return {number: value for number, _, value in fields(data)}


def _number(parts: Parts, number: int) -> int:
    value = parts.get(number, 0)
    if isinstance(value, bytes):
        raise Broken(f"field {number} should be a number")
    return signed(value)


def _bytes(parts: Parts, number: int) -> bytes:
    value = parts.get(number, b"")
    if not isinstance(value, bytes):
        raise Broken(f"field {number} should be bytes")
    return value


# ---- times


def _time(value: Any) -> bytes:
    if value is None:
        return b""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    past = moment - _EPOCH
    seconds = past.days * 86400 + past.seconds
    return tag(1, 0) + varint(seconds) + tag(2, 0) + varint(past.microseconds * 1000)


def _moment(data: bytes, *, micro: bool) -> str | None:
    if not data:
        return None
    parts = _parts(data)
    try:
        moment = _EPOCH + timedelta(seconds=_number(parts, 1), microseconds=_number(parts, 2) // 1000)
    except OverflowError as err:
        raise Broken(f"no time: {err}") from err
    text = f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}"
    return f"{text}.{moment.microsecond:06}Z" if micro else f"{text}Z"


# ---- plain values in a message of their own


def _quantity(value: Any) -> bytes:
    return chunk(1, str(value).encode())


def _text(data: bytes) -> str:
    return _bytes(_parts(data), 1).decode()


def _int_or_string(value: Any) -> bytes:
    if isinstance(value, str):
        return tag(1, 0) + b"\x01" + tag(2, 0) + b"\0" + chunk(3, value.encode())
    return tag(1, 0) + b"\0" + tag(2, 0) + varint(value) + chunk(3, b"")


def _read_int_or_string(data: bytes) -> int | str:
    parts = _parts(data)
    return _bytes(parts, 3).decode() if _number(parts, 1) else _number(parts, 2)


def _texts(values: Any) -> bytes:
    return b"".join(chunk(1, value.encode()) for value in values or ())


def _read_texts(data: bytes) -> list[str]:
    return [value.decode() for number, _, value in fields(data) if number == 1 and isinstance(value, bytes)]


# ---- JSON as it is


def _raw(value: Any) -> bytes:
    return chunk(1, msgspec.json.encode(value))


def raw_of(data: bytes) -> bytes:
    """The bytes that a message of raw data holds."""
    return _bytes(_parts(data), 1)


def _read_raw(data: bytes) -> Any:
    raw = raw_of(data)
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError as err:
        raise Broken(f"raw data is no JSON: {err}") from err


# ---- schemas or something else


def schema_or_list(schema: Form) -> Form:
    def encode(value: Any) -> bytes:
        if isinstance(value, list):
            return b"".join(chunk(2, schema.encode(each)) for each in value)
        return chunk(1, schema.encode(value))

    def decode(data: bytes) -> Any:
        one: Any = None
        several: list[Any] = []
        for number, _, value in fields(data):
            if isinstance(value, bytes):
                if number == 1:
                    one = schema.decode(value)
                elif number == 2:
                    several.append(schema.decode(value))
        return several or one

    return Form(encode, decode)


def schema_or_bool(schema: Form) -> Form:
    def encode(value: Any) -> bytes:
        if isinstance(value, bool):
            return tag(1, 0) + varint(value)
        return tag(1, 0) + b"\x01" + chunk(2, schema.encode(value))

    def decode(data: bytes) -> Any:
        parts = _parts(data)
        return schema.decode(_bytes(parts, 2)) if 2 in parts else bool(_number(parts, 1))

    return Form(encode, decode)


def schema_or_texts(schema: Form) -> Form:
    def encode(value: Any) -> bytes:
        if isinstance(value, list):
            return b"".join(chunk(2, each.encode()) for each in value)
        return chunk(1, schema.encode(value))

    def decode(data: bytes) -> Any:
        texts = [value.decode() for number, _, value in fields(data) if number == 2 and isinstance(value, bytes)]
        inner = _parts(data).get(1)
        return schema.decode(inner) if isinstance(inner, bytes) else texts

    return Form(encode, decode)


FORMS = {
    "Time": Form(_time, lambda data: _moment(data, micro=False)),
    "MicroTime": Form(_time, lambda data: _moment(data, micro=True)),
    "Quantity": Form(_quantity, _text),
    "IntOrString": Form(_int_or_string, _read_int_or_string),
    "Verbs": Form(_texts, _read_texts),
    "ExtraValue": Form(_texts, _read_texts),
    "FieldsV1": Form(_raw, _read_raw),
    "JSON": Form(_raw, _read_raw),
}
"""By the last part of the message's name."""

OF_SCHEMAS = {
    "JSONSchemaPropsOrArray": schema_or_list,
    "JSONSchemaPropsOrBool": schema_or_bool,
    "JSONSchemaPropsOrStringArray": schema_or_texts,
}
