"""What a lock says: who holds it, since when, and for how long. Contract: LE-01, LE-04.

The times in a record are for people who read it. Nobody compares them with a clock: see `observed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from k8srt.api.coordination.v1 import LeaseSpec
from k8srt.apimachinery.wire import format_micro_time


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElectionRecord:
    """The content of a lock; an empty holder means that anybody may take it.

    `leader_transitions` counts how often it has passed from one holder to another: it is the number of the term.
    `strategy` and `preferred_holder` are set where the server chooses the leader.
    """

    holder_identity: str = ""
    lease_duration_seconds: int = 0
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    leader_transitions: int = 0
    strategy: str = ""
    preferred_holder: str = ""

    def encode(self) -> bytes:
        """As JSON, times with microseconds: two records are equal when these bytes are."""
        return msgspec.json.encode(
            {
                "holderIdentity": self.holder_identity,
                "leaseDurationSeconds": self.lease_duration_seconds,
                "acquireTime": _text(self.acquire_time),
                "renewTime": _text(self.renew_time),
                "leaderTransitions": self.leader_transitions,
                "strategy": self.strategy,
                "preferredHolder": self.preferred_holder,
            }
        )

    @classmethod
    def from_lease_spec(cls, spec: LeaseSpec) -> Self:
        """The record in a Lease; what is not set there is empty or 0."""
        return cls(
            holder_identity=spec.holder_identity or "",
            lease_duration_seconds=spec.lease_duration_seconds or 0,
            acquire_time=spec.acquire_time,
            renew_time=spec.renew_time,
            leader_transitions=spec.lease_transitions or 0,
            strategy=spec.strategy or "",
            preferred_holder=spec.preferred_holder or "",
        )

    def to_lease_spec(self) -> LeaseSpec:
        """The record as a Lease has it."""
        spec = LeaseSpec(
            holder_identity=self.holder_identity,
            lease_duration_seconds=self.lease_duration_seconds,
            lease_transitions=self.leader_transitions,
        )
        if self.acquire_time is not None:
            spec.acquire_time = self.acquire_time
        if self.renew_time is not None:
            spec.renew_time = self.renew_time
        if self.strategy:
            spec.strategy = self.strategy
        if self.preferred_holder:
            spec.preferred_holder = self.preferred_holder
        return spec


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_micro_time(moment)
