"""The order of a merged list: first the wish of the patch, then the order there was.

Items are told apart by their merge key, or by themselves if they are scalars (`key` is None).
"""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery.patch.error import PatchError


def identity(item: Any, key: str | None) -> Any:
    """What tells an item from others. Raises PatchError (500) for a map without its merge key."""
    if not key:
        return item
    if not isinstance(item, dict) or key not in item:
        raise PatchError(f"map: {item} does not contain declared merge key: {key}", 500)
    return item[key]


def _positions(items: list[Any], key: str | None) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for index, item in enumerate(items):
        found.setdefault(identity(item, key), index)
    return found


def ordered(merged: list[Any], wish: list[Any], before: list[Any], key: str | None) -> list[Any]:
    """Sort a merged list: items of `wish` in its order, the others inserted by the order they had `before`."""
    wished, had = _positions(wish, key), _positions(before, key)
    patch = [item for item in merged if identity(item, key) in wished]
    others = [item for item in merged if identity(item, key) not in wished]
    patch.sort(key=lambda item: wished[identity(item, key)])
    others.sort(key=lambda item: had.get(identity(item, key), len(had)))
    return _interleaved(others, patch, had, key)


def _interleaved(left: list[Any], right: list[Any], had: dict[Any, int], key: str | None) -> list[Any]:
    """Put each item of `left` before the first of `right` that it stood in front of."""
    result, place = [], 0
    for item in right:
        here = had.get(identity(item, key))
        while place < len(left) and here is not None:
            there = had.get(identity(left[place], key))
            if there is None or there >= here:
                break
            result.append(left[place])
            place += 1
        result.append(item)
    return result + left[place:]


def in_order(items: list[Any], order: list[Any], key: str | None) -> bool:
    """Whether `order` names every item, in their relative order."""
    positions = _positions(order, key)
    places = [positions.get(identity(item, key), -1) for item in items]
    return -1 not in places and places == sorted(places)
