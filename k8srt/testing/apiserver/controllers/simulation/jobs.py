"""Jobs: pods that run to their end, some at a time, until enough have succeeded or too many failed."""

from __future__ import annotations

from typing import Any

from k8srt.testing.apiserver.controllers.simulation.pods import active, going, is_true, made_from, phase, ready
from k8srt.testing.apiserver.controllers.simulation.world import Key, World
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
_WHO = "job-controller"
_INDEX = "batch.kubernetes.io/job-completion-index"


def reconcile(world: World, key: Key, job: JSON | None) -> None:
    if job is None or going(job):
        return
    if done(job):
        _expire(world, key, job)
        return
    pods = world.owned(job, "pods")
    status: JSON = dict(job.get("status") or {})
    if job["spec"].get("suspend"):
        _suspend(world, job, pods, status)
        return
    if "startTime" not in status:
        status["startTime"] = world.now()
        if any(each["type"] == "Suspended" for each in status.get("conditions") or ()):
            status["conditions"] = _conditions(world, status, "Suspended", "JobResumed", "Job resumed", "False")
            world.event(job, "Resumed", "Job resumed", _WHO)
    verdict = _verdict(world, key, job, status, pods)
    if verdict is None:
        _go_on(world, job, pods)
    _tell(world, job, status, verdict)


def done(job: JSON) -> bool:
    return is_true(job, "Complete") or is_true(job, "Failed")


def _count(pods: list[JSON], wanted: str) -> int:
    return sum(phase(pod) == wanted for pod in pods)


def _index(pod: JSON) -> int:
    return int((pod["metadata"].get("annotations") or {}).get(_INDEX, "-1"))


def _indexed(job: JSON) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def _succeeded(job: JSON, pods: list[JSON]) -> int:
    if _indexed(job):
        return len({_index(pod) for pod in pods if phase(pod) == "Succeeded"})
    return _count(pods, "Succeeded")


def _verdict(world: World, key: Key, job: JSON, status: JSON, pods: list[JSON]) -> tuple[str, str, str] | None:
    """Type, reason and message of the condition the job ends with, if it does."""
    spec = job["spec"]
    limit = spec.get("activeDeadlineSeconds")
    failures = _count(pods, "Failed") + sum(
        each.get("restartCount", 0)
        for pod in pods
        if phase(pod) == "Running" and pod["spec"].get("restartPolicy") == "OnFailure"
        for each in pod["status"].get("containerStatuses") or ()
    )
    if failures > spec.get("backoffLimit", 6):
        return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    if limit is not None:
        left = limit - world.seconds_since(status["startTime"])
        if left <= 0:
            return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
        world.after(left, key)
    wanted, reached = spec.get("completions"), _succeeded(job, pods)
    if wanted is None:
        if reached and not any(active(pod) for pod in pods):
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
    elif reached >= wanted:
        return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
    return None


def _go_on(world: World, job: JSON, pods: list[JSON]) -> None:
    """Have as many pods run as may."""
    spec = job["spec"]
    running = [pod for pod in pods if active(pod)]
    parallel, wanted = spec.get("parallelism", 1), spec.get("completions")
    if wanted is None:
        count = 0 if _count(pods, "Succeeded") else parallel
    else:
        count = min(parallel, wanted - _succeeded(job, pods))
    for pod in running[count:]:
        world.delete(pod, _WHO)
        world.event(job, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", _WHO)
    taken = {_index(pod) for pod in pods if active(pod) or phase(pod) == "Succeeded"}
    free = (number for number in range(wanted or 0) if number not in taken)
    for _ in range(count - len(running)):
        _create(world, job, next(free, -1) if _indexed(job) else -1)


def _create(world: World, job: JSON, index: int) -> None:
    pod = made_from(job["spec"]["template"], job)
    if index >= 0:
        meta, mark = pod["metadata"], str(index)
        meta["generateName"] = f"{job['metadata']['name']}-{index}-"
        meta["labels"][_INDEX] = mark
        meta["annotations"] = {**(meta.get("annotations") or {}), _INDEX: mark}
        pod["spec"].setdefault("hostname", f"{job['metadata']['name']}-{index}")
        for container in pod["spec"]["containers"]:
            source = {"fieldRef": {"fieldPath": f"metadata.annotations['{_INDEX}']"}}
            container["env"] = [*(container.get("env") or ()),
                                {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}]  # fmt: skip
    try:
        made = world.create("pods", job["metadata"]["namespace"], pod, _WHO)
    except Failure as err:
        world.event(job, "FailedCreate", f"Error creating: {err}", _WHO, kind="Warning")
        raise
    world.event(job, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}", _WHO)


def _suspend(world: World, job: JSON, pods: list[JSON], status: JSON) -> None:
    for pod in pods:
        if active(pod):
            world.delete(pod, _WHO)
    status.pop("startTime", None)
    if not is_true(job, "Suspended"):
        world.event(job, "Suspended", "Job suspended", _WHO)
        status["conditions"] = _conditions(world, status, "Suspended", "JobSuspended", "Job suspended")
    _tell(world, job, status, None)


def _conditions(world: World, status: JSON, kind: str, reason: str, message: str, value: str = "True") -> list[JSON]:
    now = world.now()
    made = {"type": kind, "status": value, "lastProbeTime": now, "lastTransitionTime": now, "reason": reason,
            "message": message}  # fmt: skip
    return [*(each for each in status.get("conditions") or () if each["type"] != kind), made]


def _tell(world: World, job: JSON, status: JSON, verdict: tuple[str, str, str] | None) -> None:
    if verdict is not None:
        for pod in world.owned(job, "pods"):
            if active(pod):
                world.delete(pod, _WHO)
    pods = world.owned(job, "pods")
    counts = {
        "active": sum(active(pod) for pod in pods) if verdict is None else 0,
        "ready": sum(ready(pod) and active(pod) for pod in pods) if verdict is None else 0,
        "terminating": sum(going(pod) and phase(pod) not in ("Succeeded", "Failed") for pod in pods),
        "succeeded": _succeeded(job, pods),
        "failed": _count(pods, "Failed"),
    }
    status = {**status, **counts, "uncountedTerminatedPods": {}}
    for part in ("active", "succeeded", "failed"):
        if not status[part]:
            del status[part]
    if _indexed(job):
        status["completedIndexes"] = _ranges({_index(pod) for pod in pods if phase(pod) == "Succeeded"})
        if not status["completedIndexes"]:
            del status["completedIndexes"]
    if verdict is not None:
        kind, reason, message = verdict
        first = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[kind]
        status["conditions"] = _conditions(world, status, first, reason, message)
        status["conditions"] = _conditions(world, status, kind, reason, message)
        if kind == "Complete":
            status["completionTime"] = world.now()
    world.set_status(job, status, _WHO)
    if verdict is not None:
        kind, reason, message = verdict
        if kind == "Complete":
            world.event(job, "Completed", "Job completed", _WHO)
        else:
            world.event(job, reason, message, _WHO, kind="Warning")


def _ranges(numbers: set[int]) -> str:
    """`0-2,5`."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(a) if a == b else f"{a}{',' if b == a + 1 else '-'}{b}" for a, b in found)


def _expire(world: World, key: Key, job: JSON) -> None:
    limit = job["spec"].get("ttlSecondsAfterFinished")
    if limit is None:
        return
    ended = next(each for each in job["status"]["conditions"] if each["type"] in ("Complete", "Failed"))
    left = limit - world.seconds_since(ended["lastTransitionTime"])
    if left <= 0:
        world.delete(job, "ttl-after-finished-controller", policy="Foreground")
    else:
        world.after(left, key)
