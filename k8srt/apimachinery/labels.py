"""Label selectors: which objects, by their labels.

    selector = parse("app=web,tier in (front,back),!legacy")
    selector.matches({"app": "web", "tier": "front"})      # True

Selectors are immutable and hashable; any thread may use them. `as_selector` takes whatever a person may write: text,
a dict of labels, a `LabelSelector`, a selector. Contract: MACH-01 to MACH-09.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8srt.apimachinery._requirement import EXACT, Operator, Requirement, SelectorError, requirement
from k8srt.apimachinery._selectorparser import parse_requirements

__all__ = [
    "Operator",
    "Requirement",
    "Selector",
    "SelectorError",
    "as_selector",
    "everything",
    "format_label_selector",
    "from_set",
    "label_selector_as_selector",
    "nothing",
    "parse",
    "requirement",
    "validated_selector_from_set",
]

_EXPRESSIONS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


class Selector:
    """Requirements that must all hold. `requirements` is sorted by key. Immutable, hashable, thread-safe."""

    __slots__ = ("_equal", "_other", "_text", "matchable", "requirements")

    requirements: tuple[Requirement, ...]
    matchable: bool

    def __init__(self, requirements: Iterable[Requirement] = (), *, matchable: bool = True) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda each: each.key))
        self.matchable = matchable
        # Nearly every selector is a few equalities: those are compared without a call each.
        self._equal = tuple((each.key, *each.values) for each in self.requirements if each.operator in EXACT)
        self._other = tuple(each for each in self.requirements if each.operator not in EXACT)
        self._text: str | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy every requirement. Contract: MACH-02."""
        get = labels.get
        for key, value in self._equal:
            if get(key) != value:
                return False
        for each in self._other:
            if not each.matches(labels):
                return False
        return self.matchable

    @property
    def empty(self) -> bool:
        """Whether it selects everything. Contract: MACH-05."""
        return self.matchable and not self.requirements

    def requires_exact_match(self, key: str) -> str | None:
        """The only value of `key` that can match, if an equality says so; else None. Contract: MACH-09."""
        for each in self.requirements:
            if each.key == key and (each.operator in EXACT or each.operator is Operator.IN) and len(each.values) == 1:
                return next(iter(each.values))
        return None

    def add(self, *requirements: Requirement) -> Selector:
        """A selector that demands these too."""
        return Selector((*self.requirements, *requirements), matchable=self.matchable)

    def __str__(self) -> str:
        if self._text is None:
            self._text = ",".join(map(str, self.requirements))
        return self._text

    def __repr__(self) -> str:
        return f"Selector({str(self)!r})" if self.matchable else "Selector(nothing)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selector):
            return NotImplemented
        return self.matchable == other.matchable and self.requirements == other.requirements

    def __hash__(self) -> int:
        return hash((self.matchable, self.requirements))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.requirements, self.matchable)


def _rebuild(requirements: tuple[Requirement, ...], matchable: bool) -> Selector:
    return Selector(requirements, matchable=matchable)


_EVERYTHING = Selector()
_NOTHING = Selector(matchable=False)


def everything() -> Selector:
    """The selector that matches all. Its text is empty. Contract: MACH-05."""
    return _EVERYTHING


def nothing() -> Selector:
    """The selector that matches none; it cannot be written as text. Contract: MACH-05."""
    return _NOTHING


def parse(text: str) -> Selector:
    """Read a selector from text. Raises SelectorError. Contract: MACH-01, MACH-04."""
    return Selector(parse_requirements(text))


def from_set(labels: Mapping[str, str] | None) -> Selector:
    """Equality with each label, unchecked; no labels match everything. Contract: MACH-07."""
    return Selector(Requirement(key, Operator.EQUALS, frozenset((value,))) for key, value in (labels or {}).items())


def validated_selector_from_set(labels: Mapping[str, str] | None) -> Selector:
    """Equality with each label. Raises SelectorError on a bad key or value. Contract: MACH-07."""
    return Selector(requirement(key, Operator.EQUALS, (value,)) for key, value in (labels or {}).items())


def label_selector_as_selector(selector: Any) -> Selector:
    """Turn a `LabelSelector` (struct or dict) into a selector. None matches nothing, an empty one everything.

    Raises SelectorError. Contract: MACH-08.
    """
    if selector is None:
        return nothing()
    labels, expressions = _selector_parts(selector)
    found = [requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items()]
    for key, name, values in expressions:
        operator = _EXPRESSIONS.get(name)
        if operator is None:
            raise SelectorError(f'"{name}" is not a valid label selector operator')
        found.append(requirement(key, operator, values))
    return Selector(found)


def _selector_parts(selector: Any) -> tuple[Mapping[str, str], list[tuple[str, str, list[str]]]]:
    if isinstance(selector, Mapping):
        expressions = selector.get("matchExpressions") or ()
        listed = [(each["key"], each.get("operator", ""), each.get("values") or []) for each in expressions]
        return selector.get("matchLabels") or {}, listed
    listed = [(each.key, each.operator or "", each.values or []) for each in selector.match_expressions or ()]
    return selector.match_labels or {}, listed


def format_label_selector(selector: Any) -> str:
    """The text of a `LabelSelector`: `<none>` for an empty one, `<error>` for an invalid one. Contract: MACH-08."""
    try:
        return str(label_selector_as_selector(selector)) or "<none>"
    except SelectorError:
        return "<error>"


SelectorLike = str | Mapping[str, Any] | Selector | None | Any


def as_selector(value: SelectorLike) -> Selector:
    """Understand what a person wrote: text, labels, a LabelSelector (struct or dict), a selector; None is everything.

    Raises SelectorError.
    """
    if isinstance(value, Selector):
        return value
    if value is None:
        return everything()
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, Mapping) and not ({"matchLabels", "matchExpressions"} & value.keys()):
        return validated_selector_from_set(value)
    return label_selector_as_selector(value)
