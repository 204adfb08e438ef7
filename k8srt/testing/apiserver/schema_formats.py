"""The text formats that custom resource schemas may ask for, and Go's regular expressions.

A format that is not known here is not checked, as on a real server.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from urllib.parse import urlsplit

from k8srt.apimachinery.names import dns_label_errors, dns_subdomain_errors

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[tT](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[zZ]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_DURATION = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)\s*(ns|us|µs|μs|ms|s|m|h|d|w|\w+)?( *(\d+(\.\d*)?|\.\d+)\s*\w+)*")
_HOST = re.compile(r"(?=.{1,255}\Z)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_-]{1,63}\.?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}([:-][0-9A-Fa-f]{2}){0,2}|([0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
_HEX_COLOR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB_COLOR = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")


def _is_date_time(text: str) -> bool:
    match = _DATE_TIME.fullmatch(text)
    if not match:
        return False
    day, hour, minute, second = match.group(1, 2, 3, 4)
    try:
        datetime.fromisoformat(f"{day}T{hour}:{minute}:{min(int(second), 59):02d}")
    except ValueError:
        return False
    return int(second) <= 60


def _passes(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return check


def _is_uuid(version: int | None) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            found = uuid.UUID(text)
        except ValueError:
            return False
        return version is None or found.version == version

    return check


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) or text.startswith("/")


def _is_cidr(text: str) -> bool:
    return "/" in text and _passes(lambda each: ipaddress.ip_network(each, strict=False))(text)


def _is_rgb(text: str) -> bool:
    match = _RGB_COLOR.fullmatch(text)
    return bool(match) and all(int(part) <= 255 for part in match.groups()) if match else False


_FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": lambda text: bool(_OBJECT_ID.fullmatch(text)),
    "byte": _passes(lambda text: base64.b64decode(text, validate=True)),
    "cidr": _is_cidr,
    "date": _passes(date.fromisoformat),
    "date-time": _is_date_time,
    "datetime": _is_date_time,
    "duration": lambda text: bool(_DURATION.fullmatch(text)),
    "email": lambda text: bool(_EMAIL.fullmatch(text)),
    "hexcolor": lambda text: bool(_HEX_COLOR.fullmatch(text)),
    "hostname": lambda text: bool(_HOST.fullmatch(text)),
    "ipv4": _passes(ipaddress.IPv4Address),
    "ipv6": _passes(ipaddress.IPv6Address),
    "k8s-long-name": lambda text: not dns_subdomain_errors(text),
    "k8s-short-name": lambda text: not dns_label_errors(text),
    "mac": lambda text: bool(_MAC.fullmatch(text)),
    "rgbcolor": _is_rgb,
    "uri": _is_uri,
    "uuid": _is_uuid(None),
    "uuid3": _is_uuid(3),
    "uuid4": _is_uuid(4),
    "uuid5": _is_uuid(5),
}


def has_format(text: str, format: str) -> bool:
    """Whether a text has a format; one that is not known fits every text."""
    check = _FORMATS.get(format)
    return check is None or check(text)


# ---- regular expressions ------------------------------------------------------------------------------------------

_POSIX = {
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:space:]": r"\t\n\v\f\r ",
    "[:upper:]": "A-Z",
    "[:word:]": "0-9A-Za-z_",
    "[:xdigit:]": "0-9A-Fa-f",
}
_PIECE = re.compile(r"\\z|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\$|.", re.DOTALL)


@cache
def go_regex(pattern: str) -> re.Pattern[str]:
    """Compile an expression in Go's syntax. Raises re.error."""
    return re.compile("".join(map(_python_piece, _PIECE.findall(pattern))), re.ASCII)


def _python_piece(piece: str) -> str:
    if piece in ("$", r"\z"):  # in Go, a line break at the end is not skipped
        return r"\Z"
    if piece.startswith("["):
        for name, characters in _POSIX.items():
            piece = piece.replace(name, characters)
    return piece


def matches(pattern: str, text: str) -> bool:
    """Whether an expression is found in a text; one that Python cannot read is not checked."""
    try:
        return go_regex(pattern).search(text) is not None
    except re.error:
        return True
