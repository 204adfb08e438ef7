"""`LeaderElector`: of several candidates for a lock, one leads.

    lock = LeaseLock(cs, "default", "foo-controller", identity=f"{hostname}_{uuid4()}")
    elector = LeaderElector(lock, on_started_leading=work, on_stopped_leading=lambda: log.info("over"))
    elector.run(stop)               # blocks: wait for the lease, lead, return when it is lost or `stop` is set

`work(stop)` runs in a thread of its own and should return soon after its stop is set.

What it promises:

- Leadership ends, and the stop of `on_started_leading` is set, before any other candidate can lead: at the latest
  `renew_deadline` after a renewal was due, or `lease_duration` after the last one that succeeded was begun, whichever
  is first; also when a call hangs. Others wait until that duration is over since they saw the renewal.
- Only the monotonic clock is looked at. Wall time is written into the lease and never compared.
- An error of the server or the network is a failed attempt. What `on_started_leading` raises ends leadership, and
  `run` raises it.
- No lock is held while callbacks run, and only `on_stopped_leading` is waited for.

What it cannot promise: a process that is stopped (SIGSTOP, a pause of its machine) may go on with a write that it was
about to make. `leading` and `ensure_leading` find out in time except for that last instant; where even that matters
let the written-to check `term`, which grows with every leader. Contract: LE-09 to LE-30, USR-18.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable
from enum import Enum
from typing import TypedDict, Unpack

from k8srt.errors import AlreadyStarted
from k8srt.tools.leaderelection.announcer import Announcer
from k8srt.tools.leaderelection.bids import Bids, Turn
from k8srt.tools.leaderelection.errand import Errand
from k8srt.tools.leaderelection.failures import LeaseNotRenewed, NotLeaderError
from k8srt.tools.leaderelection.healthz import LeaderHealthzAdaptor
from k8srt.tools.leaderelection.lock import ResourceLock
from k8srt.tools.leaderelection.locks import call_timeout
from k8srt.tools.leaderelection.metrics import Figures
from k8srt.tools.leaderelection.observed import Observed
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, linked, spawn
from k8srt.util.wait import jitter

log = logging.getLogger(__name__)

JITTER_FACTOR = 1.2
"""Candidates try again after up to so much more than the retry period. Contract: LE-09."""

_LATE = 1.0
_PATIENCE = 1.0
"""Seconds that a call which was cut off has to return, before the lease is given back."""

StartedLeading = Callable[[Stop], object]
StoppedLeading = Callable[[], object]
NewLeader = Callable[[str], object]


class Phase(Enum):
    """Where an elector is; it only ever goes on to a later one."""

    NEW = "not started"
    STANDBY = "standby"
    LEADING = "leading"
    ENDED = "ended"


class LeaderElector:
    """One candidacy, for one `run`. See the module. Apart from `run`, every method may be called by any thread."""

    def __init__(
        self,
        lock: ResourceLock,
        lease_duration: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
        *,
        on_started_leading: StartedLeading | None = None,
        on_stopped_leading: StoppedLeading | None = None,
        on_new_leader: NewLeader | None = None,
        release_on_cancel: bool = False,
        coordinated: bool = False,
        watch_dog: LeaderHealthzAdaptor | None = None,
        name: str = "",
        clock: Clock = SYSTEM,
        rng: random.Random | None = None,
    ) -> None:
        """Seconds, all three: how long a lease lasts, how long a leader tries to renew it, and how often.

        `on_started_leading(stop)` and `on_stopped_leading()` are required; `on_stopped_leading` is called at the end
        of every `run`, also of one that never led. `on_new_leader(identity)` is told of every leader, itself included.
        `release_on_cancel` gives the lease back at the end of `run`, after `on_stopped_leading` has returned. With
        `coordinated` the server chooses the leader. `name` is that of the figures, if not what the lock calls itself.

        Raises ValueError for times that cannot work and for callbacks, a lock or an identity that are missing.
        """
        _check_times(lease_duration, renew_deadline, retry_period)
        if lock is None:
            raise ValueError("a leader elector needs a lock")
        if not lock.identity:
            raise ValueError(f"the lock {lock.describe()} has an empty identity")
        if on_started_leading is None or on_stopped_leading is None:
            raise ValueError("on_started_leading and on_stopped_leading must be given")
        self.lock = lock
        self.name = name or lock.describe()
        self.lease_duration = lease_duration
        self.renew_deadline = renew_deadline
        self.retry_period = retry_period
        self.release_on_cancel = release_on_cancel
        self._on_started, self._on_stopped, self._on_new = on_started_leading, on_stopped_leading, on_new_leader
        self._clock = clock
        self._rng = rng
        self._figures = Figures(self.name)
        self._observed = Observed(clock)
        self._bids = Bids(
            lock, self._observed, lease_duration, coordinated=coordinated, figures=self._figures, clock=clock
        )
        self._announcer = Announcer(f"elected-{self.name}")
        self._over = Stop()  # ends run: the caller's stop, or a failure of what leads
        self._reign = Stop()  # what on_started_leading is given
        self._state = threading.Lock()  # guards the next seven
        self._phase = Phase.NEW
        self._pid = os.getpid()
        self._sure_until = 0.0  # until then nobody else can have taken the lease
        self._term = 0
        self._failure: BaseException | None = None
        self._attempted_at: float | None = None
        self._leading_thread: threading.Thread | None = None
        self._reported = ""  # this and the next: of the thread of run
        self._errand: Errand[bool] | None = None  # the last attempt
        if watch_dog is not None:
            watch_dog.set_leader_election(self)

    # ---- what others ask ------------------------------------------------------------------------------------------

    @property
    def identity(self) -> str:
        """Who this candidate is."""
        return self.lock.identity

    @property
    def phase(self) -> Phase:
        """Where it is. In a child process, which has none of the threads of its parent, it has ended."""
        with self._state:
            return self._phase if self._pid == os.getpid() or self._phase is Phase.NEW else Phase.ENDED

    def is_leader(self) -> bool:
        """Whether the lease was this candidate's when last looked at, and `run` has not ended.

        It may be out of date by up to the lease duration; `leading` is not. Contract: LE-23.
        """
        return self.phase is not Phase.ENDED and self._observed.holder == self.identity

    def get_leader(self) -> str:
        """Who held the lease when last looked at; empty for nobody."""
        return self._observed.holder

    @property
    def leading(self) -> bool:
        """Whether it leads, and no other candidate can have taken over yet. Costs no request."""
        now = self._clock.now()
        with self._state:
            sure = now < self._sure_until
        return sure and self.phase is Phase.LEADING

    def ensure_leading(self) -> int:
        """Return the term, or raise NotLeaderError unless `leading`: for just before each write that is guarded."""
        if not self.leading:
            raise NotLeaderError(f"{self.identity} does not lead {self.name}: the leader is {self.get_leader() or '?'}")
        return self._term

    @property
    def term(self) -> int | None:
        """The number of its term while it leads, else None: how often the lease had changed hands when it took it.

        Every other leader's is different, later ones have greater ones: a fencing token. Contract: LE-26.
        """
        return self._term if self.phase is Phase.LEADING else None

    @property
    def attempted_at(self) -> float | None:
        """When an attempt to take or renew the lease last came back, on its clock; None before the first."""
        with self._state:
            return self._attempted_at

    def check(self, tolerance: float) -> None:
        """Raise LeaseNotRenewed if it is the leader and its lease expired more than `tolerance` seconds ago.

        Contract: LE-27.
        """
        if not self.is_leader():
            return
        age = self._clock.now() - self._observed.sight.at
        if age > self.lease_duration + tolerance:
            raise LeaseNotRenewed(f"failed election to renew leadership on lease {self.name}: {age:.1f}s old")

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the callbacks have returned, above all `on_started_leading`, for which `run` does not wait.

        Returns whether they have within `timeout` seconds each; None waits for ever.
        """
        with self._state:
            thread = self._leading_thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return (thread is None or not thread.is_alive()) and self._announcer.join(timeout)

    # ---- running --------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Stand for election, lead when elected, and return when that is over or `stop` is set. Blocks.

        Once only: raises AlreadyStarted the second time. Raises what `on_started_leading` or `on_stopped_leading`
        raises, and nothing else.
        """
        with self._state:
            first = self._phase is Phase.NEW
            if first:
                self._phase, self._pid = Phase.STANDBY, os.getpid()
        if not first:
            raise AlreadyStarted(f"{self!r} has run before; make a new one")
        with linked(stop) as told:
            forget = told.on_set(self._over.set)
            try:
                if self._acquire() and not stop.is_set():  # which `_over` may not have heard of yet
                    self._lead()
            finally:
                forget()
                self._end()
        if self._failure is not None:
            raise self._failure

    def _acquire(self) -> bool:
        """Attempt until the lease is ours. False when told to stop. Contract: LE-12."""
        log.info("%s: %s stands for election", self.name, self.identity)
        while not self._over.is_set():
            began = self._clock.now()
            won = self._attempt(began + self.renew_deadline, patient=True)
            self._report_leader()
            if won and self._clock.now() < began + self.renew_deadline:
                self._elected(began)
                return True
            if won:  # so late that it may have expired: the next attempt renews it
                continue
            self._sleep(self._clock.now() + jitter(self.retry_period, JITTER_FACTOR, self._rng))
        return False

    def _elected(self, began: float) -> None:
        with self._state:
            self._phase = Phase.LEADING
        self._renewed(began)
        self._announcer.tell(lambda: self.lock.record_event("became leader"))
        self._figures.on()
        log.info("%s: %s became leader, term %d", self.name, self.identity, self._term)

    def _renewed(self, began: float) -> None:
        """An attempt that began then has succeeded: others count the lease from then on, or later."""
        transitions = self._observed.sight.record.leader_transitions
        with self._state:
            self._sure_until = began + self.lease_duration
            self._term = max(self._term, transitions)

    def _lead(self) -> None:
        """Have the work done and renew the lease, until told to stop or until it is lost."""
        if self._over.is_set():
            return  # nothing is begun on the way down
        try:
            thread = spawn(f"leading-{self.name}", self._work)
        except RuntimeError as err:  # no more threads
            self._failure = err
            return
        with self._state:
            self._leading_thread = thread
        while not self._sleep(min(self._clock.now() + self.retry_period, self._sure_until)):
            lost = self._renew()
            if lost:
                log.warning("%s: %s leads no more: %s", self.name, self.identity, lost)
                return

    def _work(self) -> None:
        try:
            self._on_started(self._reign)
        except BaseException as err:  # run raises it, SystemExit too
            if self._reign.is_set():
                log.exception("%s: on_started_leading failed after it was told to stop", self.name)
                return
            log.error("%s: on_started_leading failed: %r", self.name, err)
            with self._state:
                self._failure = err
            self._over.set()

    def _renew(self) -> str:
        """Renew, trying again until it succeeds; why leadership is lost, or nothing. Contract: LE-13."""
        start = self._clock.now()
        until = min(start + self.renew_deadline, self._sure_until)
        while not self._over.is_set():
            began = self._clock.now()
            if began >= until:
                renewed = began - (self._sure_until - self.lease_duration)
                return f"the lease was not renewed in time: the last renewal began {renewed:.1f}s ago"
            won = self._attempt(until, patient=False)
            self._report_leader()
            if won:
                self._renewed(began)
                return "" if self.leading else "it was renewed too late"
            if self._errand is not None and self._errand.done and self.get_leader() != self.identity:
                return f"the lease is held by {self.get_leader() or 'nobody'}"
            self._sleep(min(began + self.retry_period, until))
        return ""

    def _attempt(self, until: float, *, patient: bool) -> bool:
        """One attempt, in a thread of its own; whether it succeeded.

        It ends at `until`. One that does not is left behind, or, if `patient`, waited for until `run` is over.
        """
        longest = call_timeout(self.renew_deadline)

        def attempt(cancel: Stop) -> bool:
            return self._bids.attempt(Turn(cancel, until, longest, self._clock))

        try:
            self._errand = errand = Errand(f"elector-{self.name}", attempt)
        except RuntimeError as err:  # no more threads
            log.warning("%s: no attempt could be made: %s", self.name, err)
            return False
        if not errand.wait(self._clock, until, self._over):
            errand.cancel()
            if patient and not self._over.is_set():
                errand.wait(self._clock, None, self._over)
        if errand.done:
            with self._state:
                self._attempted_at = self._clock.now()
        return bool(errand.result)

    def _sleep(self, due: float) -> bool:
        """Sleep until `due`; whether `run` is over. Says so when it wakes late: somebody keeps the interpreter busy."""
        over = self._clock.wait_event(self._over, max(due - self._clock.now(), 0.0))
        late = self._clock.now() - due
        if late > _LATE and not over:
            log.warning("%s: woke %.1fs late; is the process stopped, or kept busy by other threads?", self.name, late)
        return over

    def _report_leader(self) -> None:
        """Tell of a leader who was not told of yet. Contract: LE-22."""
        leader = self.get_leader()
        if leader == self._reported:
            return
        self._reported = leader
        log.info("%s: the leader is %s", self.name, leader or "nobody")
        if (tell := self._on_new) is not None:
            self._announcer.tell(lambda: tell(leader))

    # ---- ending ---------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """The work is told to stop first, then everybody else; then the lease is given back. Contract: LE-14, LE-24."""
        with self._state:
            led, self._phase = self._phase is Phase.LEADING, Phase.ENDED
        self._reign.set()
        if self._errand is not None:
            self._errand.cancel()
        if led:
            log.info("%s: %s stopped leading", self.name, self.identity)
            self._figures.off()
            self._announcer.tell(lambda: self.lock.record_event("stopped leading"))
        try:
            self._on_stopped()
        finally:
            if self.release_on_cancel:
                self._release()
            self._observed.close()

    def _release(self) -> None:
        """Give the lease back, if it is ours: for at most the renew deadline, whatever was told to stop."""
        if self._errand is not None and not self._errand.join(_PATIENCE):
            log.warning("%s: a call does not end, so the lease is left to expire", self.name)
            return
        if not self._bids.may_hold:
            return
        until = self._clock.now() + self.renew_deadline
        longest = call_timeout(self.renew_deadline)

        def release(cancel: Stop) -> bool:
            turn = Turn(cancel, until, longest, self._clock)
            return self._bids.release(turn, lambda: self._clock.wait_event(cancel, self.retry_period / 4.0))

        try:
            errand = Errand(f"elector-{self.name}", release)
        except RuntimeError as err:  # no more threads
            log.warning("%s: the lease could not be released: %s", self.name, err)
            return
        if not errand.wait(self._clock, until, Stop()):
            errand.cancel()
        if errand.result:
            log.info("%s: %s released the lease", self.name, self.identity)

    def __repr__(self) -> str:
        state = self.phase.value
        if (term := self.term) is not None:
            state += f", term {term}"
        return f"<LeaderElector {self.name} for {self.identity}: {state}>"


class ElectionOptions(TypedDict, total=False):
    """The keywords of a `LeaderElector`."""

    lease_duration: float
    renew_deadline: float
    retry_period: float
    on_started_leading: StartedLeading | None
    on_stopped_leading: StoppedLeading | None
    on_new_leader: NewLeader | None
    release_on_cancel: bool
    coordinated: bool
    watch_dog: LeaderHealthzAdaptor | None
    name: str
    clock: Clock
    rng: random.Random | None


def run_or_die(stop: threading.Event, lock: ResourceLock, **options: Unpack[ElectionOptions]) -> None:
    """Make a `LeaderElector` with these options and run it. Raises ValueError for bad ones. Contract: LE-29."""
    LeaderElector(lock, **options).run(stop)


def _check_times(lease_duration: float, renew_deadline: float, retry_period: float) -> None:
    times = {"lease_duration": lease_duration, "renew_deadline": renew_deadline, "retry_period": retry_period}
    for name, seconds in times.items():
        if not 0.0 < seconds < float("inf"):
            raise ValueError(f"{name} must be a positive number of seconds, not {seconds!r}")
    if lease_duration <= renew_deadline:
        least = f"renew_deadline ({renew_deadline:g}s)"
        raise ValueError(f"lease_duration ({lease_duration:g}s) must be greater than {least}")
    if renew_deadline <= retry_period * JITTER_FACTOR:
        least = f"retry_period * {JITTER_FACTOR} ({retry_period * JITTER_FACTOR:g}s)"
        raise ValueError(f"renew_deadline ({renew_deadline:g}s) must be greater than {least}")
