"""Paths and query strings of requests. Contract: REST-03, REST-11, REST-12, REST-14, REST-15."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from k8srt.apimachinery.model import camel
from k8srt.apimachinery.schema import GroupVersion

_PATH_SAFE = "/:@!$&'()*+,;=~-._"


def join(*segments: str) -> str:
    """Join with single slashes and clean `.`, `..` and doubles; "" when there is nothing to join."""
    path = "/".join(segment for segment in segments if segment)
    if not path:
        return ""
    if "//" not in path and "/." not in path and path[0] != "." and path[-1] != "/":
        return path  # nothing to clean, as nearly always
    cleaned = posixpath.normpath(path)
    return "/" + cleaned.lstrip("/") if cleaned.startswith("/") else cleaned


def versioned_path(api_path: str, group_version: GroupVersion) -> str:
    """`/api/v1`, `/apis/apps/v1`: where a group-version lives. Contract: REST-03."""
    base = api_path or ("/apis" if group_version.group else "/api")
    return join("/", base, group_version.group, group_version.version)


def check_segment(what: str, value: str) -> str | None:
    """Return why `value` cannot be one segment of a path, or None. Nothing is escaped away. Contract: REST-12."""
    if value in (".", ".."):
        return f"invalid {what} {value!r}: may not be '.' or '..'"
    for character in "/%":
        if character in value:
            return f"invalid {what} {value!r}: may not contain {character!r}"
    return None


def quoted(path: str) -> str:
    """The path as it goes over the wire."""
    return quote(path, safe=_PATH_SAFE)


def query(parameters: Mapping[str, Sequence[str]]) -> str:
    """Encode parameters sorted by key, each value in its own pair, in the order given. Contract: REST-14."""
    return urlencode([(key, value) for key in sorted(parameters) for value in parameters[key]])


def options(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Query parameters from keyword options: wire names, zero values left out, booleans as `true`.

    Keys are Python names (`label_selector`, `continue_`); a list gives one parameter for each of its values.
    Contract: MACH-46.
    """
    return {camel(key): texts for key, value in values.items() if (texts := _texts(value))}


def _texts(value: Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [text for single in value for text in _texts(single)]
    if isinstance(value, bool):
        return ["true"] if value else []
    return [str(value)] if value else []


def go_duration(seconds: float) -> str:
    """A duration as Go prints it: `1m30s`, `500ms`, `0s`. Contract: REST-15."""
    nanoseconds = round(seconds * 1_000_000_000)
    if nanoseconds == 0:
        return "0s"
    sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1_000 and size < 1_000_000_000:
            return f"{sign}{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
