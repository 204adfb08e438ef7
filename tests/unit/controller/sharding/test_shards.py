"""What an observer makes of leases, by its own clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from k8srt.api.coordination.v1 import Lease, LeaseSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller.sharding.shards import Shards, ShardState

READY, EXPIRED, UNCERTAIN = ShardState.READY, ShardState.EXPIRED, ShardState.UNCERTAIN
DEAD, ORPHANED = ShardState.DEAD, ShardState.ORPHANED


def lease(name: str, holder: str, *, renewed: int = 0, seconds: int | None = 15) -> Lease:
    spec = LeaseSpec(holder_identity=holder, renew_time=datetime(1999, 1, 1, 0, 0, renewed, tzinfo=UTC))
    if seconds is not None:
        spec.lease_duration_seconds = seconds
    return Lease(metadata=ObjectMeta(name=name), spec=spec)


@pytest.mark.parametrize(
    ("after", "state"),
    [(0.0, READY), (14.9, READY), (15.0, EXPIRED), (29.9, EXPIRED), (30.0, UNCERTAIN), (900.0, UNCERTAIN)],
)
def test_shd_03_what_is_not_renewed_ages_since_it_was_seen_to_change(after: float, state: ShardState) -> None:
    shards = Shards(15.0)
    shards.saw([lease("a", "a_1")], 100.0)

    shards.saw([lease("a", "a_1")], 100.0 + after)

    assert shards.states(100.0 + after) == {"a": state}
    assert state.counts


def test_shd_03_a_renewal_makes_it_ready_whatever_the_time_in_it() -> None:
    shards = Shards(15.0)
    shards.saw([lease("a", "a_1", renewed=30)], 100.0)

    shards.saw([lease("a", "a_1", renewed=10)], 128.0)

    assert shards.states(142.0) == {"a": READY}


@pytest.mark.parametrize("holder", ["", "b_7", "a-longer-name_1"])
def test_shd_03_one_that_was_given_back_or_taken_over_is_dead_and_in_a_minute_orphaned(holder: str) -> None:
    shards = Shards(15.0)
    shards.saw([lease("a", "a_1")], 100.0)

    shards.saw([lease("a", holder)], 101.0)

    assert shards.states(101.0) == {"a": DEAD}
    assert shards.states(160.9) == {"a": DEAD}
    assert shards.states(161.0) == {"a": ORPHANED}
    assert not DEAD.counts
    assert not ORPHANED.counts
    assert [each.metadata.name for each in shards.leases(ORPHANED, 161.0)] == ["a"]


def test_shd_03_one_whose_lease_was_deleted_counts_until_it_must_have_stopped() -> None:
    shards = Shards(15.0)
    shards.saw([lease("a", "a_1"), lease("b", "")], 100.0)

    shards.saw([], 110.0)
    before = shards.states(129.9)
    shards.saw([], 130.0)

    assert before == {"a": EXPIRED}  # and what was dead is forgotten
    assert shards.states(130.0) == {}
    assert shards.leases(EXPIRED, 129.9) == []


def test_shd_03_the_duration_is_that_of_the_lease_or_if_it_says_none_that_of_who_looks() -> None:
    shards = Shards(15.0)
    shards.saw([lease("a", "a_1", seconds=60), lease("b", "b_1", seconds=None)], 0.0)

    assert shards.states(30.0) == {"a": READY, "b": UNCERTAIN}
    assert shards.longest() == 60.0
    assert Shards(15.0).longest() == 15.0
