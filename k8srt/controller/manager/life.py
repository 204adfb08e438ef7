"""The life of a manager: groups that start in order, and stop in order, once.

It starts http, webhooks, caches (up means synced), others, warmup, each once the one before is up, and once it leads,
leader. It stops others, leader, caches, webhooks and http, each when the one before has ended; warmup stops beside them
all, as either may hold what the other waits for.

Contract: MGR-03, MGR-04, MGR-06 to MGR-08, MGR-11, MGR-12, MGR-18, MGR-19.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from k8srt.controller.failures import ShutdownTimeout
from k8srt.controller.manager.groups import Group, Runnable, StoppedError
from k8srt.controller.signals import StopSignals
from k8srt.errors import AlreadyStarted
from k8srt.util.clock import Clock
from k8srt.util.stacks import dumping
from k8srt.util.threads import Latch, Stop, linked, spawn

log = logging.getLogger(__name__)

START_ORDER = ("http", "webhooks", "caches", "others", "warmup")
STOP_ORDER = ("others", "leader", "caches", "webhooks", "http")


class State(StrEnum):
    """Where a manager is."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Steps:
    """What a manager does between the groups. Each is called once, without a lock."""

    prepare: Callable[[], object]
    """Before the first group is started."""
    synced: Callable[[], object]
    """Once the caches are."""
    stand: Callable[[], object]
    """Once everything is up that does not wait for the election: stand for it, or lead at once."""
    close: Callable[[bool], object]
    """When all groups have been stopped, with whether all have ended in time."""
    forget: Callable[[], object]
    """At the very end, whatever happened."""


class Life:
    """See the module. Thread-safe. `grace` is for all groups together: 0 seconds does not wait, less waits for ever.
    `patience` is after how many seconds a start says what it waits for."""

    def __init__(self, steps: Steps, *, grace: float, patience: float, clock: Clock) -> None:
        self.groups = {name: Group(name, self.failed, clock) for name in (*START_ORDER, "leader")}
        self.asked_to_stop = Stop()
        self.elected = Latch()
        self._steps = steps
        self._patience = patience
        self._clock = clock
        self._ended = Latch()
        self._lock = threading.RLock()  # guards all below; re-entrant, as a signal handler may call `stop`
        self._grace = grace
        self._state = State.NEW
        self._started = False
        self._errors: list[BaseException] = []
        self._stopper: threading.Thread | None = None
        self._starter: int | None = None  # the thread that is within `start`

    @property
    def state(self) -> State:
        """Where it is."""
        with self._lock:
            return self._state

    @property
    def grace(self) -> float:
        """What everything has to end, in seconds; less than 0 is without limit."""
        with self._lock:
            return self._grace

    @property
    def errors(self) -> list[BaseException]:
        """What has failed so far."""
        with self._lock:
            return list(self._errors)

    def raise_errors(self) -> None:
        """Raise what has failed; of several errors an ExceptionGroup."""
        errors = self.errors
        if len(errors) > 1:
            raise BaseExceptionGroup("the manager failed, and did not stop cleanly", errors)
        if errors:
            raise errors[0]

    # ---- up -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start; return when everything that does not wait for the election is up. Nothing is started if `stop` was
        called before. Raises AlreadyStarted, and what has failed meanwhile, everything being stopped again."""
        self._rise()
        if self.errors:
            self._end()
            self.raise_errors()

    def _rise(self) -> None:
        with self._lock:
            if self._state in (State.STOPPING, State.STOPPED) and not self._started:
                log.info("stopped before it was started")
                return
            if self._state is not State.NEW:
                raise AlreadyStarted("manager already started")
            self._state, self._started = State.STARTING, True
            self._starter = threading.get_ident()
        self._steps.prepare()
        for name in START_ORDER:
            if self.asked_to_stop.is_set():
                break
            self.groups[name].start()
            self._await(name)
            if name == "caches" and not self.asked_to_stop.is_set():
                self._steps.synced()
        if not self.asked_to_stop.is_set():
            self._steps.stand()
        with self._lock:
            self._starter = None
            if self._state is State.STARTING:
                self._state = State.RUNNING

    def _await(self, group: str) -> None:
        """Wait until a group is up, and say now and then for what."""
        patience = self._patience
        while not self.asked_to_stop.is_set():
            waited_for = self.groups[group].wait_ready(self.asked_to_stop, patience)
            if not waited_for or self.asked_to_stop.is_set():
                return
            log.warning("starting %s: still waiting for %s", group, "; ".join(waited_for))
            patience *= 2.0

    def add_unless_stopping(self, group: str, runnable: Runnable) -> None:
        """Have something run with a group, which does not matter any more once that stops."""
        try:
            self.groups[group].add(runnable)
        except StoppedError:
            log.debug("%r is not started: stopping already", runnable)

    def lead(self) -> None:
        """Start what only a leader runs; not on the way down."""
        if not self.asked_to_stop.is_set() and self.groups["leader"].start():
            self.elected.set()

    def run(self, stop: threading.Event | None, dump_signal: int | None) -> None:
        """Start, wait for a signal, for `stop`, for `stop()` or for a failure, and stop. Raises what has failed."""
        with linked(stop or Stop()) as told, StopSignals(self.asked_to_stop.set) as signals, dumping(dump_signal):
            forget = told.on_set(self.asked_to_stop.set)
            try:
                self._rise()
                signals.wait(self.asked_to_stop)
            except KeyboardInterrupt:
                log.info("interrupted: stopping")
            finally:
                forget()
                self._end()
        self.raise_errors()

    # ---- down -----------------------------------------------------------------------------------------------------

    def failed(self, runnable: Any, err: BaseException) -> None:
        """Something raised: everything ends over it, unless it is ending already."""
        if self.asked_to_stop.is_set():
            log.warning("%r failed while everything is stopping: %s", runnable, err)
            return
        self.end_over(runnable, err)

    def end_over(self, runnable: Any, err: BaseException, *, grace: float | None = None) -> None:
        """End over something even while everything is ending, waiting `grace` seconds instead of what was agreed."""
        log.error("%r failed, stopping everything: %s", runnable, err)
        with self._lock:
            self._errors.append(err)
            self._grace = self._grace if grace is None else grace
        self.asked_to_stop.set()
        self._end_elsewhere()

    def stop(self, timeout: float | None = None) -> None:
        """Stop everything in order and wait for it, `timeout` seconds instead of the grace period if given.

        From any thread, any number of times; those who come later wait for the first. Where it interrupts `start` in
        the same thread, as a signal handler does, it does not wait. Raises ShutdownTimeout naming what did not end.
        """
        if timeout is not None:
            with self._lock:
                self._grace = timeout
        if self._starter == threading.get_ident():
            self._end_elsewhere()
            return
        self._end()
        failures = [err for err in self.errors if isinstance(err, ShutdownTimeout)]
        if failures:
            raise failures[0]

    def _end_elsewhere(self) -> None:
        """Stop, in a thread of its own, which may take locks that a signal handler interrupted. Does not wait."""
        with self._lock:
            if self._stopper is None:
                self._stopper = spawn("manager-stop", self._end)

    def _end(self) -> None:
        """Stop in order; by the first who comes, the others wait."""
        self.asked_to_stop.set()
        with self._lock:
            mine = self._state not in (State.STOPPING, State.STOPPED, State.FAILED)
            if mine:
                self._state = State.STOPPING
        if not mine:
            self._ended.wait()
            return
        try:
            self._steps.close(self._stop_groups())
        finally:
            self._steps.forget()
            with self._lock:
                self._state = State.FAILED if self._errors else State.STOPPED
            self._ended.set()

    def _stop_groups(self) -> bool:
        """Stop each group and wait for it; returns whether all have ended in time."""
        with self._lock:
            grace = self._grace
        deadline = None if grace < 0.0 else self._clock.now() + grace
        self.groups["warmup"].stop()
        late: list[str] = []
        for name in STOP_ORDER:
            log.info("stopping %s", name)
            self.groups[name].stop()
            late += self.groups[name].join(deadline)
        late += self.groups["warmup"].join(deadline)
        if late and grace != 0.0:
            text = "\n".join(late)
            with self._lock:
                self._errors.append(
                    ShutdownTimeout(f"these did not end within the grace period of {grace:g}s:\n{text}")
                )
        return not late

    def __repr__(self) -> str:
        return f"<Life: {self.state}>"
