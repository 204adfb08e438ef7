"""Daemon sets: a pod on each node that may have one."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.simulation import revisions
from k8srt.testing.apiserver.controllers.simulation.pods import available, finished, going, made_from, ready
from k8srt.testing.apiserver.controllers.simulation.replicasets import adopt
from k8srt.testing.apiserver.controllers.simulation.rolling import limits
from k8srt.testing.apiserver.controllers.simulation.scheduler import allowed, untolerated
from k8srt.testing.apiserver.controllers.simulation.world import Key, World
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
_WHO = "daemonset-controller"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_GENERATION = "pod-template-generation"


def reconcile(world: World, key: Key, owner: JSON | None) -> None:
    if owner is None or going(owner):
        return
    if adopt(world, owner, "pods", _WHO):
        return  # to be looked at once more, with what it has now
    revision = revisions.current(world, owner, _WHO)
    mark = revision["metadata"]["labels"][revisions.LABEL]
    nodes = {node["metadata"]["name"]: node for node in world.all("nodes")}
    wanted = [name for name, node in nodes.items() if _belongs(owner, node)]
    pods = _by_node(world, owner)
    occupied = {_target(pod) for pod in world.owned(owner, "pods")}  # by pods that are going, too
    for name in wanted:
        if name not in occupied:
            _create(world, owner, name, mark)
    for name, found in pods.items():
        for pod in found if name not in wanted else found[1:]:
            _end(world, owner, pod)
        for pod in found[:1]:
            if finished(pod):
                _end(world, owner, pod)
    _renew(world, owner, wanted, mark)
    _tell(world, key, owner, wanted, mark)
    revisions.forget_old(world, owner, {revision["metadata"]["name"]}, _WHO)


def _pod(owner: JSON, node: str, mark: str) -> JSON:
    labels = {revisions.LABEL: mark, _GENERATION: str(_generation(owner))}
    pod = made_from(owner["spec"]["template"], owner, labels=labels)
    spec = pod["spec"]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    needed = {"nodeSelectorTerms": [term]}
    spec["affinity"] = {**(spec.get("affinity") or {}), "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": needed}}  # fmt: skip
    extra = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    spec["tolerations"] = [*(spec.get("tolerations") or ()), *extra]
    return pod


def _generation(owner: JSON) -> int:
    notes = owner["metadata"].get("annotations") or {}
    return int(notes.get("deprecated.daemonset.template.generation", 1))


def _belongs(owner: JSON, node: JSON) -> bool:
    pod = _pod(owner, node["metadata"]["name"], "")
    template = {"spec": {**owner["spec"]["template"]["spec"]}}
    return allowed(template, node) and untolerated(pod, node) is None


def _by_node(world: World, owner: JSON) -> dict[str, list[JSON]]:
    """The pods by the node they are on, or are meant for."""
    found: dict[str, list[JSON]] = {}
    for pod in world.owned(owner, "pods"):
        if not going(pod):
            found.setdefault(_target(pod), []).append(pod)
    return found


def _target(pod: JSON) -> str:
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    needed = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in needed.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            return str(field["values"][0])
    return ""


def _create(world: World, owner: JSON, node: str, mark: str) -> None:
    try:
        made = world.create("pods", owner["metadata"]["namespace"], _pod(owner, node, mark), _WHO)
    except Failure as err:
        world.event(owner, "FailedCreate", f"Error creating: {err}", _WHO, kind="Warning")
        raise
    world.event(owner, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}", _WHO)


def _end(world: World, owner: JSON, pod: JSON) -> None:
    world.delete(pod, _WHO)
    world.event(owner, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", _WHO)


def _mark(pod: JSON) -> str:
    return str((pod["metadata"].get("labels") or {}).get(revisions.LABEL, ""))


def _renew(world: World, owner: JSON, wanted: list[str], mark: str) -> None:
    strategy = owner["spec"].get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        return
    most = limits({**(strategy.get("rollingUpdate") or {}), "maxSurge": 0}, len(wanted))[1]
    pods = _by_node(world, owner)
    patience = owner["spec"].get("minReadySeconds", 0)
    up = sum(any(available(world, pod, patience) for pod in pods.get(name, ())) for name in wanted)
    room = most - (len(wanted) - up)
    for name in wanted:
        for pod in pods.get(name, ()):
            if _mark(pod) == mark:
                continue
            if not available(world, pod, patience):
                _end(world, owner, pod)
            elif room > 0:
                room -= 1
                _end(world, owner, pod)


def _tell(world: World, key: Key, owner: JSON, wanted: list[str], mark: str) -> None:
    pods, patience = _by_node(world, owner), owner["spec"].get("minReadySeconds", 0)
    here = [pods[name][0] for name in wanted if pods.get(name)]
    up = sum(ready(pod) for pod in here)
    useful = sum(available(world, pod, patience) for pod in here)
    status: JSON = {
        "currentNumberScheduled": len(here),
        "numberMisscheduled": sum(1 for name in pods if name not in wanted),
        "desiredNumberScheduled": len(wanted),
        "numberReady": up,
        "observedGeneration": owner["metadata"].get("generation", 1),
    }
    counts = {
        "updatedNumberScheduled": sum(_mark(pod) == mark for pod in here),
        "numberAvailable": useful,
        "numberUnavailable": len(wanted) - useful,
    }
    status.update({name: count for name, count in counts.items() if count})
    world.set_status(owner, status, _WHO)
    if up > useful:
        world.after(patience or 1.0, key)
