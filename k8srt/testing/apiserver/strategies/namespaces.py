"""Namespaces: their finalizer, their label, their phase, and the service account made with them."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.strategies.strategy import Write

JSON = dict[str, Any]
_LABEL = "kubernetes.io/metadata.name"


def defaults(obj: JSON) -> None:
    name = obj["metadata"].get("name")
    if name:
        obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), _LABEL: name}


def prepare(obj: JSON, old: JSON | None, write: Write) -> None:
    spec = obj.setdefault("spec", {})
    if old is None:
        defaults(obj)  # once more, for generated names
        finalizers = spec.get("finalizers") or []
        spec["finalizers"] = finalizers if "kubernetes" in finalizers else [*finalizers, "kubernetes"]
        return
    spec.pop("finalizers", None)
    kept = (old.get("spec") or {}).get("finalizers")
    if kept:
        spec["finalizers"] = kept


def first_status(obj: JSON) -> None:
    obj["status"] = {"phase": "Active"}


def terminating(obj: JSON, now: str) -> bool:
    """Let a deletion begin: the namespace stays until its finalizers are off."""
    if not (obj.get("spec") or {}).get("finalizers"):
        return False
    obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    return True


def created(obj: JSON, old: JSON | None, write: Write) -> None:
    if write.cluster.default_service_accounts:
        write.cluster.make("serviceaccounts", obj["metadata"]["name"], {"metadata": {"name": "default"}})


def fields(obj: JSON) -> dict[str, str]:
    return {"status.phase": (obj.get("status") or {}).get("phase", ""), "name": obj["metadata"].get("name", "")}
