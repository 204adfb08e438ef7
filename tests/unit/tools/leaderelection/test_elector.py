"""The election, on a clock that is turned by hand."""

from __future__ import annotations

import logging
import threading

import pytest

from k8srt import errors
from k8srt.api.coordination.v1 import Lease
from k8srt.tools.leaderelection import LeaderElector, LeaseLock, LeaseNotRenewed, NotLeaderError, Phase, run_or_die
from k8srt.tools.leaderelection.elector import JITTER_FACTOR
from k8srt.util.threads import Stop
from tests.unit.tools.leaderelection.stage import LEASE, LIMIT, RENEW, RETRY, Dice


def nothing(*_):
    """A callback that has nothing to do."""


def elector_with(stage, **options):
    options = {"on_started_leading": nothing, "on_stopped_leading": nothing, **options}
    return LeaderElector(stage.lock(), **options)


# ---- configuration ------------------------------------------------------------------------------------------------


def test_le_09_the_values_that_nobody_gives_are_the_usual_ones(stage):
    elector = elector_with(stage)

    assert (elector.lease_duration, elector.renew_deadline, elector.retry_period) == (15.0, 10.0, 2.0)
    assert JITTER_FACTOR == 1.2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lease_duration": 10.0}, r"lease_duration \(10s\) must be greater than renew_deadline \(10s\)"),
        ({"renew_deadline": 2.4}, r"renew_deadline \(2.4s\) must be greater than retry_period \* 1.2 \(2.4s\)"),
        ({"lease_duration": 0.0}, "lease_duration must be a positive"),
        ({"renew_deadline": -1.0}, "renew_deadline must be a positive"),
        ({"retry_period": 0.0}, "retry_period must be a positive"),
        ({"lease_duration": float("nan")}, "lease_duration must be a positive"),
        ({"lease_duration": float("inf")}, "lease_duration must be a positive"),
        ({"on_started_leading": None}, "on_started_leading and on_stopped_leading must be given"),
        ({"on_stopped_leading": None}, "on_started_leading and on_stopped_leading must be given"),
    ],
    ids=str,
)
def test_le_10_what_cannot_work_is_refused(stage, options, said):
    with pytest.raises(ValueError, match=said):
        elector_with(stage, **options)


def test_le_10_there_must_be_a_lock_and_an_identity(stage):
    callbacks = {"on_started_leading": nothing, "on_stopped_leading": nothing}

    with pytest.raises(ValueError, match="needs a lock"):
        LeaderElector(None, **callbacks)
    with pytest.raises(ValueError, match="default/foo has an empty identity"):
        LeaderElector(stage.lock(""), **callbacks)


def test_le_29_run_or_die_refuses_what_cannot_work_and_wires_the_watchdog_before_it_runs(stage):
    class Dog:
        elector = None

        def set_leader_election(self, elector):
            assert elector.phase is Phase.NEW
            self.elector = elector

    dog, stop, told = Dog(), threading.Event(), []
    stop.set()

    with pytest.raises(ValueError, match="must be given"):
        run_or_die(stop, stage.lock(), on_started_leading=nothing)
    run_or_die(
        stop,
        stage.lock(),
        on_started_leading=nothing,
        on_stopped_leading=lambda: told.append(dog.elector),
        watch_dog=dog,
    )

    assert told == [dog.elector]
    assert dog.elector.phase is Phase.ENDED


def test_le_30_an_elector_runs_once(stage):
    run = stage.run().leading()
    with pytest.raises(errors.AlreadyStarted, match="has run before; make a new one"):
        run.elector.run(threading.Event())

    run.end()
    with pytest.raises(errors.AlreadyStarted):
        run.elector.run(threading.Event())


# ---- standing for election ----------------------------------------------------------------------------------------


def test_le_11_and_20_a_missing_lock_is_made_and_held(stage):
    run = stage.run().leading()

    record = stage.record()
    assert (record.holder_identity, record.lease_duration_seconds, record.leader_transitions) == ("a", 15, 0)
    assert record.acquire_time == record.renew_time == stage.clock.time()
    assert stage.calls() == ["get", "create"]
    assert run.elector.is_leader()
    assert run.elector.get_leader() == "a"
    assert repr(run.elector) == "<LeaderElector default/foo for a: leading, term 0>"


def test_le_11_and_14_the_stop_of_the_work_comes_first_and_run_does_not_wait_for_the_work(stage):
    said, go_on = [], threading.Event()

    def work(stop):
        run.tell("started")
        stop.wait()
        go_on.wait(LIMIT)
        said.append("work over")

    def stopped():
        said.append(run.reign_over())

    run = stage.run(on_started_leading=work, on_stopped_leading=stopped)
    run.reign_over = lambda: run.elector._reign.is_set()
    run.leading()
    run.stop.set()
    run.ended()

    assert said == [True]
    assert not run.elector.join(0.0)
    go_on.set()
    assert run.elector.join(LIMIT)
    assert said == [True, "work over"]


def test_le_11_the_work_has_a_thread_of_its_own(stage):
    names = []

    def work(stop):
        assert isinstance(stop, Stop)
        names.append(threading.current_thread().name)
        run.tell("started")

    run = stage.run(on_started_leading=work)
    run.leading()

    assert names == ["k8srt-leading-default/foo-0"]
    stage.clock.advance(RETRY)
    run.asleep(RETRY)
    assert run.elector.leading  # work that is done does not end leadership


def test_le_11_who_never_led_is_told_that_it_is_over_too(stage):
    stage.write("b")
    run = stage.run().start()
    run.asleep(RETRY)

    run.stop.set()
    run.ended()

    assert run.told == ["stopped"]
    assert stage.record().holder_identity == "b"


def test_le_11_told_to_stop_before_it_began_it_asks_for_nothing(stage):
    run = stage.run()
    run.stop.set()

    run.start().ended()

    assert (run.told, stage.calls()) == (["stopped"], [])


def test_le_11_elected_in_the_moment_it_is_told_to_stop_it_begins_nothing(stage):
    run = stage.run(release_on_cancel=True)
    stage.fake.prepend_reactor("create", Lease, lambda action: run.stop.set())

    run.start().ended()

    assert run.told == ["stopped"]
    assert stage.leases.get("foo").spec.holder_identity == ""


@pytest.mark.parametrize(("dice", "seconds"), [(0.0, 2.0), (0.5, 3.2), (0.999, 4.3976)])
def test_le_12_attempts_are_two_to_four_and_a_half_seconds_apart(stage, dice, seconds):
    stage.write("b")
    run = stage.run(rng=Dice(dice)).start()
    run.asleep(seconds)
    assert stage.calls() == ["get"]  # the first is made at once

    for attempts in (2, 3):
        stage.clock.advance(seconds - 0.01)
        assert stage.clock.sleepers == 1
        assert len(stage.calls()) == attempts - 1
        stage.clock.advance(0.01)
        run.asleep(seconds)
        assert len(stage.calls()) == attempts


def test_le_15_a_stop_ends_it_at_once_and_what_it_held_stays_held(stage):
    run = stage.run().leading()

    run.stop.set()
    run.ended()

    assert run.told == ["started", "stopped"]
    assert stage.record().holder_identity == "a"
    assert stage.calls() == ["get", "create"]


# ---- whose the lease is -------------------------------------------------------------------------------------------


def step(stage, *runs, seconds=RETRY):
    """Turn the clock by a retry period and wait until all sleep again."""
    stage.clock.advance(seconds)
    stage.clock.wait_for_sleepers(len(runs), by=stage.clock.now() + RETRY)


def test_le_16_and_17_a_lease_is_taken_a_whole_duration_after_it_was_first_seen(stage):
    stage.write("b", renew_time=stage.clock.time().replace(year=2001))
    run = stage.run().start()
    run.asleep(RETRY)

    for _ in range(7):  # 14 seconds
        step(stage, run)
    assert "started" not in run.told
    step(stage, run, seconds=1.0)  # in the middle of a sleep
    assert stage.record().holder_identity == "b"
    stage.clock.advance(1.0)
    run.wait_for("started")

    assert stage.record().holder_identity == "a"


@pytest.mark.parametrize("years", [-20, 20])
def test_le_16_clocks_that_tell_other_times_do_not_matter(stage, years):
    then = stage.clock.time().replace(year=stage.clock.time().year + years)
    stage.write("b", renew_time=then)
    run = stage.run().start()
    run.asleep(RETRY)

    for second in range(12):  # renewed by somebody who lives in another year
        stage.clock.set_time(stage.clock.time().replace(year=2000 + second))
        stage.write("b", renew_time=then.replace(second=second))
        step(stage, run)

    assert "started" not in run.told
    assert run.elector.get_leader() == "b"


def test_le_16_any_change_of_the_record_counts_as_a_sign_of_life(stage):
    stage.write("b")
    run = stage.run().start()
    run.asleep(RETRY)

    for _ in range(5):
        step(stage, run)
    moment = stage.record().renew_time
    stage.write("b", renew_time=moment, acquire_time=moment, leader_transitions=4)
    for _ in range(8):  # 26 seconds after the first sight, and 14 after the second
        step(stage, run)
    assert "started" not in run.told
    step(stage, run)

    run.wait_for("started")


def test_le_17_an_empty_holder_is_replaced_at_once(stage):
    stage.write("", leader_transitions=3)

    run = stage.run().leading()

    record = stage.record()
    assert (record.holder_identity, record.leader_transitions) == ("a", 4)
    assert record.acquire_time == record.renew_time == stage.clock.time()
    assert run.elector.term == 4


def test_le_18_the_duration_in_the_record_counts(stage):
    stage.write("b", lease_duration_seconds=3)
    run = stage.run().start()
    run.asleep(RETRY)

    step(stage, run)
    assert "started" not in run.told
    stage.clock.advance(RETRY)

    run.wait_for("started")


def test_le_18_a_duration_is_written_in_whole_seconds_and_rather_too_long(stage):
    run = stage.run()
    run.elector = LeaderElector(
        stage.lock(),
        1.5,
        1.0,
        0.5,
        on_started_leading=run._lead,
        on_stopped_leading=lambda: run.tell("stopped"),
        clock=stage.clock,
    )
    run.start().wait_for("started")

    assert stage.spec().lease_duration_seconds == 2


def test_le_20_its_own_lease_of_an_earlier_life_is_kept(stage):
    stage.write("a", leader_transitions=3)
    acquired = stage.record().acquire_time
    stage.clock.advance(1.0)

    stage.run().leading()

    record = stage.record()
    assert (record.leader_transitions, record.acquire_time) == (3, acquired)
    assert record.renew_time == stage.clock.time()


def test_le_20_who_is_second_does_not_lead(stage):
    stage.write("", leader_transitions=3)

    def faster(action):
        stage.write("b", leader_transitions=4)

    stage.fake.prepend_reactor("update", Lease, faster)
    run = stage.run().start()
    run.asleep(RETRY)

    assert "started" not in run.told
    assert stage.record().holder_identity == "b"


# ---- renewing -----------------------------------------------------------------------------------------------------


def test_le_13_and_19_a_leader_renews_every_retry_period_without_reading(stage):
    run = stage.run(rng=Dice(0.9)).leading()
    acquired = stage.record().acquire_time
    stage.fake.clear_actions()

    for _ in range(20):
        step(stage, run)

    record = stage.record()
    assert stage.calls() == ["update"] * 20
    assert (record.acquire_time, record.leader_transitions) == (acquired, 0)
    assert record.renew_time == stage.clock.time()
    assert run.elector.leading


def test_le_19_a_renewal_that_fails_is_made_again_after_reading_in_the_same_attempt(stage):
    run = stage.run().leading()
    stage.leases.label("foo", changed="yes")  # a new version of the same record
    stage.fake.clear_actions()

    step(stage, run)
    step(stage, run)

    assert stage.calls() == ["update", "get", "update", "update"]
    assert (stage.record().leader_transitions, run.elector.term) == (0, 0)


def test_le_13_leadership_ends_when_no_renewal_succeeds_within_the_deadline(stage):
    run = stage.run().leading()
    stage.fake.clear_actions()
    stage.fake.fail("*", Lease, errors.InternalError)

    for _ in range(5):  # at 2, 4, … 10 seconds
        step(stage, run)
    assert stage.calls() == ["update", "get"] * 5
    assert run.elector.leading
    assert not run.reign.is_set()
    stage.clock.advance(RETRY)  # 10 seconds after the renewal was due
    run.ended()

    assert run.told == ["started", "stopped"]
    assert run.reign.is_set()
    assert stage.calls() == ["update", "get"] * 5
    assert not run.elector.is_leader()
    assert run.elector.term is None


def test_le_13_the_deadline_starts_again_with_each_renewal(stage):
    run = stage.run().leading()

    for _ in range(4):
        stage.fake.fail("*", Lease, errors.ServiceUnavailable)
        for _ in range(4):
            step(stage, run)
        stage.fake.clear_reactors()
        step(stage, run)

    assert run.told == ["started"]
    assert run.elector.leading


def test_le_13_leadership_never_outlasts_the_lease(stage):
    """The deadline would end after the lease, as a renewal is due late."""
    run = stage.run()
    run.elector = LeaderElector(
        stage.lock(),
        15.0,
        14.0,
        10.0,
        on_started_leading=run._lead,
        on_stopped_leading=lambda: run.tell("stopped"),
        clock=stage.clock,
    )
    run.start().wait_for("started")
    run.asleep(10.0)
    stage.fake.fail("*", Lease, errors.InternalError)

    stage.clock.advance(10.0)
    run.asleep(5.0)
    assert not run.reign.is_set()
    stage.clock.advance(5.0)
    run.ended()

    assert run.reign.is_set()


def test_le_13_who_sees_another_leader_leads_no_more(stage):
    run = stage.run(on_new_leader=lambda who: run.tell(f"leader {who}"))
    run.leading()
    run.wait_for("leader a")
    stage.write("b", leader_transitions=1)

    stage.clock.advance(RETRY)
    run.ended()

    run.wait_for("leader b")
    assert run.reign.is_set()
    assert stage.record().holder_identity == "b"


@pytest.mark.parametrize("verb", ["update", "get"])
def test_le_13_usr_18_a_call_that_hangs_does_not_outlast_the_deadline(stage, verb):
    run, go_on = stage.run().leading(), threading.Event()

    def hang(action):
        go_on.wait(LIMIT)  # in a way that no stop ends
        raise OSError("at last")

    stage.fake.fail("update", Lease, errors.InternalError, times=1)
    stage.fake.prepend_reactor(verb, Lease, hang)
    stage.clock.advance(RETRY)
    run.asleep(RENEW)
    stage.clock.advance(RENEW - 0.01)
    assert not run.reign.is_set()
    stage.clock.advance(0.01)
    run.ended()

    assert run.told == ["started", "stopped"]
    assert not run.elector.leading
    go_on.set()


class Watched(LeaseLock):
    """Remembers how calls were bounded; its updates wait for their stop once `stuck`."""

    def __init__(self, *args):
        super().__init__(*args)
        self.timeouts, self.stuck, self.stopped = [], False, threading.Event()

    def get(self, *, stop=None, timeout=None):
        self.timeouts.append(timeout)
        return super().get(stop=stop, timeout=timeout)

    def update(self, record, *, stop=None, timeout=None):
        self.timeouts.append(timeout)
        if self.stuck and stop.wait(LIMIT):
            self.stopped.set()
            raise errors.Stopped("stopped while a rate limiter held the call back")
        super().update(record, stop=stop, timeout=timeout)


def test_le_07_and_13_every_call_has_half_the_deadline_and_what_is_left_of_it(stage):
    lock = Watched(stage.fake, "default", "foo", "a")
    run = stage.run(lock=lock).leading()
    step(stage, run)
    assert lock.timeouts == [5.0, 5.0]
    lock.timeouts.clear()

    stage.fake.fail("*", Lease, errors.InternalError)
    for _ in range(5):
        step(stage, run)

    assert lock.timeouts == [5.0] * 6 + [4.0] * 2 + [2.0] * 2


def test_le_13_a_call_that_waits_for_its_turn_is_told_that_the_time_is_over(stage):
    lock = Watched(stage.fake, "default", "foo", "a")
    run = stage.run(lock=lock).leading()
    lock.stuck = True
    stage.clock.advance(RETRY)
    run.asleep(RENEW)

    stage.clock.advance(RENEW)
    run.ended()

    assert lock.stopped.wait(LIMIT)
    assert run.told == ["started", "stopped"]


def test_le_13_what_a_call_that_was_left_behind_still_does_is_of_no_matter(stage):
    run, go_on, answered = stage.run().leading(), threading.Event(), threading.Event()

    def hang(action):
        go_on.wait(LIMIT)
        answered.set()

    stage.fake.prepend_reactor("update", Lease, hang)
    stage.clock.advance(RETRY)
    run.asleep(RENEW)
    stage.clock.advance(RENEW)
    run.ended()
    go_on.set()
    assert answered.wait(LIMIT)

    assert not run.elector.is_leader()
    assert not run.elector.leading


def test_le_15_a_stop_ends_a_renewal_that_hangs(stage):
    run, go_on = stage.run().leading(), threading.Event()
    stage.fake.prepend_reactor("update", Lease, lambda action: go_on.wait(LIMIT) and None)
    stage.clock.advance(RETRY)
    run.asleep(RENEW)

    run.stop.set()
    run.ended()

    assert run.told == ["started", "stopped"]
    go_on.set()


def test_le_13_a_process_that_was_stopped_for_longer_than_its_lease_leads_no_more(stage, caplog):
    run = stage.run().leading()
    stage.fake.clear_actions()

    stage.clock.advance(LEASE + 1.0)
    run.ended()

    assert stage.calls() == []
    assert "leads no more: the lease was not renewed in time" in caplog.text
    assert "woke 14.0s late" in caplog.text


def test_thr_07_a_thread_that_wakes_late_says_so(stage, caplog):
    run = stage.run().leading()

    step(stage, run, seconds=RETRY + 0.9)
    assert "late" not in caplog.text
    step(stage, run, seconds=RETRY + 1.1)

    assert "woke 1.1s late" in caplog.text
    assert run.elector.leading


def test_le_21_no_error_comes_out_of_run(stage, caplog):
    caplog.set_level(logging.INFO)
    stage.fake.fail("get", Lease, errors.Forbidden, times=2)
    stage.fake.fail("get", Lease, RuntimeError("what a lock may raise"), times=1)
    run = stage.run().start()
    run.asleep(RETRY)

    for _ in range(3):
        step(stage, run)
    run.wait_for("started")

    warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert ["what a lock may raise" in text for text in warned] == [True, False]  # the reactor added last comes first
    assert "forbidden" in warned[1]
    assert "works again after 6.0s" in caplog.text


def test_le_21_there_may_be_no_threads(stage, monkeypatch):
    run = stage.run(release_on_cancel=True).leading()
    spawned = []

    def refuse(*_):
        spawned.append(1)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("k8srt.tools.leaderelection.errand.spawn", refuse)
    step(stage, run)
    assert run.elector.leading
    monkeypatch.undo()
    step(stage, run)

    assert spawned == [1]
    assert run.elector.leading
    monkeypatch.setattr("k8srt.tools.leaderelection.errand.spawn", refuse)
    run.stop.set()
    run.ended()
    assert run.told == ["started", "stopped"]


@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(3)], ids=repr)
def test_work_that_fails_ends_leadership_and_run_raises_what_it_raised(stage, error):
    def work(stop):
        raise error

    run = stage.run(on_started_leading=work, release_on_cancel=True).start()

    with pytest.raises(type(error)) as raised:
        run.future.result(timeout=LIMIT)
    assert raised.value is error
    assert run.told == ["stopped"]
    assert stage.record().holder_identity == ""


def test_work_that_fails_on_its_way_down_is_logged(stage, caplog):
    def work(stop):
        run.tell("started")
        stop.wait()
        raise RuntimeError("too late")

    run = stage.run(on_started_leading=work)
    run.leading()
    run.stop.set()
    run.ended()

    assert run.elector.join(LIMIT)
    assert "failed after it was told to stop" in caplog.text


# ---- telling ------------------------------------------------------------------------------------------------------


def test_le_22_every_new_leader_is_told_of_in_order(stage):
    stage.write("b")
    run = stage.run(on_new_leader=lambda who: run.tell(who))
    run.start().wait_for("b")
    run.asleep(RETRY)

    stage.write("c", leader_transitions=4)
    step(stage, run)
    step(stage, run)  # the same once more
    stage.write("", leader_transitions=4)
    stage.clock.advance(RETRY)
    run.wait_for("started", "a")

    assert [each for each in run.told if each != "started"] == ["b", "c", "a"]


def test_le_22_who_is_told_may_take_its_time_and_fail(stage, caplog):
    go_on = threading.Event()

    def slow(who):
        go_on.wait(LIMIT)
        raise RuntimeError(f"not {who}")

    run = stage.run(on_new_leader=slow).leading()
    for _ in range(20):
        step(stage, run)
    assert run.elector.leading

    go_on.set()
    run.end()
    assert "not a" in caplog.text


def test_le_06_and_22_a_recorder_that_hangs_holds_nothing_up(stage):
    go_on, said = threading.Event(), []

    class Slow:
        def event(self, obj, event_type, reason, message):
            go_on.wait(LIMIT)
            said.append(message)

    run = stage.run(lock=stage.lock("a", event_recorder=Slow())).leading()
    for _ in range(10):
        step(stage, run)
    assert run.elector.leading
    run.stop.set()
    run.ended()

    go_on.set()
    assert run.elector.join(LIMIT)
    assert said == ["a became leader", "a stopped leading"]


def test_le_23_is_leader_says_who_was_seen_and_leading_who_it_surely_is(stage):
    run = stage.run().leading()
    assert run.elector.is_leader()
    assert run.elector.leading
    assert run.elector.ensure_leading() == 0

    stage.write("b", leader_transitions=1)
    assert run.elector.is_leader()  # it has not looked
    assert run.elector.get_leader() == "a"
    stage.clock.advance(RETRY)
    run.ended()

    assert not run.elector.is_leader()
    assert run.elector.get_leader() == "b"


def test_le_23_and_26_leading_ends_with_the_lease_whoever_else_sleeps(stage):
    run, go_on = stage.run().leading(), threading.Event()
    stage.fake.prepend_reactor("update", Lease, lambda action: go_on.wait(LIMIT) and None)
    stage.clock.advance(RETRY)
    run.asleep(RENEW)
    assert run.elector.leading

    stage.sleep_on(LEASE)  # the process wakes: this thread looks before that of the elector

    assert run.elector.is_leader()
    assert not run.elector.leading
    with pytest.raises(NotLeaderError, match="a does not lead default/foo"):
        run.elector.ensure_leading()
    go_on.set()


def test_le_26_the_term_grows_with_every_leader_and_is_nobodys_else(stage):
    first = stage.run("a", release_on_cancel=True).leading()
    terms = [first.elector.term]
    first.end()
    for name in ("b", "c"):
        run = stage.run(name, release_on_cancel=True).leading()
        terms.append(run.elector.term)
        run.end()

    assert terms == [0, 1, 2]
    assert first.elector.term is None
    with pytest.raises(NotLeaderError):
        first.elector.ensure_leading()


def test_thr_09_what_a_child_process_inherits_leads_nothing(stage, monkeypatch):
    run = stage.run().leading()
    monkeypatch.setattr("k8srt.tools.leaderelection.elector.os.getpid", lambda: -1)

    assert not run.elector.leading
    assert not run.elector.is_leader()
    assert (run.elector.phase, run.elector.term) == (Phase.ENDED, None)
    with pytest.raises(NotLeaderError):
        run.elector.ensure_leading()


# ---- giving back --------------------------------------------------------------------------------------------------


def test_le_24_and_25_the_lease_is_given_back_after_everybody_has_stopped(stage):
    seen = []
    run = stage.run(release_on_cancel=True, on_stopped_leading=lambda: seen.append(stage.record().holder_identity))
    run.leading()
    step(stage, run)
    stage.fake.clear_actions()

    run.stop.set()
    run.ended()

    record = stage.record()
    assert seen == ["a"]
    assert (record.holder_identity, record.lease_duration_seconds, record.leader_transitions) == ("", 1, 0)
    assert record.acquire_time == record.renew_time == stage.clock.time()
    assert stage.calls() == ["get", "update"]
    assert run.elector.get_leader() == ""


def test_le_24_the_next_one_takes_over_at_once(stage):
    first = stage.run("a", release_on_cancel=True).leading()
    second = stage.run("b").start()
    stage.clock.wait_for_sleepers(2, by=stage.clock.now() + RETRY)

    first.stop.set()
    first.ended()
    stage.clock.advance(RETRY)
    second.wait_for("started")

    assert second.elector.term == 1


def test_le_24_a_conflict_is_tried_again(stage):
    run = stage.run(release_on_cancel=True).leading()
    stage.fake.fail("update", Lease, errors.Conflict, times=3)
    stage.fake.clear_actions()

    run.stop.set()
    for _ in range(2):  # the second time at once
        run.asleep(RETRY / 4.0)
        stage.clock.advance(RETRY / 4.0)
    run.ended()

    assert stage.calls() == ["get", "update"] * 4
    assert stage.record().holder_identity == ""


def test_le_24_conflicts_for_ever_end_with_the_renew_deadline(stage):
    run = stage.run(release_on_cancel=True).leading()
    stage.fake.fail("update", Lease, errors.Conflict)

    run.stop.set()
    while not run.future.done():
        stage.clock.advance_to_next()

    assert run.told == ["started", "stopped"]
    assert stage.record().holder_identity == "a"


@pytest.mark.parametrize("error", [errors.NotFound, errors.InternalError, OSError("cut")], ids=str)
def test_le_24_other_errors_are_not_tried_again(stage, error):
    run = stage.run(release_on_cancel=True).leading()
    stage.fake.clear_actions()
    stage.fake.fail("get", Lease, error)

    run.stop.set()
    run.ended()

    assert stage.calls() == ["get"]
    assert run.told == ["started", "stopped"]


def test_le_24_what_another_holds_is_left_alone(stage):
    run = stage.run(release_on_cancel=True).leading()
    stage.write("b", leader_transitions=1)
    stage.fake.clear_actions()

    run.stop.set()
    run.ended()

    assert stage.calls() == ["get"]
    assert stage.record().holder_identity == "b"


def test_le_24_a_lease_that_could_not_be_renewed_is_given_back_too(stage):
    run = stage.run(release_on_cancel=True).leading()
    stage.fake.fail("*", Lease, errors.InternalError)

    for _ in range(5):
        step(stage, run)
    stage.fake.clear_reactors()
    stage.clock.advance(RETRY)
    run.ended()

    assert stage.record().holder_identity == ""


def test_le_24_what_stopped_says_is_raised_after_the_lease_was_given_back(stage):
    def stopped():
        raise RuntimeError("cannot stop")

    run = stage.run(release_on_cancel=True, on_stopped_leading=stopped).leading()
    run.stop.set()

    with pytest.raises(RuntimeError, match="cannot stop"):
        run.future.result(timeout=LIMIT)
    assert stage.record().holder_identity == ""


# ---- asked from outside -------------------------------------------------------------------------------------------


def test_le_27_a_leader_whose_lease_is_long_expired_is_unhealthy(stage):
    run, go_on = stage.run(), threading.Event()
    run.elector.check(20.0)
    run.leading()
    run.elector.check(20.0)
    stage.fake.prepend_reactor("update", Lease, lambda action: go_on.wait(LIMIT) and None)

    stage.sleep_on(LEASE + 20.0)  # the elector itself sleeps on
    run.elector.check(20.0)
    stage.sleep_on(0.1)
    with pytest.raises(LeaseNotRenewed, match=r"failed election to renew leadership on lease default/foo: 35.1s old"):
        run.elector.check(20.0)

    go_on.set()
    run.end()
    run.elector.check(0.0)


def test_the_time_of_the_last_attempt_can_be_asked_for(stage):
    stage.write("b")
    run = stage.run()
    assert run.elector.attempted_at is None

    run.start().asleep(RETRY)
    first = run.elector.attempted_at
    step(stage, run)

    assert (first, run.elector.attempted_at) == (1000.0, 1002.0)


# ---- the server chooses -------------------------------------------------------------------------------------------


def test_le_32_what_the_server_has_not_assigned_is_never_taken(stage):
    run = stage.run(coordinated=True).start()
    run.asleep(RETRY)
    stage.write("", strategy="OldestEmulationVersion")
    step(stage, run)
    stage.write("b", strategy="OldestEmulationVersion")
    for _ in range(10):  # long expired
        step(stage, run)

    assert set(stage.calls()) == {"get"}
    assert run.told == []


def test_le_32_who_is_chosen_leads_until_the_end_of_the_term(stage):
    run = stage.run(coordinated=True).start()
    run.asleep(RETRY)
    stage.write("a", strategy="OldestEmulationVersion")
    stage.clock.advance(RETRY)
    run.wait_for("started")
    run.asleep(RETRY)
    for _ in range(10):
        step(stage, run)
    assert (stage.spec().strategy, stage.spec().lease_transitions) == ("OldestEmulationVersion", 3)

    lease = stage.leases.get("foo")
    lease.spec.preferred_holder = "b"
    stage.leases.update(lease)
    renewed = lease.spec.renew_time
    for _ in range(5):
        step(stage, run)
    assert stage.spec().renew_time == renewed
    stage.clock.advance(RETRY)
    run.ended()

    assert run.told == ["started", "stopped"]


def test_le_32_what_has_expired_is_not_led_even_if_assigned(stage):
    stage.write("a", lease_duration_seconds=1, strategy="OldestEmulationVersion")
    stage.fake.fail("update", Lease, errors.InternalError, times=1)
    run = stage.run(coordinated=True).start()
    run.asleep(RETRY)

    step(stage, run)

    assert stage.calls() == ["get", "update", "get"]
    assert run.told == []
