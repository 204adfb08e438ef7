"""Field ownership between an object and its scale: they share one field, the number of replicas.

A write through `scale` is a write of autoscaling/v1 Scale; its managers must come out of the object's, and go back
into them. After managedfields.ScaleHandler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8srt.apimachinery.fieldset import FieldSet, Path
from k8srt.testing.apiserver.ssa_managers import Managers, Owned, read_managers, write_managers

JSON = dict[str, Any]
ReplicaPaths = Mapping[str, Path | None]
"""Version of the object → where its replicas are (`("f:spec", "f:replicas")`); None: nowhere in that version."""

SCALE_VERSION = "autoscaling/v1"
_IN_SCALE: Path = ("f:spec", "f:replicas")


def scale_managers(entries: list[JSON] | None, paths: ReplicaPaths) -> list[JSON]:
    """The managedFields of the Scale: whoever owns the object's replicas owns the Scale's."""
    managers = Managers()
    for manager, owned in read_managers(entries):
        path = paths.get(owned.api_version)
        if path is not None and owned.fields.has(path):
            managers.entries[manager] = Owned(_only(_IN_SCALE), SCALE_VERSION, owned.time)
    return write_managers(managers)


def parent_managers(
    entries: list[JSON] | None, scale_entries: list[JSON] | None, paths: ReplicaPaths, api_version: str
) -> list[JSON]:
    """The object's managedFields after a write of its Scale: who lost the replicas there loses them here.

    New owners have no time, as on a real server.
    """
    scale = read_managers(scale_entries)
    result = Managers()
    for manager, owned in read_managers(entries):
        if owned.api_version not in paths:
            continue
        path = paths[owned.api_version]
        if path is None or not owned.fields.has(path) or scale.entries.pop(manager, None) is not None:
            result.entries[manager] = owned
        elif left := owned.fields.difference(_only(path)):
            result.entries[manager] = Owned(left, owned.api_version, owned.time)
    mine = paths.get(api_version)
    for manager, _ in scale:
        if mine is not None:
            result.entries[manager] = Owned(_only(mine), api_version)
    return write_managers(result)


def _only(path: Path) -> FieldSet:
    fields = FieldSet()
    fields.insert(path)
    return fields
