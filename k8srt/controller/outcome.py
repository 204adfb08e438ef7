"""What follows from how a reconcile ended.

    exception            → again, after a growing delay
    TerminalError        → not again
    Result(requeue_after)→ the failures are forgotten, and again then
    Result(requeue)      → again, after a growing delay
    anything else        → done; the failures are forgotten

Contract: REC-03 to REC-06, RTY-01, RTY-04.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from k8srt.controller.handler import RequestQueue
from k8srt.controller.request import Request, Result, RetryAfter, is_terminal
from k8srt.errors import StatusError


class Outcome(StrEnum):
    """How a reconcile ended, as `controller_runtime_reconcile_total` has it."""

    SUCCESS = "success"
    ERROR = "error"
    REQUEUE = "requeue"
    REQUEUE_AFTER = "requeue_after"


class RetryingQueue(RequestQueue, Protocol):
    """A queue that also counts failures."""

    def forget(self, item: Request) -> None: ...


def settle(queue: RetryingQueue, request: Request, result: Result | None, priority: int) -> Outcome:
    """Draw the consequences of a reconcile that returned; it was taken with `priority`."""
    if result is None:
        queue.forget(request)
        return Outcome.SUCCESS
    again = priority if result.priority is None else result.priority
    if result.requeue_after > 0.0:
        queue.forget(request)
        queue.add_with((request,), after=result.requeue_after, priority=again)
        return Outcome.REQUEUE_AFTER
    if result.requeue:
        queue.add_with((request,), rate_limited=True, priority=again)
        return Outcome.REQUEUE
    queue.forget(request)
    return Outcome.SUCCESS


def settle_failure(queue: RetryingQueue, request: Request, err: BaseException, priority: int) -> Outcome:
    """Draw the consequences of a reconcile that raised."""
    if isinstance(err, RetryAfter):
        return settle(queue, request, err.result, priority)
    if not is_terminal(err):
        again = getattr(err, "priority", None)
        priority = again if isinstance(again, int) else priority
        wait = _asked_to_wait(err)
        if wait:
            queue.add_with((request,), after=wait, priority=priority)
        else:
            queue.add_with((request,), rate_limited=True, priority=priority)
    return Outcome.ERROR


def _asked_to_wait(err: BaseException) -> float:
    """How many seconds the server asked us to leave it alone. Contract: REC-04."""
    if not isinstance(err, StatusError) or err.code not in (429, 503) or err.details is None:
        return 0.0
    return float(err.details.retry_after_seconds or 0)
