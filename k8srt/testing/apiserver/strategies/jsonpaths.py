"""The little of JSON path that printer columns use: fields, indexes, wildcards, filters by equality."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Step = Callable[[Any], list[Any]]

_TOKEN = re.compile(
    r"""\.?(?P<name>[A-Za-z0-9_/-]+(?:\\\.[A-Za-z0-9_/-]+)*)
      | \[\s*'(?P<quoted>[^']*)'\s*\] | \[\s*"(?P<double>[^"]*)"\s*\]
      | \[\s*(?P<index>-?\d+)\s*\] | \.?\[?(?P<star>\*)\]?
      | \[\?\(\s*@\.(?P<key>[\w.]+)\s*(?P<op>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[\w.-]+)\s*\)\]""",
    re.VERBOSE,
)


class BadPath(ValueError):
    """The text is no JSON path of the kind understood here."""


@lru_cache(maxsize=1024)
def compile_path(text: str) -> Callable[[Any], list[Any]]:
    """A function that gives the values a path leads to. Raises BadPath."""
    steps = _steps(text.strip().removeprefix("{").removesuffix("}").removeprefix("$"))

    def find(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            found = [inner for each in found for inner in step(each)]
        return found

    return find


def _steps(text: str) -> list[Step]:
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise BadPath(f"cannot understand {text[position:]!r} in JSON path {text!r}")
        steps.append(_step(match))
        position = match.end()
    return steps


def _step(match: re.Match[str]) -> Step:
    groups = match.groupdict()
    if groups["star"]:
        return _everything
    if groups["index"]:
        return _at(int(groups["index"]))
    if groups["key"]:
        return _where(groups["key"], groups["op"], groups["value"].strip("\"'"))
    name = groups["name"] or groups["quoted"] or groups["double"] or ""
    return _named(name.replace("\\.", "."))


def _everything(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


def _at(index: int) -> Step:
    def step(value: Any) -> list[Any]:
        inside = isinstance(value, list) and -len(value) <= index < len(value)
        return [value[index]] if inside else []

    return step


def _named(name: str) -> Step:
    def step(value: Any) -> list[Any]:
        return [value[name]] if isinstance(value, dict) and name in value else []

    return step


def _where(key: str, operator: str, wanted: str) -> Step:
    find = compile_path(f".{key}")

    def step(value: Any) -> list[Any]:
        items = value if isinstance(value, list) else []
        return [item for item in items if _equals(find(item), wanted) == (operator == "==")]

    return step


def _equals(found: list[Any], wanted: str) -> bool:
    if not found:
        return False
    value = found[0]
    if isinstance(value, bool):
        return wanted == ("true" if value else "false")
    return str(value) == wanted
