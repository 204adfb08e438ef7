"""How one list becomes another: which items belong together, and what moves, comes and goes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

import msgspec

_IDENTITIES = ("name", "key", "uid", "id", "type", "containerPort", "port", "mountPath", "ip")
_ENOUGH = 40_000  # pairs of items up to which all of them are weighed


def canonical(value: Any) -> bytes:
    """A value as bytes that are equal for equal values only: 1, 1.0 and true differ."""
    return msgspec.json.encode(value, order="deterministic")


class Step(NamedTuple):
    """One change. `at` and `to` are places in the list as it is then, of `size` items (a moved one taken out)."""

    kind: Literal["remove", "add", "move"]
    at: int = 0
    to: int = 0
    size: int = 0
    item: int = 0


class Script:
    """The way from one list to another; `old` and `new` are the canonical forms of their items."""

    def __init__(self, original: list[Any], modified: list[Any], old: list[bytes], new: list[bytes]) -> None:
        self._source: list[int | None] = [None] * len(new)
        """For each item of the new list its place in the old one."""
        self._stay: set[int] = set()
        """The items of the old list that keep their order among each other."""
        self._original, self._modified = original, modified
        self._old, self._new = old, new
        for before, after in _aligned(original, modified, old, new):
            self._source[after] = before
            self._stay.add(before)
        self._find_moved()

    def _find_moved(self) -> None:
        left: defaultdict[bytes, list[int]] = defaultdict(list)
        for before, item in enumerate(self._old):
            if before not in self._stay:
                left[item].append(before)
        for after, item in enumerate(self._new):
            if self._source[after] is None and left[item]:
                self._source[after] = left[item].pop(0)

    def changed(self) -> Iterator[tuple[int, int, bool]]:
        """The places of the items that stay and change, and whether they are the same thing as before."""
        for after, before in enumerate(self._source):
            if before is not None and self._old[before] != self._new[after]:
                yield before, after, _identity(self._original[before]) == _identity(self._modified[after])

    def steps(self) -> Iterator[Step]:
        """What goes, from the back; then what moves or comes, from the front."""
        used = {before for before in self._source if before is not None}
        for place in range(len(self._old) - 1, -1, -1):
            if place not in used:
                yield Step("remove", at=place)
        work: list[tuple[bool, int]] = [(True, place) for place in range(len(self._old)) if place in used]
        to = 0  # right behind the item that comes before
        for after, before in enumerate(self._source):
            if before is None:
                yield Step("add", to=to, size=len(work), item=after)
                work.insert(to, (False, after))
            else:
                at = work.index((True, before))
                if before not in self._stay:
                    work.pop(at)
                    to -= at < to
                    yield Step("move", at=at, to=to)
                    work.insert(to, (True, before))
                else:
                    to = at
            to += 1


def _aligned(original: list[Any], modified: list[Any], old: list[bytes], new: list[bytes]) -> list[tuple[int, int]]:
    """Pairs of places, in order, of the items that belong together: equal ones, and those that only changed."""
    start = 0
    while start < len(old) and start < len(new) and old[start] == new[start]:
        start += 1
    end = 0
    while end < len(old) - start and end < len(new) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    pairs = [(place, place) for place in range(start)]
    left, right = range(start, len(old) - end), range(start, len(new) - end)
    if len(left) * len(right) <= _ENOUGH:
        in_both = Counter(old[place] for place in left) & Counter(new[place] for place in right)
        pairs += _cheapest(_Costs(original, modified, old, new, in_both), left, right)
    else:
        matcher = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end], autojunk=False)
        for one, other, size in matcher.get_matching_blocks():
            pairs += [(start + one + step, start + other + step) for step in range(size)]
    return pairs + [(len(old) - end + step, len(new) - end + step) for step in range(end)]


class _Costs:
    """What there is to do for items: 2 is one operation, which what moves from one place to another shares."""

    def __init__(
        self, original: list[Any], modified: list[Any], old: list[bytes], new: list[bytes], in_both: Container[bytes]
    ) -> None:
        self._old, self._new, self._in_both = old, new, in_both
        self._before, self._after = [_identity(item) for item in original], [_identity(item) for item in modified]

    def remove(self, before: int) -> int:
        return 1 if self._old[before] in self._in_both else 2

    def add(self, after: int) -> int:
        return 1 if self._new[after] in self._in_both else 2

    def change(self, before: int, after: int) -> int:
        """To make one item of another; rather of one that is the same thing."""
        if self._old[before] == self._new[after]:
            return 0
        return 2 if self._before[before] == self._after[after] else 3


def _identity(item: Any) -> Any:
    """What tells an item from others: its keys, if it is a map; else only its type."""
    if not isinstance(item, dict):
        return type(item)
    found = tuple((key, item[key]) for key in _IDENTITIES if isinstance(item.get(key), (str, int)))
    return found or dict


def _cheapest(costs: _Costs, left: range, right: range) -> Iterator[tuple[int, int]]:
    """The pairs that leave the least to do, by dynamic programming from the back."""
    best = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for j in reversed(range(len(right))):
        best[-1][j] = best[-1][j + 1] + costs.add(right[j])
    for i in reversed(range(len(left))):
        row, below = best[i], best[i + 1]
        gone = costs.remove(left[i])
        row[-1] = below[-1] + gone
        for j in reversed(range(len(right))):
            changed = below[j + 1] + costs.change(left[i], right[j])
            row[j] = min(changed, below[j] + gone, row[j + 1] + costs.add(right[j]))
    i = j = 0
    while i < len(left) and j < len(right):
        here = best[i][j]
        if here == best[i + 1][j + 1] + costs.change(left[i], right[j]):
            yield left[i], right[j]
            i, j = i + 1, j + 1
        elif here == best[i + 1][j] + costs.remove(left[i]):
            i += 1
        else:
            j += 1
