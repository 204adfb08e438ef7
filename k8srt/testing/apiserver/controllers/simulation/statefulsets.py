"""Stateful sets: pods with numbers, begun and ended in order, each with claims of its own."""

from __future__ import annotations

import copy
from typing import Any

from k8srt.testing.apiserver.controllers.simulation import revisions
from k8srt.testing.apiserver.controllers.simulation.pods import available, finished, going, made_from, phase, ready
from k8srt.testing.apiserver.controllers.simulation.replicasets import adopt
from k8srt.testing.apiserver.controllers.simulation.world import Key, World
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
_WHO = "statefulset-controller"


def reconcile(world: World, key: Key, owner: JSON | None) -> None:
    if owner is None:
        return
    if going(owner):
        return
    if adopt(world, owner, "pods", _WHO):
        return  # to be looked at once more, with what it has now
    update = revisions.current(world, owner, _WHO)
    before = owner.get("status") or {}
    current = before.get("currentRevision") or update["metadata"]["name"]
    known = {each["metadata"]["name"]: each for each in revisions.history(world, owner)}
    if current not in known:
        current = update["metadata"]["name"]
    _arrange(world, owner, known.get(current, update), update)
    _tell(world, key, owner, current, update["metadata"]["name"])


def _number(pod: JSON) -> int:
    tail = pod["metadata"]["name"].rpartition("-")[2]
    return int(tail) if tail.isdigit() else -1


def _first(owner: JSON) -> int:
    return int((owner["spec"].get("ordinals") or {}).get("start", 0))


def _pods(world: World, owner: JSON) -> dict[int, JSON]:
    return {_number(pod): pod for pod in world.owned(owner, "pods") if _number(pod) >= 0}


def _healthy(pod: JSON) -> bool:
    return phase(pod) == "Running" and ready(pod) and not going(pod)


def _arrange(world: World, owner: JSON, current: JSON, update: JSON) -> None:
    """Begin, end or renew pods, as many as the order allows at this moment."""
    pods = _pods(world, owner)
    first, count = _first(owner), owner["spec"].get("replicas", 1)
    wanted = range(first, first + count)
    ordered = owner["spec"].get("podManagementPolicy") != "Parallel"
    patience = owner["spec"].get("minReadySeconds", 0)
    for number in wanted:
        pod = pods.get(number)
        if pod is None:
            _create(world, owner, number, current, update)
            if ordered:
                return
        elif finished(pod) and not going(pod):
            world.delete(pod, _WHO)
            return
        elif ordered and not (_healthy(pod) and available(world, pod, patience)):
            if going(pod) or _right(owner, pod, current, update):
                return
            world.delete(pod, _WHO)  # of a revision that does not come up, and is no longer wanted
            return
    for number in sorted((number for number in pods if number not in wanted), reverse=True):
        if not going(pods[number]):
            _end(world, owner, pods[number])
        if ordered:
            return
    _renew(world, owner, {number: pod for number, pod in pods.items() if number in wanted}, update)


def _partition(owner: JSON) -> int:
    rolling = owner["spec"].get("updateStrategy", {}).get("rollingUpdate") or {}
    return int(rolling.get("partition", 0))


def _right(owner: JSON, pod: JSON, current: JSON, update: JSON) -> bool:
    """Whether a pod is of the revision that its number should have."""
    if owner["spec"].get("updateStrategy", {}).get("type") == "OnDelete" or _number(pod) < _partition(owner):
        return True
    return bool((pod["metadata"].get("labels") or {}).get(revisions.LABEL) == update["metadata"]["name"])


def _renew(world: World, owner: JSON, pods: dict[int, JSON], update: JSON) -> None:
    """Delete the highest pod of an old revision, once those above it are well."""
    if owner["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
        return
    for number in sorted(pods, reverse=True):
        if number < _partition(owner):
            return
        pod = pods[number]
        if (pod["metadata"].get("labels") or {}).get(revisions.LABEL) != update["metadata"]["name"]:
            if not going(pod):
                _end(world, owner, pod)
            return
        if not _healthy(pod):
            return


def _end(world: World, owner: JSON, pod: JSON) -> None:
    world.delete(pod, _WHO)
    text = f"delete Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']} successful"
    world.event(owner, "SuccessfulDelete", text, _WHO)


def _create(world: World, owner: JSON, number: int, current: JSON, update: JSON) -> None:
    name, namespace = owner["metadata"]["name"], owner["metadata"]["namespace"]
    old = number - _first(owner) < _partition(owner) and current is not update
    revision = current if old else update
    pod_name = f"{name}-{number}"
    labels = {
        "statefulset.kubernetes.io/pod-name": pod_name,
        "apps.kubernetes.io/pod-index": str(number),
        revisions.LABEL: revision["metadata"]["name"],
    }
    pod = made_from(revisions.template_of(revision), owner, name=pod_name, labels=labels)
    spec = pod["spec"]
    spec["hostname"] = pod_name
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    _claim(world, owner, pod_name, spec)
    try:
        world.create("pods", namespace, pod, _WHO)
    except Failure as err:
        text = f"create Pod {pod_name} in StatefulSet {name} failed error: {err}"
        world.event(owner, "FailedCreate", text, _WHO, kind="Warning")
        raise
    text = f"create Pod {pod_name} in StatefulSet {name} successful"
    world.event(owner, "SuccessfulCreate", text, _WHO)


def _claim(world: World, owner: JSON, pod: str, spec: JSON) -> None:
    """Make the pod's claims, and mount them."""
    namespace = owner["metadata"]["namespace"]
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        name = f"{template['metadata']['name']}-{pod}"
        if world.get("persistentvolumeclaims", namespace, name) is None:
            labels = (owner["spec"]["selector"] or {}).get("matchLabels") or {}
            meta = {"name": name, "labels": {**labels, **(template["metadata"].get("labels") or {})}}
            made = {"metadata": meta, "spec": copy.deepcopy(template["spec"])}
            world.create("persistentvolumeclaims", namespace, made, _WHO)
            told = f"create Claim {name} Pod {pod} in StatefulSet {owner['metadata']['name']} success"
            world.event(owner, "SuccessfulCreate", told, _WHO)
        volumes = [each for each in spec.get("volumes") or () if each["name"] != template["metadata"]["name"]]
        mounted = {"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}}
        spec["volumes"] = [*volumes, mounted]


def _tell(world: World, key: Key, owner: JSON, current: str, update: str) -> None:
    pods = [pod for number, pod in _pods(world, owner).items() if not finished(pod)]
    patience, count = owner["spec"].get("minReadySeconds", 0), owner["spec"].get("replicas", 1)

    def of(revision: str) -> int:
        marks = [(pod["metadata"].get("labels") or {}).get(revisions.LABEL) for pod in pods if not going(pod)]
        return marks.count(revision)

    up = sum(ready(pod) for pod in pods)
    useful = sum(available(world, pod, patience) for pod in pods)
    if of(update) == count == up and current != update and _partition(owner) == 0:
        current = update
    status: JSON = {
        "observedGeneration": owner["metadata"].get("generation", 1),
        "replicas": len(pods),
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": 0,
        "availableReplicas": useful,
    }
    counts = {"readyReplicas": up, "currentReplicas": of(current), "updatedReplicas": of(update)}
    status.update({name: number for name, number in counts.items() if number})
    world.set_status(owner, status, _WHO)
    revisions.forget_old(world, owner, {current, update}, _WHO)
    if up > useful:
        world.after(patience or 1.0, key)
