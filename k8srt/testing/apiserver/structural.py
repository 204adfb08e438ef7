"""Custom resources and their structural schema: pruning, defaulting, validation.

    unknown = prune(obj, structure)      # 1. drop what the schema does not know, and tell
    drop_nulls(obj, structure)           # 2. drop nulls where null is no value
    default(obj, structure)              # 3. fill in defaults
    causes = validate(obj, structure)    # 4. check

The first three change the object in place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from k8srt.apimachinery.structure import ABSENT, ANY, Structure
from k8srt.testing.apiserver.failures import Cause, duplicate, invalid_value, required
from k8srt.testing.apiserver.schema_values import value_errors
from k8srt.testing.apiserver.ssa_typed import ItemError, item_element

JSON = dict[str, Any]

_HEADERS = ("apiVersion", "kind", "metadata")
_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)


def _below(value: Any, structure: Structure, path: str) -> Iterator[tuple[Any, Structure, str]]:
    """The values below one that have a structure, and where they are."""
    if isinstance(value, dict):
        for name, item in value.items():
            child = structure.child(name)
            if child is not None:
                yield item, child, f"{path}.{name}" if path else name
    elif isinstance(value, list) and structure.items is not None:
        for index, item in enumerate(value):
            yield item, structure.items, f"{path}[{index}]"


# ---- pruning


def prune(obj: Any, structure: Structure) -> list[str]:
    """Remove unknown fields; return their paths (`spec.list[0].junk`), sorted as text."""
    return sorted(_prune(obj, structure, ""))


def _prune(value: Any, structure: Structure, path: str) -> Iterator[str]:
    if structure.kind == "any":
        return
    if isinstance(value, dict) and structure.kind in ("object", "map"):
        for name in [name for name in value if structure.child(name) is None]:
            del value[name]
            yield f"{path}.{name}" if path else name
    for item, child, where in _below(value, structure, path):
        yield from _prune(item, child, where)


# ---- nulls and defaults


def drop_nulls(obj: Any, structure: Structure) -> None:
    """Remove the nulls of fields that are not nullable: on a server they count as absent."""
    if isinstance(obj, dict) and structure.kind == "object":
        for name in [name for name, item in obj.items() if item is None]:
            child = structure.fields.get(name)
            if child is not None and not child.nullable and child.kind != "any":
                del obj[name]
    elif isinstance(obj, dict) and _drops_nulls(structure.values):
        for name in [name for name, item in obj.items() if item is None]:
            del obj[name]
    for item, child, _ in _below(obj, structure, ""):
        drop_nulls(item, child)


def _drops_nulls(values: Structure | None) -> bool:
    return values is not None and not values.nullable and values.kind != "any" and values.default is ABSENT


def default(obj: Any, structure: Structure) -> None:
    """Fill in defaults: for fields that are absent, or null where null is no value; also inside of defaults."""
    if isinstance(obj, dict) and structure.kind == "object":
        for name, child in structure.fields.items():
            missing = name not in obj or (obj[name] is None and not child.nullable)
            if missing and child.default is not ABSENT:
                obj[name] = copy.deepcopy(child.default)
    elif isinstance(obj, dict) and structure.values is not None and structure.values.default is not ABSENT:
        for name, item in obj.items():
            if item is None and not structure.values.nullable:
                obj[name] = copy.deepcopy(structure.values.default)
    elif isinstance(obj, list) and structure.items is not None and structure.items.default is not ABSENT:
        for index, item in enumerate(obj):
            if item is None and not structure.items.nullable:
                obj[index] = copy.deepcopy(structure.items.default)
    for item, child, _ in _below(obj, structure, ""):
        if child.schema is not None:
            default(item, child)


# ---- validation


def validate(obj: JSON, structure: Structure, old: JSON | None = None, scale: Sequence[Cause] = ()) -> list[Cause]:
    """Check a custom resource. Fields that have not changed since `old` may stay as wrong as they are.

    `scale` is what is wrong with its replicas, which is told after what the schema says.
    """
    schema = structure.schema or {}
    causes = [*value_errors(obj, schema, "", ABSENT if old is None else old), *scale]
    causes.extend(_new_duplicates(obj, structure, old))
    causes.extend(_embedded_errors(obj, structure, ""))
    return causes


def validate_status(
    obj: JSON, structure: Structure, old: JSON | None = None, scale: Sequence[Cause] = ()
) -> list[Cause]:
    """Check the status of a custom resource, by itself: messages call fields as seen from there."""
    below = ((structure.schema or {}).get("properties") or {}).get("status")
    causes: list[Cause] = []
    if below is not None and "status" in obj:
        before = ABSENT if old is None else old.get("status", ABSENT)
        causes = [_within("status", cause) for cause in value_errors(obj["status"], below, "", before)]
    return [*causes, *scale, *_new_duplicates(obj, structure, old)]


def _within(place: str, cause: Cause) -> Cause:
    if cause.field == "<nil>":
        return cause
    dot = "." if cause.field and not cause.field.startswith("[") else ""
    return replace(cause, field=f"{place}{dot}{cause.field}")


def _new_duplicates(obj: JSON, structure: Structure, old: JSON | None) -> list[Cause]:
    """What is twice in a list that says that nothing is; what was so before may stay."""
    found = list(_duplicates(obj, structure, ""))
    return [] if found and old is not None and list(_duplicates(old, structure, "")) else found


def unchecked_rules(causes: list[Cause]) -> Cause | None:
    """What a server adds when a schema has CEL rules and the errors so far keep it from looking at them."""
    if not any(cause.reason in _BLOCKING for cause in causes):
        return None
    text = (
        "some validation rules were not checked because the object was invalid; "
        "correct the existing errors to complete validation"
    )
    return invalid_value("<nil>", None, text)


def has_rules(schema: Mapping[str, Any]) -> bool:
    """Whether a schema has CEL rules anywhere."""
    if schema.get("x-kubernetes-validations"):
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("additionalProperties"), schema.get("items")]
    return any(has_rules(each) for each in below if isinstance(each, Mapping))


def _duplicates(value: Any, structure: Structure, path: str) -> Iterator[Cause]:
    if isinstance(value, list) and structure.list_type in ("set", "map"):
        seen: set[str] = set()
        for index, item in enumerate(value):
            element = _element(structure, item)
            if element in seen:
                shown = item if structure.list_type == "set" else _keys(structure, item)
                yield duplicate(f"{path}[{index}]", shown)
            seen.add(element or f"i:{index}")
    for item, child, where in _below(value, structure, path):
        if child.schema is not None:
            yield from _duplicates(item, child, where)


def _element(structure: Structure, item: Any) -> str | None:
    try:
        return item_element(structure, item)
    except ItemError:
        return None  # a key that is missing is told by the schema


def _keys(structure: Structure, item: Mapping[str, Any]) -> JSON:
    items = structure.items or ANY
    defaults = {key: (items.child(key) or ANY).default for key in structure.keys}
    return {key: item.get(key, defaults[key]) for key in sorted(structure.keys)}


def embedded_metadata(value: Any, structure: Structure, path: str = "") -> Iterator[tuple[str, Any]]:
    """The metadata of embedded objects, and where it stands."""
    if structure.embedded and isinstance(value, dict) and "metadata" in value:
        yield f"{path}.metadata", value["metadata"]
    for item, child, where in _below(value, structure, path):
        if child.schema is not None:
            yield from embedded_metadata(item, child, where)


def _embedded_errors(value: Any, structure: Structure, path: str) -> Iterator[Cause]:
    if structure.embedded and isinstance(value, dict):
        for name in ("apiVersion", "kind"):
            if not value.get(name):
                yield required(f"{path}.{name}")
    for item, child, where in _below(value, structure, path):
        if child.schema is not None:
            yield from _embedded_errors(item, child, where)
