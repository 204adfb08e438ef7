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
from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.controller.retries import Verdict
from k8srt.errors import StatusError
from k8srt.util.workqueue.protocols import RateLimiter


class Outcome(StrEnum):
    """How a reconcile ended, as `controller_runtime_reconcile_total` has it."""

    SUCCESS = "success"
    ERROR = "error"
    REQUEUE = "requeue"
    REQUEUE_AFTER = "requeue_after"


class Begun(Result):
    """What a reconcile returns that has begun something, or waits, and did not end: nothing is counted, and failures
    are not forgotten. With `requeue_after` it is looked at again then."""

    __slots__ = ()


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


def settle_failure(
    queue: RetryingQueue,
    limiter: RateLimiter[Request],
    request: Request,
    err: BaseException,
    priority: int,
    verdict: Verdict = Verdict.BACKOFF,
    instead: Result | None = None,
) -> Outcome:
    """Draw the consequences of a reconcile that raised. `limiter` is the queue's own; `instead` is what somebody who
    was told of the failure wants to be done."""
    if isinstance(err, RetryAfter):
        return settle(queue, request, err.result, priority)
    given = getattr(err, "priority", None)
    priority = given if isinstance(given, int) else priority
    if instead is not None:
        settle(queue, request, instead, priority)
        return Outcome.ERROR
    match verdict:
        case Verdict.AT_ONCE:
            queue.add_with((request,), priority=priority)
            return Outcome.REQUEUE
        case Verdict.GIVEN_UP:
            queue.forget(request)
        case Verdict.BACKOFF:
            delay = max(limiter.when(request), _asked_to_wait(err))
            queue.add_with((request,), after=delay, priority=priority)
    return Outcome.ERROR


def _asked_to_wait(err: BaseException) -> float:
    """How many seconds the server asked us to leave it alone. Contract: REC-04."""
    if not isinstance(err, StatusError) or err.code not in (429, 503) or err.details is None:
        return 0.0
    return float(err.details.retry_after_seconds or 0)
