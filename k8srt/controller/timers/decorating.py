"""The decorators for timers and daemons, which managers and registries inherit.

    @mgr.timer(Foo, interval=60.0, idle=10.0)
    def check(obj, ctx): ...

    @mgr.daemon(Foo, max_daemons=20)
    def tend(obj, ctx):
        while not ctx.stop.wait(10.0): ...

Contract: TMR-01, TMR-03.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from k8srt.controller.timers.making import new_daemon, new_timer
from k8srt.controller.timers.timetable import Delay

if TYPE_CHECKING:
    from k8srt.controller.manager.manager import Manager

F = TypeVar("F", bound=Callable[..., Any])


class TimerDecorators:
    """See the module."""

    def timer(self, kind: Any, *, interval: Delay, **options: Any) -> Callable[[F], F]:
        """Have a function of `(obj, ctx)` or `(request, ctx)` called for each object of a kind, time and again. It
        stays as it is. Keywords are those of `new_timer`: `initial_delay`, `idle`, `where`, … Contract: TMR-01.
        """

        def decorate(function: F) -> F:
            new_timer(cast("Manager", self), kind, function, interval=interval, **options)
            return function

        return decorate

    def daemon(self, kind: Any, **options: Any) -> Callable[[F], F]:
        """Have a function run in a thread for each object of a kind, until `ctx.stop` is set. It stays as it is.
        Keywords are those of `new_daemon`: `max_daemons`, `stop_timeout`, `finalizer`, `where`, … Contract: TMR-03."""

        def decorate(function: F) -> F:
            new_daemon(cast("Manager", self), kind, function, **options)
            return function

        return decorate
