"""Replica sets keep as many pods as they are asked for."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.simulation.pods import (
    active,
    available,
    going,
    made_from,
    phase,
    ready,
    with_condition,
)
from k8srt.testing.apiserver.controllers.simulation.world import Key, World, owner_reference
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
_WHO = "replicaset-controller"


def reconcile(world: World, key: Key, replica_set: JSON | None) -> None:
    if replica_set is None:
        return
    failed: Failure | None = None
    if not going(replica_set):
        if adopt(world, replica_set, "pods", _WHO):
            return  # to be looked at once more, with what it has now
        try:
            _scale(world, replica_set)
        except Failure as err:
            failed = err
    _tell(world, key, replica_set, failed)
    if failed is not None:
        raise failed


def adopt(world: World, owner: JSON, table: str, who: str) -> bool:
    """Take in what the owner's selector chooses and nobody controls. Returns whether there was any."""
    found = False
    for obj in list(world.orphans(owner, table, owner["spec"].get("selector"))):
        mine = owner_reference(owner)

        def take(new: JSON, mine: JSON = mine) -> None:
            refs = new["metadata"].get("ownerReferences") or []
            new["metadata"]["ownerReferences"] = [*refs, mine]

        found = world.change(obj, take, who) is not None or found
    return found


def _scale(world: World, replica_set: JSON) -> None:
    pods = [pod for pod in world.owned(replica_set, "pods") if active(pod)]
    wanted = replica_set["spec"].get("replicas", 1)
    for _ in range(wanted - len(pods)):
        made = _create(world, replica_set)
        world.event(replica_set, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}", _WHO)
    if len(pods) > wanted:
        for pod in sorted(pods, key=lambda each: _worth(world, each))[: len(pods) - wanted]:
            world.delete(pod, _WHO)
            world.event(replica_set, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", _WHO)


def _create(world: World, replica_set: JSON) -> JSON:
    pod = made_from(replica_set["spec"]["template"], replica_set)
    try:
        return world.create("pods", replica_set["metadata"]["namespace"], pod, _WHO)
    except Failure as err:
        world.event(replica_set, "FailedCreate", f"Error creating: {err}", _WHO, kind="Warning")
        raise


def _worth(world: World, pod: JSON) -> tuple[Any, ...]:
    """Sorts pods by what they are worth, those first that should go first: without a node, not running, not ready,
    cheap by annotation, young."""
    notes = pod["metadata"].get("annotations") or {}
    cost = notes.get("controller.kubernetes.io/pod-deletion-cost", "0")
    return (
        bool(pod["spec"].get("nodeName")),
        phase(pod) == "Running",
        ready(pod),
        int(cost) if cost.lstrip("-").isdigit() else 0,
        world.seconds_since(pod["metadata"]["creationTimestamp"]),
    )


def _tell(world: World, key: Key, replica_set: JSON, failed: Failure | None) -> None:
    spec, before = replica_set["spec"], replica_set.get("status") or {}
    pods = [pod for pod in world.owned(replica_set, "pods") if active(pod)]
    patience = spec.get("minReadySeconds", 0)
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    status: JSON = {"replicas": len(pods)}
    counts = {
        "fullyLabeledReplicas": sum(labels.items() <= (pod["metadata"].get("labels") or {}).items() for pod in pods),
        "readyReplicas": sum(ready(pod) for pod in pods),
        "availableReplicas": sum(available(world, pod, patience) for pod in pods),
    }
    status.update({name: count for name, count in counts.items() if count})
    status["observedGeneration"] = replica_set["metadata"].get("generation", 1)
    conditions = [each for each in before.get("conditions") or () if each["type"] != "ReplicaFailure"]
    if failed is not None:
        previous = before.get("conditions") or []
        conditions = with_condition(previous, "ReplicaFailure", "True", "FailedCreate", str(failed), world.now())
    if conditions:
        status["conditions"] = conditions
    world.set_status(replica_set, status, _WHO)
    if counts["readyReplicas"] > counts["availableReplicas"]:
        world.after(max(patience, 0) or 1.0, key)
