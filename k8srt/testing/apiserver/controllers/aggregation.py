"""Cluster roles that are made of others: their rules are gathered by label, and kept so."""

from __future__ import annotations

from typing import Any

from k8srt.apimachinery import labels
from k8srt.testing.apiserver import ownership
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.storage import NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]
TABLE = "clusterroles.rbac.authorization.k8s.io"
_MANAGER = "clusterrole-aggregation-controller"


class RoleAggregation(Worker):
    """Writes into each role with an aggregation rule what the roles it selects allow."""

    name = "aggregation"

    def wants(self, table: str, change: Change) -> bool:
        return table == TABLE

    def handle(self, table: str, change: Change) -> None:
        gather(self.cluster)


def gather(cluster: Cluster) -> None:
    """Bring all gathered roles up to date; a role that changes may be part of another, hence the loop."""
    while True:
        roles = cluster.storage.page(TABLE).items
        gathered = [stored for stored in roles if b'"aggregationRule"' in stored.body]
        changes = [_gather_one(cluster, stored, roles) for stored in gathered]
        if not any(changes):
            return


def _gather_one(cluster: Cluster, stored: Stored, roles: list[Stored]) -> bool:
    """Returns whether the role had to be changed."""
    role = stored.decode()
    rule = role.get("aggregationRule")
    if not rule or role["metadata"].get("deletionTimestamp"):
        return False
    rules: list[JSON] = []
    for selector in rule.get("clusterRoleSelectors") or []:
        parsed = labels.label_selector_as_selector(selector)
        for other in roles:
            if other.name != stored.name and parsed.matches(other.labels):
                rules += [each for each in other.decode().get("rules") or [] if each not in rules]
    if rules == (role.get("rules") or []):
        return False
    resource = cluster.registry.by_table(TABLE)
    assert resource is not None
    head = {"kind": resource.kind, "apiVersion": resource.api_version}
    old = {**head, **role}
    new = ownership.track(cluster, resource, old, {**old, "rules": rules}, _MANAGER)
    try:
        cluster.storage.update(TABLE, cluster.to_stored(resource, new), cluster.fields_of(resource), stored)
    except (Stale, NoSuchKey):
        pass  # somebody else wrote it: look again
    return True
