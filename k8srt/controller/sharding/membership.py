"""A shard among others: it looks at their leases time and again, and says which keys are its own now.

Its own lease is kept by an elector, as that of a leader is. Everything here is done by one look after the other, each a
list of all leases of the ring straight from the server, so that what is seen is never older than the look.

Contract: SHD-03, SHD-04, SHD-06.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from typing import Any

from k8srt.api.coordination.v1 import Lease
from k8srt.apimachinery.meta import Preconditions
from k8srt.controller.sharding.hashring import HashRing
from k8srt.controller.sharding.ring import LABEL, Ring
from k8srt.controller.sharding.shards import Shards, ShardState
from k8srt.controller.sharding.view import View
from k8srt.errors import Conflict, K8srtError, NotFound, Stopped
from k8srt.gentype.client import ResourceClient
from k8srt.tools.leaderelection.record import LeaderElectionRecord
from k8srt.tools.leaderelection.trouble import Trouble
from k8srt.util.clock import Clock

log = logging.getLogger(__name__)

Seen = Callable[[View], object]


class Membership:
    """See the module. Thread-safe, apart from `look` and `run`, which are for one thread.

    `me` is the name of the own lease, `holder` who is in it. `leases` is a client for those of the namespace. `sure`
    says whether the own lease is beyond doubt.
    """

    def __init__(
        self, ring: Ring, me: str, holder: str, leases: ResourceClient[Lease], *, sure: Callable[[], bool], clock: Clock
    ) -> None:
        self.ring = ring
        self.me = me
        self._holder = holder
        self._leases = leases
        self._sure = sure
        self._clock = clock
        self._shards = Shards(ring.lease_duration)
        self._trouble = Trouble(f"ring {ring.name}", clock)
        self._clearing = Trouble(f"ring {ring.name}", clock)
        self._uid = ""  # of the own lease, as it was when the shard joined
        self._lock = threading.Lock()  # guards the next two
        self._view = View(me)
        self._told: list[Seen] = []

    @property
    def view(self) -> View:
        """What was seen last."""
        with self._lock:
            return self._view

    def tell(self, seen: Seen) -> None:
        """Have every view told, by the thread that looks."""
        with self._lock:
            self._told.append(seen)

    def forget(self, seen: Seen) -> None:
        """Tell it no more."""
        with self._lock:
            self._told = [each for each in self._told if each != seen]

    def seconds_until_mine(self, key: str) -> float | None:
        """In how many seconds a key may be reconciled here: 0 for now, None for not at all."""
        patience = self.ring.retry_period
        if not self._sure():
            return patience
        return self.view.seconds_until_mine(key, self._clock.now(), patience=patience)

    def is_up(self) -> bool:
        """Whether it is a shard beyond doubt, and knows the others."""
        return self._sure() and self._clock.now() < self.view.sure_until

    # ---- looking --------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event, joined: Callable[[], object]) -> None:
        """Look time and again until told to stop; `joined` is called once, after the first look that succeeded."""
        up = False
        while not stop.is_set():
            try:
                self.look(stop)
                self._trouble.over()
            except Stopped:
                return
            except K8srtError as err:
                self._trouble.report("looking at the shards", err)
            if not up and self.view.ring.shards:
                up = True
                joined()
            self._clock.wait_event(stop, self.ring.retry_period)

    def look(self, stop: threading.Event | None = None) -> None:
        """See who is there, and clear up after those who are not. Raises K8srtError if nothing can be seen."""
        began = self._clock.now()
        leases = list(self._leases.list(label_selector={LABEL: self.ring.name}, stop=stop))
        now = self._clock.now()
        self._shards.saw(leases, now)
        own = next((each for each in leases if each.metadata.name == self.me), None)
        if own is None or LeaderElectionRecord.from_lease_spec(own.spec).holder_identity != self._holder:
            log.warning("ring %s: the lease of %s is not to be seen", self.ring.name, self.me)
        else:
            self._publish(own, began, now)
        if self._sure():
            for lease in self._shards.leases(ShardState.UNCERTAIN, now):
                self._take_over(lease, stop)
            for lease in self._shards.leases(ShardState.ORPHANED, now):
                self._remove(lease, stop)

    def _publish(self, own: Lease, began: float, now: float) -> None:
        states = {**self._shards.states(now), self.me: ShardState.READY}
        counted = frozenset(name for name, state in states.items() if state.counts)
        old = self.view
        mine_from = old.mine_from
        if (
            own.metadata.uid != self._uid
        ):  # it joins, or somebody has deleted its lease, so that others may have missed it
            self._uid = own.metadata.uid or ""
            mine_from = now + self._shards.longest() if len(counted) > 1 else now
        ring = old.ring if old.ring.shards == counted else HashRing(counted)
        new = View(self.me, ring, states, mine_from, began + self.ring.renew_deadline)
        with self._lock:
            self._view = new
            told = list(self._told)
        if ring is not old.ring:
            came, went = sorted(counted - old.ring.shards), sorted(old.ring.shards - counted)
            log.info("ring %s: %s", self.ring.name, "; ".join(_news(came, "came") + _news(went, "went")))
        for seen in told:
            seen(new)

    def _take_over(self, lease: Lease, stop: threading.Event | None) -> None:
        """Make sure that a shard that was not heard of for long is none, before others have its keys."""
        name, now = lease.metadata.name, self._clock.time()
        old = LeaderElectionRecord.from_lease_spec(lease.spec)
        record = dataclasses.replace(
            old,
            holder_identity=self._holder,
            lease_duration_seconds=1,
            acquire_time=now,
            renew_time=now,
            leader_transitions=old.leader_transitions + 1,
        )
        lease.spec = record.to_lease_spec()
        self._attempt(f"taking over the lease of {name}", lambda: self._leases.update(lease, stop=stop))

    def _remove(self, lease: Lease, stop: threading.Event | None) -> None:
        """Delete the lease of a shard that is not coming back."""
        meta = lease.metadata
        conditions = Preconditions(uid=meta.uid, resource_version=meta.resource_version)
        self._attempt(
            f"deleting the lease of {meta.name}",
            lambda: self._leases.delete(meta.name, preconditions=conditions, stop=stop),
        )

    def _attempt(self, doing: str, call: Callable[[], Any]) -> None:
        try:
            call()
            log.info("ring %s: %s", self.ring.name, doing)
            self._clearing.over()
        except Stopped:
            raise
        except (Conflict, NotFound) as err:  # somebody else was faster
            log.debug("ring %s: %s: %s", self.ring.name, doing, err)
        except K8srtError as err:
            self._clearing.report(doing, err)

    def debug_state(self) -> dict[str, Any]:
        """Which shards there are, and how long until this one has its share."""
        view, now = self.view, self._clock.now()
        return {
            "ring": self.ring.name,
            "shard": self.me,
            "sure": self.is_up(),
            "hand_over_seconds": max(view.mine_from - now, 0.0),
            "shards": {name: str(state) for name, state in view.states.items()},
        }

    def __repr__(self) -> str:
        shards = ", ".join(f"{name} {state}" for name, state in self.view.states.items())
        return f"<Membership of {self.me} in {self.ring.name}: {shards or 'not joined'}>"


def _news(names: list[str], what: str) -> list[str]:
    return [f"{', '.join(names)} {what}"] if names else []
