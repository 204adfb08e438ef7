"""The contexts of the reconciles of a controller, and what these share: memos, threads, the object itself.

Contract: CTX-01, CTX-02, CTX-04, LOG-02, FLT-03.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from k8srt.controller.cache.cache import Cache
from k8srt.controller.client.client import Client
from k8srt.controller.context import Context, Home, ReconcileEnded, ReconcileLog, ReconcileStop
from k8srt.controller.kinds import gvk_of
from k8srt.controller.options import Options
from k8srt.controller.reasons import Reason
from k8srt.controller.reconciling.executor import ContextExecutor
from k8srt.controller.reconciling.gate import Gate
from k8srt.controller.reconciling.jobs import Jobs
from k8srt.controller.reconciling.memos import Memos
from k8srt.controller.request import Request
from k8srt.controller.retries import Retries
from k8srt.errors import K8srtError
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.controller.tracing.tracing import Tracing


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What a controller is given by its manager."""

    cache: Cache
    client: Client
    manager: Any = None
    recorder: Any = None
    state: Any = None
    tracing: Tracing | None = None


class Contexts(Home):
    """See the module. Thread-safe. `matches` tells whether an object is what the controller is for."""

    def __init__(
        self,
        name: str,
        options: Options,
        around: Surroundings,
        jobs: Jobs,
        retries: Retries,
        *,
        kind: Any,
        halt: Stop,
        clock: Clock,
    ) -> None:
        self.matches: Callable[[Any], bool] | None = None
        self.gate: Gate | None = None  # set before the start
        self._name = name
        self._options = options
        self._around = around
        self._client = around.client.acting_as(name)
        self._jobs = jobs
        self._retries = retries
        self._kind = kind
        self.gvk = None if kind is None else gvk_of(kind)
        self._halt = halt
        self._clock = clock
        self._memos = Memos(self._uid)
        self._logger = logging.getLogger(f"k8srt.controller.{name}")
        self._lock = threading.Lock()  # guards _executor
        self._executor: ContextExecutor | None = None

    def make(self, request: Request, priority: int, reasons: tuple[Reason, ...]) -> Context[Any]:
        """A context for a reconcile that begins now."""
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
            retry=self._retries.of(request),
            reasons=reasons,
            priority=priority,
            home=self,
        )
        ctx.client = self._client.within(stop, self._guard(ctx))
        ctx.log.extra = self._log_fields(ctx)
        return ctx

    def renewed(self, ctx: Context[Any]) -> Context[Any]:
        """The same context with a stop that is not set."""
        stop = ReconcileStop(f"{self._name} {ctx.request}")
        renewed = dataclasses.replace(ctx, stop=stop)
        renewed.client = self._client.within(stop, self._guard(renewed))
        return renewed

    def _guard(self, ctx: Context[Any]) -> Callable[[], None]:
        """Refuses what is to be written once the reconcile has ended, or for a key of another shard: CTX-04, SHD-06."""

        def may_write() -> None:
            if not ctx.detached and not self._jobs.has(ctx):
                raise ReconcileEnded(f"{self._name}: the reconcile of {ctx.request} that wants to write has ended")
            if self.gate is not None:
                self.gate.check(ctx.request)

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
        if self.gvk is not None:
            gvk = self.gvk
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

    def ended(self, request: Request, busy: Callable[[], Collection[Request]]) -> None:
        """A reconcile has ended; `busy` tells which still run."""
        if len(self._memos):
            self._memos.ended(request, busy())

    def close(self) -> None:
        """End what reconciles have shared."""
        with self._lock:
            executor = self._executor
        if executor is not None:
            executor.shutdown(cancel_futures=True)
