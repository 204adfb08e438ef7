"""From text to tokens."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from k8srt.testing.apiserver.cel.failures import CompileError, Issue
from k8srt.testing.apiserver.cel.values import UInt


class Token(NamedTuple):
    """`kind` is name, value, op or end; of a value, `value` is what it stands for."""

    kind: str
    text: str
    at: int
    value: Any = None


_TOKEN = re.compile(
    r"""
      (?P<space>[\s]+|//[^\n]*)
    | (?P<text>(?:[rR][bB]?|[bB][rR]?)?(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}
        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    | (?P<number>0x[0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?)
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*|`[a-zA-Z0-9_.\-/ ]+`)
    | (?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens_of(source: str) -> list[Token]:
    """The tokens, an `end` last. Raises CompileError for what is none."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _raw_text(source, at) or _TOKEN.match(source, at)
        if match is None:
            shown = source[at]
            raise CompileError(source, [Issue(at, f"Syntax error: token recognition error at: '{shown}'")])
        kind, text = match.lastgroup or "text", match.group()
        if kind == "text":
            found.append(Token("value", text, at, _text_value(source, text, at)))
        elif kind == "number":
            found.append(Token("value", text, at, _number(source, text, at)))
        elif kind != "space":
            found.append(Token(kind, text.strip("`") if kind == "name" else text, at))
        at = match.end()
    found.append(Token("end", "<EOF>", len(source)))
    return found


_RAW_TEXT = re.compile(
    r"(?P<text>(?:[rR][bB]?|[bB][rR])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"[^\"\n]*\"|'[^'\n]*'))", re.DOTALL
)


def _raw_text(source: str, at: int) -> re.Match[str] | None:
    """In raw texts a backslash is nothing special."""
    return _RAW_TEXT.match(source, at) if source[at] in "rRbB" else None


def _number(source: str, text: str, at: int) -> Any:
    if text[-1] in "uU":
        return _whole(source, text[:-1], at, UInt, 0, 2**64 - 1)
    if text.startswith("0x") or text.isdigit():
        return _whole(source, text, at, int, 0, 2**63)  # the least one is written with a minus
    return float(text)


def _whole(source: str, text: str, at: int, kind: type[int], low: int, high: int) -> int:
    value = int(text, 0) if text.startswith("0x") else int(text)
    if not low <= value <= high:
        raise CompileError(source, [Issue(at, f"Syntax error: invalid {'uint' if kind is UInt else 'int'} literal")])
    return kind(value)


_ESCAPE = re.compile(r"\\(?:([abfnrtv\\?\"'`])|x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})"
                     r"|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL)  # fmt: skip
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _text_value(source: str, text: str, at: int) -> str | bytes:
    prefix = text[: min(text.find(quote) for quote in "\"'" if quote in text)].lower()
    body = text[len(prefix) :]
    body = body[3:-3] if body[:3] in ('"""', "'''") and len(body) >= 6 else body[1:-1]
    if "r" not in prefix:
        body = _ESCAPE.sub(lambda match: _unescaped(source, match, at, raw_bytes="b" in prefix), body)
    if "b" not in prefix:
        return body
    return b"".join(bytes([ord(c) - 0xDC00]) if 0xDC80 <= ord(c) <= 0xDCFF else c.encode() for c in body)


def _unescaped(source: str, match: re.Match[str], at: int, *, raw_bytes: bool) -> str:
    plain, *codes, octal, bad = match.groups()
    if bad is not None:
        raise CompileError(source, [Issue(at, f"Syntax error: invalid escape sequence '\\{bad}'")])
    if plain is not None:
        return _PLAIN.get(plain, plain)
    number = int(octal, 8) if octal else int(next(code for code in codes if code), 16)
    small_escape = octal or codes[0] or codes[1]
    if raw_bytes and small_escape and number >= 0x80:
        return chr(0xDC00 + number)  # one byte, not a character
    return chr(number)
