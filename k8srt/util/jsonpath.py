"""JSONPath templates as kubectl has them: `JSONPath("{.items[*].metadata.name}").render(pods)`.

| form | gives |
| --- | --- |
| `text` | itself, outside of braces; inside, `{"\\n"}` |
| `{.a.b}`, `{['a']}`, `{.a\\.b}` | a field; a dot that belongs to a key is escaped, also in brackets |
| `{.list[0]}`, `[-1]`, `[1:3]`, `[::2]`, `[*]` | items |
| `{.*}`, `{..name}` | every value; every `name` at any depth |
| `{['a','b']}`, `{[0,2]}` | several |
| `{.list[?(@.x == "v")]}` | the items that fit; `== != < <= > >=`, or without an operator, that have it |
| `{range .list[*]}…{end}` | what is between, for each item |

There are no boolean operators and no regular expressions. Maps are walked in the order of their keys; kubectl takes
them as they come. Contract: CLI-55, CLI-56.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from k8srt.util._jsonpathnodes import JSONPathError, Node, Steps, Values, Word
from k8srt.util._jsonpathparser import parse_template

__all__ = ["JSONPath", "JSONPathError", "printed", "relaxed"]

_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


class JSONPath:
    """A template, parsed once. Immutable, so threads may share it. Raises JSONPathError for a malformed one.

    With `allow_missing_keys` a field that is not there gives nothing; otherwise it is an error.
    """

    __slots__ = ("_lenient", "_nodes", "template")

    def __init__(self, template: str, allow_missing_keys: bool = False) -> None:
        self.template = template
        self._lenient = allow_missing_keys
        self._nodes = parse_template(template)

    def find(self, value: Any) -> list[Values]:
        """The values that each text and each pair of braces leads to, in order.

        `value` is plain JSON data, or an object with `to_dict()`. Raises JSONPathError: `<key> is not found`, an
        index out of bounds, a comparison that means nothing.
        """
        to_dict = getattr(value, "to_dict", None)
        return _Search(self._nodes, self._lenient).run(to_dict() if callable(to_dict) else value)

    def render(self, value: Any) -> str:
        """The text that kubectl prints: several results with a space between, maps and lists as JSON."""
        return "".join(" ".join(map(printed, found)) for found in self.find(value))

    def __repr__(self) -> str:
        return f"JSONPath({self.template!r})"


def relaxed(text: str) -> str:
    """The template for a path as `kubectl wait` and `--sort-by` take it: `a.b`, `.a.b`, `{a.b}` or `{.a.b}`."""
    match = _RELAXED.fullmatch(text)
    if match is None:
        raise JSONPathError(f"{text!r} is no path: expected a.b, .a.b, {{a.b}} or {{.a.b}}")
    return f"{{.{match[1] or match[2]}}}"


class _Search:
    """One evaluation: goes through the nodes, and through those between `range` and `end` once for each item."""

    def __init__(self, nodes: tuple[Node, ...], lenient: bool) -> None:
        self._nodes = nodes
        self._lenient = lenient
        self._depth = 0
        self._last_end = -1

    def run(self, value: Any, position: int = 0) -> list[Values]:
        found: list[Values] = []
        while position < len(self._nodes):
            node = self._nodes[position]
            word = _word(node)
            if word == "end":
                self._leave(position)
                break
            results = node.apply([value], self._lenient)
            if word == "range":
                found += self._each(results, position + 1)
                position = max(position, self._last_end)
            else:
                found.append(results)
            position += 1
        return found

    def _leave(self, position: int) -> None:
        if not self._depth:
            raise JSONPathError("not in range, nothing to end")
        self._last_end = position

    def _each(self, values: Values, position: int) -> list[Values]:
        self._depth += 1
        found = [results for value in values for results in self.run(value, position)]
        if not values:
            self.run(None, position)  # to learn where the range ends
        self._depth -= 1
        return found


def _word(node: Node) -> str:
    """`range` or `end`, if the node begins with it."""
    words = [step.name for step in node.nodes if isinstance(step, Word)] if isinstance(node, Steps) else []
    return words[0] if words else ""


# ---- text ---------------------------------------------------------------------------------------------------------


def printed(value: Any) -> str:
    """A value as kubectl prints it."""
    if isinstance(value, str):
        return value
    return _number(value, 6) if _is_float(value) else _json(value)


def _json(value: Any) -> str:
    """Compact JSON as Go writes it: sorted keys, and `<`, `>`, `&` escaped."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json(key)}:{_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_json, value)) + "]"
    if _is_float(value):
        return _number(value, 21).replace("e-0", "e-")
    text = json.dumps(value, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text) if isinstance(value, str) else text


_UNSAFE = re.compile("[<>&\u2028\u2029]")


def _is_float(value: Any) -> bool:
    """Whether it is a number that is no integer of 64 bits."""
    return isinstance(value, float) or (isinstance(value, int) and not -(2**63) <= value < 2**63)


def _number(value: float, widest: int) -> str:
    """The shortest digits that mean `value`, with an exponent from ten to the power of `widest` on."""
    sign, figures, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    if not isinstance(exponent, int):  # no number at all, or an infinite one
        return repr(value)
    digits, power = "".join(map(str, figures)), len(figures) - 1 + exponent
    minus = "-" if sign else ""
    if not value or (-5 if widest == 6 else -7) < power < widest:
        return minus + _without_exponent(digits, power)
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{minus}{digits[0]}{fraction}e{power:+03d}"


def _without_exponent(digits: str, power: int) -> str:
    if power < 0:
        return f"0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return f"{whole}.{fraction}" if fraction else whole
