"""When a certificate begins and ends, read from its DER: Python's `ssl` tells that of a server's certificates only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

_SEQUENCE, _VERSION, _UTC_TIME, _TIME = 0x30, 0xA0, 0x17, 0x18


class Validity(NamedTuple):
    """From when until when a certificate is good."""

    begins: datetime
    ends: datetime


def validity(pem: bytes) -> Validity | None:
    """The dates of the first certificate in `pem`; None for what cannot be read."""
    import ssl

    try:
        begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
        first = pem.decode("utf-8").partition(begin)[2].partition(end)[0]
        der = ssl.PEM_cert_to_DER_cert(f"{begin}{first}{end}\n")
        parts = _parts(_content(_content(der, _SEQUENCE), _SEQUENCE))
        if parts[0][0] == _VERSION:
            parts = parts[1:]
        begins, ends = _parts(parts[3][1])  # after the serial number, the algorithm and the issuer
        return Validity(_moment(*begins), _moment(*ends))
    except (ValueError, IndexError):
        return None


def _content(data: bytes, tag: int) -> bytes:
    """What is in the first value, which is of the kind `tag`."""
    first, content, _ = _take(data)
    if first != tag:
        raise ValueError(f"expected {tag}, found {first}")
    return content


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Every value, with its tag."""
    found = []
    while data:
        tag, content, data = _take(data)
        found.append((tag, content))
    return found


def _take(data: bytes) -> tuple[int, bytes, bytes]:
    """The first value's tag and content, and what comes after it."""
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("it is cut short")
    return data[0], data[start : start + length], data[start + length :]


def _moment(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year, from 1950 on
        text = f"{'20' if text < '5' else '19'}{text}"
    elif tag != _TIME:
        raise ValueError(f"{tag} is no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
