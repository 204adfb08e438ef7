"""A timer: a reconciler that calls a function for each object, time and again.

What keeps the time is the queue of its controller, in which each object waits until it is due. So there are no more
threads than workers, and never two runs for one object at once.

- What the function raises is retried as that of any reconciler; when there are no retries left, it is called again
  after the next interval.
- `Result(requeue_after=…)` and `RetryAfter` say when the next run is, instead of the interval.

Contract: TMR-01, TMR-02, RTY-01 to RTY-03.
"""

from __future__ import annotations

from typing import Any

from k8srt.controller.context import Context
from k8srt.controller.reconciling.loop import Reconcile
from k8srt.controller.reconciling.outcome import Begun
from k8srt.controller.request import Request, Result, RetryAfter
from k8srt.controller.timers.essence import essence
from k8srt.controller.timers.members import Members
from k8srt.controller.timers.timetable import Plan, Timetable

_SOON = 0.001


class Timer:
    """See the module: a reconciler. Thread-safe, for different objects."""

    def __init__(self, function: Reconcile, kind: Any, plan: Plan, members: Members) -> None:
        self._function = function
        self._kind = kind
        self._plan = plan
        self._members = members
        self.__name__ = getattr(function, "__name__", "timer")

    def __call__(self, request: Request, ctx: Context[Any]) -> Result | None:
        """Run if it is time, and say when it is next."""
        obj = ctx.cache.get(self._kind, request)
        if obj is None or not self._members.matches(obj):
            ctx.memo.pop(self, None)
            return None
        table = self._table(ctx, obj)
        now = ctx.clock.now()
        left = table.look(obj, self._essence(obj), now)
        if left > 0.0:
            return Begun(left, priority=0)
        table.begin(now)
        try:
            result = self._function(request, ctx)
        except RetryAfter as err:
            table.ask_for(ctx.clock.now() + err.result.requeue_after)
            raise
        if result is not None and (not isinstance(result, Result) or (result.requeue and not result.requeue_after)):
            return result  # a failure, or as good as one: it is still due
        return self._next(table, obj, ctx, result or Result())

    def _table(self, ctx: Context[Any], obj: Any) -> Timetable:
        memo = ctx.memo
        table: Timetable | None = memo.get(self)
        if table is None:
            table = memo[self] = Timetable(self._plan, obj, self._essence(obj), ctx.clock.now())
        return table

    def _essence(self, obj: Any) -> object:
        return essence(obj) if self._plan.idle is not None else None

    def _next(self, table: Timetable, obj: Any, ctx: Context[Any], result: Result) -> Result:
        now = ctx.clock.now()
        table.end(now)
        if result.requeue_after:
            table.ask_for(now + result.requeue_after)
        left = table.look(obj, self._essence(obj), now)
        return Result(max(left, _SOON), priority=result.priority or 0)

    def given_up(self, ctx: Context[Any]) -> Result | None:
        """What becomes of an object for which the function is not to be tried again: it has its turn next time."""
        table: Timetable | None = ctx.memo.get(self)
        if table is None:
            return None
        obj = ctx.cache.get(self._kind, ctx.request)
        try:
            return None if obj is None else self._next(table, obj, ctx, Result())
        except Exception as err:  # noqa: BLE001 - a delay that cannot be told may be what has failed, and was reported
            ctx.log.debug("when it is next cannot be told: %s", err)
            return None

    def __repr__(self) -> str:
        return f"<Timer {self.__name__}>"
