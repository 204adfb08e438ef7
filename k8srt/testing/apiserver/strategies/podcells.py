"""Cells of tables about pods: what kubectl shows of all a pod's containers together."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from k8srt.testing.apiserver.strategies.cells import moment, since

JSON = dict[str, Any]


class Summary(NamedTuple):
    """A pod in three cells."""

    ready: str
    status: str
    restarts: str


def ready(obj: JSON, now: datetime) -> str:
    return summary(obj, now).ready


def status(obj: JSON, now: datetime) -> str:
    return summary(obj, now).status


def restarts(obj: JSON, now: datetime) -> str:
    return summary(obj, now).restarts


def summary(obj: JSON, now: datetime) -> Summary:
    """While init containers run, the state is theirs; sidecars count with the containers from then on."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    sidecars = {each["name"] for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"}
    conditions = {each.get("type"): each for each in status.get("conditions") or []}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    if (conditions.get("PodScheduled") or {}).get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    first = status.get("initContainerStatuses") or []
    stuck = _stuck(first, sidecars, len(spec.get("initContainers") or []))
    seen = first
    up = [each for each in first if each["name"] in sidecars and each.get("started") and each.get("ready")]
    if stuck and not _is_true(conditions, "Initialized"):
        reason = stuck
    else:
        reason = stuck or reason
        main = status.get("containerStatuses") or []
        seen = [*(each for each in first if each["name"] in sidecars), *main]
        running = [each for each in main if each.get("ready") and "running" in (each.get("state") or {})]
        up = [*up, *running]
        for each in reversed(main):
            reason = _state(each) or reason
        if reason == "Completed" and running:
            reason = "Running" if _is_true(conditions, "Ready") else "NotReady"
    return Summary(
        f"{len(up)}/{len(spec.get('containers') or []) + len(sidecars)}",
        _leaving(obj) or reason,
        _count(seen, now),
    )


def _is_true(conditions: JSON, kind: str) -> bool:
    return (conditions.get(kind) or {}).get("status") == "True"


def _leaving(obj: JSON) -> str:
    """What is shown of a pod that is being deleted."""
    status = obj.get("status") or {}
    if "deletionTimestamp" not in obj["metadata"]:
        return ""
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return "" if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _stuck(statuses: list[JSON], sidecars: set[str], count: int) -> str:
    """What is shown of the first init container that has not done its work."""
    for index, each in enumerate(statuses):
        state = each.get("state") or {}
        ended, waiting = state.get("terminated"), (state.get("waiting") or {}).get("reason")
        if ended and not ended.get("exitCode"):
            continue
        if each["name"] in sidecars and each.get("started"):
            continue
        if ended:
            return f"Init:{_ending(ended)}"
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{count}"
    return ""


def _state(status: JSON) -> str:
    """Why a container waits or ended; nothing when it runs."""
    state = status.get("state") or {}
    waiting = (state.get("waiting") or {}).get("reason")
    if waiting:
        return str(waiting)
    return _ending(state["terminated"]) if state.get("terminated") else ""


def _ending(ended: JSON) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _count(statuses: list[JSON], now: datetime) -> str:
    """How many restarts there were, and when the last one was."""
    total = sum(each.get("restartCount", 0) for each in statuses)
    ends: list[str | None] = [
        ((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for each in statuses
    ]
    last = max((end for end in ends if end and moment(end)), default="")
    return f"{total} ({since(last, now)} ago)" if total and last else str(total)
