"""What can be done with texts."""

from __future__ import annotations

import re
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.formatting import format_text, quoted
from k8srt.testing.apiserver.cel.overloads import function, method
from k8srt.testing.apiserver.schema_formats import go_regex


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return go_regex(text)
    except re.error as err:
        raise EvaluationError(f"error parsing regexp: {err}") from None


@function("matches", "(string, string) -> bool")
@method("matches", "(string, string) -> bool")
def _matches(text: str, pattern: str) -> bool:
    return _pattern(pattern).search(text) is not None


@method("startsWith", "(string, string) -> bool")
def _starts(text: str, start: str) -> bool:
    return text.startswith(start)


@method("endsWith", "(string, string) -> bool")
def _ends(text: str, end: str) -> bool:
    return text.endswith(end)


@method("contains", "(string, string) -> bool")
def _contains(text: str, part: str) -> bool:
    return part in text


@method("charAt", "(string, int) -> string")
def _char(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise EvaluationError(f"index out of range: {index}")
    return text[index : index + 1]


@method("indexOf", "(string, string) -> int", "(string, string, int) -> int")
def _index(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


@method("lastIndexOf", "(string, string) -> int", "(string, string, int) -> int")
def _last_index(text: str, part: str, end: int | None = None) -> int:
    if end is not None and not 0 <= end < max(len(text), 1):
        raise EvaluationError(f"index out of range: {end}")
    return text.rfind(part) if end is None else text.rfind(part, 0, end + len(part))


def _ascii_only(text: str, change: Any) -> str:
    return "".join(change(char) if char.isascii() else char for char in text)


@method("lowerAscii", "(string) -> string")
def _lower(text: str) -> str:
    return _ascii_only(text, str.lower)


@method("upperAscii", "(string) -> string")
def _upper(text: str) -> str:
    return _ascii_only(text, str.upper)


@method("replace", "(string, string, string) -> string", "(string, string, string, int) -> string")
def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, count)


@method("split", "(string, string) -> list(string)", "(string, string, int) -> list(string)")
def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        return list(text) if limit < 0 else [*text[: limit - 1], text[limit - 1 :]]
    return text.split(separator, limit - 1 if limit > 0 else -1)


@method("substring", "(string, int) -> string", "(string, int, int) -> string")
def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= stop <= len(text):
        raise EvaluationError(f"index out of range: {stop}")
    if start > stop:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


@method("trim", "(string) -> string")
def _trim(text: str) -> str:
    return text.strip()


@method("reverse", "(string) -> string")
def _reverse(text: str) -> str:
    return text[::-1]


@method("join", "(list(string)) -> string", "(list(string), string) -> string")
def _join(items: list[Any], separator: str = "") -> str:
    if not all(isinstance(item, str) for item in items):
        raise EvaluationError("no such overload")
    return separator.join(items)


@method("find", "(string, string) -> string")
def _find(text: str, pattern: str) -> str:
    found = _pattern(pattern).search(text)
    return found.group() if found else ""


@method("findAll", "(string, string) -> list(string)", "(string, string, int) -> list(string)")
def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match.group() for match in _pattern(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


@method("format", "(string, list(dyn)) -> string")
def _format(template: str, values: list[Any]) -> str:
    return format_text(template, values)


@function("strings.quote", "(string) -> string")
def _quote(text: str) -> str:
    return quoted(text)
