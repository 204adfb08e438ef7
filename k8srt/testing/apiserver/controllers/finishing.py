"""Changes of metadata by controllers, which may be what the deletion of an object waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8srt.testing.apiserver.cluster import Cluster
from k8srt.testing.apiserver.storage import NoSuchKey, Stale

JSON = dict[str, Any]


def change_metadata(cluster: Cluster, table: str, namespace: str, name: str, change: Callable[[JSON], bool]) -> None:
    """Change an object's metadata, and remove the object if its deletion waited for that.

    `change` says whether it changed anything; it is called again when somebody else was faster.
    """
    resource = cluster.registry.by_table(table)
    while resource is not None:
        try:
            stored = cluster.storage.get(table, namespace, name)
        except NoSuchKey:
            return
        obj = stored.decode()
        meta = obj["metadata"]
        if not change(meta):
            return
        done = "deletionTimestamp" in meta and not meta.get("finalizers")
        try:
            if done and not meta.get("deletionGracePeriodSeconds"):
                cluster.storage.delete(table, stored)
            else:
                cluster.storage.update(table, obj, cluster.fields_of(resource), stored)
        except Stale:
            continue
        except NoSuchKey:
            pass
        return


def drop_finalizer(meta: JSON, finalizer: str) -> bool:
    """Take a finalizer out. Returns whether it was there."""
    return put_list(meta, "finalizers", [each for each in meta.get("finalizers") or [] if each != finalizer])


def put_list(meta: JSON, name: str, values: list[Any]) -> bool:
    """Set a list, or remove it when empty. Returns whether that changed anything."""
    if values == (meta.get(name) or []):
        return False
    if values:
        meta[name] = values
    else:
        meta.pop(name, None)
    return True
