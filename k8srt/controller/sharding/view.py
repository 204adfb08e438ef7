"""What a shard knows at one moment: who else there is, and so which keys are its own, and from when on.

A shard acts on a key only if all of this is so, which is why no two that can reach the server ever do:

- its own lease is sure (that is for the elector to say);
- it has looked at all leases not long ago: less than others wait who have come since;
- by what it saw then, the key is its own. Of two that see each other at most one finds that: see `hashring`;
- it has been there for a lease duration, so that everybody else has seen it or has stopped; or it was alone.

One that has gone for good, having given its lease back or lost it to another, does not act any more, so its keys go to
those who were there at once.

Contract: SHD-04, SHD-06.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from k8srt.controller.sharding.hashring import HashRing
from k8srt.controller.sharding.shards import ShardState


@dataclass(frozen=True)
class View:
    """See the module; moments are those of the observer's monotonic clock. `mine_from` is when the hand-over is over,
    `sure_until` when this view is too old."""

    me: str
    ring: HashRing = field(default_factory=HashRing)
    states: Mapping[str, ShardState] = field(default_factory=dict)
    mine_from: float = 0.0
    sure_until: float = 0.0

    def owner(self, key: str) -> str:
        """Whose key it is or will be, empty if that is not known."""
        return self.ring.owner(key)

    def seconds_until_mine(self, key: str, now: float, *, patience: float) -> float | None:
        """In how many seconds it may be reconciled here: 0 for now, None for not at all. `patience` is what to wait
        where nothing is sure."""
        if not self.ring.shards or now >= self.sure_until:
            return patience
        if self.ring.owner(key) != self.me:
            return None
        return max(self.mine_from - now, 0.0)
