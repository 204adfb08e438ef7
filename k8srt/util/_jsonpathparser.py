"""Reads the text of a JSONPath template.

    template = { text | "{" { step } "}" }
    step     = "." name | "['" name "']" | "[" index "]" | "[" start ":" end ":" step "]" | "[" step "," step "]"
             | "[?(" steps operator steps ")]" | ".." | "*" | '"' text '"' | "'" text "'" | number | "@" | "$"
             | "range" steps | "end"

What is accepted, oddities included, is what kubectl accepts. Contract: CLI-55.
"""

from __future__ import annotations

import re

from k8srt.util._jsonpathnodes import (
    Descent,
    Field,
    Filter,
    JSONPathError,
    Literal,
    Node,
    Slice,
    Steps,
    Text,
    Union,
    Wildcard,
    Word,
)

_ENDS_NAME = frozenset(" \t\r\n.,[]$@{}")
_KEY = re.compile(r"'([^']*)'")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?", re.ASCII)
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_NUMBER = re.compile(r"[+-]?[\d.]*", re.ASCII)
_ESCAPE = re.compile(r"""\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))""")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def parse_template(text: str) -> tuple[Node, ...]:
    """The texts and actions of a template. Raises JSONPathError."""
    nodes: list[Node] = []
    position = 0
    while position < len(text):
        opening = text.find("{", position)
        if opening < 0:
            opening = len(text)
        if opening > position:
            nodes.append(Text(text[position:opening]))
        if opening == len(text):
            break
        action = _Action(text, opening + 1)
        nodes.append(action.parse())
        position = action.position
    return tuple(nodes)


def _parse_steps(text: str) -> Steps:
    """The steps of a text as it would stand between braces."""
    return _Action(f"{text}}}", 0).parse()


class _Action:
    """Reads from behind an opening brace to behind the closing one."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self._nodes: list[Node] = []

    def parse(self) -> Steps:
        while not self._take("}"):
            self._step()
        return Steps(tuple(self._nodes))

    def _take(self, prefix: str) -> bool:
        taken = self.text.startswith(prefix, self.position)
        if taken:
            self.position += len(prefix)
        return taken

    def _step(self) -> None:
        if self._take("[?("):
            self._nodes.append(self._filter())
        elif self._take(".."):
            self._descent()
        elif self._take("["):
            self._nodes += self._brackets()
        elif self._take("."):
            self._nodes.append(self._field())
        else:
            self._plain()

    def _plain(self) -> None:
        char = self._peek()
        if char in ("", "\n", "\r"):
            raise JSONPathError(f"unclosed action in {self.text!r}")
        if char in " @$":  # the value at hand
            self.position += 1
        elif char in "\"'":
            self._nodes.append(Text(self._quoted(char)))
        elif char in "+-" or char.isdecimal():
            self._nodes.append(self._number())
        elif char == "_" or char.isalpha():
            name = self._name()
            self._nodes.append(_word(name))
        else:
            raise JSONPathError(f"unrecognized character in action: {char!r} in {self.text!r}")

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    # ---- names

    def _descent(self) -> None:
        if self._nodes and isinstance(self._nodes[-1], Descent):
            raise JSONPathError("invalid multiple recursive descent")
        self._nodes.append(Descent())
        char = self._peek()
        if char == "_" or char.isalnum():
            self._nodes.append(self._field())

    def _field(self) -> Node:
        name = self._name(escapes=True)
        return Wildcard() if name == "*" else Field(name.replace("\\", ""))

    def _name(self, *, escapes: bool = False) -> str:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _ENDS_NAME:
            self.position += 2 if escapes and self.text[self.position] == "\\" else 1
        return self.text[start : self.position]

    # ---- values

    def _number(self) -> Literal:
        match = _NUMBER.match(self.text, self.position)
        text = match.group() if match else ""
        self.position += len(text)
        try:
            return Literal(float(text) if "." in text else int(text))
        except ValueError:
            raise JSONPathError(f"cannot parse number {text}") from None

    def _quoted(self, quote: str) -> str:
        start = self.position + 1
        end = self.text.find(quote, start)
        while end > 0 and self.text[end - 1] == "\\":
            end = self.text.find(quote, end + 1)
        if end < 0 or "\n" in self.text[start:end]:
            raise JSONPathError(f"unterminated quoted string in {self.text!r}")
        self.position = end + 1
        return _unescape(self.text[start:end], quote)

    # ---- brackets

    def _brackets(self) -> list[Node]:
        end = self.text.find("]", self.position)
        if end < 0:
            raise JSONPathError(f"unterminated array in {self.text!r}")
        inside = self.text[self.position : end]
        self.position = end + 1
        branches = inside.split(",")
        if len(branches) > 1:
            return [Union(tuple(_parse_steps(f"[{branch.strip(' ')}]") for branch in branches))]
        if key := _KEY.fullmatch(inside):
            return list(_parse_steps(f".{key[1]}").nodes)
        return [_slice(inside)]

    def _filter(self) -> Filter:
        inside = self._filter_text()
        match = _COMPARISON.fullmatch(inside)
        if match is None:
            return Filter(_parse_steps(inside))
        left, operator, right = match.groups()
        return Filter(_parse_steps(left), operator, _parse_steps(right))

    def _filter_text(self) -> str:
        """Up to the closing parenthesis, which counts outside of quotes only."""
        start, quote = self.position, ""
        for position in range(start, len(self.text)):
            char = self.text[position]
            if char == "\n":
                break
            if char in "\"'" and not quote:
                quote = char
            elif char == quote and self.text[position - 1] != "\\":
                quote = ""
            elif char == ")" and not quote:
                self.position = position + 1
                if not self._take("]"):
                    raise JSONPathError("unclosed array expect ]")
                return self.text[start:position]
        raise JSONPathError(f"unterminated filter in {self.text!r}")


def _word(name: str) -> Node:
    if name in ("true", "false"):
        return Literal(name == "true")
    if name not in ("range", "end"):
        raise JSONPathError(f"unrecognized identifier {name}")
    return Word(name)


def _slice(text: str) -> Slice:
    match = _SLICE.fullmatch(":" if text == "*" else text)
    if match is None:
        raise JSONPathError(f"invalid array index {text}")
    start, end, step = (_index((group or "").removeprefix(":")) for group in match.groups())
    if match[2] is None:  # one item
        return Slice(start, (start or 0) + 1, step, single=True)
    return Slice(start, end, step)


def _index(text: str) -> int | None:
    if text == "-":
        raise JSONPathError(f"array index {text} is not a number")
    return int(text) if text else None


def _unescape(text: str, quote: str) -> str:
    def replace(match: re.Match[str]) -> str:
        letter, *codes, octal, wrong = match.groups()
        if wrong is not None or (letter in ("'", '"') and letter != quote):
            raise JSONPathError(f"unquote string {quote}{text}{quote}: invalid escape {match.group()}")
        if letter is not None:
            return _ESCAPED.get(letter, letter)
        return chr(int(octal, 8) if octal else int(next(code for code in codes if code), 16))

    return _ESCAPE.sub(replace, text)
