"""One reconcile after the other: its context, the call, and what follows from how it ended.

Contract: REC-02 to REC-11, REC-17, REC-18, CTX-01 to CTX-04, CTL-09, SHD-06.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8srt.controller.context import Context, running
from k8srt.controller.failures import KeyMoved
from k8srt.controller.options import Options
from k8srt.controller.reasons import Reason, Reasons
from k8srt.controller.reconciling.contexts import Contexts, Surroundings
from k8srt.controller.reconciling.jobs import Job, Jobs
from k8srt.controller.reconciling.outcome import Begun, Outcome, settle, settle_failure
from k8srt.controller.reconciling.reporting import Reporter
from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.controller.retries import Retries, Verdict
from k8srt.errors import Stopped
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop
from k8srt.util.workqueue import PriorityQueue
from k8srt.util.workqueue.protocols import RateLimiter

if TYPE_CHECKING:
    from k8srt.controller.tracing.tracing import Tracing

Reconcile = Callable[[Request, Context[Any]], Result | None]
GivenUp = Callable[[Context[Any]], Result | None]

_PANICS = (RecursionError, MemoryError)
_HELD_BACK = object()
_FINAL = (Verdict.TERMINAL, Verdict.GIVEN_UP)


class Panic(Exception):
    """What in Go would be a panic, recovered: its cause is what was raised. Contract: REC-08."""


class Reconciling:
    """See the module. Thread-safe: `handle` is what workers call."""

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        options: Options,
        around: Surroundings,
        queue: PriorityQueue[Request],
        limiter: RateLimiter[Request],
        jobs: Jobs,
        reasons: Reasons,
        *,
        kind: Any,
        halt: Stop,
        clock: Clock,
    ) -> None:
        self.counts: Counter[Outcome] = Counter()
        self.retries = Retries(options.policy(), clock, options.log_every_failure)
        self.limiter = limiter
        self._name = name
        self._reconcile = reconcile
        self._options = options
        self._queue = queue
        self._jobs = jobs
        self._reasons = reasons
        self._halt = halt
        self._clock = clock
        self._metrics = options.measured_by()
        self._reporter = Reporter(options, kind)
        self.contexts = Contexts(name, options, around, jobs, self.retries, kind=kind, halt=halt, clock=clock)
        self._lock = threading.Lock()  # guards counts and all below
        self._held_back: dict[Request, int] = {}
        self._tracing: Tracing | None = around.tracing
        if self._tracing is not None:
            reasons.causes = self._tracing.causes()
        self.given_up: GivenUp | None = None  # says what becomes of what is not tried again; set before the start

    # ---- one of them ----------------------------------------------------------------------------------------------

    def handle(self, request: Request, priority: int) -> None:
        """Reconcile one request. Raises what is not to be recovered from."""
        if not self._is_ours(request, priority):
            return
        priority = priority if self._options.priority_queue else 0
        reasons = self._reasons.take(request)
        ctx = self.contexts.make(request, priority, reasons)
        if reasons:
            self._metrics.reasons(self._name, tuple(each.event for each in reasons))
        began = self._clock.now()
        job = self._jobs.began(ctx)
        if self.has_moved(request):  # since it was asked, so that nobody has told this reconcile
            ctx.stop.set()
        self._metrics.active(self._name, 1)
        try:
            outcome, terminal = self._run(job, ctx) if self._tracing is None else self._traced(job, ctx, self._tracing)
        finally:
            self._jobs.ended(job)
            self._metrics.active(self._name, -1)
            if not ctx.detached:
                ctx.stop.set()
                job.ctx.stop.set()
            self.contexts.ended(request, lambda: {each.ctx.request for each in self._jobs.running()})
        if outcome is not None:
            with self._lock:
                self.counts[outcome] += 1
            self._metrics.reconciled(self._name, outcome, self._clock.now() - began, terminal)

    def _is_ours(self, request: Request, priority: int) -> bool:
        """Whether it may be reconciled here. What will be ours is looked at then, what is another's is left: SHD-06."""
        gate = self.contexts.gate
        seconds = 0.0 if gate is None else gate.seconds_until(request)
        if gate is None or seconds == 0.0:
            return True
        if seconds is not None:
            self._queue.add_with((request,), after=seconds, priority=priority)
            return False
        self._reasons.take(request)
        self.retries.forget(request)
        self.limiter.forget(request)
        gate.leave(request)
        return False

    def has_moved(self, request: Request) -> bool:
        """Whether it is another's, as far as is known."""
        gate = self.contexts.gate
        return gate is not None and gate.seconds_until(request) is None

    def _traced(self, job: Job, ctx: Context[Any], tracing: Tracing) -> tuple[Outcome | None, bool]:
        """The same within a span. Contract: TRC-01, TRC-02."""
        causes = self._reasons.causes.take(ctx.request) if self._reasons.causes is not None else []
        with tracing.reconciling(ctx, self.contexts.gvk, causes):
            outcome, terminal = self._run(job, ctx)
            tracing.ended("put aside" if outcome is None else str(outcome))
            return outcome, terminal

    def _run(self, job: Job, ctx: Context[Any]) -> tuple[Outcome | None, bool]:
        """Returns how it ended, None for what was not begun, and whether that is for good."""
        request = ctx.request
        try:
            result = self._call(ctx)
        except Exception as err:  # noqa: BLE001 - it is the user's, and reported
            self._note_deadline(ctx)
            return self._failed(job, ctx, err)
        self._note_deadline(ctx)
        if result is _HELD_BACK:
            with self._lock:
                self._held_back[request] = ctx.priority
            for reason in ctx.reasons:
                self._reasons.add((request,), reason)
            return None, False
        assert result is None or isinstance(result, Result)
        if isinstance(result, Begun):
            if result.requeue_after:
                again = ctx.priority if result.priority is None else result.priority
                self._queue.add_with((request,), after=result.requeue_after, priority=again)
            return None, False
        if result is not None and result.requeue and not result.requeue_after:
            self.retries.asked_again(request)
            self._reasons.add((request,), Reason("", "requeue"))
        else:
            if self.retries.forget(request):
                self._reporter.recovered(ctx)
            if result is not None and result.requeue_after:
                self._reasons.add((request,), Reason("", "requeue_after"))
        outcome = settle(self._queue, request, result, ctx.priority)
        ctx.log.debug("reconciled: %s", outcome)
        return outcome, False

    def _call(self, ctx: Context[Any]) -> object:
        try:
            with running(ctx):
                if self._pauses(ctx.request):
                    return _HELD_BACK
                result = self._reconcile(ctx.request, ctx)
        except (KeyboardInterrupt, SystemExit):
            raise
        except Exception as err:
            if isinstance(err, _PANICS) and self._options.recover_panic:
                raise self._panic(f"{type(err).__name__}: {err}") from err
            raise
        except BaseException as err:
            if self._options.recover_panic:
                raise self._panic(repr(err)) from err
            raise
        if result is not None and not isinstance(result, Result):
            raise TypeError(f"a reconcile returns a Result or None, not {result!r}")
        return result

    def _panic(self, what: str) -> Panic:
        self._metrics.panicked(self._name)
        return Panic(f"panic: {what} [recovered]")

    def _pauses(self, request: Request) -> bool:
        """Whether it is to be put aside."""
        if self._options.pause_when is None:
            return False
        if self._options.pause_when(request):
            return True
        with self._lock:
            self._held_back.pop(request, None)
        return False

    def _note_deadline(self, ctx: Context[Any]) -> None:
        if ctx.stop.timed_out:
            self._metrics.timed_out(self._name)

    def _failed(self, job: Job, ctx: Context[Any], err: Exception) -> tuple[Outcome, bool]:
        request = ctx.request
        if isinstance(err, RetryAfter):
            self._reporter.log(ctx, err, None)
            if self.retries.forget(request):
                self._reporter.recovered(ctx)
            self._reasons.add((request,), Reason("", "requeue_after"))
            return settle(self._queue, request, err.result, ctx.priority), False
        if self._halt.is_set() and isinstance(err, Stopped):
            ctx.log.debug("ended by the stop: %s", err)
            return Outcome.ERROR, False
        if isinstance(err, (Stopped, KeyMoved)) and self.has_moved(request):
            ctx.log.debug("ended, as another shard has it now: %s", err)
            self.retries.forget(request)
            return Outcome.ERROR, False
        if self._tracing is not None:
            self._tracing.failed(err)
        failure = self.retries.failed(request, err)
        self._reporter.log(ctx, err, failure)
        if ctx.stop.is_set() and not self._halt.is_set():  # whoever is told of it must be able to write
            ctx = self.contexts.renewed(ctx)
            self._jobs.goes_on(job, ctx)
        with running(ctx):
            instead = self._reporter.tell(ctx, err, failure)
            if self.given_up is not None and _ends(failure.verdict, instead):
                instead = self.given_up(ctx)
        self._reasons.add((request,), Reason("", f"retry {failure.attempt + 1}"))
        outcome = settle_failure(self._queue, self.limiter, request, err, ctx.priority, failure.verdict, instead)
        return outcome, failure.verdict in _FINAL

    # ---- and around it --------------------------------------------------------------------------------------------

    def counted(self) -> dict[str, int]:
        """How many reconciles have ended how."""
        with self._lock:
            return {str(outcome): self.counts[outcome] for outcome in Outcome}

    def held_back(self) -> dict[Request, int]:
        """What was put aside, and is so no longer."""
        with self._lock:
            held, self._held_back = self._held_back, {}
        return held


def _ends(verdict: Verdict, instead: Result | None) -> bool:
    """Whether a failure is not to be followed by another attempt."""
    if instead is not None:
        return not instead.requeue_after and not instead.requeue
    return verdict in _FINAL
