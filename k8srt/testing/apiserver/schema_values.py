"""Values against a JSON schema, as CRDs have them; messages as a server words them.

After kube-openapi's validators: every keyword is checked on its own, so one value may fail several times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from k8srt.apimachinery.structure import ABSENT
from k8srt.testing.apiserver.failures import Cause, invalid_value, not_supported, required, shown, too_long
from k8srt.testing.apiserver.schema_formats import has_format, matches
from k8srt.testing.apiserver.ssa_compare import equal

Schema = Mapping[str, Any]

_INT_RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "uint64": (0, 2**64 - 1)}
_FLOAT32 = 3.4028234663852886e38
_INT64 = (-(2**63), 2**63 - 1)


def value_errors(value: Any, schema: Schema, path: str = "", old: Any = ABSENT) -> list[Cause]:
    """What is wrong with a value. What has not changed since `old` is not looked at (ratcheting)."""
    if old is not ABSENT and equal(old, value):
        return []
    if value is None:
        types = _types(schema)
        wrong = [_type_error(path, types, "null")] if types and not schema.get("nullable") else []
        return [*wrong, *_enum_errors(value, schema, path)] if wrong else []
    return [
        *_type_errors(value, schema, path),
        *_composition_errors(value, schema, path),
        *_scalar_errors(value, schema, path),
        *_enum_errors(value, schema, path),
        *_list_errors(value, schema, path, old),
        *_object_errors(value, schema, path, old),
    ]


# ---- types


def json_type(value: Any) -> str:
    """The name JSON schema has for a value's type."""
    if isinstance(value, bool):
        return "boolean"
    names: list[tuple[type, str]] = [(str, "string"), (int, "integer"), (float, "number"), (list, "array")]
    return next((name for kind, name in names if isinstance(value, kind)), "null" if value is None else "object")


def go_name(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    name = json_type(value)
    return {"integer": "number", "boolean": "bool"}.get(name, name)


def _types(schema: Schema) -> list[str]:
    if schema.get("x-kubernetes-int-or-string"):
        return ["integer", "string"]
    return [schema["type"]] if schema.get("type") else []


def _type_error(path: str, types: list[str], actual: str) -> Cause:
    text = f'{path} in body must be of type {",".join(types)}: "{actual}"'
    return Cause("FieldValueTypeInvalid", path, f"Invalid value: {shown(actual)}: {text}")


def _type_errors(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    types, actual = _types(schema), json_type(value)
    whole = actual == "number" and float(value).is_integer() and "integer" in types
    if types and actual not in types and not whole and not (actual == "integer" and "number" in types):
        yield _type_error(path, types, actual)


# ---- texts and numbers


def _scalar_errors(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    if isinstance(value, str):
        yield from _text_errors(value, schema, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number_errors(value, schema, path)


def _wrong(path: str, value: Any, why: str) -> Cause:
    return invalid_value(path, value, f"{path} in body {why}")


def _text_errors(value: str, schema: Schema, path: str) -> Iterator[Cause]:
    """Of length and pattern, only the first fault is told; the format is looked at in any case."""
    if (limit := schema.get("maxLength")) is not None and len(value) > limit:
        yield too_long(path, limit)
    elif (least := schema.get("minLength")) is not None and len(value) < least:
        yield _wrong(path, value, f"should be at least {least} chars long")
    elif (pattern := schema.get("pattern")) and not matches(pattern, value):
        yield _wrong(path, value, f"should match '{pattern}'")
    format = schema.get("format")
    if format and not has_format(value, format):
        text = f'{path} in body must be of type {format}: "{value}"'
        yield Cause("FieldValueTypeInvalid", path, f"Invalid value: {shown(value)}: {text}")


def _number_errors(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    yield from _range_errors(value, schema, path)
    factor = schema.get("multipleOf")
    if factor and isinstance(value, int):
        factor = int(factor)  # whole numbers are divided by whole ones
    if factor is not None and factor <= 0:
        yield invalid_value(path, value, f"factor MultipleOf declared for {path} must be positive: {go_number(factor)}")
    elif factor and not _is_multiple(value, factor):
        yield _wrong(path, value, f"should be a multiple of {go_number(factor)}")
    highest, lowest = schema.get("maximum"), schema.get("minimum")
    if highest is not None:
        open_end = bool(schema.get("exclusiveMaximum"))
        if value > highest or (open_end and value == highest):
            yield _wrong(path, value, f"should be less than {'' if open_end else 'or equal to '}{go_number(highest)}")
    if lowest is not None:
        open_end = bool(schema.get("exclusiveMinimum"))
        if value < lowest or (open_end and value == lowest):
            yield _wrong(path, value, f"should be greater than {'' if open_end else 'or equal to '}{go_number(lowest)}")


def _range_errors(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    format = schema.get("format") or ""
    if format == "float" and schema.get("type") == "number" and abs(value) > _FLOAT32:
        yield pathless(f"Checked value must be of type number with format float in {path}")
    if schema.get("type") != "integer":
        return
    low, high = _INT_RANGES.get(format, _INT64)
    if not float(value).is_integer() or not low <= value <= high:
        kind = f"with format {format}" if format else "(default format)"
        yield pathless(f"Checked value must be of type integer {kind} in {path}")


def pathless(message: str) -> Cause:
    """An error that a server reports without saying where."""
    return Cause("FieldValueInvalid", "<nil>", f'Invalid value: "": {message}')


def _is_multiple(value: float, factor: float) -> bool:
    times = value / factor
    return math.isfinite(times) and abs(times - round(times)) < 1e-9


def go_number(value: float) -> str:
    """A number as Go prints a float64 with %v."""
    if float(value).is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(float(value))


def _enum_errors(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed and not any(equal(value, each) for each in allowed):
        yield not_supported(path, value, [each if isinstance(each, str) else shown(each) for each in allowed])


# ---- lists and objects


def _too_many(path: str, actual: int, limit: int) -> Cause:
    noun = "item" if limit == 1 else "items"
    return Cause("FieldValueTooMany", path, f"Too many: {actual}: must have at most {limit} {noun}")


def _list_errors(value: Any, schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    if not isinstance(value, list):
        return
    if (limit := schema.get("maxItems")) is not None and len(value) > limit:
        yield _too_many(path, len(value), limit)
    if (least := schema.get("minItems")) is not None and len(value) < least:
        yield invalid_value(path, len(value), f"{path} in body should have at least {least} items")
    items = schema.get("items")
    if isinstance(items, Mapping):
        before = _items_by_key(old, schema)
        for index, item in enumerate(value):
            yield from value_errors(item, items, f"{path}[{index}]", before.get(_key(item, schema), ABSENT))


def _key(item: Any, schema: Schema) -> Any:
    """What tells a list item from its siblings, so that it can be found in the old list; None: nothing does."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") != "map" or not keys or not isinstance(item, Mapping):
        return None
    return tuple(shown(item.get(key)) for key in keys)


def _items_by_key(old: Any, schema: Schema) -> dict[Any, Any]:
    found = {_key(item, schema): item for item in old} if isinstance(old, list) else {}
    found.pop(None, None)
    return found


def _object_errors(value: Any, schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    if not isinstance(value, Mapping):
        return
    if (limit := schema.get("maxProperties")) is not None and len(value) > limit:
        yield _too_many(path, len(value), limit)
        return
    if (least := schema.get("minProperties")) is not None and len(value) < least:
        yield invalid_value(path, len(value), f"{path} in body should have at least {least} properties")
        return
    properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
    before: Mapping[str, Any] = old if isinstance(old, Mapping) else {}
    for name, item in value.items():
        below = properties.get(name, more)
        where = f"{path}.{name}" if path else name
        if isinstance(below, Mapping):
            yield from value_errors(item, below, where, before.get(name, ABSENT))
        elif below is False:
            yield _wrong(where, item, "is a forbidden property")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(f"{path}.{name}" if path else name)


# ---- schemas of schemas


def _composition_errors(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get("allOf"):
        yield from _all_of(value, schema["allOf"], path)
    if schema.get("anyOf"):
        yield from _any_of(value, schema["anyOf"], path)
    if schema.get("oneOf"):
        yield from _one_of(value, schema["oneOf"], path)
    if schema.get("not") is not None and not value_errors(value, schema["not"], path):
        yield pathless(f'"{path}" must not validate the schema (not)')


def _all_of(value: Any, schemas: list[Schema], path: str) -> Iterator[Cause]:
    results = [value_errors(value, each, path) for each in schemas]
    failed = [result for result in results if result]
    for result in failed:
        yield from result
    if failed:
        told = ". None validated" if len(failed) == len(results) else ""
        yield pathless(f'"{path}" must validate all the schemas (allOf){told}')


def _any_of(value: Any, schemas: list[Schema], path: str) -> Iterator[Cause]:
    results = [value_errors(value, each, path) for each in schemas]
    if all(results):
        yield pathless(f'"{path}" must validate at least one schema (anyOf)')
        yield from min(results, key=len)


def _one_of(value: Any, schemas: list[Schema], path: str) -> Iterator[Cause]:
    results = [value_errors(value, each, path) for each in schemas]
    valid = sum(not result for result in results)
    if valid == 1:
        return
    told = f"Found {valid} valid alternatives" if valid else "Found none valid"
    yield pathless(f'"{path}" must validate one and only one schema (oneOf). {told}')
    if not valid:
        yield from min(results, key=len)
