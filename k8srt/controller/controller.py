"""A controller: sources that say which objects may need work, a queue, workers, and a function that reconciles.

    sources ──requests──▶ queue ──▶ workers ──▶ reconcile(request, ctx)

A request is never in the hands of two workers. One that comes while it is worked on is worked on once more afterwards.

Contract: CTL-01 to CTL-10, REC-01 to REC-22.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8srt.controller.cache.cache import Cache
from k8srt.controller.client.client import Client
from k8srt.controller.context import Context
from k8srt.controller.options import Options
from k8srt.controller.reasons import Reason, Reasons
from k8srt.controller.reconciling.contexts import Surroundings
from k8srt.controller.reconciling.describing import Description
from k8srt.controller.reconciling.gate import Gate
from k8srt.controller.reconciling.jobs import Jobs
from k8srt.controller.reconciling.loop import Panic as Panic
from k8srt.controller.reconciling.loop import Reconcile as Reconcile
from k8srt.controller.reconciling.loop import Reconciling
from k8srt.controller.reconciling.snapshot import snapshot
from k8srt.controller.reconciling.warmup import Warmup
from k8srt.controller.reconciling.watching import Watching
from k8srt.controller.reconciling.workers import Workers
from k8srt.controller.request import Request, Result
from k8srt.controller.source import Source
from k8srt.errors import AlreadyStarted
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch, Stop, linked
from k8srt.util.workqueue import LOW_PRIORITY, PriorityQueue

if TYPE_CHECKING:
    from k8srt.controller.dependents.own_writes import OwnWrites
    from k8srt.controller.isolation.pool import Isolated
    from k8srt.controller.manager.manager import Manager
    from k8srt.controller.tracing.tracing import Tracing

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds until it is said what a controller that stops is waiting for


class Controller:
    """See the module. A runnable: `start(stop)` blocks until every worker has ended. Thread-safe.

    `options` are those of `Options`: `workers`, `timeout`, `backoff`, … `kind` is what requests stand for, in any
    form that a cache takes, None for anything else.
    """

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        *,
        cache: Cache,
        client: Client,
        kind: Any = None,
        manager: Manager | None = None,
        recorder: Any = None,
        state: Any = None,
        tracing: Tracing | None = None,
        clock: Clock = SYSTEM,
        **options: Any,
    ) -> None:
        """Raises ValueError or TypeError for what cannot work."""
        _check(name, reconcile)
        try:
            self.options = Options(**options)
        except (TypeError, ValueError) as err:
            raise type(err)(f"controller {name}: {err}") from None
        around = Surroundings(cache, client, manager, recorder, state, tracing)
        self._isolated: Isolated | None = None
        if self.options.run_in == "process":
            from k8srt.controller.isolation.pool import isolated

            reconcile = self._isolated = isolated(name, reconcile, kind, around, self.options, clock)
        self.name = name
        self.kind = kind
        self.need_leader_election = self.options.need_leader_election
        self.cache = cache
        self.description = Description(name, kind)
        self.ready = Latch()
        self._clock = clock
        self._halt = Stop()
        self._reasons = Reasons(self.options.record_reasons)
        self._jobs = Jobs(name, self.options, clock, make_up=lambda n: self._workers.make_up(n), failed=self._break)
        limiter = self.options.limiter()
        self.queue: PriorityQueue[Request] = PriorityQueue(
            name, limiter, max_wait=60.0 if self.options.priority_queue else None, clock=clock
        )
        self._reconciling = Reconciling(
            *(name, reconcile, self.options, around, self.queue, limiter, self._jobs, self._reasons),
            kind=kind,
            halt=self._halt,
            clock=clock,
        )
        self.counts = self._reconciling.counts
        self._workers = Workers(name, self.options.workers, self.queue, self._reconciling.handle, self._break, clock)
        self.warmup = Warmup(self) if self.options.enable_warmup and self.need_leader_election else None
        self._watching = Watching(name, self.options, self.queue, self._reasons, self._halt, clock)
        self._on_move: list[Callable[[Callable[[Request], bool]], object]] = []
        self._lock = threading.Lock()  # guards all below
        self._started = False
        self._given_up = False
        self._broken: BaseException | None = None
        self._shown: dict[str, Callable[[], object]] = {}
        if self._isolated is not None:
            self.show("processes", self._isolated.debug_state)

    # ---- what it watches ------------------------------------------------------------------------------------------

    def watch(self, source: Source, why: str = "") -> None:
        """Have a source lead to requests; at once if the controller runs, or is warm. `why` names it in reasons.

        Raises SourceFailed then. Contract: CTL-04.
        """
        self._watching.add(source, why)

    def unwatch(self, source: Source) -> None:
        """Listen to a source no more; what it led to stays queued. Raises ValueError for one that is not watched.

        Contract: CTL-08.
        """
        self._watching.remove(source)

    # ---- asking for work ------------------------------------------------------------------------------------------

    def enqueue(self, request: Request | str, *, after: float = 0.0, priority: int = 0) -> None:
        """Have one object reconciled: a request, or "namespace/name". Contract: CTL-10."""
        if isinstance(request, str):
            request = Request(*request.rpartition("/")[::2])
        self._reasons.add((request,), Reason("", "manual"))
        self.queue.add_with((request,), after=after, priority=priority)

    def reconcile_all(self) -> int:
        """Have every object that it is for reconciled, with low priority; returns how many. Those that its filters
        refuse are left out, as they are at the start. Contract: CTL-10."""
        if self.kind is None:
            raise ValueError(f"controller {self.name} is for no kind: enqueue what should be looked at")
        gate = self._watching.gate
        chosen = [each for each in self.requests_cached() if gate is None or gate.may_queue(each)]
        self.queue_again(chosen, "all", LOW_PRIORITY)
        return len(chosen)

    def requests_cached(self, **options: Any) -> list[Request]:
        """Those of the objects that it is for, as far as they are cached."""
        return [Request.of(obj) for obj in self.cache.list(self.kind, **options) if self._matches(obj)]

    def queue_again(self, requests: list[Request], why: str, priority: int) -> None:
        """Have these reconciled; `why` is for their reasons."""
        self._reasons.add(requests, Reason("", why))
        self.queue.add_with(requests, priority=priority)

    def pause(self) -> None:
        """Finish what is in work and take nothing new, until `resume`. The queue fills meanwhile. Contract: CTL-09."""
        self._workers.pause()
        log.info("controller %s is paused", self.name)

    def resume(self) -> None:
        """Go on, also with what `pause_when` has put aside."""
        for request, priority in self._reconciling.held_back().items():
            self.queue.add_with((request,), priority=priority)
        self._workers.resume()
        log.info("controller %s goes on", self.name)

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self._workers.paused

    def only(self, matches: Callable[[Any], bool]) -> None:
        """Say which objects of its kind it is for."""
        self._reconciling.contexts.matches = matches

    def admit_by(self, gate: Gate) -> None:
        """Have requests pass a gate before they are queued, and when they are handed out; before anything is watched.

        Contract: SHD-06."""
        self._watching.gate = self._reconciling.contexts.gate = gate

    def keep_only(self, ours: Callable[[Request], bool]) -> None:
        """End what is running for others: reconciles are told, and whoever has asked for it by `on_move`."""
        for job in self._jobs.running():
            if not ours(job.ctx.request):
                job.ctx.stop.set()
        for call in self._on_move:
            call(ours)

    def on_move(self, call: Callable[[Callable[[Request], bool]], object]) -> None:
        """Have something called with what says which requests are ours, when others no longer are. It must not block;
        before the start."""
        self._on_move.append(call)

    def when_given_up(self, then: Callable[[Context[Any]], Result | None]) -> None:
        """Say what becomes of a request that has failed and is not to be tried again, in place of nothing."""
        self._reconciling.given_up = then

    def on_end(self, call: Callable[[], object]) -> None:
        """Have something called as soon as the controller is told to end. It must not block."""
        self._halt.on_set(call)

    def show(self, name: str, state: Callable[[], object]) -> None:
        """Have `debug_state` show something more under a name."""
        with self._lock:
            self._shown[name] = state

    def leave_out(self, writes: OwnWrites) -> None:
        """Have the reconciles tell what they write, so that its events can be left out. Contract: DEP-05."""
        self._reconciling.contexts.own_writes = writes

    def _matches(self, obj: Any) -> bool:
        matches = self._reconciling.contexts.matches
        return matches is None or matches(obj)

    # ---- running --------------------------------------------------------------------------------------------------

    def start(self, stop: threading.Event) -> None:
        """Start the sources and, once all have synced, the workers; return when `stop` is set and all have ended.

        What is queued then is dropped. Raises SourceFailed, AlreadyStarted, and what ended a worker that is not to
        be recovered from.
        """
        with self._lock:
            if self._given_up:
                return
            if self._started:
                raise AlreadyStarted(f"controller {self.name} was started already; was it added twice?")
            self._started = True
        log.info("controller %s: starting", self.name, extra={"controller": self.name})
        with linked(stop) as stopped:
            forget = stopped.on_set(self._end)
            try:
                self._run()
            finally:
                forget()
                self._close()
        if self._broken is not None:
            raise self._broken

    def _run(self) -> None:
        if self._isolated is not None:
            self._isolated.start()
        self.warm_up()
        if self._isolated is not None:
            self._isolated.wait_ready(self._halt)
        if self._halt.is_set():
            return
        self.options.measured_by().started(self.name, self.options.workers)
        workers = self.options.workers
        log.info(
            "controller %s: starting workers (%d)",
            *(self.name, workers),
            extra={"controller": self.name, "worker count": workers},
        )
        self._workers.start()
        self.ready.set()
        self._halt.wait()

    def warm_up(self) -> None:
        """Start the sources and wait until they have synced, if that was not done before. Raises SourceFailed."""
        self._watching.start()

    def give_up(self, wait: bool) -> None:
        """End what `warm_up` has begun, if `start` was not called, and keep it from starting."""
        with self._lock:
            if self._started and not self._given_up:
                return
            self._started = self._given_up = True
        if wait:
            self._close()
        else:
            self._end()

    def _end(self) -> None:
        """Hand out nothing more, and tell every running reconcile."""
        self._halt.set()
        self.queue.shut_down()
        self._workers.stop()
        self._jobs.end()

    def _break(self, err: BaseException) -> None:
        with self._lock:
            self._broken = self._broken or err
        self._end()

    def _close(self) -> None:
        """End, and wait for what has to end with it."""
        self._end()
        self._jobs.remind(_PATIENCE)
        wedged = self._broken is not None and self._jobs.wedged
        self._workers.join({job.thread for job in self._jobs.running()} if wedged else ())
        self._watching.close()
        self._jobs.close()
        if self._isolated is not None:
            self._isolated.close()
        self._reasons.clear()
        if not wedged:
            self._reconciling.contexts.close()
        log.info("controller %s: all workers have finished", self.name, extra={"controller": self.name})

    # ---- asking ---------------------------------------------------------------------------------------------------

    @property
    def wedged(self) -> bool:
        """Whether nothing ends although there is work. Contract: REC-21."""
        return self._jobs.wedged

    def seconds_without_end(self) -> float | None:
        """For how long no reconcile has ended, None if none runs."""
        return self._jobs.seconds_without_end()

    def describe(self) -> Mapping[str, Any]:
        """What it is made of: kinds, filters, and the rights it needs as rules of a role. Contract: BLD-06."""
        return self.description.as_dict()

    def queue_snapshot(self) -> list[dict[str, Any]]:
        """Every key that runs, is ready or waits: priority, age, attempt, next time, reasons. Contract: REC-22."""
        return snapshot(self.queue, self._jobs, self._reasons, self._reconciling.retries, self._clock.now())

    def debug_state(self) -> Mapping[str, Any]:
        """What it is up to: its queue, what each worker does and since when it has been at it."""
        now = self._clock.now()
        with self._lock:
            shown = dict(self._shown)
        return {
            "name": self.name,
            "active": [job.as_dict(now) for job in self._jobs.running()],
            "workers": {"most": self.options.workers, "threads": self._workers.live, "paused": self.paused},
            "wedged": self.wedged,
            "counts": self._reconciling.counted(),
            "queue": self.queue.debug_state(),
            **{name: state() for name, state in shown.items()},
        }

    def __repr__(self) -> str:
        busy = f"{len(self._jobs.running())} of {self.options.workers} workers busy"
        told = ", paused" if self.paused else ", wedged" if self.wedged else ""
        return f"<Controller {self.name}: {busy}, {len(self.queue)} queued{told}>"


def _check(name: str, reconcile: Any) -> None:
    if not name:
        raise ValueError("a controller needs a name")
    if not callable(reconcile):
        raise TypeError(f"controller {name}: a reconciler is a function of a request and a context, not {reconcile!r}")
    if inspect.iscoroutinefunction(reconcile) or inspect.iscoroutinefunction(type(reconcile).__call__):
        raise TypeError(f"controller {name}: {reconcile!r} is a coroutine function; reconcilers run in threads")
