"""One reconcile after the other: its context, the call, and what follows from how it ended.

Contract: REC-02 to REC-11, REC-17, REC-18, CTX-01 to CTX-04, CTL-09.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from k8srt.controller.cache import Cache
from k8srt.controller.client import Client
from k8srt.controller.context import Context, Home, ReconcileEnded, ReconcileLog, ReconcileStop, running
from k8srt.controller.executor import ContextExecutor
from k8srt.controller.jobs import Job, Jobs
from k8srt.controller.kinds import gvk_of
from k8srt.controller.memos import Memos
from k8srt.controller.options import Options
from k8srt.controller.outcome import Outcome, settle, settle_failure
from k8srt.controller.reasons import Reason, Reasons
from k8srt.controller.reporting import Reporter
from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.controller.retries import Retries, Verdict
from k8srt.errors import K8srtError, Stopped
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop
from k8srt.util.workqueue import PriorityQueue
from k8srt.util.workqueue.protocols import RateLimiter

Reconcile = Callable[[Request, Context[Any]], Result | None]

_PANICS = (RecursionError, MemoryError)
_HELD_BACK = object()


class Panic(Exception):
    """What in Go would be a panic, recovered: its cause is what was raised. Contract: REC-08."""


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What a controller is given by its manager."""

    cache: Cache
    client: Client
    manager: Any = None
    recorder: Any = None
    state: Any = None


class Reconciling(Home):
    """See the module. Thread-safe: `handle` is what workers call. `matches` tells whether an object is what the
    controller is for."""

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
        self.matches: Callable[[Any], bool] | None = None
        self._name = name
        self._reconcile = reconcile
        self._options = options
        self._around = around
        self._client = around.client.acting_as(name)
        self._queue = queue
        self._jobs = jobs
        self._reasons = reasons
        self._kind = kind
        self._gvk = None if kind is None else gvk_of(kind)
        self._halt = halt
        self._clock = clock
        self._metrics = options.measured_by()
        self._reporter = Reporter(options, kind)
        self._memos = Memos(self._uid)
        self._logger = logging.getLogger(f"k8srt.controller.{name}")
        self._lock = threading.Lock()  # guards counts and all below
        self._held_back: dict[Request, int] = {}
        self._executor: ContextExecutor | None = None

    # ---- one of them ----------------------------------------------------------------------------------------------

    def handle(self, request: Request, priority: int) -> None:
        """Reconcile one request. Raises what is not to be recovered from."""
        priority = priority if self._options.priority_queue else 0
        reasons = self._reasons.take(request)
        ctx = self._context(request, priority, reasons)
        if reasons:
            self._metrics.reasons(self._name, tuple(each.event for each in reasons))
        began = self._clock.now()
        job = self._jobs.began(ctx)
        self._metrics.active(self._name, 1)
        try:
            outcome, terminal = self._run(job, ctx)
        finally:
            self._jobs.ended(job)
            self._metrics.active(self._name, -1)
            if not ctx.detached:
                ctx.stop.set()
                job.ctx.stop.set()
            if len(self._memos):
                self._memos.ended(request, {each.ctx.request for each in self._jobs.running()})
        if outcome is not None:
            with self._lock:
                self.counts[outcome] += 1
            self._metrics.reconciled(self._name, outcome, self._clock.now() - began, terminal)

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
        failure = self.retries.failed(request, err)
        self._reporter.log(ctx, err, failure)
        if ctx.stop.is_set() and not self._halt.is_set():  # whoever is told of it must be able to write
            ctx = self._renewed(ctx)
            self._jobs.goes_on(job, ctx)
        with running(ctx):
            instead = self._reporter.tell(ctx, err, failure)
        self._reasons.add((request,), Reason("", f"retry {failure.attempt + 1}"))
        outcome = settle_failure(self._queue, self.limiter, request, err, ctx.priority, failure.verdict, instead)
        return outcome, failure.verdict in (Verdict.TERMINAL, Verdict.GIVEN_UP)

    # ---- its context ----------------------------------------------------------------------------------------------

    def _context(self, request: Request, priority: int, reasons: tuple[Reason, ...]) -> Context[Any]:
        stop = ReconcileStop(f"{self._name} {request}")
        around, timeout = self._around, self._options.timeout
        ctx: Context[Any] = Context(
            request,
            self._name,
            around.cache,
            self._client,
            stop,
            self._clock,
            ReconcileLog(self._logger),
            manager=around.manager,
            recorder=around.recorder,
            state=around.state,
            deadline=None if timeout is None else self._clock.now() + timeout,
            retry=self.retries.of(request),
            reasons=reasons,
            priority=priority,
            home=self,
        )
        ctx.client = self._client.within(stop, self._guard(ctx))
        ctx.log.extra = self._log_fields(ctx)
        return ctx

    def _renewed(self, ctx: Context[Any]) -> Context[Any]:
        """The same context with a stop that is not set."""
        stop = ReconcileStop(f"{self._name} {ctx.request}")
        renewed = dataclasses.replace(ctx, stop=stop)
        renewed.client = self._client.within(stop, self._guard(renewed))
        return renewed

    def _guard(self, ctx: Context[Any]) -> Callable[[], None]:
        """Refuses what is to be written once the reconcile has ended. Contract: CTX-04."""

        def may_write() -> None:
            if not ctx.detached and not self._jobs.has(ctx):
                raise ReconcileEnded(f"{self._name}: the reconcile of {ctx.request} that wants to write has ended")

        return may_write

    def _log_fields(self, ctx: Context[Any]) -> dict[str, Any]:
        request = ctx.request
        fields: dict[str, Any] = {
            "controller": self._name,
            "request": str(request),
            "namespace": request.namespace,
            "object_name": request.name,
            "reconcileID": ctx.reconcile_id,
        }
        if self._gvk is not None:
            gvk = self._gvk
            fields["controllerGroup"], fields["controllerKind"] = gvk.group, gvk.kind
            fields[gvk.kind] = {"namespace": request.namespace, "name": request.name}
        return fields

    # ---- what contexts ask for ------------------------------------------------------------------------------------

    def memo(self, request: Request) -> dict[Any, Any]:
        return self._memos.of(request)

    def _uid(self, request: Request) -> str | None:
        obj = self._cached(request)
        return None if obj is None else obj.metadata.uid or ""

    def _cached(self, request: Request) -> Any:
        if self._kind is None:
            return None
        try:
            return self._around.cache.get(self._kind, request, timeout=0.0)
        except K8srtError:  # the cache has ended, or never had it
            return None

    def filtered_out(self, request: Request) -> bool:
        obj = None if self.matches is None else self._cached(request)
        return obj is not None and self.matches is not None and not self.matches(obj)

    def object_of(self, request: Request) -> Any:
        return self._cached(request)

    def executor(self) -> Executor:
        with self._lock:
            if self._executor is None:
                self._executor = ContextExecutor(self._name, self._options.executor_threads, self._clock)
            return self._executor

    def detach(self, ctx: Context[Any]) -> None:
        self._halt.on_set(ctx.stop.set)

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

    def close(self) -> None:
        """End what reconciles have shared."""
        with self._lock:
            executor = self._executor
        if executor is not None:
            executor.shutdown(cancel_futures=True)
