"""From client-side to server-side apply: handing a manager's fields over. After client-go util/csaupgrade.

What a client wrote with `update` or `patch` (as `kubectl apply` does) belongs to its manager by "Update". When the
client begins to apply on the server, these fields would stay with the old entry, and what a later configuration
leaves out would never be removed. So before its first apply the old entries become one by "Apply":

    patch = upgrade_managed_fields_patch(deployments.get("web"), "kubectl-client-side-apply", "kubectl")
    if patch is not None:
        deployments.patch("web", patch, patch_type="json")      # Conflict: the object has changed, read it again

Doing so again changes nothing. Nothing is sent from here, no argument is changed. Contract: CLI-54.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any, TypeVar, cast

from k8srt.apimachinery.fieldset import FieldSet, to_fields_v1
from k8srt.apimachinery.managedfields import APPLY, UPDATE, entries_of, fields_of, is_of
from k8srt.apimachinery.object import Object

T = TypeVar("T", bound="Object | Mapping[str, Any]")

JSON = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LAST_APPLIED = FieldSet.of_names([("metadata", "annotations", LAST_APPLIED)])


def upgrade_managed_fields(
    obj: T, csa_managers: str | Collection[str], ssa_manager: str, *, subresource: str = ""
) -> T:
    """Return a copy of `obj` in which the fields of `csa_managers` belong to `ssa_manager`, by "Apply".

    If that manager has an entry already, it gets the fields that each of them wrote in the same version of the API;
    else the first entry of theirs becomes its. Their other entries are dropped, and the annotation of client-side
    apply belongs to nobody. If none of them owns anything, nothing changes. Raises ValueError for entries that cannot
    be read.
    """
    document = obj.to_dict() if isinstance(obj, Object) else copy.deepcopy(dict(obj))
    entries = entries_of(document)
    upgraded = _upgraded(entries, _names(csa_managers), ssa_manager, subresource)
    if upgraded != entries:
        document["metadata"]["managedFields"] = upgraded
    return cast("T", type(obj).from_dict(document) if isinstance(obj, Object) else document)


def upgrade_managed_fields_patch(
    obj: Object | Mapping[str, Any], csa_managers: str | Collection[str], ssa_manager: str, *, subresource: str = ""
) -> list[JSON] | None:
    """The same as a JSON patch for the server, None if there is nothing to do.

    It is refused with Conflict when the object has changed since.
    """
    document = obj.to_dict() if isinstance(obj, Object) else obj
    entries = entries_of(document)
    upgraded = _upgraded(entries, _names(csa_managers), ssa_manager, subresource)
    if upgraded == entries:
        return None
    version = (document.get("metadata") or {}).get("resourceVersion", "")
    return [
        {"op": "replace", "path": "/metadata/managedFields", "value": upgraded},
        # not "test", which would be refused as Invalid: so it is a Conflict
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
    ]


def _names(csa_managers: str | Collection[str]) -> list[str]:
    return [csa_managers] if isinstance(csa_managers, str) else sorted(csa_managers)


def _upgraded(entries: list[JSON], csa_managers: list[str], ssa_manager: str, subresource: str) -> list[JSON]:
    for name in csa_managers:
        entries = _upgraded_from(name, entries, ssa_manager, subresource)
    return entries


def _upgraded_from(name: str, entries: list[JSON], ssa_manager: str, subresource: str) -> list[JSON]:
    old = [entry for entry in entries if is_of(entry, name, UPDATE, subresource)]
    applied = [entry for entry in entries if is_of(entry, ssa_manager, APPLY, subresource)]
    target = next(iter(applied + old), None)
    result = []
    for entry in entries:
        if entry is target:
            result.append(_taken_over(entry, old, ssa_manager))
        elif entry not in old:
            result.append(entry)
    return result


def _taken_over(entry: JSON, old: list[JSON], ssa_manager: str) -> JSON:
    """The entry as that of the new manager, with the fields of the first old one that wrote the same version."""
    fields = fields_of(entry)
    for each in old:
        if each.get("apiVersion") == entry.get("apiVersion"):
            fields = fields.union(fields_of(each))
            break
    owned = to_fields_v1(fields.difference(_LAST_APPLIED))
    return {**entry, "manager": ssa_manager, "operation": APPLY, "fieldsV1": owned}
