"""A controller: sources that say which objects may need work, a queue, workers, and a function that reconciles.

    sources ──requests──▶ queue ──▶ workers ──▶ reconcile(request, ctx)

A request is never in the hands of two workers. One that comes while it is worked on is worked on once more afterwards.

Contract: CTL-01 to CTL-06, REC-01 to REC-16.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from k8srt.controller.cache import Cache
from k8srt.controller.client import Client
from k8srt.controller.context import Context, ReconcileEnded, ReconcileLog, running
from k8srt.controller.deadlines import Deadlines
from k8srt.controller.outcome import Outcome, settle, settle_failure
from k8srt.controller.request import Request, Result, RetryAfter, is_terminal
from k8srt.controller.source import Source, start_all
from k8srt.errors import AlreadyStarted, Conflict
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked, spawn
from k8srt.util.workqueue import ItemExponentialFailureRateLimiter, PriorityQueue

log = logging.getLogger(__name__)

Reconcile = Callable[[Request, Context], Result | None]

CACHE_SYNC_TIMEOUT = 120.0
BACKOFF = (0.005, 1000.0)
_PANICS = (RecursionError, MemoryError)


class Panic(Exception):
    """What in Go would be a panic, recovered: its cause is what was raised. Contract: REC-08."""


class Controller:
    """See the module. A runnable: `start(stop)` blocks until every worker has ended. Thread-safe.

    `workers` reconcile at once. `timeout` (seconds, None for none) is what a reconcile may take before its `ctx.stop`
    is set. `backoff` is the first and the longest delay after failures. `recover_panic` False lets what is no ordinary
    error (RecursionError, MemoryError, a BaseException) end the controller.
    """

    need_leader_election = True

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        cache: Cache,
        client: Client,
        workers: int = 1,
        timeout: float | None = None,
        backoff: tuple[float, float] = BACKOFF,
        cache_sync_timeout: float = CACHE_SYNC_TIMEOUT,
        need_leader_election: bool = True,
        recover_panic: bool = True,
        manager: Any = None,
        recorder: Any = None,
        state: Any = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Raises ValueError or TypeError for what cannot work."""
        _check(name, reconcile, workers)
        self.name = name
        self.need_leader_election = need_leader_election
        self.cache = cache
        self.queue: PriorityQueue[Request] = PriorityQueue(
            name, ItemExponentialFailureRateLimiter(*backoff), clock=clock
        )
        self.counts: Counter[Outcome] = Counter()
        self._reconcile = reconcile
        self._client = client.acting_as(name)
        self._workers = workers
        self._timeout = timeout
        self._sync_timeout = cache_sync_timeout
        self._recover = recover_panic
        self._manager, self._recorder, self._state = manager, recorder, state
        self._clock = clock
        self._deadlines = Deadlines(f"deadlines-{name}", clock)
        self._halt = Stop()
        self._lock = threading.Lock()  # guards all below
        self._sources: list[Source] = []
        self._active: dict[Request, Context] = {}
        self._started = False
        self._working = False
        self._broken: BaseException | None = None

    def watch(self, source: Source) -> None:
        """Have a source lead to requests; at once if the controller runs. Contract: CTL-04."""
        with self._lock:
            self._sources.append(source)
            working = self._working
        if working:
            start_all([source], self.queue, self._sync_timeout, self._halt, self._clock)

    def enqueue(self, request: Request, *, after: float = 0.0, priority: int = 0) -> None:
        """Have one object reconciled. Contract: CTL-10."""
        self.queue.add_with((request,), after=after, priority=priority)

    # ---- running --------------------------------------------------------------------------------------------------

    def start(self, stop: threading.Event) -> None:
        """Start the sources and, once all have synced, the workers; return when `stop` is set and all have ended.

        What is queued then is dropped. Raises SourceFailed, AlreadyStarted, and what ended a worker that is not to
        be recovered from.
        """
        with self._lock:
            if self._started:
                raise AlreadyStarted(f"controller {self.name} was started already; was it added twice?")
            self._started = True
        with linked(stop) as stopped:
            forget = stopped.on_set(self._end)
            try:
                self._run()
            finally:
                forget()
                self._end()
        if self._broken is not None:
            raise self._broken

    def _run(self) -> None:
        with self._lock:
            sources = list(self._sources)
        threads: list[threading.Thread] = []
        try:
            start_all(sources, self.queue, self._sync_timeout, self._halt, self._clock)
            with self._lock:
                self._working = True
                late = self._sources[len(sources) :]
            start_all(late, self.queue, self._sync_timeout, self._halt, self._clock)
            if not self._halt.is_set():
                log.info("controller %s: starting %d workers", self.name, self._workers)
                threads += [spawn(f"worker-{self.name}", self._work) for _ in range(self._workers)]
            self._halt.wait()
        finally:
            self._end()
            for thread in threads:
                thread.join()
            with self._lock:
                sources = list(self._sources)
            for source in sources:
                source.stop()
            self._deadlines.stop()
            log.info("controller %s: all workers have finished", self.name)

    def _end(self) -> None:
        """Hand out nothing more, and tell every running reconcile."""
        self._halt.set()
        self.queue.shut_down()
        with self._lock:
            active = list(self._active.values())
        for ctx in active:
            ctx.stop.set()

    # ---- one after another ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (taken := self.queue.get_with_priority()) is not None:
            request, priority = taken
            try:
                self._handle(request, priority)
            except BaseException as err:  # noqa: BLE001 - not to be recovered from: it ends the controller
                self._break(err)
            finally:
                self.queue.done(request)

    def _break(self, err: BaseException) -> None:
        with self._lock:
            self._broken = self._broken or err
        self._end()

    def _handle(self, request: Request, priority: int) -> None:
        ctx = self._context(request, priority)
        try:
            result = self._call(ctx)
        except Exception as err:  # noqa: BLE001 - it is the user's, and reported
            outcome = settle_failure(self.queue, request, err, priority)
            self._report(ctx, err)
        else:
            outcome = settle(self.queue, request, result, priority)
            ctx.log.debug("reconciled: %s", outcome)
        with self._lock:
            self.counts[outcome] += 1

    def _call(self, ctx: Context) -> Result | None:
        forget = self._deadlines.at(ctx.deadline, ctx.stop.set) if ctx.deadline is not None else None
        with self._lock:
            self._active[ctx.request] = ctx
        if self._halt.is_set():
            ctx.stop.set()
        try:
            with running(ctx):
                result = self._reconcile(ctx.request, ctx)
        except (KeyboardInterrupt, SystemExit):
            raise
        except Exception as err:
            if isinstance(err, _PANICS) and self._recover:
                raise Panic(f"panic: {type(err).__name__}: {err} [recovered]") from err
            raise
        except BaseException as err:
            if self._recover:
                raise Panic(f"panic: {err!r} [recovered]") from err
            raise
        finally:
            with self._lock:
                self._active.pop(ctx.request, None)
            if forget is not None:
                forget()
        if result is not None and not isinstance(result, Result):
            raise TypeError(f"a reconcile returns a Result or None, not {result!r}")
        return result

    def _context(self, request: Request, priority: int) -> Context:
        stop = Stop()

        def may_write() -> None:
            with self._lock:
                ended = self._active.get(request) is not ctx
            if ended:
                raise ReconcileEnded(f"{self.name}: the reconcile of {request} that wants to write has ended")

        ctx = Context(
            request,
            self.name,
            self.cache,
            self._client.within(stop, may_write),
            stop,
            self._clock,
            ReconcileLog(logging.getLogger(f"k8srt.controller.{self.name}")),
            manager=self._manager,
            recorder=self._recorder,
            state=self._state,
            deadline=None if self._timeout is None else self._clock.now() + self._timeout,
            attempt=self.queue.num_requeues(request),
            priority=priority,
        )
        ctx.log.extra = {
            "controller": self.name,
            "request": str(request),
            "namespace": request.namespace,
            "object_name": request.name,
            "reconcileID": ctx.reconcile_id,
        }
        return ctx

    def _report(self, ctx: Context, err: Exception) -> None:
        """One line for each failure; none of the ordinary ones shouts. Contract: REC-07, RTY-01, RTY-04."""
        if isinstance(err, RetryAfter):
            ctx.log.info("to be looked at again: %s", err)
        elif isinstance(err, Conflict) and ctx.attempt == 0:
            ctx.log.debug("somebody was faster, again: %s", err)
        elif is_terminal(err):
            ctx.log.error("Reconciler error, not to be tried again: %s", err, exc_info=err)
        else:
            ctx.log.error("Reconciler error: %s", err, exc_info=err)

    # ---- asking ---------------------------------------------------------------------------------------------------

    def debug_state(self) -> Mapping[str, Any]:
        """What it is up to: its queue, what each worker does and since when it has been at it."""
        with self._lock:
            active = [
                {"request": str(ctx.request), "reconcile_id": ctx.reconcile_id, "attempt": ctx.attempt}
                for ctx in self._active.values()
            ]
            counts = {str(outcome): self.counts[outcome] for outcome in Outcome}
        return {"name": self.name, "active": active, "counts": counts, "queue": self.queue.debug_state()}

    def __repr__(self) -> str:
        with self._lock:
            busy = f"{len(self._active)} of {self._workers} workers busy"
        return f"<Controller {self.name}: {busy}, {len(self.queue)} queued>"


def _check(name: str, reconcile: Any, workers: int) -> None:
    if not name:
        raise ValueError("a controller needs a name")
    if not callable(reconcile):
        raise TypeError(f"controller {name}: a reconciler is a function of a request and a context, not {reconcile!r}")
    if inspect.iscoroutinefunction(reconcile) or inspect.iscoroutinefunction(type(reconcile).__call__):
        raise TypeError(f"controller {name}: {reconcile!r} is a coroutine function; reconcilers run in threads")
    if workers < 1:
        raise ValueError(f"controller {name}: at least one worker is needed, not {workers}")
