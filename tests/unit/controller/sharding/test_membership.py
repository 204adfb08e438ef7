"""A shard that looks at the others: hand-over, take-over, clearing up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt.api.coordination.v1 import Lease, LeaseSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Ring
from k8srt.controller.sharding.membership import Membership
from k8srt.controller.sharding.ring import LABEL, own_identity
from k8srt.controller.sharding.view import View
from k8srt.errors import Forbidden
from k8srt.testing import FakeClock
from k8srt.testing.fake import FakeClientset, refusal
from k8srt.util.threads import Stop

KEYS = [f"/ConfigMap/default/c{n}" for n in range(50)]


class Rig:
    """The shard "me", whose own lease is kept by the test."""

    def __init__(self) -> None:
        self.cs = FakeClientset()
        self.clock = FakeClock()
        self.leases = self.cs.coordination_v1.leases("default")
        self.sure = True
        self.views: list[View] = []
        ring = Ring("foo", "default", "me")
        self.membership = Membership(ring, "me", "me_1", self.leases, sure=lambda: self.sure, clock=self.clock)
        self.membership.tell(self.views.append)
        self.put("me", "me_1")

    def put(self, name: str, holder: str, *, ring: str = "foo", seconds: int = 15) -> None:
        spec = LeaseSpec(holder_identity=holder, lease_duration_seconds=seconds, renew_time=self.clock.time())
        meta = ObjectMeta(name=name, namespace="default", labels={LABEL: ring})
        if any(each.metadata.name == name for each in self.leases.list()):
            lease = self.leases.get(name)
            lease.spec = spec
            self.leases.update(lease)
        else:
            self.leases.create(Lease(metadata=meta, spec=spec))

    def look(self, after: float = 0.0) -> None:
        self.clock.advance(after)
        self.membership.look()

    def waits(self) -> set[float | None]:
        return {self.membership.seconds_until_mine(key) for key in KEYS}

    def holder(self, name: str) -> str | None:
        return self.leases.get(name).spec.holder_identity

    def names(self) -> list[str]:
        return sorted(each.metadata.name for each in self.leases.list())


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.cs.close()


def test_shd_04_before_the_first_look_nothing_is_sure(rig: Rig) -> None:
    assert rig.waits() == {2.0}
    assert not rig.membership.is_up()
    assert "not joined" in repr(rig.membership)


def test_shd_04_the_first_of_all_has_everything_at_once(rig: Rig) -> None:
    rig.put("stranger", "stranger_1", ring="bar")

    rig.look()

    assert rig.waits() == {0.0}
    assert rig.membership.is_up()
    assert repr(rig.membership) == "<Membership of me in foo: me ready>"


def test_shd_04_who_joins_others_has_its_part_after_the_longest_lease_duration(rig: Rig) -> None:
    rig.put("other", "other_1", seconds=20)

    rig.look()

    assert rig.waits() == {20.0, None}
    rig.put("other", "other_1", seconds=20)
    rig.look(after=8.0)
    assert rig.waits() == {12.0, None}
    rig.look(after=8.0)
    rig.look(after=4.0)
    assert rig.waits() == {0.0, None}
    assert len({id(view.ring) for view in rig.views}) == 1


def test_shd_04_what_is_given_back_is_ours_at_once(rig: Rig) -> None:
    rig.look()
    rig.put("other", "other_1")
    rig.look(after=2.0)
    assert rig.waits() == {0.0, None}

    rig.put("other", "")
    rig.look(after=2.0)

    assert rig.waits() == {0.0}
    assert [sorted(view.ring.shards) for view in rig.views] == [["me"], ["me", "other"], ["me"]]


def test_shd_03_and_04_one_that_crashes_is_taken_over_once_it_is_uncertain(rig: Rig) -> None:
    rig.look()
    rig.put("other", "other_1")
    rig.look()

    for _ in range(5):
        rig.look(after=5.9)
        assert rig.waits() == {0.0, None}  # ready, then expired: it counts, and nobody has its keys
    assert rig.holder("other") == "other_1"
    rig.look(after=0.5)  # 30s: it is taken over

    assert rig.holder("other") == "me_1"
    rig.look()
    assert rig.membership.debug_state()["shards"] == {"me": "ready", "other": "dead"}
    assert rig.waits() == {0.0}


def test_shd_03_who_is_faster_takes_it_over_and_a_renewal_is_never_written_over(rig: Rig) -> None:
    rig.look()
    rig.put("other", "other_1")
    rig.look()
    rig.clock.advance(30.0)
    late = [True]

    def renewed_just_before(action: Any) -> None:
        if late and late.pop():
            rig.put("other", "other_1")  # it is alive after all

    rig.cs.prepend_reactor("update", "leases", renewed_just_before)
    rig.look()

    assert late == []
    assert rig.holder("other") == "other_1"
    rig.look()
    assert rig.membership.debug_state()["shards"]["other"] == "ready"


def test_shd_03_the_lease_of_one_that_was_dead_for_a_minute_is_deleted(rig: Rig) -> None:
    rig.put("other", "")
    rig.look()
    rig.look(after=59.0)
    assert rig.names() == ["me", "other"]

    rig.look(after=1.0)

    assert rig.names() == ["me"]
    rig.look()
    assert list(rig.membership.view.states) == ["me"]


def test_shd_06_who_has_not_seen_the_others_for_its_renew_deadline_acts_no_more(rig: Rig) -> None:
    rig.look()

    rig.clock.advance(9.9)
    assert rig.waits() == {0.0}
    rig.clock.advance(0.1)

    assert rig.waits() == {2.0}
    assert not rig.membership.is_up()
    rig.look()
    assert rig.waits() == {0.0}


def test_shd_06_who_is_not_sure_of_its_lease_has_nothing_and_takes_nothing_over(rig: Rig) -> None:
    rig.put("other", "other_1")
    rig.look()
    rig.sure = False

    rig.look(after=31.0)

    assert rig.waits() == {2.0}
    assert rig.holder("other") == "other_1"


@pytest.mark.parametrize("holder", ["me_2", "other_1", ""])
def test_shd_06_a_look_that_does_not_show_the_own_lease_does_not_count(rig: Rig, holder: str) -> None:
    rig.look()
    rig.put("me", holder)

    rig.look(after=5.0)
    rig.look(after=5.0)

    assert rig.waits() == {2.0}


def test_shd_06_whose_lease_was_deleted_joins_anew(rig: Rig) -> None:
    rig.look()
    rig.put("other", "other_1")
    rig.look()
    rig.leases.delete("me")
    rig.look()
    rig.put("me", "me_1")

    rig.look()

    assert rig.waits() == {15.0, None}


def test_shd_03_rights_that_are_missing_are_said_once_and_the_rest_goes_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(action: Any) -> None:
        raise refusal(Forbidden, "you may not")

    rig.cs.prepend_reactor("delete", "leases", refuse)
    rig.put("other", "")
    rig.look()

    rig.look(after=60.0)
    rig.look(after=2.0)

    said = [record for record in caplog.records if "deleting the lease of other failed" in record.message]
    assert [record.levelname for record in said if record.levelname == "WARNING"] == ["WARNING"]
    assert rig.waits() == {0.0}


def test_shd_04_it_looks_again_and_again_and_says_when_it_has_joined(rig: Rig) -> None:
    stop, joined = Stop(), threading.Event()
    fails = [True]

    def maybe(action: Any) -> None:
        if fails:
            fails.pop()
            raise refusal(Forbidden, "not yet")

    rig.cs.prepend_reactor("list", "leases", maybe)
    thread = threading.Thread(target=rig.membership.run, args=(stop, joined.set), daemon=True)
    thread.start()

    rig.clock.wait_for_sleepers(1)
    assert not joined.is_set()
    rig.clock.advance(2.0)

    assert joined.wait(10.0)
    stop.set()
    thread.join(10.0)
    assert not thread.is_alive()


def test_shd_01_the_identity_is_that_of_the_host_as_a_lease_can_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "My_Host.local.")
    assert own_identity() == "my-host.local"
    monkeypatch.setattr("socket.gethostname", lambda: "")
    assert own_identity() == "shard"


@pytest.mark.parametrize("options", [{"name": ""}, {"name": "a b"}, {"name": "a", "identity": "A_b"}])
def test_shd_01_names_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="sharding: the"):
        Ring(**options)
