"""Strategic merge patch: a merge patch that knows which lists merge, and by which key. Contract: MACH-42.

Directives, beside the fields of a patch:
    $patch: replace | delete          this object, or (as an item) the list around it, or the item with that key
    $retainKeys: [...]                drop every other field of the object
    $deleteFromPrimitiveList/<f>      take these values out of a list of scalars
    $setElementOrder/<f>              put a merged list into this order

The order of a merged list: what the patch names is in the patch's order, everything else as near as can be to where
it was.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from k8srt.apimachinery.documents import Document, plain
from k8srt.apimachinery.patch.error import PatchError
from k8srt.apimachinery.patch.listorder import identity, in_order, ordered
from k8srt.apimachinery.patch.merging import Kind, merging_of
from k8srt.apimachinery.structure import ANY, Structure

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
SET_ORDER = "$setElementOrder/"

Map = dict[str, Any]


def apply_strategic_merge(doc: Document, patch: Any, structure: Kind = None) -> Map:
    """Return the document with the patch applied.

    `structure` (or a class) tells how lists merge; without it the kind of the document does. Raises PatchError: 400
    if the patch or a directive has the wrong form, 415 if nothing is known of the kind, 500 (as a real server) for an
    unknown directive, a missing merge key, or a field that cannot be merged.
    """
    if not isinstance(patch, dict):
        raise PatchError("Invalid JSON Patch", 400)
    return _merge_map(plain(doc), copy.deepcopy(patch), merging_of(structure, doc))


def _merge_map(original: Map | None, patch: Map, structure: Structure) -> Map:
    """Merge an object. `patch` is a private copy, `original` is not changed."""
    if DIRECTIVE in patch:
        return _directed_map(patch)
    result = dict(original or {})
    _retain_keys(result, patch)
    for key in [key for key in patch if key.startswith(SET_ORDER)]:
        _merge_ordered(result, patch, key, structure)
    for key, value in patch.items():
        name = key.removeprefix(DELETE_FROM)
        if name != key:
            _delete_from(result, name, value, structure)
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = _merge_value(result.get(key), value, structure, key)
    return result


def _directed_map(patch: Map) -> Map:
    directive = patch.pop(DIRECTIVE)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    raise PatchError(f"unknown patch type: {directive} in map: {patch}", 500)


def _retain_keys(result: Map, patch: Map) -> None:
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    sent = {key for key, value in patch.items() if value is not None and not key.startswith((DELETE_FROM, SET_ORDER))}
    if not isinstance(kept, list) or not sent <= set(kept):
        raise PatchError("invalid patch format of retainKeys", 400)
    for key in result.keys() - set(kept):
        del result[key]


def _merge_value(original: Any, value: Any, structure: Structure, name: str) -> Any:
    if isinstance(value, dict):
        below = _child(structure, name)
        return _merge_object(original, value, below) if isinstance(original, dict) else _settled(value)
    if isinstance(value, list):
        if not isinstance(original, list):
            return _settled(value)
        below = _child(structure, name)
        return _merge_list(original, value, below) if "merge" in below.patch else value
    return value


def _merge_object(original: Map, value: Map, structure: Structure) -> Map:
    return value if "replace" in structure.patch else _merge_map(original, value, structure)


def _child(structure: Structure, name: str) -> Structure:
    """What is known of a field; nothing is where the structure does not reach, as in any JSON."""
    return structure.child(name) or ANY


def _merge_list(original: list[Any], patch: list[Any], structure: Structure) -> list[Any]:
    if not original and not patch:
        return original
    if any(isinstance(item, list) for item in (*original, *patch)):
        raise PatchError("lists of lists are not supported", 422)
    maps = [isinstance(item, dict) for item in (*original, *patch)]
    if not any(maps):
        return ordered(_unique([*original, *patch]), patch, original, None)
    key = structure.patch_key
    if not all(maps):
        raise PatchError("list element types are not identical", 500)
    if not key:
        raise PatchError(f"cannot merge lists without merge key for {structure!r}", 500)
    return _merge_list_of_maps(original, patch, key, structure.items or ANY)


def _merge_list_of_maps(original: list[Any], patch: list[Any], key: str, items: Structure) -> list[Any]:
    original, plain = _special_items(original, patch, key)
    merged = list(original)
    for item in plain:
        wanted = identity(item, key)
        place = next((index for index, each in enumerate(merged) if identity(each, key) == wanted), None)
        if place is None:
            merged.append(_settled(item))
        else:
            merged[place] = _merge_map(merged[place], item, items)
    return ordered(merged, plain, original, key)


def _special_items(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Do what the items with `$patch` say; return what is left of both lists."""
    plain, replace = [], False
    for item in patch:
        directive = item.get(DIRECTIVE)
        if directive is None:
            plain.append(item)
        elif directive == "delete":
            unwanted = identity(item, key)
            original = [each for each in original if identity(each, key) != unwanted]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch", 500)
        else:
            raise PatchError(f"unknown patch type: {directive} in map: {item}", 500)
    return (plain, []) if replace else (original, plain)


def _delete_from(result: Map, name: str, values: Any, structure: Structure) -> None:
    current = result.get(name)
    if not isinstance(values, list):
        raise PatchError("invalid patch format of primitive list", 400)
    if isinstance(current, list):
        result[name] = [item for item in current if item not in values]


def _merge_ordered(result: Map, patch: Map, key: str, structure: Structure) -> None:
    """Merge the list that `$setElementOrder/<name>` is about, in its order; takes both out of the patch."""
    order, name = patch.pop(key), key.removeprefix(SET_ORDER)
    had, sent = name in result, name in patch
    original, changes = result.get(name, []), patch.get(name, [])
    if not (isinstance(order, list) and isinstance(original, list) and isinstance(changes, list)):
        raise PatchError(f"expected a []interface {{}} for {key}", 500)
    below = _child(structure, name)
    _check_order(changes, order, below.patch_key)
    if not had and not sent:
        return
    patch.pop(name, None)
    if had and sent:
        merged = _merge_list(original, changes, below) if "merge" in below.patch else changes
    else:
        merged = original if had else _settled(changes)
    result[name] = ordered(merged, order, original, below.patch_key)


def _check_order(changes: list[Any], order: list[Any], key: str | None) -> None:
    kept = [item for item in changes if not (isinstance(item, dict) and DIRECTIVE in item)]
    if not in_order(kept, order, key):
        raise PatchError(f"The order in patch list:\n{kept}\n doesn't match {SET_ORDER[:-1]} list:\n{order}\n", 500)


def _settled(value: Any) -> Any:
    """A value as it stands alone, where there was none: without nulls and directives."""
    if isinstance(value, list):
        return [_settled(item) for item in value if not (isinstance(item, dict) and DIRECTIVE in item)]
    if not isinstance(value, dict):
        return value
    if value.get(DIRECTIVE) == "delete":
        return {}
    return {
        key: _settled(below)
        for key, below in value.items()
        if below is not None and key not in (DIRECTIVE, RETAIN_KEYS) and not key.startswith((DELETE_FROM, SET_ORDER))
    }


def _unique(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
