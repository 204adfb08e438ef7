"""An object as server-side apply sees it on a real server: with the structs that Go always has.

Ownership of `f:strategy` itself (its `.`) is noted only when the struct appears. In Go's types a struct that's no
pointer never appears or vanishes, nor does a list that is written even when it's empty; so they are filled in before
two objects are compared. Custom resources are plain maps there, and are left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8srt.apimachinery.structure import Structure


def go_view(value: Any, structure: Structure) -> Any:
    """A document with those structs and lists filled in; shares what is not changed."""
    if structure.schema is not None:
        return _view_of_metadata(value, structure)
    if isinstance(value, Mapping):
        return _view_of_map(value, structure)
    if isinstance(value, list) and structure.items is not None and structure.items.kind == "object":
        items = structure.items
        return [go_view(item, items) for item in value]
    return value


def _view_of_metadata(value: Any, structure: Structure) -> Any:
    """A custom resource always has metadata; the rest is as it came."""
    if isinstance(value, Mapping) and "metadata" in structure.fields:
        return {**value, "metadata": value.get("metadata") or {}}
    return value


def _view_of_map(value: Mapping[str, Any], structure: Structure) -> Any:
    if structure.kind == "map" and structure.values is not None and structure.values.kind != "object":
        return value
    result = {}
    for name, item in value.items():
        below = structure.child(name)
        result[name] = item if below is None or below.kind == "any" else go_view(item, below)
    if structure.kind == "object":
        _fill(result, structure)
    return result


def _fill(result: dict[str, Any], structure: Structure) -> None:
    for name, below in structure.fields.items():
        if result.get(name) is not None:
            continue
        if below.inline:
            result[name] = go_view({}, below)
        elif below.required and below.kind in ("list", "map"):
            result[name] = None
