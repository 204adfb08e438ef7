"""What can be done with lists and sets."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError
from k8srt.testing.apiserver.cel.overloads import function, method
from k8srt.testing.apiserver.cel.values import compare, contains, equal, kind_of


@method("isSorted", "(list(A)) -> bool")
def _is_sorted(items: list[Any]) -> bool:
    return all(compare(a, b) <= 0 for a, b in pairwise(items))


@method("sum", "(list(A)) -> A")
def _sum(items: list[Any]) -> Any:
    from k8srt.testing.apiserver.cel.evaluator import call_function

    if not items:
        return 0
    total = items[0]
    for item in items[1:]:
        total = call_function("_+_", [total, item])
    return total


@method("min", "(list(A)) -> A")
def _min(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("min called on empty list")
    return min(items, key=cmp_to_key(compare))


@method("max", "(list(A)) -> A")
def _max(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("max called on empty list")
    return max(items, key=cmp_to_key(compare))


@method("indexOf", "(list(A), A) -> int")
def _index(items: list[Any], value: Any) -> int:
    return next((index for index, item in enumerate(items) if equal(item, value)), -1)


@method("lastIndexOf", "(list(A), A) -> int")
def _last_index(items: list[Any], value: Any) -> int:
    return next((index for index in reversed(range(len(items))) if equal(items[index], value)), -1)


@method("distinct", "(list(A)) -> list(A)")
def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not contains(found, item):
            found.append(item)
    return found


@method("flatten", "(list(dyn)) -> list(dyn)", "(list(dyn), int) -> list(dyn)")
def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if isinstance(item, list) and depth > 0:
            found += _flatten(item, depth - 1)
        else:
            found.append(item)
    return found


@method("slice", "(list(A), int, int) -> list(A)")
def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(items):
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


@method("reverse", "(list(A)) -> list(A)")
def _reverse(items: list[Any]) -> list[Any]:
    return list(reversed(items))


@method("sort", "(list(A)) -> list(A)")
def _sort(items: list[Any]) -> list[Any]:
    return sorted(items, key=cmp_to_key(compare))


@function("lists.range", "(int) -> list(int)")
def _range(count: int) -> list[int]:
    return list(range(count))


# ---- sets


@function("sets.contains", "(list(A), list(A)) -> bool")
def _set_contains(items: list[Any], others: list[Any]) -> bool:
    return all(contains(items, each) for each in others)


@function("sets.equivalent", "(list(A), list(A)) -> bool")
def _set_equivalent(items: list[Any], others: list[Any]) -> bool:
    return _set_contains(items, others) and _set_contains(others, items)


@function("sets.intersects", "(list(A), list(A)) -> bool")
def _set_intersects(items: list[Any], others: list[Any]) -> bool:
    return any(contains(items, each) for each in others)


# ---- the least and the greatest


@function("math.greatest", *(f"({', '.join(['dyn'] * count)}) -> dyn" for count in range(1, 6)))
def _greatest(*values: Any) -> Any:
    return max(_numbers(values), key=cmp_to_key(compare))


@function("math.least", *(f"({', '.join(['dyn'] * count)}) -> dyn" for count in range(1, 6)))
def _least(*values: Any) -> Any:
    return min(_numbers(values), key=cmp_to_key(compare))


def _numbers(values: tuple[Any, ...]) -> list[Any]:
    found = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    if not found or any(kind_of(each) not in ("int", "uint", "double") for each in found):
        raise EvaluationError("no such overload")
    return list(found)
