"""Threads for what one reconcile does at the same time.

    for done in ctx.executor.map(check, urls): ...

They are made as needed, and end when there has been nothing to do for a minute. What they run has the context variables
of the one who submitted it: `current()` is its reconcile, and calls end with that.

Contract: CTX-01, LOG-03.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from k8srt.errors import Stopped
from k8srt.util.clock import Clock
from k8srt.util.threads import spawn

R = TypeVar("R")

IDLE = 60.0

_Task = tuple[contextvars.Context, "Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class ContextExecutor(Executor):
    """See the module. At most `size` threads. Thread-safe."""

    def __init__(self, name: str, size: int, clock: Clock) -> None:
        self._name = name
        self._size = size
        self._clock = clock
        self._cond = threading.Condition()  # guards all below
        self._tasks: deque[_Task] = deque()
        self._idle = 0
        self._threads: set[threading.Thread] = set()
        self._live = 0
        self._closed = False

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Have `fn(*args, **kwargs)` run. Raises Stopped once shut down."""
        future: Future[R] = Future()
        with self._cond:
            if self._closed:
                raise Stopped(f"the executor of {self._name} was shut down")
            self._tasks.append((contextvars.copy_context(), future, fn, args, kwargs))
            more = self._idle < len(self._tasks) and self._live < self._size
            if more:
                self._live += 1
            self._cond.notify()
        if more:
            thread = spawn(f"executor-{self._name}", self._run)
            with self._cond:
                self._threads = {each for each in self._threads if each.is_alive()} | {thread}
        return future

    def _run(self) -> None:
        while (task := self._next()) is not None:
            context, future, function, args, kwargs = task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(context.run(function, *args, **kwargs))
                except BaseException as err:  # noqa: BLE001 - raised by whoever asks for the result
                    future.set_exception(err)
            del task, context, future, function, args, kwargs

    def _next(self) -> _Task | None:
        """Wait for a task; None when the thread is to end."""
        with self._cond:
            until = self._clock.now() + IDLE
            self._idle += 1
            try:
                while not self._tasks:
                    if self._closed or self._clock.now() >= until:
                        self._live -= 1
                        return None
                    self._clock.wait(self._cond, until)
                return self._tasks.popleft()
            finally:
                self._idle -= 1

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more, and wait for what runs; with `cancel_futures` what has not begun is dropped."""
        with self._cond:
            self._closed = True
            dropped = list(self._tasks) if cancel_futures else []
            if cancel_futures:
                self._tasks.clear()
            self._cond.notify_all()
            threads = set(self._threads)
        for _, future, *_ in dropped:
            future.cancel()
        if wait:
            for thread in threads - {threading.current_thread()}:
                thread.join()
