"""What controllers of a simulation see and do: objects by kind and owner, writes as clients make them, events."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import cachetools
import msgspec

from k8srt.apimachinery import labels
from k8srt.apimachinery.wire import format_time
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.simulation.options import Simulation
from k8srt.testing.apiserver.deletes import DeleteOptions, delete_object
from k8srt.testing.apiserver.documents import Misfit, WriteOptions, read_document
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.storage import NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.strategies.strategy import Write
from k8srt.testing.apiserver.users import AUTHENTICATED, User
from k8srt.testing.apiserver.watches import Change
from k8srt.testing.apiserver.writes import commit_create, commit_update

JSON = dict[str, Any]

TABLES = {
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
}
"""The tables of the kinds that own others."""


class Key(NamedTuple):
    """Which object: where it is stored, and its name."""

    table: str
    namespace: str
    name: str


class World:
    """The cluster as a simulation works on it. Only the simulation's thread uses it, unless a method says otherwise."""

    def __init__(self, cluster: Cluster, options: Simulation, seed: int | None, after: Callable[[float, Any], None]):
        self.cluster = cluster
        self.options = options
        self.after = after
        self._rng = random.Random(seed)
        self._documents: dict[Key, tuple[Stored, JSON]] = {}
        self._owned: dict[str, dict[Key, None]] = {}  # what a controller, by uid, owns
        self._owner: dict[Key, str] = {}
        self._said: cachetools.LRUCache[Any, str] = cachetools.LRUCache(4096)  # the names of events, by what they say

    # ---- time and chance

    @property
    def clock(self) -> float:
        return self.cluster.clock.now()

    def time(self) -> datetime:
        return self.cluster.clock.time()

    def now(self) -> str:
        """The present moment, as objects have it."""
        return self.cluster.now()

    def later(self, seconds: float) -> str:
        return format_time(self.time() + timedelta(seconds=seconds))

    def seconds_since(self, text: str | None) -> float:
        """How long ago a time in an object was."""
        return (self.time() - datetime.fromisoformat(text)).total_seconds() if text else 0.0

    def between(self, limits: tuple[float, float]) -> float:
        return self._rng.uniform(*limits)

    # ---- looking

    def learn(self, table: str, change: Change) -> None:
        """Keep what is known of owners in step with the storage."""
        key = Key(table, change.shown.namespace, change.shown.name)
        before = self._owner.pop(key, None)
        if before is not None:
            self._owned.get(before, {}).pop(key, None)
        if change.after is None:
            self._documents.pop(key, None)
            return
        if b'"controller":true' in change.after.body:
            owner = controller_of(self.document(key, change.after))
            if owner is not None:
                self._owner[key] = owner["uid"]
                self._owned.setdefault(owner["uid"], {})[key] = None

    def document(self, key: Key, stored: Stored) -> JSON:
        """What is stored, decoded once; not to be changed."""
        found = self._documents.get(key)
        if found is None or found[0] is not stored:
            found = self._documents[key] = (stored, self.cluster.document(self.resource(key.table), stored))
        return found[1]

    def resource(self, table: str) -> Resource:
        found = self.cluster.registry.by_table(table)
        assert found is not None, table
        return found

    def stored(self, key: Key) -> Stored | None:
        try:
            return self.cluster.storage.get(*key)
        except NoSuchKey:
            return None

    def get(self, table: str, namespace: str, name: str) -> JSON | None:
        """An object, not to be changed; None if there is none."""
        key = Key(table, namespace, name)
        stored = self.stored(key)
        return None if stored is None else self.document(key, stored)

    def all(self, table: str, namespace: str = "") -> list[JSON]:
        """The objects of a table, not to be changed."""
        return [
            self.document(Key(table, stored.namespace, stored.name), stored)
            for stored in self.cluster.storage.page(table, namespace).items
        ]

    def owned(self, owner: JSON, table: str) -> list[JSON]:
        """What an object controls, in the order it came."""
        keys = [key for key in self._owned.get(owner["metadata"]["uid"], ()) if key.table == table]
        found = (self.get(*key) for key in keys)
        return [obj for obj in found if obj is not None]

    def orphans(self, owner: JSON, table: str, selector: Any) -> Iterator[JSON]:
        """What an object could own: chosen by its selector, and controlled by nobody."""
        chooses = labels.label_selector_as_selector(selector)
        if chooses.empty:
            return
        for stored in self.cluster.storage.page(table, owner["metadata"].get("namespace", "")).items:
            if b'"controller":true' in stored.body or b'"deletionTimestamp"' in stored.body:
                continue
            if chooses.matches(stored.labels):
                yield self.document(Key(table, stored.namespace, stored.name), stored)

    # ---- writing

    def create(self, table: str, namespace: str, raw: JSON, who: str) -> JSON:
        """Create an object as the controller `who`. Raises Failure."""
        resource = self.resource(table)
        obj = read_document(self.cluster, resource, raw, [], "Ignore").obj
        if resource.namespaced:
            obj["metadata"]["namespace"] = namespace
        name = obj["metadata"].get("name", "")
        return commit_create(self.cluster, resource, obj, _options(who), Write(
            self.cluster, namespace, name, dry_run=False, user=user_of(who)))  # fmt: skip

    def change(self, obj: JSON, change: Callable[[JSON], object], who: str, subresource: str = "") -> JSON | None:
        """Change an object as it is now; None when it is gone, or a newer one has its name. Raises Failure."""
        meta = obj["metadata"]
        table = _table_of(self.cluster, obj)
        key = Key(table, meta.get("namespace", ""), meta["name"])
        resource = self.resource(table)
        while True:
            stored = self.stored(key)
            if stored is None or stored.uid != meta["uid"]:
                return None
            old = self.document(key, stored)
            new = msgspec.json.decode(msgspec.json.encode(old))
            change(new)
            if new == old:
                return old
            new = read_document(self.cluster, resource, new, [], "Ignore").obj
            write = Write(self.cluster, key.namespace, key.name, False, subresource, user_of(who))
            try:
                return commit_update(self.cluster, resource, stored, old, new, _options(who), write)
            except Stale:
                continue
            except NoSuchKey:
                return None

    def overwrite(self, obj: JSON, **parts: Any) -> JSON:
        """Change parts of an object past all checks. Raises NoSuchKey and Stale, after which it is looked at again."""
        resource = self.resource(_table_of(self.cluster, obj))
        key = key_of(obj, resource.table)
        stored = self.cluster.storage.get(*key)
        new = {**self.cluster.document(resource, stored), **parts}
        kept, fields = self.cluster.to_stored(resource, new), self.cluster.fields_of(resource)
        return self.document(key, self.cluster.storage.update(resource.table, kept, fields, stored))

    def set_status(self, obj: JSON, status: JSON, who: str) -> JSON | None:
        """Give an object another status."""
        if obj.get("status") == status:
            return obj
        return self.change(obj, lambda new: new.update(status=status), who, "status")

    def delete(self, obj: JSON, who: str, *, grace: int | None = None, policy: str = "Background") -> None:
        """Delete an object, or let its deletion go on. Nothing happens if it is gone."""
        meta = obj["metadata"]
        table = _table_of(self.cluster, obj)
        stored = self.stored(Key(table, meta.get("namespace", ""), meta["name"]))
        if stored is None or stored.uid != meta["uid"]:
            return
        write = Write(self.cluster, stored.namespace, stored.name, dry_run=False, user=user_of(who))
        try:
            delete_object(
                self.cluster, self.resource(table), stored, DeleteOptions(grace, policy, uid=stored.uid), write
            )
        except Failure as err:
            if err.code not in (404, 409):
                raise

    # ---- events

    def event(self, obj: JSON, reason: str, message: str, who: str, *, kind: str = "Normal", host: str = "") -> None:
        """Note something about an object, for whoever describes it; said again, it is counted."""
        meta = obj["metadata"]
        namespace = meta.get("namespace") or "default"
        same = self._said.get((meta["uid"], reason, message))
        event = self.get("events", namespace, same) if same else None
        try:
            if event is not None:
                now = self.now()
                self.change(event, lambda new: new.update(count=new.get("count", 1) + 1, lastTimestamp=now), who)
                self._documents.pop(Key("events", namespace, same or ""), None)
                return
            made = self.create("events", namespace, self._event(obj, reason, message, kind, who, host), who)
            self._said[(meta["uid"], reason, message)] = made["metadata"]["name"]
            self._documents.pop(Key("events", namespace, made["metadata"]["name"]), None)
        except (Failure, Misfit):
            pass  # the namespace goes: nobody will ask

    def _event(self, obj: JSON, reason: str, message: str, kind: str, who: str, host: str) -> JSON:
        meta = obj["metadata"]
        about = {
            "kind": obj["kind"],
            "apiVersion": obj["apiVersion"],
            "name": meta["name"],
            "uid": meta["uid"],
            "namespace": meta.get("namespace", ""),
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        source = {"component": who, "host": host} if host else {"component": who}
        now = self.now()
        return {
            "metadata": {"name": f"{meta['name']}.{self.cluster.random_below(2**60):016x}"},
            "involvedObject": {key: value for key, value in about.items() if value},
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": kind,
            "reportingComponent": who,
            "reportingInstance": host,
        }


def user_of(who: str) -> User:
    """The user a controller writes as."""
    if who == "kubelet":
        return User("system:node:simulated", "", ("system:nodes", AUTHENTICATED))
    if who == "default-scheduler":
        return User("system:kube-scheduler", "", (AUTHENTICATED,))
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", AUTHENTICATED)
    return User(f"system:serviceaccount:kube-system:{who}", "", groups)


_MANAGERS = {"kubelet": "kubelet", "default-scheduler": "kube-scheduler"}


def _options(who: str) -> WriteOptions:
    return WriteOptions(dry_run=False, manager=_MANAGERS.get(who, "kube-controller-manager"), validation="Ignore")


def _table_of(cluster: Cluster, obj: JSON) -> str:
    group, _, version = obj["apiVersion"].rpartition("/")
    resource = cluster.registry.for_kind(group, version, obj["kind"])
    assert resource is not None
    return resource.table


def controller_of(obj: JSON) -> JSON | None:
    """The owner reference of who controls an object."""
    return next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)


def owner_reference(obj: JSON) -> JSON:
    meta = obj["metadata"]
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"],
            "controller": True, "blockOwnerDeletion": True}  # fmt: skip


def key_of(obj: JSON, table: str) -> Key:
    return Key(table, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
