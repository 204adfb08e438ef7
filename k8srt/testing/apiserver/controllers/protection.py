"""Claims and volumes are protected while they are used; when they are to go and nobody uses them, they go."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.finishing import change_metadata, drop_finalizer
from k8srt.testing.apiserver.controllers.worker import Worker
from k8srt.testing.apiserver.watches import Change

JSON = dict[str, Any]
CLAIM, VOLUME = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
_CLAIMS, _VOLUMES, _PODS = "persistentvolumeclaims", "persistentvolumes", "pods"
_OVER = ("Succeeded", "Failed")


class Protection(Worker):
    """Ends the deletion of claims that no pod uses, and of volumes that no claim is bound to."""

    name = "protection"

    def wants(self, table: str, change: Change) -> bool:
        if table in (_CLAIMS, _VOLUMES):
            return change.after is None or b'"deletionTimestamp"' in change.after.body
        return table == _PODS and change.before is not None and b'"persistentVolumeClaim"' in change.shown.body

    def handle(self, table: str, change: Change) -> None:
        if table == _PODS or change.after is not None:
            self._release_claims(change.shown.namespace)
        self._release_volumes()

    def _release_claims(self, namespace: str) -> None:
        """Look at the claims of a namespace; of none in particular, where a volume is to go."""
        going = [claim for claim in self._all(_CLAIMS, namespace) if "deletionTimestamp" in claim["metadata"]]
        used = self._used(namespace) if going else set()
        for claim in going:
            if claim["metadata"]["name"] not in used:
                self._release(_CLAIMS, claim, CLAIM)

    def _used(self, namespace: str) -> set[str]:
        return {
            volume["persistentVolumeClaim"]["claimName"]
            for pod in self._all(_PODS, namespace)
            if (pod.get("status") or {}).get("phase") not in _OVER
            for volume in pod["spec"].get("volumes") or ()
            if "persistentVolumeClaim" in volume
        }

    def _release_volumes(self) -> None:
        for volume in self._all(_VOLUMES, ""):
            ref = volume["spec"].get("claimRef") or {}
            if "deletionTimestamp" not in volume["metadata"]:
                continue
            claim = self.cluster.find(_CLAIMS, ref.get("namespace", ""), ref.get("name", "")) if ref else None
            if claim is None or claim["metadata"]["uid"] != ref.get("uid", claim["metadata"]["uid"]):
                self._release(_VOLUMES, volume, VOLUME)

    def _release(self, table: str, obj: JSON, finalizer: str) -> None:
        meta = obj["metadata"]
        change_metadata(
            self.cluster, table, meta.get("namespace", ""), meta["name"], lambda now: drop_finalizer(now, finalizer)
        )

    def _all(self, table: str, namespace: str) -> list[JSON]:
        return [stored.decode() for stored in self.cluster.storage.page(table, namespace).items]
