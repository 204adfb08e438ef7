"""The processes of a controller: as many as reconciles run at once, kept for the next ones.

    Controller ──(request, ctx)──▶ Isolated ──Task──▶ a process ──▶ reconcile(request, ctx)

The first is started with the controller, since to start one takes a while; one that has had nothing to do for a minute
ends, if it is not the last.

Contract: THR-06.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from k8srt.controller.context import Context, StopRequested
from k8srt.controller.isolation import logs
from k8srt.controller.isolation.child import Child
from k8srt.controller.isolation.failures import packed
from k8srt.controller.isolation.messages import Begin, Task
from k8srt.controller.isolation.program import Program, check, main_module, pack
from k8srt.controller.options import Options
from k8srt.controller.reconciling.contexts import Surroundings
from k8srt.controller.reconciling.deadlines import Deadlines
from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.errors import Stopped
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

_SOON = 1.0

IDLE = 60.0
"""Seconds after which a process that has nothing to do is not kept."""


class Isolated:
    """See the module. A reconciler: it is called with a request and its context. Thread-safe."""

    def __init__(self, program: Program, clock: Clock) -> None:
        """Starts nothing. Raises ValueError for what other processes cannot be told."""
        check(program)
        self._program = program
        self._clock = clock
        self._deadlines = Deadlines(f"deadlines-isolated-{program.controller}", clock)
        self._lock = threading.Lock()  # guards all below
        self._begin: Begin | None = None
        self._children: set[Child] = set()
        self._idle: dict[Child, Callable[[], None]] = {}  # and how to take back that it is let go
        self._closed = False

    def start(self) -> None:
        """Start a process, and do not wait for it. Raises ValueError for what other processes cannot be told, OSError.
        Stopped once closed."""
        self._give_back(self._take())

    def wait_ready(self, stop: Stop) -> None:
        """Wait until a process takes tasks, or `stop` is set. Raises what keeps it from starting."""
        child = self._take()
        try:
            child.wait_ready(stop)
        finally:
            self._give_back(child)

    def __call__(self, request: Request, ctx: Context[Any]) -> Result | None:
        """Have a reconcile done by a process. Raises as `Child.run`, and RetryAfter when none was there in time."""
        child = self._take()
        try:
            if child.wait_ready(ctx.stop):
                return child.run(lambda number: _task(number, request, ctx), ctx)
        finally:
            self._give_back(child)
        if ctx.stop.timed_out:
            raise RetryAfter(_SOON, "the process that is to reconcile it is still starting")
        raise StopRequested(f"{ctx.controller} {request}: stopping")

    def _take(self) -> Child:
        with self._lock:
            begin = self._begin
            while self._idle:
                child, keep = self._idle.popitem()  # the one that was used last, so that others may end
                keep()
                if not child.dead:
                    return child
        if begin is None:
            program = pack(self._program)
            begin = Begin(sys.argv, main_module(program), logs.levels(), program)
        child = Child(self._program.controller, begin, self._deadlines, self._clock)
        with self._lock:
            self._begin = begin
            self._children = {each for each in self._children if not each.dead} | {child}
            closed = self._closed
        if closed:
            child.close(kill=True)
            raise Stopped(f"controller {self._program.controller} has ended")
        return child

    def _give_back(self, child: Child) -> None:
        with self._lock:
            if not child.dead:
                self._idle[child] = self._deadlines.at(self._clock.now() + IDLE, lambda: self._let_go(child))
                return
            self._children.discard(child)
        child.join()
        with contextlib.suppress(Stopped):  # the next one begins to start now, and not when it is needed
            self._replace()

    def _replace(self) -> None:
        with self._lock:
            if self._idle or self._closed:
                return
        self.start()

    def _let_go(self, child: Child) -> None:
        """One has not been used for a while: it may go, unless it is the last."""
        with self._lock:
            if child not in self._idle or len(self._idle) < 2:
                return
            del self._idle[child]
        child.close()

    @property
    def processes(self) -> list[int]:
        """The numbers of the processes that there are."""
        with self._lock:
            return sorted(child.pid for child in self._children if not child.dead)

    def debug_state(self) -> list[str]:
        """What each process is at."""
        with self._lock:
            return sorted(repr(child) for child in self._children if not child.dead)

    def close(self) -> None:
        """End all processes, those that are busy at once, and wait for them. Again is fine."""
        with self._lock:
            self._closed = True
            children, idle = set(self._children), set(self._idle)
            self._children.clear()
            self._idle.clear()
        for child in children:
            child.close(kill=child not in idle)
        for child in children:
            child.join()
        self._deadlines.stop()

    def __repr__(self) -> str:
        return f"<{self._program.reconcile!r} in {len(self.processes)} processes>"


def isolated(name: str, reconcile: Any, kind: Any, around: Surroundings, options: Options, clock: Clock) -> Isolated:
    """The reconciler of a controller, in processes of its own. Raises as `Isolated`."""
    config = around.client.rest_client.config
    return Isolated(Program(name, reconcile, kind, config, around.state, options.executor_threads), clock)


def _task(number: int, request: Request, ctx: Context[Any]) -> Task:
    last_error = ctx.retry.last_error
    return Task(
        number=number,
        request=request,
        reconcile_id=ctx.reconcile_id,
        attempt=ctx.retry.attempt,
        first_failure=ctx.retry.first_failure,
        last_error=None if last_error is None else packed(last_error),
        reasons=ctx.reasons,
        priority=ctx.priority,
        seconds_left=None if ctx.deadline is None else max(ctx.deadline - ctx.clock.now(), 0.0),
        filtered_out=ctx.filtered_out,
        log_fields=dict(ctx.log.extra or {}),
    )
