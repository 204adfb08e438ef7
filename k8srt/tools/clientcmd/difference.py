"""What changed between two plain documents, put into a third that holds more than either.

A file holds what no model knows: other keys, `yes` as it was written, an order. `patched` changes in it what differs
and nothing else. Lists whose items have names are matched by name.

Contract: KCFG-34, KCFG-41.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def patched(raw: Any, before: Any, after: Any) -> Any:
    """`raw` with the difference between `before` and `after`; neither of the three is changed."""
    if before == after:
        return raw
    if isinstance(after, Mapping):
        return _mapping(_or(raw, {}), _or(before, {}), after)
    if _is_named(after) and (before is None or _is_named(before)):
        return _named(_or(raw, []), before or [], after)
    return after


def _mapping(raw: Mapping[Any, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Any, Any]:
    kept = {key: value for key, value in raw.items() if key in after or key not in before}
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    return {**kept, **{key: patched(raw.get(key), before.get(key), value) for key, value in changed.items()}}


def _named(raw: list[Any], before: list[Any], after: list[Any]) -> list[Any]:
    olds, news = ({item["name"]: item for item in items} for items in (before, after))
    items = {_name(item): item for item in raw}
    kept = [
        patched(item, olds.get(name), news[name]) if name in news else item
        for name, item in items.items()
        if name in news or name not in olds
    ]
    return kept + [item for name, item in news.items() if name not in items]


def _or(value: Any, empty: Any) -> Any:
    """The value, or the empty one when it is of another type."""
    return value if isinstance(value, type(empty)) else empty


def _name(item: Any) -> str:
    return str(item.get("name") or "") if isinstance(item, Mapping) else ""


def _is_named(value: Any) -> bool:
    """Whether this is a list of mappings with names, each once."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and "name" in item for item in value):
        return False
    return len({item["name"] for item in value}) == len(value)
