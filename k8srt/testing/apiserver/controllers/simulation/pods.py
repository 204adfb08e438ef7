"""Questions about pods that several controllers ask, and how pods are made from templates."""

from __future__ import annotations

import copy
import zlib
from typing import Any

import msgspec

from k8srt.testing.apiserver.controllers.simulation.world import World, owner_reference

JSON = dict[str, Any]
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def condition(obj: JSON, kind: str) -> JSON | None:
    """The condition of a type."""
    return next((each for each in (obj.get("status") or {}).get("conditions") or () if each["type"] == kind), None)


def is_true(obj: JSON, kind: str) -> bool:
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


def phase(pod: JSON) -> str:
    return (pod.get("status") or {}).get("phase") or ""


def going(obj: JSON) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def finished(pod: JSON) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def active(pod: JSON) -> bool:
    """Whether a pod counts for its controller."""
    return not finished(pod) and not going(pod)


def ready(pod: JSON) -> bool:
    return is_true(pod, "Ready")


def available(world: World, pod: JSON, seconds: int) -> bool:
    """Whether a pod has been ready for so long."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return False
    return not seconds or world.seconds_since(found.get("lastTransitionTime")) >= seconds


def made_from(template: JSON, owner: JSON, *, name: str = "", labels: JSON | None = None) -> JSON:
    """A pod from a template; without a name, one is generated from the owner's."""
    meta = template.get("metadata") or {}
    made: JSON = {"labels": {**(meta.get("labels") or {}), **(labels or {})}}
    if meta.get("annotations"):
        made["annotations"] = dict(meta["annotations"])
    if meta.get("finalizers"):
        made["finalizers"] = list(meta["finalizers"])
    made["ownerReferences"] = [owner_reference(owner)]
    if name:
        made["name"] = name
    else:
        made["generateName"] = f"{owner['metadata']['name']}-"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": copy.deepcopy(template["spec"])}


def template_hash(template: JSON, collisions: int = 0) -> str:
    """A short name for the content of a template."""
    number = zlib.crc32(msgspec.json.encode(template, order="sorted") + str(collisions or "").encode())
    text = ""
    while number:
        number, rest = divmod(number, len(_LETTERS))
        text += _LETTERS[rest]
    return text or _LETTERS[0]


def with_condition(
    conditions: list[JSON], kind: str, value: str, reason: str, message: str, now: str, *, updates: bool = False
) -> list[JSON]:
    """The conditions with one set. Its time is kept while its value is; `updates`: the kind notes changes, too."""
    made: JSON = {"type": kind, "status": value, "lastTransitionTime": now, "reason": reason, "message": message}
    if updates:
        made["lastUpdateTime"] = now
    found = []
    for each in conditions:
        if each["type"] != kind:
            found.append(each)
            continue
        if each["status"] == value:
            if each.get("reason") == reason and each.get("message") == message:
                return conditions
            made["lastTransitionTime"] = each.get("lastTransitionTime", now)
    return [*found, made]
