"""An expression that can be evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from k8srt.testing.apiserver.cel.checker import Checker
from k8srt.testing.apiserver.cel.evaluator import Evaluator
from k8srt.testing.apiserver.cel.failures import CompileError, EvaluationError, NotEvaluated
from k8srt.testing.apiserver.cel.nodes import Call, Literal, Node, children, names_in
from k8srt.testing.apiserver.cel.parser import parse
from k8srt.testing.apiserver.cel.types import Type, fits
from k8srt.testing.apiserver.schema_formats import go_regex


class Program:
    """A checked expression. Immutable; any thread may evaluate it."""

    def __init__(self, source: str, tree: Node, result: Type) -> None:
        self.source = source
        self.result = result
        self.tree = tree
        self.names = frozenset(names_in(tree))

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value. Raises EvaluationError."""
        try:
            return Evaluator(variables).value(self.tree)
        except RecursionError:
            raise EvaluationError("expression is nested too deeply") from None

    def __repr__(self) -> str:
        return f"<Program {self.source!r} -> {self.result}>"


def compile_program(source: str, variables: Mapping[str, Type], wanted: Type | None = None) -> Program:
    """Read and check an expression. Raises CompileError, ValueError for a result of another type than `wanted`.

    Raises NotEvaluated for what a real server can do and this one cannot.
    """
    tree = _parsed(source)
    if "authorizer" in names_in(tree) and "authorizer" in variables:
        raise NotEvaluated("authorizer")
    _check_patterns(tree)
    checker = Checker(variables)
    result = checker.type_of(tree)
    if checker.issues:
        raise CompileError(source, sorted(set(checker.issues)))
    if wanted is not None and not fits(wanted, result, {}):
        raise ValueError(f"must evaluate to {wanted}")
    return Program(source, tree, result)


_WITH_PATTERN = ("matches", "find", "findAll")


def _check_patterns(node: Node) -> None:
    """Raise NotEvaluated for a regular expression that Go may read and Python does not."""
    if isinstance(node, Call) and node.name in _WITH_PATTERN and node.args:
        pattern = node.args[1 if node.target is None and len(node.args) > 1 else 0]
        if isinstance(pattern, Literal) and isinstance(pattern.value, str):
            try:
                go_regex(pattern.value)
            except re.error as err:
                raise NotEvaluated(f"the regular expression {pattern.value!r}: {err}") from None
    for below in children(node):
        _check_patterns(below)


@lru_cache(maxsize=1024)
def _parsed(source: str) -> Node:
    return parse(source)
