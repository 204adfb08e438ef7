"""Cron jobs: a job whenever the schedule says so."""

from __future__ import annotations

import copy
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

from k8srt.apimachinery.wire import format_time
from k8srt.testing.apiserver.controllers.simulation.jobs import done
from k8srt.testing.apiserver.controllers.simulation.pods import going, is_true
from k8srt.testing.apiserver.controllers.simulation.schedule import Schedule
from k8srt.testing.apiserver.controllers.simulation.world import Key, World, owner_reference
from k8srt.testing.apiserver.failures import Failure

JSON = dict[str, Any]
_WHO = "cronjob-controller"
_EVERY = "@every "


def reconcile(world: World, key: Key, cron: JSON | None) -> None:
    if cron is None or going(cron):
        return
    jobs = world.owned(cron, "jobs.batch")
    status: JSON = dict(cron.get("status") or {})
    if not cron["spec"].get("suspend"):
        jobs = _begin_what_is_due(world, key, cron, jobs, status)
    _tell(world, cron, jobs, status)
    _forget_old(world, cron, jobs)


def _next(cron: JSON, moment: datetime) -> datetime | None:
    text = cron["spec"]["schedule"]
    if text.startswith(_EVERY):
        from k8srt.testing.apiserver.cel.times import read_duration

        return moment + max(read_duration(text.removeprefix(_EVERY)), timedelta(seconds=1))
    zone = zoneinfo.ZoneInfo(cron["spec"].get("timeZone") or "UTC")
    found = Schedule(text).after(moment.astimezone(zone))
    return found.astimezone(UTC) if found else None


def _begin_what_is_due(world: World, key: Key, cron: JSON, jobs: list[JSON], status: JSON) -> list[JSON]:
    now = world.time()
    since = datetime.fromisoformat(status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"])
    due, following = None, _next(cron, since)
    while following is not None and following <= now:
        due, following = following, _next(cron, following)
    if following is not None:
        world.after((following - now).total_seconds(), key)
    limit = cron["spec"].get("startingDeadlineSeconds")
    if due is None:
        return jobs
    if limit is not None and (now - due).total_seconds() > limit:
        return jobs
    running = [job for job in jobs if not done(job)]
    policy = cron["spec"].get("concurrencyPolicy", "Allow")
    if running and policy == "Forbid":
        world.event(cron, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency "
                    "policy is Forbid", _WHO)  # fmt: skip
        return jobs
    if running and policy == "Replace":
        for job in running:
            world.delete(job, _WHO)
            world.event(cron, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}", _WHO)
        jobs = [job for job in jobs if job not in running]
    status["lastScheduleTime"] = format_time(due)
    return [*jobs, *_create(world, cron, due)]


def _create(world: World, cron: JSON, due: datetime) -> list[JSON]:
    template = copy.deepcopy(cron["spec"]["jobTemplate"])
    meta = template.get("metadata") or {}
    name = f"{cron['metadata']['name']}-{int(due.timestamp()) // 60}"
    notes = {**(meta.get("annotations") or {}), "batch.kubernetes.io/cronjob-scheduled-timestamp": format_time(due)}
    made = {"metadata": {"name": name, "labels": meta.get("labels") or {}, "annotations": notes,
                         "ownerReferences": [owner_reference(cron)]}, "spec": template["spec"]}  # fmt: skip
    try:
        job = world.create("jobs.batch", cron["metadata"]["namespace"], made, _WHO)
    except Failure as err:
        if err.code == 409:
            return []
        world.event(cron, "FailedCreate", f"Error creating job: {err}", _WHO, kind="Warning")
        raise
    world.event(cron, "SuccessfulCreate", f"Created job {name}", _WHO)
    return [job]


def _tell(world: World, cron: JSON, jobs: list[JSON], status: JSON) -> None:
    refs = []
    for job in jobs:
        if not done(job):
            meta = job["metadata"]
            refs.append({"kind": "Job", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
                         "apiVersion": "batch/v1", "resourceVersion": meta["resourceVersion"]})  # fmt: skip
    if refs:
        status["active"] = refs
    else:
        status.pop("active", None)
    finished = [job["status"]["completionTime"] for job in jobs if is_true(job, "Complete")]
    if finished:
        status["lastSuccessfulTime"] = max(finished)
    before = cron.get("status") or {}
    gone = {ref["name"] for ref in before.get("active") or ()} - {ref["name"] for ref in refs}
    for job in jobs:
        if job["metadata"]["name"] in gone:
            outcome = "Complete" if is_true(job, "Complete") else "Failed"
            told = f"Saw completed job: {job['metadata']['name']}, condition: {outcome}"
            world.event(cron, "SawCompletedJob", told, _WHO)
    world.set_status(cron, status, _WHO)


def _forget_old(world: World, cron: JSON, jobs: list[JSON]) -> None:
    for kind, part in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
        over = [job for job in jobs if is_true(job, kind)]
        over.sort(key=lambda job: str(job["status"].get("startTime", "")))
        limit = cron["spec"].get(part, 1)
        for job in over[: max(len(over) - limit, 0)]:
            world.delete(job, _WHO)
            world.event(cron, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}", _WHO)
