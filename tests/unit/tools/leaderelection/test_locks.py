"""What a lock says, and what a Lease and two locks do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from k8srt import errors
from k8srt.rest import Config
from k8srt.tools.leaderelection import (
    UNKNOWN_LEADER,
    LeaderElectionRecord,
    LeaseLock,
    MultiLock,
    new_from_kubeconfig,
    new_lock,
)

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
RECORD = LeaderElectionRecord(
    holder_identity="a",
    lease_duration_seconds=15,
    acquire_time=MOMENT,
    renew_time=MOMENT,
    leader_transitions=2,
    strategy="OldestEmulationVersion",
    preferred_holder="b",
)


def held_by(identity: str, transitions: int = 0) -> LeaderElectionRecord:
    return LeaderElectionRecord(
        holder_identity=identity, lease_duration_seconds=15, acquire_time=MOMENT, leader_transitions=transitions
    )


# ---- records ------------------------------------------------------------------------------------------------------


def test_le_01_a_record_is_what_the_spec_of_a_lease_says():
    spec = RECORD.to_lease_spec()

    assert spec.to_dict() == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-02T03:04:05.678901Z",
        "renewTime": "2026-01-02T03:04:05.678901Z",
        "leaseTransitions": 2,
        "strategy": "OldestEmulationVersion",
        "preferredHolder": "b",
    }
    assert LeaderElectionRecord.from_lease_spec(spec) == RECORD


def test_le_01_what_is_not_set_is_empty_and_is_not_written():
    empty = LeaderElectionRecord()

    assert empty.to_lease_spec().to_dict() == {
        "holderIdentity": "",
        "leaseDurationSeconds": 0,
        "leaseTransitions": 0,
    }
    assert LeaderElectionRecord.from_lease_spec(empty.to_lease_spec()) == empty


@pytest.mark.parametrize(
    "change",
    [
        {"holder_identity": "b"},
        {"lease_duration_seconds": 16},
        {"acquire_time": MOMENT.replace(microsecond=678902)},
        {"renew_time": MOMENT.replace(microsecond=678902)},
        {"leader_transitions": 3},
        {"strategy": ""},
        {"preferred_holder": ""},
    ],
    ids=str,
)
def test_le_04_any_field_makes_a_difference_to_the_bytes(change):
    fields = {name: getattr(RECORD, name) for name in RECORD.__slots__}

    assert LeaderElectionRecord(**fields).encode() == RECORD.encode()
    assert LeaderElectionRecord(**{**fields, **change}).encode() != RECORD.encode()


# ---- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["endpoints", "configmaps", "endpointsleases", "configmapsleases"])
def test_le_02_locks_of_old_types_are_gone(stage, name):
    with pytest.raises(ValueError, match=f"^{name} lock is removed, migrate to leases"):
        new_lock(name, "default", "foo", stage.fake, identity="a")


def test_le_02_only_leases_are_locks(stage):
    with pytest.raises(ValueError, match=r"^Invalid lock-type 'pods'"):
        new_lock("pods", "default", "foo", stage.fake, identity="a")

    assert isinstance(new_lock("leases", "default", "foo", stage.fake, identity="a"), LeaseLock)


@pytest.mark.parametrize(("deadline", "timeout"), [(10.0, 5.0), (1.5, 1.0)])
def test_le_07_a_lock_from_a_configuration_has_a_client_of_its_own(deadline, timeout):
    config = Config(host="http://127.0.0.1:1", timeout=77.0)

    lock = new_from_kubeconfig("leases", "default", "foo", config, identity="a", renew_deadline=deadline)

    own = lock._rest.config
    assert (own.timeout, own.user_agent.rpartition("/")[2]) == (timeout, "leader-election")
    assert (config.timeout, config.user_agent) == (77.0, "")
    lock.close()
    with pytest.raises(errors.ClientClosed):
        lock.get()


def test_le_07_of_another_type_than_leases_it_is_refused():
    config = Config(host="http://127.0.0.1:1")

    with pytest.raises(ValueError, match="configmaps lock is removed"):
        new_from_kubeconfig("configmaps", "default", "foo", config, identity="a", renew_deadline=10.0)


# ---- leases -------------------------------------------------------------------------------------------------------


def test_le_03_nothing_is_updated_that_was_never_seen(stage):
    with pytest.raises(errors.NotStarted, match="lease not initialized, call get or create first"):
        stage.lock().update(RECORD)

    assert stage.calls() == []


def test_le_03_who_read_an_older_version_is_in_conflict(stage):
    mine, other = stage.lock("a"), stage.lock("b")
    mine.create(held_by("a"))
    other.get()

    mine.update(held_by("a", 1))
    with pytest.raises(errors.Conflict):
        other.update(held_by("b"))

    assert other.get()[0] == held_by("a", 1)
    other.update(held_by("b"))
    assert stage.spec().holder_identity == "b"


def test_le_03_labels_are_set_by_every_write_and_others_stay(stage):
    stage.lock().create(held_by("a"))
    stage.leases.label("foo", kept="1", team="old")
    lock = stage.lock(labels={"team": "new"})
    lock.get()

    lock.update(held_by("a"))

    assert stage.leases.get("foo").metadata.labels == {"kept": "1", "team": "new"}


def test_le_03_labels_are_there_from_the_start(stage):
    stage.lock(labels={"team": "new"}).create(held_by("a"))

    assert stage.leases.get("foo").metadata.labels == {"team": "new"}


def test_le_04_reading_gives_the_bytes_of_the_record(stage):
    lock = stage.lock()
    lock.create(held_by("a"))

    assert lock.get() == (held_by("a"), held_by("a").encode())


def test_le_05_a_lock_says_where_it_is_and_whose(stage):
    lock = stage.lock("host_1")

    assert (lock.describe(), lock.identity) == ("default/foo", "host_1")
    assert repr(lock) == "<LeaseLock default/foo for host_1>"


@pytest.mark.parametrize(("namespace", "name"), [("", "foo"), ("default", "")])
def test_le_05_a_lock_without_a_place_is_refused(stage, namespace, name):
    with pytest.raises(ValueError, match="needs a namespace and a name"):
        LeaseLock(stage.fake, namespace, name, "a")


class Recorder:
    def __init__(self):
        self.events = []

    def event(self, obj, event_type, reason, message):
        where = f"{obj.api_version}/{obj.kind} {obj.metadata.namespace}/{obj.metadata.name}"
        self.events.append((where, bool(obj.metadata.uid), event_type, reason, message))


def test_le_06_events_are_about_the_lease(stage):
    recorder = Recorder()
    lock = stage.lock("a", event_recorder=recorder)

    lock.record_event("is waiting")
    lock.create(held_by("a"))
    lock.record_event("became leader")

    where = "coordination.k8s.io/v1/Lease default/foo"
    assert recorder.events == [
        (where, False, "Normal", "LeaderElection", "a is waiting"),
        (where, True, "Normal", "LeaderElection", "a became leader"),
    ]


def test_le_06_without_a_recorder_nothing_is_recorded_and_a_broken_one_hurts_nobody(stage, caplog):
    class Broken:
        def event(self, obj, event_type, reason, message):
            raise RuntimeError("no events today")

    stage.lock().record_event("became leader")
    assert caplog.records == []

    stage.lock(event_recorder=Broken()).record_event("became leader")
    assert "no events today" in caplog.text


# ---- two locks ----------------------------------------------------------------------------------------------------


@pytest.fixture
def locks(stage):
    def make(name, identity="a"):
        return LeaseLock(stage.fake, "default", name, identity)

    return make


def test_le_08_both_are_read_and_written(stage, locks):
    both = MultiLock(locks("one"), locks("two"))

    both.create(held_by("a"))
    record, raw = both.get()
    both.update(held_by("a", 1))

    assert (record, raw) == (held_by("a"), held_by("a").encode() + b"," + held_by("a").encode())
    assert [locks(name).get()[0].leader_transitions for name in ("one", "two")] == [1, 1]
    assert (both.describe(), both.identity) == ("default/one", "a")


def test_le_08_holders_that_differ_are_nobody_that_is_known(stage, locks):
    locks("one").create(held_by("a"))
    locks("two").create(held_by("b"))

    record, raw = MultiLock(locks("one"), locks("two")).get()

    assert record.holder_identity == UNKNOWN_LEADER == "leaderelection.k8s.io/unknown"
    assert raw == record.encode() + b"," + held_by("b").encode()


def test_le_08_a_missing_second_lock_does_not_matter_while_another_holds_the_first(stage, locks):
    locks("one").create(held_by("old"))

    assert MultiLock(locks("one"), locks("two")).get() == (held_by("old"), held_by("old").encode())
    with pytest.raises(errors.NotFound):
        MultiLock(locks("one", "old"), locks("two", "old")).get()
    with pytest.raises(errors.NotFound):
        MultiLock(locks("none"), locks("two")).get()


def test_le_08_a_missing_second_lock_is_made_by_the_next_write(stage, locks):
    locks("one").create(held_by("old"))
    both = MultiLock(locks("one"), locks("two"))
    both.get()

    both.update(held_by("a", 1))

    assert locks("two").get()[0] == held_by("a", 1)


def test_le_08_a_first_lock_that_is_there_is_left_alone_when_both_are_made(stage, locks):
    locks("one").create(held_by("a", 7))

    MultiLock(locks("one"), locks("two")).create(held_by("a"))

    assert [locks(name).get()[0].leader_transitions for name in ("one", "two")] == [7, 0]


def test_le_08_events_are_about_both(stage):
    recorder = Recorder()
    both = MultiLock(*(LeaseLock(stage.fake, "default", name, "a", event_recorder=recorder) for name in ("one", "two")))

    both.record_event("became leader")

    assert [event[0].rpartition("/")[2] for event in recorder.events] == ["one", "two"]


def test_le_08_two_locks_elect_a_leader(stage, locks):
    run = stage.run(lock=MultiLock(locks("one"), locks("two"))).leading()

    assert [locks(name).get()[0].holder_identity for name in ("one", "two")] == ["a", "a"]
    assert run.elector.is_leader()
