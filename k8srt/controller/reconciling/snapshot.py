"""What the queue of a controller holds, for people to look at. Contract: REC-22."""

from __future__ import annotations

from typing import Any

from k8srt.controller.reasons import Reasons
from k8srt.controller.reconciling.jobs import Jobs
from k8srt.controller.request import Request
from k8srt.controller.retries import Retries
from k8srt.util.workqueue import PriorityQueue


def snapshot(
    queue: PriorityQueue[Request], jobs: Jobs, reasons: Reasons, retries: Retries, now: float
) -> list[dict[str, Any]]:
    """Running keys first, then ready ones in their order, then those that wait, the next one first.

    `age` is since when it runs or is ready, `due_in` when it will be; seconds.
    """
    found = [
        {
            "request": str(job.ctx.request),
            "state": "running",
            "priority": job.ctx.priority,
            "age": now - job.since,
            "attempt": job.ctx.attempt,
            "reasons": [str(each) for each in job.ctx.reasons],
        }
        for job in jobs.running()
    ]
    held = queue.debug_state()
    for state in ("ready", "waiting"):
        for each in held[state]:
            request = each["item"]
            times = {name: each[name] for name in ("age", "due_in") if name in each}
            found.append(
                {
                    "request": str(request),
                    "state": state,
                    "priority": each["priority"],
                    **times,
                    "attempt": retries.of(request).attempt,
                    "reasons": [str(reason) for reason in reasons.of(request)],
                }
            )
    return found
