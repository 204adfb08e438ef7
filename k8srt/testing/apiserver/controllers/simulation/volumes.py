"""Claims get volumes that are made for them, which go with them."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.simulation.pods import going
from k8srt.testing.apiserver.controllers.simulation.world import Key, World

JSON = dict[str, Any]
_WHO = "persistentvolume-binder"


def reconcile_claim(world: World, key: Key, claim: JSON | None) -> None:
    if claim is None:
        for volume in world.all("persistentvolumes"):
            ref = volume["spec"].get("claimRef") or {}
            if (ref.get("namespace"), ref.get("name")) == (key.namespace, key.name):
                reconcile_volume(world, Key("persistentvolumes", "", volume["metadata"]["name"]), volume)
        return
    if going(claim) or (claim.get("status") or {}).get("phase") == "Bound":
        return
    volume = _volume(world, claim)
    bound = world.change(claim, lambda obj: obj["spec"].update(volumeName=volume["metadata"]["name"]), _WHO)
    if bound is not None:
        status = {"phase": "Bound", "accessModes": claim["spec"].get("accessModes"),
                  "capacity": volume["spec"]["capacity"]}  # fmt: skip
        world.set_status(bound, status, _WHO)
        world.set_status(volume, {**(volume.get("status") or {}), "phase": "Bound"}, _WHO)


def _volume(world: World, claim: JSON) -> JSON:
    """The volume of a claim: the one it names, or one made for it."""
    meta, spec = claim["metadata"], claim["spec"]
    name = spec.get("volumeName") or f"pvc-{meta['uid']}"
    found = world.get("persistentvolumes", "", name)
    if found is not None:
        return found
    ref = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": meta["namespace"], "name": meta["name"],
           "uid": meta["uid"]}  # fmt: skip
    made: JSON = {
        "capacity": {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")},
        "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
        "claimRef": ref,
        "persistentVolumeReclaimPolicy": "Delete",
        "volumeMode": spec.get("volumeMode", "Filesystem"),
        "hostPath": {"path": f"/simulated/{name}"},
    }
    if spec.get("storageClassName"):
        made["storageClassName"] = spec["storageClassName"]
    notes = {"pv.kubernetes.io/provisioned-by": "simulate"}
    volume = world.create("persistentvolumes", "", {"metadata": {"name": name, "annotations": notes}, "spec": made},
                          _WHO)  # fmt: skip
    text = f"Successfully provisioned volume {name}"
    world.event(claim, "ProvisioningSucceeded", text, _WHO)
    return volume


def reconcile_volume(world: World, key: Key, volume: JSON | None) -> None:
    if volume is None:
        return
    ref = volume["spec"].get("claimRef")
    claim = world.get("persistentvolumeclaims", ref["namespace"], ref["name"]) if ref else None
    owned = claim is not None and claim["metadata"]["uid"] == (ref or {}).get("uid", claim["metadata"]["uid"])
    if going(volume):
        return
    if ref and not owned and (volume.get("status") or {}).get("phase") == "Bound":
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            world.delete(volume, _WHO)
        else:
            world.set_status(volume, {**volume["status"], "phase": "Released"}, _WHO)
    elif not ref and (volume.get("status") or {}).get("phase") == "Pending":
        world.set_status(volume, {**volume["status"], "phase": "Available"}, _WHO)
