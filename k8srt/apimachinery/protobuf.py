"""Objects as protobuf, the way API servers and Go clients send them, and back. Plain data on this side of it.

    data = protobuf.encode({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "cfg"}, "data": {"a": "1"}})
    protobuf.decode(data)["data"]            # {"a": "1"}

Built-in kinds only: custom resources have no messages. What is decoded has every value that was sent; Go sends a text
without a character, a zero and a false where JSON would leave them out, and null stands for a time that is none.
The table of fields is `_protobuf_fields`; a message is compiled from it when it is first met. Thread-safe.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from k8srt.apimachinery import _protobufwire as wire
from k8srt.apimachinery._protobufforms import FORMS, MAGIC, OF_SCHEMAS, Form, raw_of
from k8srt.apimachinery._protobufwire import Broken, chunk, signed, tag, varint
from k8srt.errors import DecodeError

JSON = dict[str, Any]
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
STREAM_TYPE = f"{MEDIA_TYPE};stream=watch"


_ENTRY = "meta.v1.ManagedFieldsEntry"  # servers keep what stands in it as it came, so nothing empty is read


class NoMessage(LookupError):
    """A kind has no protobuf form: custom resources, tables, and what is no API object."""


# ---- whole objects


def knows(api_version: str, kind: str) -> bool:
    """Whether objects of a kind can be written as protobuf."""
    return _home(api_version, kind) is not None


def encode(obj: JSON) -> bytes:
    """An object with its kind and apiVersion, in the envelope. Raises NoMessage, and DecodeError for wrong values."""
    api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    body = _written(api_version, kind, obj)
    kinds = chunk(1, api_version.encode()) + chunk(2, kind.encode())
    return b"".join((MAGIC, chunk(1, kinds), chunk(2, body), chunk(3, b""), chunk(4, b"")))


def _written(api_version: str, kind: str, obj: JSON) -> bytes:
    home = _home(api_version, kind)
    if home is None:
        raise NoMessage(f"{kind} of {api_version} has no protobuf form")
    try:
        return message(home).encode(obj)
    except (TypeError, ValueError, AttributeError) as err:
        raise DecodeError(f"{kind} of {api_version} cannot be written as protobuf: {err}") from err


def decode(data: bytes) -> JSON:
    """The object in an envelope, with kind and apiVersion. Raises DecodeError, and NoMessage for unknown kinds."""
    if not data.startswith(MAGIC):
        raise DecodeError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        return _decoded(data[len(MAGIC) :])
    except (Broken, UnicodeDecodeError, RecursionError) as err:
        raise DecodeError(f"the protobuf message cannot be read: {err}") from err


def _decoded(data: bytes) -> JSON:
    kinds: dict[int, str] = {}
    raw, media = b"", b""
    for number, _, value in wire.fields(data):
        if isinstance(value, bytes):
            if number == 1:
                kinds = {n: text.decode() for n, _, text in wire.fields(value) if isinstance(text, bytes)}
            elif number == 2:
                raw = value
            elif number == 4:
                media = value
    api_version, kind = kinds.get(1, ""), kinds.get(2, "")
    if media == b"application/json":
        found = FORMS["JSON"].decode(chunk(1, raw))
        return found if isinstance(found, dict) else {}
    home = _home(api_version, kind)
    if home is None:
        raise NoMessage(f'no kind "{kind}" is registered for version "{api_version}" in scheme')
    return {"kind": kind, "apiVersion": api_version, **message(home).decode(raw)}


# ---- watches


def encode_event(kind: str, obj: JSON) -> bytes:
    """An event of a watch, with its length before it."""
    event = chunk(1, kind.encode()) + chunk(2, chunk(1, encode(obj)))
    return len(event).to_bytes(4, "big") + event


def decode_event(frame: bytes) -> tuple[str, JSON]:
    """Type and object of an event, without the length. Raises DecodeError."""
    try:
        parts = {number: value for number, _, value in wire.fields(frame) if isinstance(value, bytes)}
        kind, raw = parts.get(1, b"").decode(), raw_of(parts.get(2, b""))
    except (Broken, UnicodeDecodeError) as err:
        raise DecodeError(f"the event cannot be read: {err}") from err
    return kind, decode(raw)


# ---- messages


class Field(NamedTuple):
    """One field: its name in JSON, how it is written with its number, and how one value of it is read."""

    wire: str
    label: str
    write: Callable[[Any], bytes]
    read: Callable[[int, int | bytes], Iterator[Any]]


class Message:
    """How the objects of one kind, or the structs of one type, are written and read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._by_name: dict[str, Field] = {}
        self._by_number: dict[int, Field] = {}
        self._embedded: dict[int, str] = {}

    def add(self, number: int, field: Field) -> None:
        self._by_name[field.wire] = self._by_number[number] = field

    def embed(self, number: int, name: str) -> None:
        """Have the fields of another message as if they were of this one, as JSON shows them."""
        self._embedded[number] = name

    def encode(self, obj: JSON) -> bytes:
        """Fields that the message does not know are left out, and so is null. Raises TypeError and ValueError."""
        if not isinstance(obj, dict):
            raise TypeError(f"{self.name} is written from a dict, not {type(obj).__name__}")
        out = []
        for name, value in obj.items():
            if value is not None and name in self._by_name:
                out.append(self._by_name[name].write(value))
        for number, name in self._embedded.items():
            if inner := message(name).encode(obj):
                out.append(chunk(number, inner))
        return b"".join(out)

    def decode(self, data: bytes) -> JSON:
        """Raises Broken."""
        obj: JSON = {}
        for number, kind, value in wire.fields(data):
            if not value and self.name == _ENTRY:
                continue
            field = self._by_number.get(number)
            if field is None:
                if number in self._embedded and isinstance(value, bytes):
                    obj.update(message(self._embedded[number]).decode(value))
                continue
            for read in field.read(kind, value):
                if field.label == "*":
                    obj.setdefault(field.wire, []).append(read)
                elif field.label == "%":
                    obj.setdefault(field.wire, {})[read[0]] = read[1]
                else:
                    obj[field.wire] = read
        return obj


@cache
def _table() -> dict[str, str]:
    """The fields of each message as text, by its name."""
    from k8srt.apimachinery._protobuf_fields import FIELDS

    found: dict[str, str] = {}
    home = last = ""
    for line in FIELDS.splitlines():
        if line.startswith("["):
            home = line.strip("[]")
        elif line.startswith(" "):
            found[last] += line
        elif line:
            name, _, rest = line.partition(" ")
            last = f"{home}.{name}"
            found[last] = rest
    return found


@cache
def _home(api_version: str, kind: str) -> str | None:
    """The message of a kind: of its group and version, or one that all groups share."""
    from k8srt.apimachinery._protobuf_fields import PACKAGES

    package = PACKAGES.get(api_version)
    if package is None or not kind:
        return None
    for home in (package, "meta.v1"):
        if f"{home}.{kind}" in _table():
            return f"{home}.{kind}"
    return None


@cache
def message(name: str) -> Message:
    """The message of a name such as "core.v1.Pod"."""
    made = Message(name)
    home = name.rpartition(".")[0]
    for text in _table()[name].split():
        wire_name, _, rest = text.partition(":")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        number, rest = int(rest[:digits]), rest[digits:]
        label = rest[0] if rest and rest[0] in "*%" else ""
        kind = rest[len(label) :]
        if wire_name:
            made.add(number, _field(number, wire_name, label, kind, home))
        else:
            made.embed(number, _full(kind[1:], home))
    return made


def _full(name: str, home: str) -> str:
    inner = f"{home}.{name}"
    return inner if inner in _table() else name


class _Kind(NamedTuple):
    """How one value is written and read, with its wire type."""

    type: int
    encode: Callable[[Any], bytes]
    decode: Callable[[Any], Any]


def _kind(code: str, home: str) -> _Kind:
    if not code.startswith("="):
        return _SCALARS[code]
    form = _form(code[1:], home)
    return _Kind(wire.BYTES, lambda value: _sized(form.encode(value)), form.decode)


def _form(name: str, home: str) -> Form:
    last = name.rpartition(".")[2]
    if last in FORMS:
        return FORMS[last]
    if last == "RawExtension":
        return Form(FORMS["JSON"].encode, _read_extension)
    if last in OF_SCHEMAS:
        schema = f"{home}.JSONSchemaProps"
        return OF_SCHEMAS[last](
            Form(lambda value: message(schema).encode(value), lambda data: message(schema).decode(data))
        )
    full = _full(name, home)  # compiled when it is met: types may contain themselves
    return Form(lambda value: message(full).encode(value), lambda data: message(full).decode(data))


def _read_extension(data: bytes) -> Any:
    raw = raw_of(data)
    return _decoded(raw[len(MAGIC) :]) if raw.startswith(MAGIC) else FORMS["JSON"].decode(data)


def _sized(data: bytes) -> bytes:
    return varint(len(data)) + data


def _encode_text(value: Any) -> bytes:
    return _sized(value.encode())


def _encode_integer(value: Any) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return varint(value)


def _encode_bytes(value: Any) -> bytes:
    return _sized(base64.b64decode(value, validate=True))


def _decode_text(value: Any) -> str:
    text: str = value.decode()
    return text


_SCALARS = {
    "": _Kind(wire.BYTES, _encode_text, _decode_text),
    "i": _Kind(wire.VARINT, _encode_integer, signed),
    "b": _Kind(wire.VARINT, lambda value: varint(bool(value)), bool),
    "d": _Kind(wire.FIXED64, wire.double, wire.read_double),
    "B": _Kind(wire.BYTES, _encode_bytes, lambda value: binascii.b2a_base64(value, newline=False).decode()),
}


def _field(number: int, name: str, label: str, code: str, home: str) -> Field:
    kind = _kind(code, home)
    if label == "%":
        return Field(name, label, _map_writer(number, kind), _map_reader(kind))
    head = tag(number, kind.type)
    if label == "*":

        def write(values: Any) -> bytes:
            return b"".join(head + kind.encode(value) for value in values)

    else:

        def write(values: Any) -> bytes:
            return head + kind.encode(values)

    def read(type_: int, value: int | bytes) -> Iterator[Any]:
        if type_ == kind.type:
            yield kind.decode(value)
        elif type_ == wire.BYTES and kind.type == wire.VARINT and isinstance(value, bytes):
            yield from map(kind.decode, wire.packed(value))
        else:
            raise Broken(f"field {name} has wire type {type_} instead of {kind.type}")

    return Field(name, label, write, read)


def _map_writer(number: int, kind: _Kind) -> Callable[[Any], bytes]:
    head = tag(2, kind.type)

    def write(values: Any) -> bytes:
        return b"".join(
            chunk(number, chunk(1, key.encode()) + head + kind.encode(value)) for key, value in values.items()
        )

    return write


def _map_reader(kind: _Kind) -> Callable[[int, int | bytes], Iterator[Any]]:
    def read(type_: int, value: int | bytes) -> Iterator[Any]:
        if not isinstance(value, bytes):
            raise Broken("an entry of a map is no message")
        parts = {number: part for number, _, part in wire.fields(value)}
        key = parts.get(1, b"")
        inner = parts.get(2, b"")
        if not isinstance(key, bytes) or not isinstance(inner, bytes):
            raise Broken("an entry of a map has numbers")
        yield key.decode(), kind.decode(inner)

    return read
