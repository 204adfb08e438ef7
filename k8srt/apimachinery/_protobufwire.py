"""The wire format of protobuf: numbers in seven-bit groups, lengths before everything longer. No messages here."""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Broken(ValueError):
    """The bytes are no protobuf message."""


def varint(value: int) -> bytes:
    """A number below 2**64; negative ones as their two's complement."""
    if 0 <= value < 0x80:
        return bytes((value,))
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def chunk(number: int, data: bytes) -> bytes:
    """A field of bytes: text, a message, raw data."""
    return tag(number, BYTES) + varint(len(data)) + data


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """The fields as they come: number, type, and a number or bytes. Raises Broken."""
    position, end = 0, len(data)
    while position < end:
        key, position = _read_varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _read_varint(data, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, position = _read_varint(data, position)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise Broken(f"wire type {kind} at byte {position} is not in use")
        if length > end - position:
            raise Broken(f"field {number} ends after the message")
        yield number, kind, data[position : position + length]
        position += length


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if position >= len(data):
            raise Broken("a number ends after the message")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
    raise Broken("a number has more than ten bytes")


def packed(data: bytes) -> Iterator[int]:
    """Numbers one after the other. Raises Broken."""
    position = 0
    while position < len(data):
        value, position = _read_varint(data, position)
        yield value


def double(value: float) -> bytes:
    return struct.pack("<d", value)


def read_double(data: bytes) -> float | int:
    """A double; a whole one as an int, as Go's JSON has it."""
    if len(data) != 8:
        raise Broken("a double has eight bytes")
    value: float = struct.unpack("<d", data)[0]
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
