"""Descriptions of a schema → docstrings: wrapped, with their lists and examples as they stand.

A description is text from anywhere. Whatever it holds, what comes out is one string literal and says the same.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_CONTROL = re.compile(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ITEM = re.compile(r"([-*+•]|\d+[.)]|[a-z][.)])\s")
_MARKED = re.compile(r"[|>#`{}\[\]]|---")


def docstring(text: str, indent: str, width: int) -> str:
    """The lines of a docstring, without the line break at the end; empty for an empty text."""
    first, *rest = list(_wrapped(_clean(text), width - len(indent))) or [""]
    if not first:
        return ""
    if not rest and len(indent) + len(first) + 7 <= width:
        return f'{indent}"""{_closable(first)}"""'
    lines = [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in rest), f'{indent}"""']
    return "\n".join(lines)


def _clean(text: str) -> str:
    """Without control characters, and with what means something inside a literal escaped."""
    plain = _CONTROL.sub(" ", text.replace("\r\n", "\n").expandtabs(4))
    return plain.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _closable(line: str) -> str:
    return f'{line[:-1]}\\"' if line.endswith('"') else line


def _wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of a text: paragraphs are filled, at most one empty line stands between two."""
    room = 3  # for the quotes before the first line
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ""
        for line in _joined(paragraph):
            first, *rest = _filled(f"{'x' * room}{line}", width)
            yield first[room:]
            yield from rest
            room = 0


def _joined(paragraph: str) -> Iterator[str]:
    """The lines of a paragraph, prose that was broken anywhere put together again.

    Items of lists begin a line of their own; what's indented or looks like code stays as it is.
    """
    line = ""
    for raw in paragraph.split("\n"):
        part = raw.strip()
        begins = not line or _ITEM.match(part) or _MARKED.match(part) or (raw[0] == " " and not _ITEM.match(line))
        if begins or _MARKED.match(line) or line.endswith(":"):
            if line:
                yield line
            line = raw.rstrip()
        else:
            line = f"{line} {part}"
    if line.strip():
        yield line


def _filled(line: str, width: int) -> list[str]:
    margin = " " * (len(line) - len(line.lstrip()))
    hang = margin + ("  " if _ITEM.match(line.lstrip()) else "")
    return textwrap.wrap(line, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
