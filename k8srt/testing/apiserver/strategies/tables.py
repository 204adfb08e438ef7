"""Objects as rows: the columns a real server prints for each kind, as a row of functions per kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from k8srt.testing.apiserver.strategies.cells import Column, age, human_duration, moment
from k8srt.testing.apiserver.strategies.columns import COLUMNS
from k8srt.util.jsonpath import JSONPath, JSONPathError, printed

if TYPE_CHECKING:
    from k8srt.testing.apiserver.registry import Resource

JSON = dict[str, Any]

__all__ = ["age", "human_duration", "table_for"]

_NAME = Column("Name", "string", "name", lambda obj, now: obj["metadata"].get("name", ""))
_CREATED = Column("Created At", "date", "", lambda obj, now: obj["metadata"].get("creationTimestamp"))
_NAME_TEXT = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow "
    "a client to request the generation of an appropriate name automatically. Name is primarily intended for "
    "creation idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
_AGE = Column("Age", "string", "", age)


def _replicas_of(part: str) -> Callable[[JSON, datetime], Any]:
    return lambda obj, now: (obj.get(part) or {}).get("replicas", 0)


def table_for(resource: Resource, objects: list[JSON], now: datetime) -> tuple[list[JSON], list[JSON]]:
    """Column definitions, and a row for each object."""
    columns = _SCALE_COLUMNS if objects and objects[0].get("kind") == "Scale" else _columns(resource)
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description or (_NAME_TEXT if column.format == "name" else column.name),
            "priority": column.priority,
        }
        for column in columns
    ]
    rows: list[JSON] = [{"cells": [column.cell(obj, now) for column in columns]} for obj in objects]
    if resource.table == "pods":
        for obj, row in zip(objects, rows, strict=True):
            if (conditions := _finished(obj)) is not None:
                row["conditions"] = conditions
    return definitions, rows


_CREATED_TEXT = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not "
    "guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is "
    "represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
_SCALE_COLUMNS = [
    _NAME,
    Column("Desired", "integer", "", _replicas_of("spec"), 0, "Number of desired replicas"),
    Column("Available", "integer", "", _replicas_of("status"), 0, "Number of actual replicas"),
    Column("Age", "date", "", age, 0, _CREATED_TEXT),
]


def has_columns(resource: Resource) -> bool:
    """Whether the kind has a printer of its own; a table without one and without rows has null for rows."""
    return resource.custom is not None or resource.table in COLUMNS


def _columns(resource: Resource) -> list[Column]:
    if resource.custom is not None:
        return [_NAME, *(_custom_column(each) for each in resource.custom.columns or (_CREATION_COLUMN,))]
    known = COLUMNS.get(resource.table)
    if known is None:
        return [_NAME, _CREATED]
    return known


def _finished(pod: JSON) -> list[JSON] | None:
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Succeeded":
        return [{"type": "Completed", "status": "True", "reason": "Succeeded",
                 "message": "The pod has completed successfully."}]  # fmt: skip
    if phase == "Failed":
        return [{"type": "Completed", "status": "True", "reason": "Failed",
                 "message": "The pod failed to complete successfully"}]  # fmt: skip
    return None


# ---- custom resources

_CREATION_COLUMN = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": _CREATED_TEXT,
}


def _custom_column(spec: JSON) -> Column:
    find = column_path(spec.get("jsonPath", ""))
    kind = spec.get("type", "string")

    def cell(obj: JSON, now: datetime) -> Any:
        found = find(obj)
        return _cell(found, kind, now)

    text = spec.get("description") or f"Custom resource definition column (in JSONPath format): {spec['jsonPath']}"
    return Column(spec["name"], kind, spec.get("format", ""), cell, spec.get("priority", 0), text)


def column_path(text: str) -> Callable[[JSON], list[Any]]:
    """Compile the path of a column, which is a JSONPath without its braces; where it leads nowhere is no error."""
    path = JSONPath(f"{{{text}}}", allow_missing_keys=True)

    def find(obj: JSON) -> list[Any]:
        try:
            return next(iter(path.find(obj)), [])
        except JSONPathError:
            return []

    return find


def _cell(found: list[Any], kind: str, now: datetime) -> Any:
    value = found[0] if found else None
    if value is None:
        return None
    if kind == "string":
        return printed(value)
    if kind == "date":
        parsed = moment(value)
        return human_duration(now - parsed) if parsed else "<unknown>"
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if kind == "number":
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return value
