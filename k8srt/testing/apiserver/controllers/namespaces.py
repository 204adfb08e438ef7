"""Empties namespaces that are being deleted, and lets them go."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.deletes import DeleteOptions, delete_object
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.storage import NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]
_FINALIZER = "kubernetes"


class NamespaceController(Worker):
    """Deletes what is in a terminating namespace; once it is empty, takes the finalizer off."""

    name = "namespaces"

    def wants(self, table: str, change: Change) -> bool:
        if table == "namespaces":
            return change.after is not None and b'"deletionTimestamp"' in change.after.body
        return change.after is None and bool(change.shown.namespace)

    def handle(self, table: str, change: Change) -> None:
        name = change.key if table == "namespaces" else change.shown.namespace
        try:
            stored = self.cluster.storage.get("namespaces", "", name)
        except NoSuchKey:
            return
        if "deletionTimestamp" not in stored.decode()["metadata"]:
            return
        if self._empty(name):
            self._release(name)

    def _empty(self, namespace: str) -> bool:
        """Delete everything in it. Returns whether nothing is left."""
        left = 0
        for table in self.cluster.storage.resources():
            resource = self.cluster.registry.by_table(table)
            if resource is None or not resource.namespaced:
                continue
            for stored in self.cluster.storage.page(table, namespace).items:
                self._delete(table, stored)
            left += len(self.cluster.storage.page(table, namespace).items)
        return left == 0

    def _delete(self, table: str, stored: Stored) -> None:
        resource = self.cluster.registry.by_table(table)
        if resource is None or (b'"deletionTimestamp"' in stored.body and table != "pods"):
            return
        try:
            # no kubelet ends the pods of a namespace that goes: they go at once
            delete_object(self.cluster, resource, stored, DeleteOptions(grace=0, policy="Background"))
        except Failure as err:
            if err.code != 404:
                raise

    def _release(self, name: str) -> None:
        resource = self.cluster.registry.find("", "v1", "namespaces")
        assert resource is not None
        while True:
            try:
                stored = self.cluster.storage.get("namespaces", "", name)
                obj = stored.decode()
                finalizers = (obj.get("spec") or {}).get("finalizers") or []
                kept = [each for each in finalizers if each != _FINALIZER]
                if not kept and not obj["metadata"].get("finalizers"):
                    self.cluster.storage.delete("namespaces", stored)
                elif kept != finalizers:
                    obj["spec"]["finalizers"] = kept
                    self.cluster.storage.update("namespaces", obj, self.cluster.fields_of(resource), stored)
            except Stale:
                continue
            except NoSuchKey:
                pass
            return
