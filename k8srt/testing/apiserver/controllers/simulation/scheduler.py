"""Finds nodes for pods: where they are allowed, tolerate the taints, and fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from k8srt.apimachinery.quantity import Quantity
from k8srt.testing.apiserver.controllers.simulation.nodes import usable
from k8srt.testing.apiserver.controllers.simulation.pods import condition, finished, going
from k8srt.testing.apiserver.controllers.simulation.world import Key, World
from k8srt.testing.apiserver.subresources.podnode import bind_pod

JSON = dict[str, Any]
_WHO = "default-scheduler"
_MEASURED = ("cpu", "memory")


def waiting(world: World) -> Iterator[Key]:
    """The pods that have no node yet."""
    for stored in world.cluster.storage.page("pods").items:
        if not stored.fields.get("spec.nodeName"):
            yield Key("pods", stored.namespace, stored.name)


def reconcile(world: World, key: Key, pod: JSON) -> None:
    """Give a pod a node, or say why it gets none."""
    spec = pod["spec"]
    if going(pod) or finished(pod) or spec.get("schedulerName", _WHO) != _WHO or spec.get("schedulingGates"):
        return
    nodes = [node for node in world.all("nodes") if usable(node)]
    reasons: Counter[str] = Counter()
    fitting = []
    loads = _loads(world)
    for node in nodes:
        load = loads.get(node["metadata"]["name"]) or _empty()
        why = _obstacle(pod, node, load)
        if why:
            reasons[why] += 1
        else:
            fitting.append((load["pods"], node["metadata"]["name"]))
    if not fitting:
        _refuse(world, pod, len(nodes), reasons)
        return
    name = min(fitting)[1]
    bind_pod(world.cluster, key.namespace, key.name, name)
    where = f"{key.namespace}/{key.name}"
    world.event(pod, "Scheduled", f"Successfully assigned {where} to {name}", _WHO)


def _refuse(world: World, pod: JSON, count: int, reasons: Counter[str]) -> None:
    told = ", ".join(f"{number} {why}" for why, number in sorted(reasons.items()))
    text = f"0/{count} nodes are available: {told}." if count else "no nodes available to schedule pods"
    before = condition(pod, "PodScheduled")
    if before is not None and before.get("message") == text:
        return
    made = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text,
            "lastProbeTime": None, "lastTransitionTime": world.now()}  # fmt: skip
    status = dict(pod.get("status") or {})
    others = [each for each in status.get("conditions") or () if each["type"] != "PodScheduled"]
    world.set_status(pod, {**status, "conditions": [*others, made]}, _WHO)
    world.event(pod, "FailedScheduling", text, _WHO, kind="Warning")


# ---- what fits


def _empty() -> dict[str, Any]:
    return {"pods": 0, "cpu": Fraction(0), "memory": Fraction(0)}


def _loads(world: World) -> dict[str, dict[str, Any]]:
    """What the pods of each node ask for."""
    found: dict[str, dict[str, Any]] = {}
    for pod in world.all("pods"):
        node = pod["spec"].get("nodeName")
        if node and not finished(pod):
            load = found.setdefault(node, _empty())
            load["pods"] += 1
            for name, amount in requests(pod).items():
                load[name] += amount
    return found


def requests(pod: JSON) -> dict[str, Fraction]:
    """What a pod asks for of what nodes have."""
    found = dict.fromkeys(_MEASURED, Fraction(0))
    for container in pod["spec"].get("containers") or ():
        asked = (container.get("resources") or {}).get("requests") or {}
        for name in _MEASURED:
            if name in asked:
                found[name] += Fraction(Quantity(asked[name]).amount)
    return found


def _obstacle(pod: JSON, node: JSON, load: dict[str, Any]) -> str:
    """Why a pod cannot be on a node, in the scheduler's words; empty if it can."""
    if not allowed(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    taint = untolerated(pod, node)
    if taint is not None:
        if taint["key"] == "node.kubernetes.io/unschedulable":
            return "node(s) were unschedulable"
        value = taint.get("value", "")
        return f"node(s) had untolerated taint {{{taint['key']}: {value}}}"
    room = (node.get("status") or {}).get("allocatable") or {}
    if load["pods"] + 1 > Quantity(room.get("pods", "110")).value():
        return "Too many pods"
    for name, amount in requests(pod).items():
        if name in room and amount and load[name] + amount > Fraction(Quantity(room[name]).amount):
            return f"Insufficient {name}"
    return ""


def untolerated(pod: JSON, node: JSON, effects: tuple[str, ...] = ("NoSchedule", "NoExecute")) -> JSON | None:
    """The first taint that keeps a pod away."""
    tolerations = pod["spec"].get("tolerations") or []
    taints: list[JSON] = list(node["spec"].get("taints") or ())
    if node["spec"].get("unschedulable"):
        taints.append({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    for taint in taints:
        if taint["effect"] in effects and not any(_tolerates(each, taint) for each in tolerations):
            return taint
    return None


def _tolerates(toleration: JSON, taint: JSON) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def allowed(pod: JSON, node: JSON) -> bool:
    """Whether selector and required affinity of a pod let it be on a node."""
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    name = {"metadata.name": node["metadata"]["name"]}
    return any(
        (term.get("matchExpressions") or term.get("matchFields"))
        and all(_holds(each, labels) for each in term.get("matchExpressions") or ())
        and all(_holds(each, name) for each in term.get("matchFields") or ())
        for term in required.get("nodeSelectorTerms") or ()
    )


def _holds(requirement: JSON, values: JSON) -> bool:
    found, wanted = values.get(requirement["key"]), requirement.get("values") or []
    operator = requirement["operator"]
    if operator == "In":
        return found in wanted
    if operator == "NotIn":
        return found not in wanted
    if operator in ("Exists", "DoesNotExist"):
        return (found is not None) is (operator == "Exists")
    if found is None or not found.lstrip("-").isdigit():
        return False
    return int(found) > int(wanted[0]) if operator == "Gt" else int(found) < int(wanted[0])
