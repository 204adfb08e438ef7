"""meta/v1: the types every API object is made with.

Written by hand, because everything else stands on them. `ObjectMeta.managed_fields`, two fifths of an object's
bytes, stays undecoded until somebody asks for it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8srt.apimachinery.model import MicroTime, Struct, Time, field, unset
from k8srt.apimachinery.wire import decoder

__all__ = [
    "APIGroup",
    "APIGroupList",
    "APIResource",
    "APIResourceList",
    "APIVersions",
    "Condition",
    "DeleteOptions",
    "FieldSelectorRequirement",
    "GroupResource",
    "GroupVersionForDiscovery",
    "LabelSelector",
    "LabelSelectorRequirement",
    "ListMeta",
    "ManagedFieldsEntry",
    "MicroTime",
    "ObjectMeta",
    "OwnerReference",
    "Preconditions",
    "ServerAddressByClientCIDR",
    "ShardInfo",
    "Status",
    "StatusCause",
    "StatusDetails",
    "Time",
    "WatchEvent",
]


class OwnerReference(Struct, map_type="atomic"):
    api_version: str = field(required=True)
    block_owner_deletion: bool = unset
    controller: bool = unset
    kind: str = field(required=True)
    name: str = field(required=True)
    uid: str = field(required=True)


class ManagedFieldsEntry(Struct):
    api_version: str = unset
    fields_type: str = unset
    fields_v1: dict[str, Any] = unset
    manager: str = unset
    operation: str = unset
    subresource: str = unset
    time: Time = unset


class ObjectMeta(Struct):
    annotations: dict[str, str] = unset
    creation_timestamp: Time = unset
    deletion_grace_period_seconds: int = unset
    deletion_timestamp: Time = unset
    finalizers: list[str] = field(list_type="set", patch="merge")
    generate_name: str = unset
    generation: int = unset
    labels: dict[str, str] = unset
    # Undecoded until `managed_fields` is asked for; then a list. A Raw refers to its record's bytes: it costs nothing.
    _managed: msgspec.Raw = field("managedFields", list_type="atomic")
    name: str = unset
    namespace: str = unset
    owner_references: list[OwnerReference] = field(list_type="map", keys=("uid",), patch="merge", patch_key="uid")
    resource_version: str = unset
    self_link: str = unset
    uid: str = unset

    @property
    def managed_fields(self) -> list[ManagedFieldsEntry] | None:
        """Who owns which fields; decoded when first asked for. Assign None or a list to replace it."""
        value: Any = self._managed
        if isinstance(value, msgspec.Raw):
            self._managed = value = decoder(list[ManagedFieldsEntry] | None).decode(value)
        return value  # type: ignore[no-any-return]

    @managed_fields.setter
    def managed_fields(self, entries: list[ManagedFieldsEntry] | None) -> None:
        self._managed = entries  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.__struct_fields__ if name != "_managed")
        return f"ObjectMeta({', '.join(f'{name}={value!r}' for name, value in shown if value is not None)})"


class ShardInfo(Struct):
    selector: str = field(required=True)


class ListMeta(Struct):
    continue_: str = field("continue")
    remaining_item_count: int = unset
    resource_version: str = unset
    self_link: str = unset
    shard_info: ShardInfo = unset


class LabelSelectorRequirement(Struct):
    key: str = field(required=True)
    operator: str = field(required=True)
    values: list[str] = field(list_type="atomic")


class LabelSelector(Struct, map_type="atomic"):
    match_expressions: list[LabelSelectorRequirement] = field(list_type="atomic")
    match_labels: dict[str, str] = unset


class FieldSelectorRequirement(Struct):
    key: str = field(required=True)
    operator: str = field(required=True)
    values: list[str] = field(list_type="atomic")


class Condition(Struct):
    last_transition_time: Time = field(required=True)
    message: str = field(required=True)
    observed_generation: int = unset
    reason: str = field(required=True)
    status: str = field(required=True)
    type: str = field(required=True)


class StatusCause(Struct):
    field: str = unset
    message: str = unset
    reason: str = unset


class StatusDetails(Struct):
    causes: list[StatusCause] = field(list_type="atomic")
    group: str = unset
    kind: str = unset
    name: str = unset
    retry_after_seconds: int = unset
    uid: str = unset


class Status(Struct):
    """What a server answers when there is no object to answer with; failures carry one."""

    api_version: str = unset
    code: int = unset
    details: StatusDetails = unset
    kind: str = unset
    message: str = unset
    metadata: ListMeta = unset
    reason: str = unset
    status: str = unset


class Preconditions(Struct):
    resource_version: str = unset
    uid: str = unset


class DeleteOptions(Struct):
    api_version: str = unset
    dry_run: list[str] = field(list_type="atomic")
    grace_period_seconds: int = unset
    ignore_store_read_error_with_cluster_breaking_potential: bool = unset
    kind: str = unset
    orphan_dependents: bool = unset
    preconditions: Preconditions = unset
    propagation_policy: str = unset


class WatchEvent(Struct):
    object: Any = field(required=True)
    type: str = field(required=True)


class GroupResource(Struct):
    group: str = field(required=True)
    resource: str = field(required=True)


class GroupVersionForDiscovery(Struct):
    group_version: str = field(required=True)
    version: str = field(required=True)


class ServerAddressByClientCIDR(Struct):
    client_cidr: str = field("clientCIDR", required=True)
    server_address: str = field(required=True)


class APIResource(Struct):
    categories: list[str] = field(list_type="atomic")
    group: str = unset
    kind: str = field(required=True)
    name: str = field(required=True)
    namespaced: bool = field(required=True)
    short_names: list[str] = field(list_type="atomic")
    singular_name: str = field(required=True)
    storage_version_hash: str = unset
    verbs: list[str] = field(required=True)
    version: str = unset


class APIResourceList(Struct):
    api_version: str = unset
    group_version: str = field(required=True)
    kind: str = unset
    resources: list[APIResource] = field(required=True, list_type="atomic")


class APIGroup(Struct):
    api_version: str = unset
    kind: str = unset
    name: str = field(required=True)
    preferred_version: GroupVersionForDiscovery = unset
    server_address_by_client_cidrs: list[ServerAddressByClientCIDR] = field(
        "serverAddressByClientCIDRs", list_type="atomic"
    )
    versions: list[GroupVersionForDiscovery] = field(required=True, list_type="atomic")


class APIGroupList(Struct):
    api_version: str = unset
    groups: list[APIGroup] = field(required=True, list_type="atomic")
    kind: str = unset


class APIVersions(Struct):
    api_version: str = unset
    kind: str = unset
    server_address_by_client_cidrs: list[ServerAddressByClientCIDR] = field(
        "serverAddressByClientCIDRs", required=True, list_type="atomic"
    )
    versions: list[str] = field(required=True, list_type="atomic")
