"""What an observer makes of the leases of a ring: which shards there are, and whether they are alive.

    ready ──not renewed for its duration──▶ expired ──for twice of it──▶ uncertain ──taken over──▶ dead
    ready ──given back──▶ dead ──for a minute──▶ orphaned

All but the dead count. An expired shard has stopped by itself, and nobody else has its keys yet. Whoever finds one
uncertain takes its lease over, on top of just the version that was not renewed: from then on it is dead for everybody,
and cannot come back without having waited. Only the monotonic clock of the observer is looked at, from when it has seen
a lease change: no clock is compared with another.

The holder of a lease is its name and a chance part, "foo-0_4711…": two processes of one name are never both the shard.

Contract: SHD-03.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from k8srt.api.coordination.v1 import Lease
from k8srt.tools.leaderelection.record import LeaderElectionRecord

ORPHANED_AFTER = 60.0
"""Seconds after which nobody waits for a dead shard any more, and its lease may go."""


class ShardState(StrEnum):
    """What a shard is, as far as can be seen."""

    READY = "ready"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"
    DEAD = "dead"
    ORPHANED = "orphaned"

    @property
    def counts(self) -> bool:
        """Whether keys are still its own."""
        return self in (ShardState.READY, ShardState.EXPIRED, ShardState.UNCERTAIN)


class Sighting(NamedTuple):
    """A lease as it was first seen to be, on the observer's clock. `lease` is None once it is not there any more."""

    record: LeaderElectionRecord
    at: float
    lease: Lease | None

    def state(self, name: str, duration: float, now: float) -> ShardState:
        """What the shard is now. `duration` is for leases that do not say."""
        age = now - self.at
        if self.record.holder_identity.partition("_")[0] != name:
            return ShardState.ORPHANED if age >= ORPHANED_AFTER else ShardState.DEAD
        duration = self.record.lease_duration_seconds or duration
        if age < duration:
            return ShardState.READY
        return ShardState.EXPIRED if age < 2.0 * duration else ShardState.UNCERTAIN


class Shards:
    """See the module. Used by one thread. `duration` (seconds) is that of leases that do not say."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._seen: dict[str, Sighting] = {}

    def saw(self, leases: Iterable[Lease], now: float) -> None:
        """These are there, and no others."""
        seen: dict[str, Sighting] = {}
        for lease in leases:
            record, name = LeaderElectionRecord.from_lease_spec(lease.spec), lease.metadata.name
            before = self._seen.get(name)
            same = before is not None and before.record == record
            seen[name] = Sighting(record, before.at if same and before is not None else now, lease)
        for name, sighting in self._seen.items():
            if name not in seen and self._is_missed(name, sighting, now):
                seen[name] = sighting._replace(lease=None)
        self._seen = seen

    def _is_missed(self, name: str, sighting: Sighting, now: float) -> bool:
        """Whether a shard without a lease may be alive: somebody has deleted it, and its shard does not know yet."""
        state = sighting.state(name, self._duration, now)
        return state in (ShardState.READY, ShardState.EXPIRED)

    def states(self, now: float) -> dict[str, ShardState]:
        """What each is now."""
        return {name: each.state(name, self._duration, now) for name, each in sorted(self._seen.items())}

    def leases(self, state: ShardState, now: float) -> list[Lease]:
        """Those of the shards in a state."""
        found = self.states(now)
        return [each.lease for name, each in self._seen.items() if found[name] is state and each.lease is not None]

    def longest(self) -> float:
        """The longest duration of all leases, at least that of who asks."""
        return max((self._duration, *(float(each.record.lease_duration_seconds) for each in self._seen.values())))
