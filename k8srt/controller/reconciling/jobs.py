"""What the workers of a controller are at, and whether they get anywhere.

- At the deadline of a reconcile its stop is set.
- One that has not returned some time later is *stuck*: its stack is logged, again each time it has taken twice as long,
  and another worker takes its place, as often as is allowed. Its key stays locked.
- When work is in hand and nothing has ended for long, or too many are stuck, the controller is *wedged*: reported once,
  until something ends.

Contract: REC-09, REC-21, THR-05.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from k8srt.controller.context import Context
from k8srt.controller.options import Options
from k8srt.controller.reconciling.deadlines import Deadlines
from k8srt.controller.request import Request
from k8srt.errors import K8srtError
from k8srt.util.clock import Clock

log = logging.getLogger(__name__)

_DEPTH = 12  # frames of a stack that are shown


class Wedged(K8srtError):
    """Nothing ends any more in a controller that has work. Contract: REC-21."""


class Job:
    """One reconcile that runs."""

    __slots__ = ("ctx", "forget", "made_up", "since", "stuck", "thread")

    def __init__(self, ctx: Context[Any], since: float) -> None:
        self.ctx = ctx
        self.thread = threading.current_thread()
        self.since = since
        self.stuck = False
        self.made_up = False
        self.forget: Callable[[], None] | None = None

    def as_dict(self, now: float) -> dict[str, Any]:
        """What it is, and for how many seconds it has been at it."""
        return {
            "request": str(self.ctx.request),
            "reconcile_id": self.ctx.reconcile_id,
            "attempt": self.ctx.attempt,
            "seconds": now - self.since,
            "thread": self.thread.name,
            "stuck": self.stuck,
        }

    def stack(self) -> str:
        """Where it is."""
        frame = sys._current_frames().get(self.thread.ident or 0)
        return "".join(traceback.format_stack(frame)[-_DEPTH:]) if frame is not None else "  (no stack)\n"


class Jobs:
    """See the module. Thread-safe. `make_up(1)` and `make_up(-1)` change the number of workers; `failed` is called
    with a Wedged where that is to be the end."""

    def __init__(
        self,
        name: str,
        options: Options,
        clock: Clock,
        *,
        make_up: Callable[[int], object],
        failed: Callable[[BaseException], object],
    ) -> None:
        self._name = name
        self._options = options
        self._clock = clock
        self._make_up = make_up
        self._failed = failed
        self._metrics = options.measured_by()
        self._quiet = options.quiet_limit()
        self._stuck_after = options.stuck_limit()
        self._max_stuck = options.workers if options.max_stuck is None else options.max_stuck
        self._deadlines = Deadlines(f"deadlines-{name}", clock)
        self._lock = threading.Lock()  # guards all below
        self._jobs: dict[Request, Job] = {}
        self._stuck = 0
        self._made_up = 0
        self._progress = 0.0  # when something last ended, or began with nothing else in hand
        self._armed = False
        self._wedged = False
        self._over = False

    # ---- told by the workers --------------------------------------------------------------------------------------

    def began(self, ctx: Context[Any]) -> Job:
        """This thread begins a reconcile."""
        job = Job(ctx, self._clock.now())
        with self._lock:
            if not self._jobs:
                self._progress = job.since
            self._jobs[ctx.request] = job
            arm, self._armed = not self._armed, True
            over = self._over
        if over:
            ctx.stop.set()
        if arm:
            self._deadlines.at(job.since + self._quiet, self._look)
        if ctx.deadline is not None:
            job.forget = self._deadlines.at(ctx.deadline, lambda: self._expire(job))
        elif self._stuck_after is not None:
            job.forget = self._deadlines.at(job.since + self._stuck_after, lambda: self._mark(job, self._stuck_after))
        return job

    def goes_on(self, job: Job, ctx: Context[Any]) -> None:
        """What belongs to a reconcile that is over goes on with another context."""
        with self._lock:
            job.ctx = ctx
            over = self._over
        if over:
            ctx.stop.set()

    def ended(self, job: Job) -> None:
        """This thread has ended a reconcile."""
        if job.forget is not None:
            job.forget()
        with self._lock:
            self._jobs.pop(job.ctx.request, None)
            self._progress = self._clock.now()
            stuck, made_up = job.stuck, job.made_up
            self._stuck -= stuck
            self._made_up -= made_up
            freed, self._wedged = self._wedged, False
        if stuck:
            log.info("controller %s: the reconcile of %s has returned after all", self._name, job.ctx.request)
            self._metrics.stuck(self._name, -1)
        if made_up:
            self._make_up(-1)
        if freed:
            log.info("controller %s: goes on", self._name)
            self._metrics.wedged(self._name, False)

    # ---- at its moments -------------------------------------------------------------------------------------------

    def _expire(self, job: Job) -> None:
        job.ctx.stop.expire()
        after = self._stuck_after
        if after is not None:
            job.forget = self._deadlines.at(job.since + after, lambda: self._mark(job, after))

    def _mark(self, job: Job, waited: float | None) -> None:
        """It has not returned."""
        waited = waited or 0.0
        with self._lock:
            if self._jobs.get(job.ctx.request) is not job:
                return
            first, job.stuck = not job.stuck, True
            self._stuck += first
            stuck = self._stuck
            make_up = first and self._made_up < self._max_stuck
            self._made_up += make_up
            job.made_up = job.made_up or make_up
        log.error(
            "controller %s: the reconcile of %s has not returned for %gs, in thread %s:\n%s",
            *(self._name, job.ctx.request, waited, job.thread.name, job.stack()),
            extra={"controller": self._name, "reconcileID": job.ctx.reconcile_id},
        )
        job.forget = self._deadlines.at(job.since + 2.0 * waited, lambda: self._mark(job, 2.0 * waited))
        if first:
            self._metrics.stuck(self._name, 1)
        if make_up:
            self._make_up(1)
        elif first:
            self._wedge(f"{stuck} reconciles are stuck")

    def _look(self) -> None:
        """Whether it gets anywhere."""
        now = self._clock.now()
        with self._lock:
            busy, quiet = bool(self._jobs), now - self._progress
            self._armed = again = busy and quiet < self._quiet
        if again:
            self._deadlines.at(now - quiet + self._quiet, self._look)
        elif busy:
            self._wedge(f"nothing has ended for {quiet:g}s")

    def _wedge(self, why: str) -> None:
        with self._lock:
            first, self._wedged = not self._wedged, True
            jobs = list(self._jobs.values())
        if not first:
            return
        stacks = "".join(f"{job.ctx.request} in thread {job.thread.name}:\n{job.stack()}" for job in jobs)
        log.error("controller %s is wedged: %s\n%s", self._name, why, stacks, extra={"controller": self._name})
        self._metrics.wedged(self._name, True)
        if self._options.on_wedged == "exit":
            self._failed(Wedged(f"controller {self._name} is wedged: {why}"))

    # ---- asking, and the end --------------------------------------------------------------------------------------

    @property
    def wedged(self) -> bool:
        """Whether it is wedged."""
        with self._lock:
            return self._wedged

    def seconds_without_end(self) -> float | None:
        """For how long nothing has ended, None if nothing is in hand."""
        with self._lock:
            return self._clock.now() - self._progress if self._jobs else None

    def running(self) -> list[Job]:
        """What runs."""
        with self._lock:
            return list(self._jobs.values())

    def has(self, ctx: Context[Any]) -> bool:
        """Whether the reconcile of a context runs."""
        with self._lock:
            job = self._jobs.get(ctx.request)
            return job is not None and job.ctx is ctx

    def end(self) -> None:
        """Tell all of them to end, and those that still begin."""
        with self._lock:
            self._over = True
            jobs = list(self._jobs.values())
        for job in jobs:
            job.ctx.stop.set()

    def remind(self, after: float) -> None:
        """Say in so many seconds what is still running then."""

        def say() -> None:
            for job in self.running():
                log.warning("controller %s: waits for %s:\n%s", self._name, job.ctx.request, job.stack())

        self._deadlines.at(self._clock.now() + after, say)

    def close(self) -> None:
        """Watch nothing any more."""
        self._deadlines.stop()
