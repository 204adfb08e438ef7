"""What a reconcile has at hand.

Contract: CTX-01 to CTX-04, REC-09 to REC-11, REC-17, REC-18, LOG-02, LOG-03.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from k8srt.apimachinery.object import Object
from k8srt.controller.cache.cache import Cache
from k8srt.controller.client.client import Client
from k8srt.controller.reasons import Reason
from k8srt.controller.request import Request
from k8srt.controller.retries import FRESH, Retry
from k8srt.errors import K8srtError, Stopped, WaitTimeout
from k8srt.log import fields
from k8srt.util.ambient import ToldStop, stopping_with
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from k8srt.controller.client.applying import Ensured
    from k8srt.controller.client.applyset import SetOutcome
    from k8srt.controller.dependents.own_writes import OwnWrites
    from k8srt.controller.dependents.state import States
    from k8srt.controller.dependents.workflow import WorkflowRun
    from k8srt.controller.manager.manager import Manager

    S = TypeVar("S", default=Any)
else:
    from typing import TypeVar

    S = TypeVar("S")

T = TypeVar("T", bound=Object)


class StopRequested(Stopped):
    """A wait within a reconcile ended because the controller is to stop."""


class ReconcileTimeout(WaitTimeout, Stopped):
    """A wait within a reconcile ended because its time is over."""


class ReconcileEnded(K8srtError):
    """Something was to be written for a reconcile that has ended. Contract: CTX-04."""


class ReconcileStop(ToldStop):
    """The stop of one reconcile. `timed_out`: it was its own deadline that set it. Contract: REC-09, REC-10."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self.timed_out = False  # written once, before it is set

    def expire(self) -> None:
        """The deadline has come."""
        if not self.is_set():
            self.timed_out = True
            self.set()

    def error(self, about: str) -> Stopped:
        if self.timed_out:
            return ReconcileTimeout(f"{about}: the time of the reconcile is over ({self._what})")
        return StopRequested(f"{about}: stopping ({self._what})")


class Home:
    """What the reconciles of a controller share. The methods are the controller's. `own_writes`: those that are not to
    lead to a reconcile of who wrote them, None if all do."""

    own_writes: OwnWrites | None = None

    def memo(self, request: Request) -> dict[Any, Any]:
        """What is remembered of an object as long as it is there."""
        return {}

    def executor(self) -> Executor:
        """Threads for what one reconcile does at once."""
        raise K8srtError("there is no executor outside of a controller")

    def filtered_out(self, request: Request) -> bool:
        """Whether the object is there and no longer what the controller is for."""
        return False

    def object_of(self, request: Request) -> Any:
        """The object of a request as the cache has it, None if it is not there."""
        return None

    def detach(self, ctx: Context[Any]) -> None:
        """Let a context live on after its reconcile."""


@dataclass(slots=True)
class Context(Generic[S]):
    """What belongs to one reconcile. Used by its thread, and by those it starts and waits for.

    `stop` is set when the reconcile is to end: the controller stops, or `deadline` (on the controller's clock; None
    for none) has come. It is set also when the reconcile has ended, for threads that it left behind. Every call and
    wait of the library within the reconcile ends with it. `retry` is what went before, `reasons` why it is looked at,
    `priority` what it was taken with. `state` is the caller's own, of the manager or the controller.
    """

    request: Request
    controller: str
    cache: Cache
    client: Client
    stop: ReconcileStop
    clock: Clock
    log: logging.LoggerAdapter[Any]
    manager: Manager | None = None
    recorder: Any = None
    state: S = None  # type: ignore[assignment]  # without one it is None, as the caller knows
    deadline: float | None = None
    retry: Retry = FRESH
    reasons: tuple[Reason, ...] = ()
    priority: int = 0
    reconcile_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    detached: bool = False
    home: Home = field(default_factory=Home, repr=False)
    workflow_run: WorkflowRun | None = field(default=None, repr=False)

    @property
    def attempt(self) -> int:
        """How often this request has failed in a row."""
        return self.retry.attempt

    @property
    def api_reader(self) -> Any:
        """Reads from the server, past the cache."""
        return self.manager.api_reader if self.manager is not None else None

    @property
    def memo(self) -> dict[Any, Any]:
        """A dict that stays with the object, by its uid, until it is gone. Only one reconcile at a time has it."""
        return self.home.memo(self.request)

    @property
    def executor(self) -> Executor:
        """Threads shared by the reconciles of this controller: what they run has this context. Wait for what you
        submit before you return."""
        return self.home.executor()

    @property
    def workflow(self) -> WorkflowRun:
        """The dependents of the object that is reconciled, as a whole. Raises K8srtError where there are none.

        Contract: DEP-04."""
        if self.workflow_run is None:
            raise K8srtError(f"{self.controller} {self.request}: there are no dependents; see Builder.dependents")
        return self.workflow_run

    @property
    def dependents(self) -> States:
        """What has become of each, by name: `ctx.dependents["deployment"].object`. Raises as `workflow`."""
        return self.workflow.dependents

    @property
    def filtered_out(self) -> bool:
        """Whether the object is there but no longer matches what the controller is for; see `notify_leaving`."""
        return self.home.filtered_out(self.request)

    def current(self) -> Any:
        """The object as the cache has it at this moment, None once it is gone: for what goes on for long: TMR-04."""
        return self.home.object_of(self.request)

    def detach(self) -> None:
        """Let threads that this reconcile leaves behind go on and write, until the controller stops."""
        self.detached = True
        self.home.detach(self)

    def ensure(self, obj: Object, *, owner: Object | None = None, owned: bool = True) -> Ensured:
        """Have the server keep the fields that `obj` sets, owned by the object that is reconciled. Costs no request
        when that is so already. See `k8srt.controller.client.applying`. Contract: APL-02."""
        from k8srt.controller.client.applying import ensure

        return ensure(self, obj, owner=owner, owned=owned, writes=self.home.own_writes)

    def apply_set(self, name: str, objects: Iterable[Object], *, owner: Object | None = None) -> SetOutcome:
        """Ensure these objects, and delete those that were in the set of this name and are not among them any more.
        See `k8srt.controller.client.applyset`. Contract: APL-06."""
        from k8srt.controller.client.applyset import apply_set

        return apply_set(self, name, objects, owner=owner)

    def patching(
        self, obj: T, *, always_status: bool = False, optimistic_lock: bool = False
    ) -> AbstractContextManager[T]:
        """Send what the block changes in `obj`, body and status. Contract: APL-03."""
        from k8srt.controller.client.applying import patching

        return patching(self, obj, always_status=always_status, optimistic_lock=optimistic_lock)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises StopRequested or ReconcileTimeout when the reconcile is to end before that."""
        if self.clock.wait_event(self.stop, seconds):
            self.check()

    def check(self) -> None:
        """Raises StopRequested or ReconcileTimeout if the reconcile is to end: for long loops."""
        if self.stop.is_set():
            raise self.stop.error(f"{self.controller} {self.request}")


_current: ContextVar[Context[Any] | None] = ContextVar("k8srt-reconcile", default=None)


def current() -> Context[Any] | None:
    """The context of the reconcile that is running here, None outside of one. Contract: CTX-03."""
    return _current.get()


def reconcile_id_from_context() -> str:
    """The id of the reconcile that is running here, "" outside of one. Contract: REC-11."""
    ctx = _current.get()
    return "" if ctx is None else ctx.reconcile_id


@contextmanager
def running(ctx: Context[Any]) -> Iterator[None]:
    """Make `ctx` the current one, its stop that of everything that is called, its fields those of every log record."""
    token = _current.set(ctx)
    try:
        with stopping_with(ctx.stop), fields(**(ctx.log.extra or {})):
            yield
    finally:
        _current.reset(token)


class ReconcileLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines say which reconcile they are of: in front, and as fields of the record: LOG-02."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        extra: Mapping[str, Any] = self.extra or {}
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return f"{extra['controller']} {extra['request']}: {msg}", kwargs
