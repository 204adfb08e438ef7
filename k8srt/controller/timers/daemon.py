"""One daemon: a thread that runs a function for one object until that returns.

    RUNNING ──told to stop──▶ STOPPING ──stop_timeout──▶ ABANDONED
       └───────────────────────────┴──────────────────────────┴─── returns, raises ──▶ ENDED

What it is told by is `ctx.stop`. `ctx.client` goes on working after that, for what is to be put in order, until the
daemon is abandoned: then nothing is written any more, and calls that are under way end.

Contract: TMR-03, TMR-04.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
import traceback
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any

from k8srt.controller.context import Context, ReconcileEnded, ReconcileStop, running
from k8srt.controller.reconciling.loop import Reconcile
from k8srt.controller.request import Request, Result
from k8srt.controller.timers.essence import version
from k8srt.errors import Stopped
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop, spawn

_OURS = str(Path(__file__).resolve().parents[2])
_DEPTH = 12  # frames of a stack that are shown


class Phase(StrEnum):
    """Where a daemon is."""

    RUNNING = "running"
    STOPPING = "stopping"
    ABANDONED = "abandoned"
    ENDED = "ended"


class DaemonStop(ReconcileStop):
    """What a daemon is told to stop by; `wait(10)` is the safe way to do nothing for ten seconds, on its clock."""

    def __init__(self, what: str, clock: Clock) -> None:
        super().__init__(what)
        self._clock = clock
        self._told = Stop()
        self.on_set(self._told.set)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most `timeout` seconds; returns whether it is. None waits for ever."""
        return self._clock.wait_event(self._told, timeout)


class Daemon:
    """See the module. Thread-safe. `ended` is called in its thread, last of all, with the daemon."""

    def __init__(
        self, name: str, function: Reconcile, ctx: Context[Any], uid: str, ended: Callable[[Daemon], object]
    ) -> None:
        """`ctx` is that of the reconcile that starts it."""
        self.request: Request = ctx.request
        self.uid = uid
        self.since = ctx.clock.now()
        self.ended = Stop()
        self.error: BaseException | None = None  # these are written before `ended` is set
        self.result: Result | None = None
        self.seen: object = None  # the version of the object when the function returned
        self._name = name
        self._function = function
        self._clock = ctx.clock
        self._when_ended = ended
        self._over = ReconcileStop(f"{name} {ctx.request}")
        self._stop = DaemonStop(f"{name} {ctx.request}", ctx.clock)
        self._ctx = self._context(ctx)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # guards all below
        self._phase = Phase.RUNNING
        self._told_at: float | None = None

    def _context(self, ctx: Context[Any]) -> Context[Any]:
        """What goes on after the reconcile that it comes from."""

        def may_write() -> None:
            if self._over.is_set():
                raise ReconcileEnded(f"{self._name}: the daemon of {self.request} that wants to write is over")

        ctx.detached = True
        return dataclasses.replace(ctx, stop=self._stop, client=ctx.client.within(self._over, may_write), deadline=None)

    # ---- its life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread. Raises RuntimeError if the system gives none."""
        self._thread = spawn(f"daemon-{self._name}", self._run)

    def _run(self) -> None:
        try:
            with running(self._ctx):
                self.result = self._function(self.request, self._ctx)
                obj = self._ctx.current()
                self.seen = None if obj is None else version(obj)
        except BaseException as err:  # noqa: BLE001 - raised again where failures are dealt with
            self.error = err
        finally:
            with self._lock:
                self._phase = Phase.ENDED if self._phase is not Phase.ABANDONED else self._phase
            self._stop.set()
            self._over.set()
            self.ended.set()
            self._when_ended(self)

    def tell(self) -> None:
        """Tell it to stop. Again is fine."""
        with self._lock:
            if self._told_at is None:
                self._told_at = self._clock.now()
                self._phase = Phase.STOPPING if self._phase is Phase.RUNNING else self._phase
        self._stop.set()

    def seconds_left(self, timeout: float) -> float:
        """How many of `timeout` seconds to stop it has left, 0 for none."""
        with self._lock:
            told_at = self._told_at
        return timeout if told_at is None else max(told_at + timeout - self._clock.now(), 0.0)

    def abandon(self) -> bool:
        """Wait for it no longer, and let it do no more; False if it has ended meanwhile."""
        with self._lock:
            if self._phase is Phase.ENDED:
                return False
            self._phase = Phase.ABANDONED
        self._over.set()
        return True

    def join(self) -> None:
        """Wait for the thread, which is at its end."""
        if self._thread is not None:
            self._thread.join()

    # ---- asking ---------------------------------------------------------------------------------------------------

    @property
    def told(self) -> bool:
        """Whether it was told to stop."""
        with self._lock:
            return self._told_at is not None

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for it."""
        with self._lock:
            return self._phase is Phase.ABANDONED

    @property
    def failure(self) -> BaseException | None:
        """What it raised, but for what says that it was told to stop."""
        return None if self.told and isinstance(self.error, Stopped) else self.error

    def as_dict(self, now: float) -> dict[str, Any]:
        """What it is at, and for how many seconds."""
        with self._lock:
            phase = self._phase
        return {
            "request": str(self.request),
            "state": str(phase),
            "seconds": now - self.since,
            "attempt": self._ctx.attempt,
            "thread": self._thread.name if self._thread is not None else "",
            "at": _place(self._frame()),
        }

    def stack(self) -> str:
        """Where it is."""
        frame = self._frame()
        return "".join(traceback.format_stack(frame)[-_DEPTH:]) if frame is not None else "  (no stack)\n"

    def _frame(self) -> FrameType | None:
        thread = self._thread
        return sys._current_frames().get(thread.ident or 0) if thread is not None else None

    def __repr__(self) -> str:
        return f"<Daemon {self._name} of {self.request}: {self._phase}>"


def _place(frame: FrameType | None) -> str:
    """The innermost place that is of the user's own: file, line, and function."""
    each = frame
    while each is not None and each.f_back is not None:
        name = each.f_code.co_filename
        if not name.startswith(_OURS) and name != threading.__file__:
            break
        each = each.f_back
    return "" if each is None else f"{each.f_code.co_filename}:{each.f_lineno} in {each.f_code.co_name}"
