"""What a reconcile has at hand in a process of its own.

It is the context that it has anywhere, with these differences: reads go to the server, as `ctx.cache` is not there;
`ctx.manager` is None; `ctx.state` is a copy, one for each process, and what is changed in it stays there; `ctx.memo`
lasts for one reconcile, since the next may be in another process; nothing can be left behind with `ctx.detach`.

Contract: THR-06, CTX-01.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NoReturn

from k8srt.apimachinery.schema import NamespacedName
from k8srt.controller.client.client import Client
from k8srt.controller.client.server_warnings import log_warning
from k8srt.controller.context import Context, Home, ReconcileLog, ReconcileStop
from k8srt.controller.isolation.failures import unpacked
from k8srt.controller.isolation.messages import Event, Task
from k8srt.controller.isolation.program import Program
from k8srt.controller.reconciling.executor import ContextExecutor
from k8srt.controller.request import Request, Result
from k8srt.controller.retries import Retry
from k8srt.errors import K8srtError
from k8srt.kubernetes.clientset import Clientset
from k8srt.util.clock import SYSTEM


class NotInThisProcess(K8srtError):
    """Something was asked for that a reconcile with `run_in="process"` does not have."""


class NoCache:
    """Stands for the cache, which is in another process."""

    def __getattr__(self, name: str) -> NoReturn:
        raise NotInThisProcess(
            f'ctx.cache.{name}: there is no cache in a process of its own (run_in="process"); '
            "ctx.client reads from the server here"
        )

    def __repr__(self) -> str:
        return "<no cache in this process>"


class RemoteRecorder:
    """Has events recorded by the controller's own recorder, which is in another process."""

    def __init__(self, send: Callable[[Event], object]) -> None:
        self._send = send

    def event(self, *args: Any, **options: Any) -> None:
        """As `EventRecorder.event`."""
        self._send(Event("event", args, options))

    def eventf(self, *args: Any, **options: Any) -> None:
        """As `EventRecorder.eventf`."""
        self._send(Event("eventf", args, options))


class IsolatedContext(Context[Any]):
    """A context whose `api_reader` is the clientset of this process."""

    __slots__ = ()

    @property
    def api_reader(self) -> Any:
        """Reads from the server; so does `client` here."""
        return self.home.clientset if isinstance(self.home, Surroundings) else None


class Surroundings(Home):
    """What the reconciles of this process share. One of them runs at a time."""

    def __init__(
        self,
        program: Program,
        may_write: Callable[[Context[Any]], object],
        record: Callable[[Event], object],
    ) -> None:
        config = program.config.copy()
        config.warning_handler = log_warning
        self.clientset = Clientset(config)
        self.reconcile: Callable[[Request, Context[Any]], Result | None] = program.reconcile
        self._program = program
        self._client = Client(self.clientset, field_manager=program.controller)
        self._may_write = may_write
        self._recorder = RemoteRecorder(record)
        self._executor: ContextExecutor | None = None
        self._memo: dict[Any, Any] = {}
        self._filtered_out = False

    def context(self, task: Task) -> Context[Any]:
        """A context for a reconcile that begins now."""
        self._memo, self._filtered_out = {}, task.filtered_out
        name = self._program.controller
        stop = ReconcileStop(f"{name} {task.request}")
        log = ReconcileLog(logging.getLogger(f"k8srt.controller.{name}"))
        log.extra = task.log_fields
        last_error = None if task.last_error is None else unpacked(task.last_error)
        ctx = IsolatedContext(
            task.request,
            name,
            NoCache(),  # type: ignore[arg-type]  # it says what is wrong with using it
            self._client,
            stop,
            SYSTEM,
            log,
            recorder=self._recorder,
            state=self._program.state,
            deadline=None if task.seconds_left is None else SYSTEM.now() + task.seconds_left,
            retry=Retry(task.attempt, task.first_failure, last_error),
            reasons=task.reasons,
            priority=task.priority,
            reconcile_id=task.reconcile_id,
            home=self,
        )
        ctx.client = self._client.within(stop, lambda: self._may_write(ctx))
        return ctx

    # ---- what contexts ask for ------------------------------------------------------------------------------------

    def memo(self, request: Request) -> dict[Any, Any]:
        return self._memo

    def executor(self) -> Executor:
        if self._executor is None:
            self._executor = ContextExecutor(self._program.controller, self._program.executor_threads, SYSTEM)
        return self._executor

    def filtered_out(self, request: Request) -> bool:
        return self._filtered_out

    def object_of(self, request: Request) -> Any:
        key = NamespacedName(request.namespace, request.name)
        return None if self._program.kind is None else self._client.get_or_none(self._program.kind, key)

    def detach(self, ctx: Context[Any]) -> None:
        raise NotInThisProcess(
            f"{ctx.controller}: nothing that a reconcile starts in a process of its own can outlive it"
        )
