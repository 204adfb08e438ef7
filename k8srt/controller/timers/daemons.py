"""The daemons of a controller: each object that is to have one has one.

The reconciler starts and stops them, and says how they have ended: a daemon that raised is a reconcile that raised, and
is retried as one; one that returned is done until another thing is wanted of its object. It never waits for a daemon:
one that has ended has its object looked at again, as has the end of the time to stop.

To the controller they are a source, too: one that ends when it does, and waits for all of them.

Contract: TMR-03 to TMR-05.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from k8srt.controller.context import Context
from k8srt.controller.finalizers import contains_finalizer, put_on, release
from k8srt.controller.handler import RequestQueue
from k8srt.controller.reconciling.loop import Reconcile
from k8srt.controller.reconciling.outcome import Begun
from k8srt.controller.request import Request, Result
from k8srt.controller.timers.daemon import Daemon
from k8srt.controller.timers.essence import version
from k8srt.controller.timers.members import Members
from k8srt.controller.timers.places import Places
from k8srt.errors import NotFound
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

log = logging.getLogger(__name__)

MAX_DAEMONS = 100
STOP_TIMEOUT = 10.0
HEALTHY_AFTER = 600.0
"""Seconds of running after which the failures before are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How many there may be at once, how many seconds each has to stop (None: as many as it takes), and the finalizer
    that keeps an object as long as it has a daemon, "" for none."""

    max_daemons: int = MAX_DAEMONS
    stop_timeout: float | None = STOP_TIMEOUT
    finalizer: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be."""
        if self.stop_timeout is not None and not self.stop_timeout >= 0.0:
            raise ValueError(f"stop_timeout: 0 or more seconds, not {self.stop_timeout!r}")


class Daemons:
    """See the module: a reconciler and a source. Thread-safe."""

    def __init__(self, name: str, function: Reconcile, kind: Any, members: Members, terms: Terms, clock: Clock) -> None:
        """Raises ValueError for terms that cannot be."""
        self._name = name
        self._function = function
        self._kind = kind
        self._members = members
        self._terms = terms
        self._clock = clock
        self._places = Places(terms.max_daemons)
        self._queue: RequestQueue | None = None  # written before any reconcile
        self._lock = threading.Lock()  # guards all below
        self._daemons: dict[Request, Daemon] = {}
        self._abandoned: set[Daemon] = set()
        self._done: dict[Request, tuple[str, object]] = {}  # uid and version with which one has returned
        self._ending = False
        self._ours: Callable[[Request], bool] | None = None
        self.__name__ = getattr(function, "__name__", "daemon")

    # ---- the reconciler -------------------------------------------------------------------------------------------

    def __call__(self, request: Request, ctx: Context[Any]) -> Result | None:
        """Have the daemon of an object run, or not."""
        obj = ctx.cache.get(self._kind, request)
        wanted = obj is not None and obj.metadata.deletion_timestamp is None and self._members.matches(obj)
        with self._lock:
            daemon = self._daemons.get(request)
        if daemon is not None and not daemon.ended.is_set():
            if wanted and not daemon.told and daemon.uid == obj.metadata.uid:
                return self._stay(daemon, ctx)
            left = self._stop(daemon)
            if left is not None:
                return left
        if daemon is not None:
            settled, result = self._bury(daemon, obj if wanted else None, ctx)
            if settled:
                return result
        if not wanted:
            self._let_go(request, obj, ctx)
            return None
        return Begun() if self.has_returned(obj) else self._start(obj, ctx)

    def _stay(self, daemon: Daemon, ctx: Context[Any]) -> Result | None:
        """It runs as it should. Failures before are forgotten once it has done so for long."""
        if not ctx.attempt:
            return Begun()
        left = daemon.since + HEALTHY_AFTER - self._clock.now()
        return Begun(left) if left > 0.0 else None

    def _stop(self, daemon: Daemon) -> Result | None:
        """Tell it to stop; None once it is not to be waited for any longer."""
        daemon.tell()
        timeout = self._terms.stop_timeout
        if timeout is None:
            return Begun()
        left = daemon.seconds_left(timeout)
        if left > 0.0:
            return Begun(left, priority=0)
        self._abandon(daemon, timeout)
        return None

    def _abandon(self, daemon: Daemon, timeout: float) -> None:
        with self._lock:
            if not daemon.abandon():
                return
            self._daemons.pop(daemon.request, None)
            self._abandoned.add(daemon)
        text = f"{daemon!r} has not ended within {timeout:g}s, and is waited for no longer:\n{daemon.stack()}"
        log.error("%s", text, extra={"controller": self._name})
        try:
            warnings.warn(ResourceWarning(text), stacklevel=2)
        except ResourceWarning:  # where warnings are errors: it was logged, and what is to follow is to follow
            log.debug("the warning was raised")

    def _bury(self, daemon: Daemon, obj: Any, ctx: Context[Any]) -> tuple[bool, Result | None]:
        """Draw the consequences of an end; `obj` is None if there is to be no other daemon. Returns whether this is all
        for now, and if so how the reconcile ends."""
        with self._lock:
            mine = self._daemons.get(daemon.request) is daemon
            if mine:
                del self._daemons[daemon.request]
        if not mine:  # abandoned
            return False, None
        daemon.join()
        ctx.log.debug("the daemon has ended after %.3fs", self._clock.now() - daemon.since)
        failure = daemon.failure
        if daemon.told or obj is None or obj.metadata.uid != daemon.uid:
            if failure is not None:
                ctx.log.error("the daemon has failed to stop cleanly: %s", failure, exc_info=failure)
            return False, None
        if failure is not None:
            raise failure
        if daemon.result not in (None, Result()):
            return True, daemon.result
        with self._lock:
            self._done[daemon.request] = (daemon.uid, daemon.seen)
        if version(obj) != daemon.seen:  # something else is wanted since
            self._poke([daemon.request])
        return True, None

    def _let_go(self, request: Request, obj: Any, ctx: Context[Any]) -> None:
        """The object is gone, or not to have a daemon any more."""
        with self._lock:
            self._done.pop(request, None)
        self._poke(self._places.leave(request))
        finalizer = self._terms.finalizer
        if finalizer and obj is not None and contains_finalizer(obj, finalizer):
            release(ctx, obj, finalizer)

    def _start(self, obj: Any, ctx: Context[Any]) -> Result | None:
        """Start a daemon, or have the object wait for a place."""
        came_before = self._places.waits(ctx.request)
        if not self._places.take(ctx.request):
            if not came_before:
                self._say_that_it_waits(obj, ctx)
            return Begun()
        try:
            daemon = self._launch(obj, ctx)
        except NotFound:  # it was deleted, which the cache is about to hear of
            daemon = None
        except BaseException:
            self._poke(self._places.give_back())
            raise
        if daemon is None:
            self._poke(self._places.give_back())
            return Begun()
        ctx.log.debug("the daemon begins")
        return self._stay(daemon, ctx)

    def _launch(self, obj: Any, ctx: Context[Any]) -> Daemon | None:
        finalizer = self._terms.finalizer
        if finalizer and not contains_finalizer(obj, finalizer):
            put_on(ctx, obj, finalizer)
        daemon = Daemon(self._name, self._function, ctx, obj.metadata.uid, self._ended)
        with self._lock:
            if self._ending:
                return None
            self._daemons[ctx.request] = daemon
            ours = self._ours
        try:
            daemon.start()
        except BaseException:
            with self._lock:
                del self._daemons[ctx.request]
            raise
        if ours is not None and not ours(ctx.request):  # it has moved meanwhile
            daemon.tell()
        return daemon

    def _say_that_it_waits(self, obj: Any, ctx: Context[Any]) -> None:
        text = f"waits for a daemon {self._name}: {self._places.most} run already, and that is max_daemons"
        first = self._places.line()[:1] == [ctx.request]
        ctx.log.log(logging.WARNING if first else logging.DEBUG, text)
        if ctx.recorder is not None:
            ctx.recorder.event(obj, "Warning", "TooManyDaemons", text)

    def _ended(self, daemon: Daemon) -> None:
        """Called by a daemon, last of all."""
        with self._lock:
            self._abandoned.discard(daemon)
        self._poke([daemon.request, *self._places.give_back()])

    def _poke(self, requests: list[Request]) -> None:
        """Have objects looked at."""
        if requests and self._queue is not None:
            self._queue.add_with(requests)

    # ---- the source -----------------------------------------------------------------------------------------------

    def start(self, queue: RequestQueue) -> None:
        """Have those looked at whose daemons have ended."""
        self._queue = queue

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """There is nothing to wait for."""

    def end(self) -> None:
        """Start no more, and tell all to stop. Does not wait."""
        with self._lock:
            self._ending = True
            daemons = list(self._daemons.values())
        for daemon in daemons:
            daemon.tell()

    def keep_only(self, ours: Callable[[Request], bool]) -> None:
        """Tell those to stop whose objects another shard looks after now. Does not wait."""
        with self._lock:
            self._ours = ours
            daemons = [daemon for request, daemon in self._daemons.items() if not ours(request)]
        for daemon in daemons:
            daemon.tell()

    def stop(self) -> None:
        """The same, and wait for all as long as they may take; those that do not end are abandoned. Finalizers stay:
        whoever looks after these objects next has daemons for them, or takes them off."""
        self.end()
        with self._lock:
            daemons = list(self._daemons.values())
        timeout = self._terms.stop_timeout
        for daemon in daemons:
            if self._clock.wait_event(daemon.ended, None if timeout is None else daemon.seconds_left(timeout)):
                daemon.join()
            elif timeout is not None:
                self._abandon(daemon, timeout)
            if daemon.failure is not None:
                log.error("%r has failed to stop cleanly: %s", daemon, daemon.failure, exc_info=daemon.failure)

    # ---- asking ---------------------------------------------------------------------------------------------------

    def has_returned(self, obj: Any) -> bool:
        """Whether the daemon of an object has returned, and nothing else is wanted since."""
        now = (obj.metadata.uid, version(obj))
        with self._lock:
            return self._done.get(Request.of(obj)) == now

    def debug_state(self) -> list[dict[str, Any]]:
        """Each daemon, what it is at and for how many seconds, those that were abandoned, and who waits for a place."""
        now = self._clock.now()
        with self._lock:
            daemons = [*self._daemons.values(), *self._abandoned]
        told = [daemon.as_dict(now) for daemon in daemons]
        return told + [{"request": str(each), "state": "waiting"} for each in self._places.line()]

    def __repr__(self) -> str:
        with self._lock:
            return f"<Daemons {self._name}: {len(self._daemons)} of {self._places.most}>"
