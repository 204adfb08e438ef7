"""The fields of a custom resource that its scale is made of: what may stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8srt.testing.apiserver.failures import Cause, invalid_value
from k8srt.testing.apiserver.ssa_typed import go_plain, go_type

_MOST = 2**31 - 1


def scale_causes(obj: Mapping[str, Any], paths: Mapping[str, str] | None, *, status_only: bool) -> list[Cause]:
    """What is wrong with the replicas and the selector of an object, beside what its schema says.

    `paths` are those of the definition, None where the resource has no scale. `status_only`: a write of the status
    is not asked about the replicas that are wanted.
    """
    if paths is None:
        return []
    names = ("statusReplicasPath",) if status_only else ("specReplicasPath", "statusReplicasPath")
    causes = [cause for name in names for cause in _replicas_causes(obj, paths[name])]
    selector = paths.get("labelSelectorPath")
    if selector:
        wrong = _wrong_type(obj, selector, str, "string")
        causes += [invalid_value(selector, "", wrong)] if wrong else []
    return causes


def _replicas_causes(obj: Mapping[str, Any], path: str) -> list[Cause]:
    wrong = _wrong_type(obj, path, int, "int64")
    if wrong:
        return [invalid_value(path, 0, wrong)]
    replicas = _found(obj, path)
    if replicas is None or 0 <= replicas <= _MOST:
        return []
    text = "should be a non-negative integer" if replicas < 0 else f"should be less than or equal to {_MOST}"
    return [invalid_value(path, replicas, text)]


def _found(obj: Mapping[str, Any], path: str) -> Any:
    value: Any = obj
    for part in path.strip(".").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _wrong_type(obj: Mapping[str, Any], path: str, wanted: type, name: str) -> str:
    """What keeps the value from being read; the empty text if nothing does, or nothing is there."""
    value: Any = obj
    parts = path.strip(".").split(".")
    for index, part in enumerate(parts):
        if value is None:
            return ""
        if not isinstance(value, Mapping):
            return _accessor(parts[: index + 1], value, "map[string]interface{}")
        if part not in value:
            return ""
        value = value[part]
    return "" if type(value) is wanted else _accessor(parts, value, name)


def _accessor(parts: list[str], value: Any, wanted: str) -> str:
    where = "".join(f".{part}" for part in parts)
    return f"{where} accessor error: {go_plain(value)} is of the type {go_type(value)}, expected {wanted}"
