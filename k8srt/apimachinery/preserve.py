"""Writing a touched part without losing what the models do not know.

A struct holds the fields of the model. When a part that came from a server is written again, the fields it had and
the model lacks are put back where they were, so that a client older than its server erases nothing (USR-27).
All functions work on plain JSON values; none changes its arguments.
"""

from __future__ import annotations

from typing import Any

_IDENTITIES = ("name", "key", "type", "uid", "containerPort", "port", "mountPath", "devicePath", "ip", "topologyKey")


def restore_unknown(new: Any, original: Any, known: Any) -> Any:
    """Return `new` with what `original` has beyond `known`, and what's as it was in the very form it came in.

    `known` is `original` after a pass through the model: what is in the one and not in the other is unknown to it.
    """
    if new == known:
        return original
    if isinstance(new, dict) and isinstance(original, dict) and isinstance(known, dict):
        return _restore_in_map(new, original, known)
    if isinstance(new, list) and isinstance(original, list) and isinstance(known, list):
        return _restore_in_list(new, original, known)
    return new


def _restore_in_map(new: dict[str, Any], original: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    result = dict(new)
    for key, value in original.items():
        if key in known:
            if key in new:
                result[key] = restore_unknown(new[key], value, known[key])
        else:
            result.setdefault(key, value)
    return result


def _restore_in_list(new: list[Any], original: list[Any], known: list[Any]) -> list[Any]:
    """Items are matched by what identifies them; without that by position, as long as none came or went."""
    if len(original) != len(known) or not any(isinstance(item, (dict, list)) for item in original):
        return new
    place = _places(known)
    result = []
    for position, item in enumerate(new):
        at = place.get(_identity(item)) if place else (position if len(new) == len(known) else None)
        result.append(item if at is None else restore_unknown(item, original[at], known[at]))
    return result


def _places(items: list[Any]) -> dict[Any, int] | None:
    places = {_identity(item): index for index, item in enumerate(items)}
    return places if len(places) == len(items) and None not in places else None


def _identity(item: Any) -> Any:
    if not isinstance(item, dict):
        return None
    found = tuple((key, item[key]) for key in _IDENTITIES if isinstance(item.get(key), (str, int)))
    return found or None
