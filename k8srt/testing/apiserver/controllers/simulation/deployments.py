"""Deployments: a replica set for each template they ever had, the newest scaled up while the others are scaled down."""

from __future__ import annotations

import copy
from typing import Any

from k8srt.testing.apiserver.controllers.simulation.pods import (
    active,
    available,
    condition,
    going,
    template_hash,
    with_condition,
)
from k8srt.testing.apiserver.controllers.simulation.replicasets import adopt
from k8srt.testing.apiserver.controllers.simulation.rolling import limits
from k8srt.testing.apiserver.controllers.simulation.world import Key, World, owner_reference

JSON = dict[str, Any]
_WHO = "deployment-controller"
_TABLE = "replicasets.apps"
_HASH = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MOST = "deployment.kubernetes.io/max-replicas"
_OWN_NOTES = (_REVISION, _HISTORY, _DESIRED, _MOST, "kubectl.kubernetes.io/last-applied-configuration")


def reconcile(world: World, key: Key, deployment: JSON | None) -> None:
    if deployment is None:
        return
    if going(deployment):
        _tell(world, key, deployment, None, world.owned(deployment, _TABLE), "")
        return
    if adopt(world, deployment, _TABLE, _WHO):
        return  # to be looked at once more, with what it has now
    sets = [each for each in world.owned(deployment, _TABLE) if not going(each)]
    new = _newest(deployment, sets)
    news = ""
    if deployment["spec"].get("paused"):
        _scale_as_it_is(world, deployment, sets)
    else:
        if new is None:
            if deployment["spec"]["strategy"]["type"] == "Recreate" and not _all_gone(world, deployment, sets):
                _tell(world, key, deployment, None, sets, "")
                return
            new, news = _create(world, deployment, sets), "NewReplicaSetCreated"
            sets.append(new)
        elif _revise(world, deployment, new, sets):
            news = "FoundNewReplicaSet"
        deployment = world.get(*key) or deployment
        _roll(world, deployment, new, [each for each in sets if each is not new])
    _tell(world, key, deployment, new, world.owned(deployment, _TABLE), news)
    _forget_old(world, deployment, new)


# ---- the newest


def _bare(template: JSON) -> JSON:
    """A template as the deployment has it."""
    bare = copy.deepcopy(template)
    labels = (bare.get("metadata") or {}).get("labels") or {}
    labels.pop(_HASH, None)
    return bare


def _newest(deployment: JSON, sets: list[JSON]) -> JSON | None:
    wanted = _bare(deployment["spec"]["template"])
    return next((each for each in sets if _bare(each["spec"]["template"]) == wanted), None)


def _revision(obj: JSON) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(_REVISION, "0")
    return int(text) if text.isdigit() else 0


def _notes(deployment: JSON, revision: int) -> JSON:
    notes = deployment["metadata"].get("annotations") or {}
    spec = deployment["spec"]
    wanted = spec.get("replicas", 1)
    surge = limits(spec["strategy"].get("rollingUpdate") or {}, wanted)[0] if _rolls(deployment) else 0
    own = {_REVISION: str(revision), _DESIRED: str(wanted), _MOST: str(wanted + surge)}
    return {**{key: value for key, value in notes.items() if key not in _OWN_NOTES}, **own}


def _rolls(deployment: JSON) -> bool:
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def _create(world: World, deployment: JSON, sets: list[JSON]) -> JSON:
    meta, spec = deployment["metadata"], deployment["spec"]
    mark = template_hash(spec["template"], (deployment.get("status") or {}).get("collisionCount", 0))
    template = copy.deepcopy(spec["template"])
    labels = {**((template.get("metadata") or {}).get("labels") or {}), _HASH: mark}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    selector = copy.deepcopy(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), _HASH: mark}
    revision = max((_revision(each) for each in sets), default=0) + 1
    made = world.create(
        _TABLE,
        meta["namespace"],
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{meta['name']}-{mark}",
                "labels": labels,
                "annotations": _notes(deployment, revision),
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {
                "replicas": 0,
                "selector": selector,
                "template": template,
                "minReadySeconds": spec.get("minReadySeconds", 0),
            },
        },
        _WHO,
    )
    _note_revision(world, deployment, revision)
    return made


def _revise(world: World, deployment: JSON, new: JSON, sets: list[JSON]) -> bool:
    """Give the newest set the highest revision. Returns whether it had another: this is a way back."""
    others = max((_revision(each) for each in sets if each is not new), default=0)
    mine = _revision(new)
    revision = mine if mine > others else others + 1

    def change(obj: JSON) -> None:
        notes = obj["metadata"].get("annotations") or {}
        wanted = {**notes, **_notes(deployment, revision)}
        if revision != mine and mine:
            history = [each for each in notes.get(_HISTORY, "").split(",") if each]
            wanted[_HISTORY] = ",".join([*history, str(mine)])
        obj["metadata"]["annotations"] = wanted

    world.change(new, change, _WHO)
    _note_revision(world, deployment, revision)
    return revision != mine


def _note_revision(world: World, deployment: JSON, revision: int) -> None:
    def change(obj: JSON) -> None:
        obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), _REVISION: str(revision)}

    world.change(deployment, change, _WHO, "status")  # by which its generation does not grow


# ---- scaling


def _size(replica_set: JSON) -> int:
    return int(replica_set["spec"].get("replicas", 1))


def _scale(world: World, deployment: JSON, replica_set: JSON, size: int) -> None:
    before = _size(replica_set)
    if before == size:
        return
    world.change(replica_set, lambda obj: obj["spec"].update(replicas=size), _WHO)
    way, name = "up" if size > before else "down", replica_set["metadata"]["name"]
    text = f"Scaled {way} replica set {name} from {before} to {size}"
    world.event(deployment, "ScalingReplicaSet", text, _WHO)


def _scale_as_it_is(world: World, deployment: JSON, sets: list[JSON]) -> None:
    """Have as many pods as are asked for without a rollout: the biggest set takes the difference."""
    biggest = max(sets, key=lambda each: (_size(each), _revision(each)), default=None)
    if biggest is not None:
        others = sum(_size(each) for each in sets if each is not biggest)
        _scale(world, deployment, biggest, max(deployment["spec"].get("replicas", 1) - others, 0))


def _all_gone(world: World, deployment: JSON, sets: list[JSON]) -> bool:
    """Scale everything down; whether no pod is left."""
    for each in sets:
        _scale(world, deployment, each, 0)
    return not any(world.owned(each, "pods") for each in sets)


def _roll(world: World, deployment: JSON, new: JSON, old: list[JSON]) -> None:
    wanted = deployment["spec"].get("replicas", 1)
    if not _rolls(deployment):
        if _all_gone(world, deployment, old):
            _scale(world, deployment, new, wanted)
        return
    surge, missing = limits(deployment["spec"]["strategy"].get("rollingUpdate") or {}, wanted)
    total = _size(new) + sum(map(_size, old))
    room = wanted + surge - total
    now = _size(new)
    if now > wanted:
        _scale(world, deployment, new, wanted)
        now = wanted
    elif now < wanted and room > 0:
        now += min(room, wanted - now)
        _scale(world, deployment, new, now)
    _shrink(world, deployment, new, now, old, wanted - missing)


def _shrink(world: World, deployment: JSON, new: JSON, size: int, old: list[JSON], least: int) -> None:
    """Take away of the old sets what is not needed: first what is not available anyway."""
    patience = deployment["spec"].get("minReadySeconds", 0)
    up = {each["metadata"]["uid"]: min(_available(world, each, patience), _size(each)) for each in old}
    up[new["metadata"]["uid"]] = min(_available(world, new, patience), size)
    spare = size + sum(map(_size, old)) - least - (size - up[new["metadata"]["uid"]])
    if spare <= 0:
        return
    for broken in (True, False):
        for each in sorted(old, key=_revision):
            now = _size(world.get(_TABLE, each["metadata"]["namespace"], each["metadata"]["name"]) or each)
            here = up[each["metadata"]["uid"]]
            if broken:
                count = min(spare, max(now - here, 0))
            else:
                count = min(sum(up.values()) - least, now)
                up[each["metadata"]["uid"]] -= max(min(count, here), 0)
            if count > 0:
                spare -= count
                _scale(world, deployment, {**each, "spec": {**each["spec"], "replicas": now}}, now - count)


def _available(world: World, replica_set: JSON, patience: int) -> int:
    return sum(available(world, pod, patience) for pod in world.owned(replica_set, "pods") if active(pod))


def _forget_old(world: World, deployment: JSON, new: JSON | None) -> None:
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    done = [
        each
        for each in world.owned(deployment, _TABLE)
        if (new is None or each["metadata"]["uid"] != new["metadata"]["uid"])
        and _size(each) == 0
        and not (each.get("status") or {}).get("replicas")
        and not going(each)
    ]
    for each in sorted(done, key=_revision)[: max(len(done) - limit, 0)]:
        world.delete(each, _WHO)


# ---- telling


def _tell(world: World, key: Key, deployment: JSON, new: JSON | None, sets: list[JSON], news: str) -> None:
    deployment = world.get(*key) or deployment
    spec, before = deployment["spec"], deployment.get("status") or {}
    wanted, patience = spec.get("replicas", 1), spec.get("minReadySeconds", 0)
    if new is not None:
        new = next((each for each in sets if each["metadata"]["uid"] == new["metadata"]["uid"]), new)

    def total(part: str) -> int:
        return sum((each.get("status") or {}).get(part, 0) for each in sets)

    counts = {
        "replicas": total("replicas"),
        "updatedReplicas": ((new or {}).get("status") or {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
    }
    counts["unavailableReplicas"] = max(sum(map(_size, sets)) - counts["availableReplicas"], 0)
    status: JSON = {"observedGeneration": deployment["metadata"].get("generation", 1)}
    status.update({name: count for name, count in counts.items() if count})
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    missing = limits(spec["strategy"].get("rollingUpdate") or {}, wanted)[1] if _rolls(deployment) else 0
    now, conditions = world.now(), list(before.get("conditions") or ())
    if counts["availableReplicas"] >= wanted - missing:
        told = "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
    else:
        told = "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
    conditions = with_condition(conditions, "Available", *told, now, updates=True)
    if spec.get("paused"):
        pause = "Unknown", "DeploymentPaused", "Deployment is paused"
        conditions = with_condition(conditions, "Progressing", *pause, now, updates=True)
    elif new is not None:
        conditions = _progress(world, key, deployment, new, counts, conditions, news)
    if conditions:
        status["conditions"] = conditions
    world.set_status(deployment, status, _WHO)
    if counts["readyReplicas"] > counts["availableReplicas"]:
        world.after(patience or 1.0, key)


def _progress(
    world: World, key: Key, deployment: JSON, new: JSON, counts: dict[str, int], conditions: list[JSON], news: str
) -> list[JSON]:
    name, wanted, now = new["metadata"]["name"], deployment["spec"].get("replicas", 1), world.now()
    before, previous = condition(deployment, "Progressing"), deployment.get("status") or {}
    if news == "NewReplicaSetCreated":
        told = "True", news, f'Created new replica set "{name}"'
        return with_condition(conditions, "Progressing", *told, now, updates=True)
    complete = counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == wanted
    if complete:
        if before is not None and before["reason"] == "NewReplicaSetAvailable" and not news:
            return conditions
        told = "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'
        return with_condition(conditions, "Progressing", *told, now, updates=True)
    moved = any(counts[part] > previous.get(part, 0) for part in ("updatedReplicas", "readyReplicas",
                "availableReplicas")) or counts["replicas"] < previous.get("replicas", 0)  # fmt: skip
    if moved or news or before is None or before["reason"] == "NewReplicaSetAvailable":
        told = "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'
        others = [each for each in conditions if each["type"] != "Progressing"]
        made = with_condition(conditions, "Progressing", *told, now, updates=True)
        made = made if made is not conditions else [*others, {**(before or {}), "lastUpdateTime": now}]
        world.after(deployment["spec"].get("progressDeadlineSeconds", 600), key)
        return made
    late = world.seconds_since(before.get("lastUpdateTime")) - deployment["spec"].get("progressDeadlineSeconds", 600)
    if late >= 0 and before["reason"] != "ProgressDeadlineExceeded":
        told = "False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.'
        return with_condition(conditions, "Progressing", *told, now, updates=True)
    if late < 0:
        world.after(-late, key)
    return conditions
