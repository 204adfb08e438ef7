"""Nodes, volumes and claims, storage classes, drivers."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.failures import Cause, forbidden_field, invalid_value, not_supported, required
from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]

# ---- nodes

_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def node_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    status = obj.get("status") or {}
    if status.get("capacity") and not status.get("allocatable"):
        status["allocatable"] = dict(status["capacity"])


def prepare_node(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is None:
        taints = obj["spec"].get("taints") or []
        if not any(taint.get("key") == _NOT_READY["key"] for taint in taints):
            obj["spec"]["taints"] = [*taints, dict(_NOT_READY)]
    elif not write.subresource:
        obj["status"] = old.get("status", {})


def validate_node(obj: JSON, old: JSON | None) -> list[Cause]:
    causes: list[Cause] = []
    for index, taint in enumerate(obj["spec"].get("taints") or []):
        if taint.get("effect") not in _EFFECTS:
            field = f"metadata.taints[{index}].effect"
            causes.append(not_supported(field, taint.get("effect", ""), _EFFECTS))
    if old is None:
        return causes
    causes *= 2
    before = old["spec"].get("podCIDRs") or []
    if before and obj["spec"].get("podCIDRs") != before:
        text = 'node updates may not change podCIDR except from "" to valid'
        causes.append(forbidden_field("spec.podCIDRs", text))
    return causes


def node_fields(obj: JSON) -> dict[str, str]:
    return {"spec.unschedulable": "true" if (obj.get("spec") or {}).get("unschedulable") else "false"}


# ---- volumes

_PLAIN_VOLUME_FIELDS = (
    "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
    "volumeMode", "nodeAffinity", "volumeAttributesClassName",
)  # fmt: skip


def volume_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    if "hostPath" in spec:
        spec["hostPath"].setdefault("type", "")


def prepare_volume(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is None:
        _protect(obj, "kubernetes.io/pv-protection")
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": write.cluster.now()}


def prepare_volume_status(obj: JSON, old: JSON | None, write: Write) -> None:
    status, before = obj.setdefault("status", {}), (old or {}).get("status") or {}
    if status.get("phase") != before.get("phase"):
        status["lastPhaseTransitionTime"] = write.cluster.now()


def _protect(obj: JSON, finalizer: str) -> None:
    present = obj["metadata"].get("finalizers") or []
    if finalizer not in present:
        obj["metadata"]["finalizers"] = [*present, finalizer]


def validate_volume(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if not spec.get("accessModes"):
        causes.append(required("spec.accessModes"))
    if not spec.get("capacity"):
        causes.append(required("spec.capacity"))
    if "storage" not in (spec.get("capacity") or {}):
        causes.append(not_supported("spec.capacity", spec.get("capacity"), ("storage",)))
    sources = [name for name in spec if name not in _PLAIN_VOLUME_FIELDS]
    if not sources:
        causes.append(required("spec", "must specify a volume type"))
    for name in sources[1:]:
        causes.append(forbidden_field(f"spec.{name}", "may not specify more than 1 volume type"))
    if old is not None:
        before = {k: v for k, v in old["spec"].items() if k not in _PLAIN_VOLUME_FIELDS}
        if {name: spec[name] for name in sources} != before:
            text = "spec.persistentvolumesource is immutable after creation"
            causes.append(forbidden_field("spec.persistentvolumesource", text))
    return causes


# ---- claims


def claim_defaults(obj: JSON) -> None:
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def prepare_claim(obj: JSON, old: JSON | None, write: Write) -> None:
    if old is not None:
        return
    _protect(obj, "kubernetes.io/pvc-protection")
    if "storageClassName" not in obj["spec"]:
        name = _default_class(write)
        if name:
            obj["spec"]["storageClassName"] = name


def _default_class(write: Write) -> str:
    marked = [
        stored.decode()["metadata"]
        for stored in write.cluster.storage.page("storageclasses.storage.k8s.io").items
        if b'"storageclass.kubernetes.io/is-default-class":"true"' in stored.body
    ]
    newest = max(marked, key=lambda meta: str(meta.get("creationTimestamp")), default=None)
    return str(newest["name"]) if newest else ""


def first_claim_status(obj: JSON) -> None:
    obj["status"] = {"phase": "Pending"}


def validate_claim(obj: JSON, old: JSON | None) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    if not spec.get("accessModes"):
        causes.append(required("spec.accessModes", "at least 1 access mode is required"))
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        causes.append(required("spec.resources[storage]"))
    if old is not None:
        movable = ("resources", "volumeName", "volumeAttributesClassName")
        before = {k: v for k, v in old["spec"].items() if k not in movable}
        if {k: v for k, v in spec.items() if k not in movable} != before:
            text = (
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
                "bound claims"
            )
            causes.append(forbidden_field("spec", text))
    return causes


# ---- storage classes, drivers, attachments


def storage_class_defaults(obj: JSON) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def driver_defaults(obj: JSON) -> None:
    spec = obj.setdefault("spec", {})
    for name, value in (("attachRequired", True), ("podInfoOnMount", False), ("storageCapacity", False),
                        ("fsGroupPolicy", "ReadWriteOnceWithFSType"), ("requiresRepublish", False),
                        ("seLinuxMount", False), ("volumeLifecycleModes", ["Persistent"])):  # fmt: skip
        spec.setdefault(name, value)


def first_attachment_status(obj: JSON) -> None:
    obj["status"] = {"attached": False}


def spec_immutable(obj: JSON, old: JSON | None) -> list[Cause]:
    if old is not None and obj.get("spec") != old.get("spec"):
        return [invalid_value("spec", obj.get("spec"), "field is immutable")]
    return []
