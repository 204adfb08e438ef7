"""What goes wrong with an expression: it does not compile, it fails on a value, it asks for what is not built."""

from __future__ import annotations

from typing import NamedTuple


class Issue(NamedTuple):
    """One complaint about a source text, at an offset in it."""

    at: int
    text: str


class CompileError(ValueError):
    """The expression cannot be used; the message shows where, as a server words it."""

    def __init__(self, source: str, issues: list[Issue]) -> None:
        super().__init__("compilation failed: " + "\n".join(_shown(source, issue) for issue in issues))
        self.issues = issues


def _shown(source: str, issue: Issue) -> str:
    before = source[: issue.at]
    line = before.count("\n")
    column = issue.at - (before.rfind("\n") + 1)
    lines = source.split("\n")
    text = lines[line] if line < len(lines) else ""
    return f"ERROR: <input>:{line + 1}:{column + 1}: {issue.text}\n | {text}\n | {'.' * column}^"


class EvaluationError(Exception):
    """The expression has no value here: a key is missing, a number too large …"""


class NotEvaluated(Exception):
    """The expression is fine on a real server, but needs something that is not built here."""


def no_such_overload() -> EvaluationError:
    return EvaluationError("no such overload")
