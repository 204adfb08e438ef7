"""Serves what custom resource definitions define, and takes it away again.

Names are accepted and rows registered in the thread that writes a definition, so that whoever was answered can use
its resources at once. Objects of a deleted definition are removed by the worker.
"""

from __future__ import annotations

import threading
from typing import Any

from k8srt.testing.apiserver import ownership
from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.customs import rows_of
from k8srt.testing.apiserver.deletes import DeleteOptions, delete_object
from k8srt.testing.apiserver.failures import Failure
from k8srt.testing.apiserver.storage import NoSuchKey, Stale, Stored
from k8srt.testing.apiserver.strategies.definitions import FINALIZER, TABLE, set_condition
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]
_MANAGER = "kube-apiserver"


class Definitions(Worker):
    """Keeps the registry in step with the definitions that are stored."""

    name = "definitions"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._serving = threading.Lock()  # one registration at a time

    # ---- coming and changing

    def establish(self, name: str) -> None:
        """Accept the names of a definition, say so in its status, and serve its resources."""
        with self._serving:
            while True:
                try:
                    stored = self.cluster.storage.get(TABLE, "", name)
                except NoSuchKey:
                    return
                definition = stored.decode()
                changed = self._with_status(definition)
                try:
                    self._write(stored, definition, changed)
                except Stale:
                    continue
                self._serve(changed)
                return

    def _with_status(self, definition: JSON) -> JSON:
        now = self.cluster.now()
        status = dict(definition.get("status") or {})
        conflict = self._conflict(definition)
        accepted = dict(definition["spec"]["names"])
        if conflict:
            status = set_condition(status, "NamesAccepted", "False", *conflict, now)
            if not (status.get("acceptedNames") or {}).get("plural"):
                text = "not all names are accepted"
                status = set_condition(status, "Established", "False", "NotAccepted", text, now)
        else:
            status["acceptedNames"] = accepted
            status = set_condition(status, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
            text = "the initial names have been accepted"
            status = set_condition(status, "Established", "True", "InitialNamesAccepted", text, now)
        return {**definition, "status": status}

    def _conflict(self, definition: JSON) -> tuple[str, str] | None:
        """Reason and message if another definition of the group has one of the names."""
        spec, name = definition["spec"], definition["metadata"]["name"]
        mine = spec["names"]
        for stored in self.cluster.storage.page(TABLE).items:
            other = stored.decode()
            if stored.name == name or other["spec"]["group"] != spec["group"]:
                continue
            theirs = (other.get("status") or {}).get("acceptedNames") or {}
            words = {theirs.get("plural"), theirs.get("singular"), *(theirs.get("shortNames") or ())}
            for part, reason in (("plural", "PluralConflict"), ("singular", "SingularConflict")):
                if mine.get(part) in words:
                    return reason, f'"{mine[part]}" is already in use'
            for short in mine.get("shortNames") or ():
                if short in words:
                    return "ShortNamesConflict", f'"{short}" is already in use'
            if mine["kind"] in (theirs.get("kind"), theirs.get("listKind")):
                return "KindConflict", f'"{mine["kind"]}" is already in use'
        return None

    def _write(self, stored: Stored, definition: JSON, changed: JSON) -> None:
        if changed == definition:
            return
        resource = self.cluster.registry.by_table(TABLE)
        assert resource is not None
        headers = {"kind": resource.kind, "apiVersion": resource.api_version}
        old, new = {**headers, **definition}, {**headers, **changed}
        tracked = ownership.track(self.cluster, resource, old, new, _MANAGER, "status")
        self.cluster.storage.update(TABLE, tracked, lambda obj: {}, stored)

    def restore(self) -> None:
        """Serve what the definitions that were kept define, as they did before."""
        for stored in self.cluster.storage.page(TABLE).items:
            self._serve(stored.decode(), stored.revision)

    def _serve(self, definition: JSON, since: int = 0) -> None:
        """`since` is the version from which objects are stored by this definition: by default, from now on."""
        registry = self.cluster.registry
        spec, status = definition["spec"], definition.get("status") or {}
        registry.remove(spec["group"], spec["names"]["plural"])
        conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
        if conditions.get("Established") == "True":
            registry.add(rows_of(definition, since=since or self.cluster.storage.revision + 1))

    def changed(self, old: JSON, new: JSON) -> None:
        """Serve a definition as it is now; watches of its resources start again."""
        if old.get("spec") == new.get("spec"):
            return
        self.establish(new["metadata"]["name"])
        self.cluster.storage.end_watches(new["metadata"]["name"])

    # ---- going

    def wants(self, table: str, change: Change) -> bool:
        if table == TABLE:
            return change.after is None or b'"deletionTimestamp"' in change.after.body
        return change.after is None and table.count(".") > 1

    def handle(self, table: str, change: Change) -> None:
        if table == TABLE and change.after is None:
            spec = change.shown.decode()["spec"]
            self.cluster.registry.remove(spec["group"], spec["names"]["plural"])
            self.cluster.storage.end_watches(change.key)
            return
        name = change.key if table == TABLE else table
        definition = self.cluster.find(TABLE, "", name)
        if definition is None or "deletionTimestamp" not in definition["metadata"]:
            return
        if FINALIZER not in (definition["metadata"].get("finalizers") or []):
            return
        left = self._remove_objects(name)
        if left:
            text = "CustomResource deletion is in progress"
            self._update(name, lambda obj: _with_terminating(obj, text, self.cluster.now()))
        else:
            self._update(name, _without_finalizer)

    def _remove_objects(self, name: str) -> int:
        resource = self.cluster.registry.by_table(name)
        if resource is None:
            return 0
        for stored in self.cluster.storage.page(name).items:
            if b'"deletionTimestamp"' in stored.body:
                continue
            try:
                delete_object(self.cluster, resource, stored, DeleteOptions(policy="Background"))
            except Failure as err:
                if err.code != 404:
                    raise
        return self.cluster.storage.count(name)

    def _update(self, name: str, change: Any) -> None:
        while True:
            try:
                stored = self.cluster.storage.get(TABLE, "", name)
                obj = change(stored.decode())
                if not obj["metadata"].get("finalizers"):
                    self.cluster.storage.delete(TABLE, stored)
                elif obj != stored.decode():
                    self.cluster.storage.update(TABLE, obj, lambda kept: {}, stored)
            except Stale:
                continue
            except NoSuchKey:
                pass
            return


def _with_terminating(obj: JSON, text: str, now: str) -> JSON:
    status = set_condition(obj.get("status") or {}, "Terminating", "True", "InstanceDeletionInProgress", text, now)
    return {**obj, "status": status}


def _without_finalizer(obj: JSON) -> JSON:
    kept = [each for each in obj["metadata"].get("finalizers") or [] if each != FINALIZER]
    return {**obj, "metadata": {**obj["metadata"], "finalizers": kept}}
