"""Optional values."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.overloads import function, method
from k8srt.testing.apiserver.cel.values import NONE, Optional


@function("optional.of", "(A) -> optional_type(A)")
def _of(value: Any) -> Optional:
    return Optional(True, value)


@function("optional.none", "() -> optional_type(A)")
def _none() -> Optional:
    return NONE


@function("optional.ofNonZeroValue", "(A) -> optional_type(A)")
def _of_non_zero(value: Any) -> Optional:
    return Optional(True, value) if value else NONE


@method("hasValue", "(optional_type(A)) -> bool")
def _has(value: Optional) -> bool:
    return value.has


@method("value", "(optional_type(A)) -> A")
def _value(value: Optional) -> Any:
    if not value.has:
        raise EvaluationError("optional.none() dereference")
    return value.value


@method("orValue", "(optional_type(A), A) -> A")
def _or_value(value: Optional, otherwise: Any) -> Any:
    return value.value if value.has else otherwise


@method("or", "(optional_type(A), optional_type(A)) -> optional_type(A)")
def _or(value: Optional, otherwise: Optional) -> Optional:
    return value if value.has else otherwise
