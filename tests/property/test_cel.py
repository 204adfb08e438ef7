"""The expression language: any text is refused in words or has a value, and numbers are those of a simple model."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from k8srt.testing.apiserver.cel.failures import CompileError, EvaluationError, NotEvaluated
from k8srt.testing.apiserver.cel.program import compile_program
from k8srt.testing.apiserver.cel.types import DYN

_WORDS = """
    self . ( ) [ ] { } ? : , ! - + * / % < <= == != >= > && || in has all exists map filter x 'a' "b" 1 2u 1.5 true
    null size matches startsWith duration timestamp quantity format a b .? [? optional none string int type
"""
PIECES = st.sampled_from(_WORDS.split())
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("ab"), below, max_size=2),
    max_leaves=8,
)


def outcome(source: str, value: Any) -> Any:
    """The value, or what is said instead; anything else that is raised fails the test."""
    try:
        return compile_program(source, {"self": DYN}).evaluate({"self": value})
    except (CompileError, EvaluationError, NotEvaluated) as err:
        return str(err)


@given(st.lists(PIECES, max_size=12).map(" ".join), DOCUMENTS)
def test_whatever_is_written_has_a_value_or_is_refused_in_words(source: str, value: Any):
    first, again = outcome(source, value), outcome(source, value)

    assert repr(first) == repr(again) != ""


@given(st.text(max_size=20))
def test_any_text_at_all_is_read_or_refused(source: str):
    assert repr(outcome(source, {})) not in ("", "''")


NUMBERS = st.recursive(
    st.integers(0, 2**62).map(lambda number: (str(number), number)),
    lambda below: st.tuples(below, st.sampled_from("+-*"), below).map(
        lambda parts: (f"({parts[0][0]} {parts[1]} {parts[2][0]})", _model(parts[0][1], parts[1], parts[2][1]))
    ),
    max_leaves=6,
)


def _model(left: int | None, operator: str, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    value = {"+": left + right, "-": left - right, "*": left * right}[operator]
    return value if -(2**63) <= value < 2**63 else None


@given(NUMBERS)
def test_whole_numbers_are_exact_or_overflow(case: tuple[str, int | None]):
    source, expected = case
    found = outcome(source, None)

    if expected is None:
        assert found == "integer overflow"
    else:
        assert found == expected


@given(DOCUMENTS, DOCUMENTS)
def test_equality_is_what_json_says(left: Any, right: Any):
    from k8srt.testing.apiserver.ssa_compare import equal

    assert outcome("self.l == self.r", {"l": left, "r": right}) is equal(left, right)
