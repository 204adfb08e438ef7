"""`"%s has %d".format([…])`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.values import TypeName, kind_of

_VERB = re.compile(r"%(?:%|(\.\d+)?([a-zA-Z]))")
_BASES = {"b": "b", "o": "o", "x": "x", "X": "X"}


def format_text(template: str, values: list[Any]) -> str:
    """Fill the verbs of a template. Raises EvaluationError."""
    rest = list(values)

    def fill(match: re.Match[str]) -> str:
        if match.group() == "%%":
            return "%"
        if not rest:
            raise EvaluationError(f"error during formatting: index {len(values)} out of range")
        return _verb(match.group(2), match.group(1), rest.pop(0))

    return _VERB.sub(fill, template)


def _verb(verb: str, precision: str | None, value: Any) -> str:
    kind = kind_of(value)
    if verb == "s":
        return shown(value)
    if verb == "d" and kind in ("int", "uint", "double"):
        return shown(value)
    if verb in ("f", "e") and kind in ("int", "uint", "double"):
        text = format(float(value), f"{precision or '.6'}{verb}")
        return text.replace("inf", "∞") if text.lstrip("-") == "inf" else text
    if verb in _BASES and kind in ("int", "uint", "bool"):
        return format(int(value), _BASES[verb])
    if verb in "xX" and kind in ("string", "bytes"):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if verb == "X" else text
    raise EvaluationError(f'error during formatting: unrecognized formatting clause "{verb}" for {kind}')


def shown(value: Any) -> str:
    """A value as %s prints it."""
    from k8srt.testing.apiserver.cel.functions import text_of

    if value is None:
        return "null"
    if isinstance(value, TypeName):
        return value.name
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        entries = sorted(f"{shown(key)}: {shown(each)}" for key, each in value.items())
        return "{" + ", ".join(entries) + "}"
    return text_of(value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
