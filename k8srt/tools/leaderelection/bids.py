"""The moves of one candidate: what it reads and writes in one attempt. No threads and no waiting in here.

Contract: LE-16 to LE-21, LE-24, LE-32.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import TypedDict

from k8srt.errors import AlreadyExists, Conflict, NotFound, StatusError, Stopped, WaitTimeout
from k8srt.tools.leaderelection.lock import ResourceLock
from k8srt.tools.leaderelection.metrics import Figures
from k8srt.tools.leaderelection.observed import Observed
from k8srt.tools.leaderelection.record import LeaderElectionRecord
from k8srt.tools.leaderelection.trouble import Trouble
from k8srt.util.clock import Clock

log = logging.getLogger(__name__)


class Limits(TypedDict):
    """How a call is bounded."""

    stop: threading.Event
    timeout: float


class Turn:
    """The time of one attempt: until `until` on the clock, a call at most `longest` seconds, nothing after `stop`."""

    def __init__(self, stop: threading.Event, until: float, longest: float, clock: Clock) -> None:
        self._stop = stop
        self._until = until
        self._longest = longest
        self._clock = clock

    def limits(self) -> Limits:
        """For the next call. Raises Stopped or WaitTimeout when there shall be none."""
        if self._stop.is_set():
            raise Stopped("the attempt was given up")
        left = self._until - self._clock.now()
        if left <= 0.0:
            raise WaitTimeout("the time for the attempt is over")
        return {"stop": self._stop, "timeout": max(round(min(left, self._longest), 3), 0.001)}


class Bids:
    """What a candidate does to a lock. Used by one thread at a time."""

    def __init__(
        self,
        lock: ResourceLock,
        observed: Observed,
        lease_duration: float,
        *,
        coordinated: bool,
        figures: Figures,
        clock: Clock,
    ) -> None:
        self._lock = lock
        self._observed = observed
        self._seconds = math.ceil(lease_duration)  # others wait rather too long than too short
        self._figures = figures
        self._clock = clock
        self._trouble = Trouble(f"leader election {lock.describe()}", clock)
        self.may_hold = False
        """Whether the lock may be ours: also when no answer came to a write."""
        self._move = self._renew_assigned if coordinated else self._acquire_or_renew

    def attempt(self, turn: Turn) -> bool:
        """Try to take the lock, or to keep it; whether that succeeded. Never raises an Exception. Contract: LE-21."""
        try:
            return self._move(turn)
        except (AlreadyExists, Conflict, Stopped) as err:  # somebody else was faster, or nobody waits for it
            log.debug("%s: %s", self._lock.describe(), err)
        except Exception as err:  # noqa: BLE001 - any failure is a failed attempt
            self._trouble.report("attempt", err)
        return False

    def _acquire_or_renew(self, turn: Turn) -> bool:
        now = self._clock.now()
        sight = self._observed.sight
        if sight.record.holder_identity == self._lock.identity and sight.valid(now) and self._renew_blindly(turn):
            return True
        try:
            old = self._read(turn)
        except NotFound:
            return self._succeeded(self._lock.create, self._ours(0), turn)
        ours = old.holder_identity == self._lock.identity
        if old.holder_identity and not ours and self._observed.sight.valid(now):
            log.debug("%s: held by %s and has not yet expired", self._lock.describe(), old.holder_identity)
            return False
        if ours:
            self._figures.slowpath_exercised()
            return self._succeeded(self._lock.update, self._renewed(old), turn)
        return self._succeeded(self._lock.update, self._ours(old.leader_transitions + 1), turn)

    def _renew_blindly(self, turn: Turn) -> bool:
        """Renew without reading: the version that is sent along guards it. Contract: LE-19."""
        try:
            return self._succeeded(self._lock.update, self._renewed(self._observed.sight.record), turn)
        except Stopped:
            raise
        except Exception as err:  # noqa: BLE001 - then read first
            log.debug("%s: renewing without reading failed: %s", self._lock.describe(), err)
            return False

    def _renew_assigned(self, turn: Turn) -> bool:
        """Keep what the server has assigned; nothing is taken here. Contract: LE-32."""
        now, name = self._clock.now(), self._lock.describe()
        try:
            old = self._read(turn)
        except NotFound:
            log.debug("%s: there is no lease yet", name)
            return False
        if not self._observed.sight.valid(now):
            log.debug("%s: expired", name)
        elif old.holder_identity != self._lock.identity:
            log.debug("%s: held by %s", name, old.holder_identity or "nobody")
        elif old.preferred_holder:
            log.info("%s: this is the end of the term, %s is to lead", name, old.preferred_holder)
        else:
            self._figures.slowpath_exercised()
            return self._succeeded(self._lock.update, self._renewed(old), turn)
        return False

    def release(self, turn: Turn, pause: Callable[[], bool]) -> bool:
        """Leave the lock to whoever comes, if it is ours; whether that was done. Contract: LE-24.

        A conflict is tried again, from the second on after `pause`, which returns whether to stop.
        """
        conflicts = 0
        while True:
            try:
                old = self._read(turn)
                if old.holder_identity != self._lock.identity:
                    return False
                now = self._clock.time()
                free = LeaderElectionRecord(
                    lease_duration_seconds=1,
                    acquire_time=now,
                    renew_time=now,
                    leader_transitions=old.leader_transitions,
                    strategy=old.strategy,
                )
                return self._succeeded(self._lock.update, free, turn)
            except Conflict:
                conflicts += 1
                if conflicts > 1 and pause():
                    return False
            except NotFound:
                return False
            except Exception as err:  # noqa: BLE001 - then it expires by itself
                log.warning("%s: the lease could not be released: %s", self._lock.describe(), err)
                return False

    def _read(self, turn: Turn) -> LeaderElectionRecord:
        record, raw = self._lock.get(**turn.limits())
        self._observed.read(record, raw)
        self.may_hold = record.holder_identity == self._lock.identity
        self._trouble.over()
        return record

    def _succeeded(self, write: Callable[..., None], record: LeaderElectionRecord, turn: Turn) -> bool:
        limits, before = turn.limits(), self.may_hold
        self.may_hold = True
        try:
            write(record, **limits)
        except StatusError as err:
            self.may_hold = before or err.code >= 500  # refused, so nothing was written
            raise
        self._observed.wrote(record)
        self._trouble.over()
        return True

    def _ours(self, transitions: int) -> LeaderElectionRecord:
        now = self._clock.time()
        return LeaderElectionRecord(
            holder_identity=self._lock.identity,
            lease_duration_seconds=self._seconds,
            acquire_time=now,
            renew_time=now,
            leader_transitions=transitions,
        )

    def _renewed(self, old: LeaderElectionRecord) -> LeaderElectionRecord:
        now = self._clock.time()
        return LeaderElectionRecord(
            holder_identity=self._lock.identity,
            lease_duration_seconds=self._seconds,
            acquire_time=old.acquire_time or now,
            renew_time=now,
            leader_transitions=old.leader_transitions,
            strategy=old.strategy,
        )
