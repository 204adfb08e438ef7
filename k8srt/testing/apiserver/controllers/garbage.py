"""Garbage collection by owner references: dependents go with their owners, in the background, before, or not at all."""

from __future__ import annotations

from typing import Any, NamedTuple

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.finishing import change_metadata, drop_finalizer, put_list
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.deletes import FOREGROUND, ORPHAN, DeleteOptions, delete_object
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.registry import Resource
from k8srt.testing.apiserver.storage import NoSuchKey, Stored
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]


class _Node(NamedTuple):
    table: str
    namespace: str
    name: str


class GarbageCollector(Worker):
    """Keeps a graph of who owns whom, and acts when an owner goes.

    Only its own thread touches the graph. An object whose owners are all gone, or were never there, is deleted.
    """

    name = "garbage"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._nodes: dict[str, _Node] = {}  # every live object by uid
        self._owners: dict[str, set[str]] = {}  # dependent → owners
        self._dependents: dict[str, set[str]] = {}  # owner → dependents

    def learn(self) -> None:
        """Take in what was there before; by the thread that makes this."""
        for table in self.cluster.storage.resources():
            for stored in self.cluster.storage.page(table).items:
                self.handle(table, Change(stored.revision, stored.key, stored, stored, stored))

    def resume(self) -> None:
        self.learn()  # all owners first: an object that is seen before its owner is not to be taken for an orphan
        super().resume()

    def wants(self, table: str, change: Change) -> bool:
        return table != "events"

    def handle(self, table: str, change: Change) -> None:
        uid = change.shown.uid
        if change.after is None:
            self._forget(uid)
            for dependent in list(self._dependents.get(uid, ())):
                self._judge(dependent)
            for owner in self._owners.pop(uid, set()):
                self._dependents.get(owner, set()).discard(uid)
                self._continue_foreground(owner)
            return
        self._nodes[uid] = _Node(table, change.after.namespace, change.after.name)
        meta = change.after.decode()["metadata"]
        self._link(uid, {ref["uid"] for ref in meta.get("ownerReferences") or []})
        if self._owners.get(uid) and change.before is None:
            self._judge(uid)
        if "deletionTimestamp" in meta:
            self._act_on_finalizers(uid, meta.get("finalizers") or [])

    def _forget(self, uid: str) -> None:
        self._nodes.pop(uid, None)

    def _link(self, uid: str, owners: set[str]) -> None:
        before = self._owners.get(uid, set())
        for owner in before - owners:
            self._dependents.get(owner, set()).discard(uid)
            self._continue_foreground(owner)
        for owner in owners - before:
            self._dependents.setdefault(owner, set()).add(uid)
        if owners:
            self._owners[uid] = owners
        else:
            self._owners.pop(uid, None)

    # ---- what happens to dependents

    def _judge(self, uid: str) -> None:
        """Delete an object none of whose owners lives; else take the dead ones off it."""
        node = self._nodes.get(uid)
        owners = self._owners.get(uid, set())
        if node is None or not owners:
            return
        alive = {owner for owner in owners if self._lives(owner)}
        if alive:
            if alive != owners:
                self._change(node, lambda meta: _keep_owners(meta, alive))
        else:
            self._delete(node)

    def _lives(self, uid: str) -> bool:
        return uid in self._nodes

    def _act_on_finalizers(self, uid: str, finalizers: list[str]) -> None:
        if ORPHAN in finalizers:
            for dependent in list(self._dependents.get(uid, ())):
                node = self._nodes.get(dependent)
                if node is not None:
                    self._change(node, lambda meta: _drop_owner(meta, uid))
            self._finalize(uid, ORPHAN)
        elif FOREGROUND in finalizers:
            for dependent in list(self._dependents.get(uid, ())):
                node = self._nodes.get(dependent)
                if node is not None:
                    self._delete(node, policy="Foreground" if self._dependents.get(dependent) else "")
            self._continue_foreground(uid)

    def _continue_foreground(self, uid: str) -> None:
        """Let a foreground deletion end once nothing that blocks it is left."""
        node = self._nodes.get(uid)
        if node is None:
            return
        stored = self._stored(node)
        if stored is None or f'"{FOREGROUND}"'.encode() not in stored.body:
            return
        if not any(self._blocks(dependent, uid) for dependent in self._dependents.get(uid, ())):
            self._finalize(uid, FOREGROUND)

    def _blocks(self, dependent: str, owner: str) -> bool:
        node = self._nodes.get(dependent)
        stored = self._stored(node) if node is not None else None
        if stored is None:
            return False
        refs = stored.decode()["metadata"].get("ownerReferences") or []
        return any(ref["uid"] == owner and ref.get("blockOwnerDeletion") for ref in refs)

    # ---- writing

    def _stored(self, node: _Node) -> Stored | None:
        try:
            return self.cluster.storage.get(node.table, node.namespace, node.name)
        except NoSuchKey:
            return None

    def _resource(self, node: _Node) -> Resource | None:
        return self.cluster.registry.by_table(node.table)

    def _delete(self, node: _Node, policy: str = "") -> None:
        stored, resource = self._stored(node), self._resource(node)
        if stored is None or resource is None or b'"deletionTimestamp"' in stored.body:
            return
        try:
            delete_object(self.cluster, resource, stored, DeleteOptions(policy=policy or "Background", uid=stored.uid))
        except Failure as err:
            if err.code not in (404, 409):
                raise

    def _finalize(self, uid: str, finalizer: str) -> None:
        node = self._nodes.get(uid)
        if node is not None:
            self._change(node, lambda meta: drop_finalizer(meta, finalizer))

    def _change(self, node: _Node, change: Any) -> None:
        change_metadata(self.cluster, node.table, node.namespace, node.name, change)


def _keep_owners(meta: JSON, alive: set[str]) -> bool:
    return put_list(meta, "ownerReferences", [ref for ref in meta.get("ownerReferences") or [] if ref["uid"] in alive])


def _drop_owner(meta: JSON, uid: str) -> bool:
    return put_list(meta, "ownerReferences", [ref for ref in meta.get("ownerReferences") or [] if ref["uid"] != uid])
