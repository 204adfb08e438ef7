"""What a reconcile has at hand.

Contract: CTX-01, CTX-03, REC-09 to REC-11, LOG-02, LOG-03.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8srt.controller.cache import Cache
from k8srt.controller.client import Client
from k8srt.controller.request import Request
from k8srt.errors import K8srtError, WaitTimeout
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.controller.manager import Manager


class StopRequested(K8srtError):
    """A wait within a reconcile ended because the controller is to stop."""


class ReconcileTimeout(WaitTimeout):
    """A wait within a reconcile ended because its time is over."""


class ReconcileEnded(K8srtError):
    """Something was to be written for a reconcile that has ended. Contract: CTX-04."""


@dataclass(slots=True)
class Context:
    """What belongs to one reconcile. Used by its thread, and by those it starts and waits for.

    `stop` is set when the reconcile is to end: the controller stops, or `deadline` (on the controller's clock; None
    for none) has come. `client` ends its calls then. `attempt` is how often this request has failed in a row.
    """

    request: Request
    controller: str
    cache: Cache
    client: Client
    stop: Stop
    clock: Clock
    log: logging.LoggerAdapter[Any]
    manager: Manager | None = None
    recorder: Any = None
    state: Any = None
    deadline: float | None = None
    attempt: int = 0
    priority: int = 0
    reconcile_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def sleep(self, seconds: float) -> None:
        """Wait. Raises StopRequested or ReconcileTimeout when the reconcile is to end before that."""
        if self.clock.wait_event(self.stop, seconds):
            self.check()

    def check(self) -> None:
        """Raises StopRequested or ReconcileTimeout if the reconcile is to end: for long loops."""
        if not self.stop.is_set():
            return
        if self.deadline is not None and self.clock.now() >= self.deadline:
            raise ReconcileTimeout(f"{self.controller}: the time of the reconcile of {self.request} is over")
        raise StopRequested(f"{self.controller}: stopping, in the reconcile of {self.request}")


_current: ContextVar[Context | None] = ContextVar("k8srt-reconcile", default=None)


def current() -> Context | None:
    """The context of the reconcile that is running here, None outside of one. Contract: CTX-03."""
    return _current.get()


@contextmanager
def running(ctx: Context) -> Iterator[None]:
    """Make `ctx` the current one."""
    token = _current.set(ctx)
    try:
        yield
    finally:
        _current.reset(token)


class ReconcileLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines say which reconcile they are of: in front, and as fields of the record: LOG-02."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        extra: Mapping[str, Any] = self.extra or {}
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return f"{extra['controller']} {extra['request']}: {msg}", kwargs
