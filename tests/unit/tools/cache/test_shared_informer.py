"""The shared informer against a scripted collection, on each of the queues it can run on."""

from __future__ import annotations

import logging
import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import decode_record
from k8srt.errors import AlreadyStarted
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import (
    InformerStopped,
    SharedIndexInformer,
    meta_namespace_index,
    shut_down_event_handler,
)
from k8srt.tools.cache.consumer import Notification
from k8srt.tools.cache.processor import Merging, Registration
from k8srt.tools.cache.store import GONE
from tests.unit.tools.cache.scripted import (
    WAIT,
    Recorder,
    Source,
    Stream,
    added,
    deleted,
    failure,
    modified,
    pod,
    pods,
    running,
)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture(params=["delta", "real"], autouse=True)
def queue(request, monkeypatch):
    """Which queue the informers of a test run on."""
    monkeypatch.setattr(World, "queue", request.param)
    return request.param


class World:
    """An informer, its source, and one stream to send events on."""

    queue = "delta"

    def __init__(self, *initial, clock=None, lists=(), **options):
        self.clock = clock or FakeClock()
        self.stream = Stream()
        self.source = Source(lists=lists or [pods(*initial, rv=10)], watches=[self.stream])
        self.informer = SharedIndexInformer(self.source, Pod, clock=self.clock, queue=self.queue, **options)

    def send(self, *events):
        """Have these happen after the initial list was processed: one of the queues keeps order by key only."""
        assert self.informer.synced.wait(WAIT)
        self.stream.send(list(events))


def names(informer):
    return sorted(informer.indexer.list_keys())


# ---- changes --------------------------------------------------------------------------------------------------------


def test_inf_07_and_10_and_22_a_handler_hears_of_everything_in_order():
    world, recorder = World(pod("a", 1)), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        world.send(added(pod("b", 11)), modified(pod("a", 12)))
        recorder.wait(3)
        world.send(deleted(pod("b", 13)))
        told = recorder.wait(4)

    assert told == [("add", "a", True), ("add", "b", False), ("update", "a", "1", "12"), ("delete", "b")]


def test_cache_60_the_cache_decides_what_is_added_and_what_updated():
    world, recorder = World(pod("a", 1)), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        world.send(added(pod("a", 11)), modified(pod("new", 12)))
        told = recorder.wait(3)

    assert told[1:] == [("update", "a", "1", "11"), ("add", "new", False)]


def test_cache_65_the_cache_changes_before_the_handler_is_called():
    world = World(pod("a", 1))
    seen = []
    added_once, done = threading.Event(), threading.Event()

    def on_add(obj):
        seen.append(world.informer.indexer.get(obj) is not None)
        added_once.set()

    def on_delete(obj):
        seen.append(world.informer.indexer.get(obj))
        done.set()

    world.informer.add_event_handler(on_add=on_add, on_delete=on_delete)
    with world.informer:
        assert added_once.wait(WAIT)
        world.send(deleted(pod("a", 11)))
        assert done.wait(WAIT)

    assert seen == [True, None]


def test_inf_11_a_deletion_carries_the_version_of_the_deletion():
    world, recorder = World(pod("a", 1)), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        world.send(deleted(pod("a", 15)))
        recorder.wait(2)

    assert recorder.objects[-1].metadata.resource_version == "15"


def test_inf_11_delete_and_recreate_while_disconnected_is_one_update(clock):
    lists = [pods(pod("a", 1, uid="one"), rv=10), pods(pod("a", 20, uid="two"), rv=30)]
    world, recorder = World(clock=clock, lists=lists), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        recorder.wait(1)
        world.send(failure(410, "Expired"))
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        told = recorder.wait(2)

    assert told[1] == ("update", "a", "1", "20")
    old, new = recorder.objects[1:3]
    assert (old.metadata.uid, new.metadata.uid) == ("one", "two")


def test_usr_03_a_relist_reports_what_vanished_as_tombstones(clock):
    lists = [pods(pod("a", 1), pod("b", 2), rv=10), pods(pod("a", 1), rv=30)]
    world, recorder = World(clock=clock, lists=lists), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        recorder.wait(2)
        world.send(failure(410, "Expired"))
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        told = recorder.wait(4)

    assert ("delete", "default/b") in told
    (tombstone,) = (obj for obj in recorder.objects if hasattr(obj, "key"))
    assert isinstance(tombstone.obj, Pod)
    assert world.source.list_versions == ["0", "10"]


def test_what_one_handler_changes_nobody_else_sees():
    world = World(pod("a", 1))
    first, second = threading.Event(), []
    done = threading.Event()

    def vandal(obj):
        obj.metadata.name = "vandalised"
        first.set()

    def quiet(obj):
        first.wait(WAIT)
        second.append(obj.metadata.name)
        done.set()

    world.informer.add_event_handler(on_add=vandal)
    world.informer.add_event_handler(on_add=quiet)
    with world.informer:
        assert done.wait(WAIT)

    assert second == ["a"]
    assert world.informer.indexer.get_by_key("default/a").metadata.name == "a"


def test_cache_19_an_index_function_that_fails_costs_only_its_object(caplog):
    def index(obj):
        if obj.metadata.name == "bad":
            raise RuntimeError("boom")
        return ["x"]

    world, recorder = World(pod("bad", 1), pod("good", 2), indexers={"i": index}), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        assert recorder.wait(1) == [("add", "good", True)]

    assert "default/bad" in caplog.text
    assert "boom" in caplog.text


# ---- lifecycle ------------------------------------------------------------------------------------------------------


def test_inf_12_a_second_run_returns_at_once(caplog):
    world = World()
    with running(world.informer.run):
        assert world.informer.synced.wait(WAIT)
        world.informer.run(threading.Event())
        with pytest.raises(AlreadyStarted):
            world.informer.start()
    world.informer.run(threading.Event())

    assert caplog.text.count("runs only once") == 2
    assert len(world.source.listed) == 1


def test_inf_13_and_14_after_run_no_handler_is_running():
    world = World(pod("a"))
    entered, left = threading.Event(), []

    def slow(obj):
        entered.set()
        threading.Event().wait(0.05)
        left.append(obj)

    world.informer.add_event_handler(on_add=slow)
    assert not world.informer.is_stopped()
    with world.informer:
        assert entered.wait(WAIT)
        assert not world.informer.is_stopped()

    assert left
    assert world.informer.is_stopped()
    assert world.informer.is_started()


def test_inf_15_some_things_are_settled_before_the_start():
    world = World()
    world.informer.set_transform(lambda obj: obj)
    world.informer.set_watch_error_handler(lambda reflector, err: None)
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        for late in (world.informer.set_transform, world.informer.set_watch_error_handler):
            with pytest.raises(AlreadyStarted, match="informer has already started"):
                late(lambda *args: None)


def test_inf_16_indexers_may_come_late_but_not_after_the_end():
    world = World(pod("a"))
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        world.informer.add_indexers({"namespace": meta_namespace_index})
        assert world.informer.indexer.index_keys("namespace", "default") == ["default/a"]

    with pytest.raises(InformerStopped):
        world.informer.add_indexers({"other": meta_namespace_index})


def test_inf_17_and_19_before_the_start():
    world = World()

    assert world.informer.store is world.informer.indexer
    assert world.informer.last_sync_resource_version() == ""
    assert not world.informer.has_synced()


def test_inf_18_synced_when_the_list_is_in_the_cache():
    world = World(*[pod(f"p{number}") for number in range(20)])
    blocked = threading.Event()
    world.informer.add_event_handler(on_add=lambda obj: blocked.wait(WAIT))
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        assert world.informer.has_synced()
        assert len(world.informer.indexer) == 20
        assert world.informer.last_sync_resource_version() == "10"
        blocked.set()

    assert world.informer.has_synced()


def test_inf_18_a_stop_that_comes_first_leaves_it_unsynced():
    release = threading.Event()
    world = World(lists=[lambda options, stop: release.wait(WAIT) and pods()])
    with world.informer:
        world.source.wait(lists=1)
    release.set()

    assert not world.informer.has_synced()


def test_inf_20_the_transform_comes_before_the_cache(caplog):
    def transform(obj):
        if obj.metadata.name == "bad":
            raise ValueError("cannot")
        obj.metadata.annotations = None
        obj.metadata.labels = {"seen": "yes"}
        return obj

    world, recorder = World(pod("a", 1), transform=transform), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        world.send(added(pod("bad", 11)), added(pod("b", 12)))
        recorder.wait(2)

    assert names(world.informer) == ["default/a", "default/b"]
    assert [obj.metadata.labels for obj in recorder.objects] == [{"seen": "yes"}] * 2
    assert "cannot" in caplog.text


def test_inf_21_events_of_another_kind_are_dropped(caplog):
    world, recorder = World(), Recorder()
    world.informer.add_event_handler(recorder)
    other = decode_record(b'{"apiVersion":"v1","kind":"Node","metadata":{"name":"n","resourceVersion":"11"}}')
    with world.informer:
        world.send(added(other), added(pod("a", 12)))
        recorder.wait(1)

    assert recorder.told == [("add", "a", False)]
    assert "Kind=Node" in caplog.text


# ---- distribution ---------------------------------------------------------------------------------------------------


def test_inf_22_a_handler_that_blocks_keeps_nobody_up():
    world, recorder = World(pod("a", 1)), Recorder()
    release = threading.Event()
    world.informer.add_event_handler(on_add=lambda obj: release.wait(WAIT))
    world.informer.add_event_handler(recorder)
    with world.informer:
        for number in range(50):
            world.send(modified(pod("a", 11 + number)))
        recorder.wait(51)
        release.set()


def test_inf_23_a_backlog_is_kept_whole_and_a_slow_call_in_it_logged(clock, caplog):
    world = World(*[pod(f"p{number}") for number in range(1100)], clock=clock)
    seen = []

    def slow(obj):
        if not seen:
            clock.advance(0.2)
        seen.append(obj.metadata.name)

    registration = world.informer.add_event_handler(on_add=slow)
    with caplog.at_level(logging.INFO), world.informer:
        assert registration.synced.wait(WAIT)

    assert len(seen) == 1100
    assert "0.200s" in caplog.text


class Blocked(Recorder):
    """One that does not return from its first call until it is let go."""

    def __init__(self):
        super().__init__()
        self.inside, self.go_on = threading.Event(), threading.Event()

    def on_add(self, obj, is_in_initial_list):
        self.inside.set()
        assert self.go_on.wait(WAIT)
        super().on_add(obj, is_in_initial_list)


def test_shr_02_what_waits_for_a_slow_handler_is_merged_by_key_and_nobody_else_is_kept_up():
    world, slow, other = World(pod("a", 1), merge_beyond=4), Blocked(), Recorder()
    registration = world.informer.add_event_handler(slow)
    world.informer.add_event_handler(other)
    with world.informer:
        assert slow.inside.wait(WAIT)
        other.wait(1)
        for batch in (
            [added(pod("b", 11)), added(pod("c", 12)), modified(pod("a", 13))],
            [modified(pod("a", 14)), modified(pod("b", 15)), deleted(pod("c", 16))],
            [deleted(pod("a", 17)), added(pod("a", 18)), modified(pod("a", 19)), modified(pod("b", 20))],
        ):
            before = len(other.told)
            world.send(*batch)
            other.wait(before + len(batch))
        waiting = registration.debug_state()
        slow.go_on.set()
        told = slow.wait(waiting["pending"])

    assert len(other.told) == 11
    assert sorted(told[1:], key=lambda each: each[1]) == [("delete", "a"), ("add", "a", False), ("add", "b", False)]
    assert told[0] == ("add", "a", True)
    assert waiting["pending"] + waiting["merged"] == 11


def test_shr_02_the_initial_list_counts_as_heard_when_what_was_in_it_is_gone():
    registration = Registration(
        Recorder(), Pod.from_record, FakeClock(), about="Pod", merging=Merging(2, lambda record: record.name)
    )
    listed, later = [pod(name) for name in "abc"], pod("d")
    registration.push([Notification(GONE, each, True) for each in listed], 3)
    registration.upstream_has_synced()
    assert not registration.has_synced()

    registration.push([Notification(each, GONE) for each in listed], 0)
    registration.push([Notification(GONE, later), Notification(later, GONE)], 0)

    assert registration.has_synced()
    assert registration.debug_state()["pending"] == 0
    assert registration.debug_state()["merged"] == 8


def test_shr_02_there_is_no_merging_without_room():
    with pytest.raises(ValueError, match="merge_beyond"):
        World(merge_beyond=0)


def test_inf_26_additions_and_deletions_go_to_all_whoever_is_due(clock):
    world, never = World(pod("a", 1), clock=clock, resync_period=10.0), Recorder()
    world.informer.add_event_handler(never, resync_period=0.0)
    with world.informer:
        never.wait(1)
        clock.wait_for_sleepers(1)
        clock.advance(10.0)
        clock.wait_for_sleepers(1)  # checked: nobody is due any more
        world.send(added(pod("b", 1)), deleted(pod("a", 1)))
        assert sorted(told[:2] for told in never.wait(3)) == [("add", "a"), ("add", "b"), ("delete", "a")]


def test_inf_68_no_lock_is_held_while_a_handler_runs(pool):
    world = World(pod("a", 1))
    answers = []
    done = threading.Event()

    def ask():
        return len(world.informer.indexer), world.informer.has_synced(), world.informer.debug_state()["objects"]

    def on_add(obj):
        answers.append(pool.submit(ask).result(timeout=WAIT))  # from another thread, which a lock would keep up
        done.set()

    world.informer.add_event_handler(on_add=on_add)
    with world.informer:
        assert done.wait(WAIT)

    assert answers == [(1, True, 1)]


def test_inf_69_and_70_handlers_added_while_it_starts_see_everything_once():
    for _ in range(20):
        world = World(*[pod(f"p{number}") for number in range(5)])
        recorders = [Recorder() for _ in range(4)]
        barrier = threading.Barrier(2)

        def add(world=world, recorders=recorders, barrier=barrier):
            barrier.wait(WAIT)
            for recorder in recorders:
                world.informer.add_event_handler(recorder)

        adder = threading.Thread(target=add, name="test-adder", daemon=True)
        adder.start()
        barrier.wait(WAIT)
        with world.informer:
            adder.join(WAIT)
            for recorder in recorders:
                assert sorted(told[1] for told in recorder.wait(5)) == [f"p{number}" for number in range(5)]


def test_inf_24_and_25_updates_without_a_new_version():
    world = World(pod("a", 1), resync_period=10.0)
    never, often = Recorder(), Recorder()
    world.informer.add_event_handler(never, resync_period=0.0)
    world.informer.add_event_handler(often)
    with world.informer:
        never.wait(1)
        world.send(modified(pod("a", 1)))  # before the first check everybody is due
        assert never.wait(2)[1] == ("update", "a", "1", "1")
        assert often.wait(2)[1] == ("update", "a", "1", "1")

        world.clock.wait_for_sleepers(1)
        world.clock.advance(10.0)  # a resync, for those who want one
        assert often.wait(3)[2] == ("update", "a", "1", "1")
        world.send(modified(pod("a", 1)), modified(pod("a", 12)))
        assert often.wait(5)[3:] == [("update", "a", "1", "1"), ("update", "a", "1", "12")]
        assert never.wait(3)[2] == ("update", "a", "1", "12")


def test_usr_07_a_resync_asks_the_server_nothing():
    world, recorder = World(pod("a", 1), resync_period=10.0), Recorder()
    world.informer.add_event_handler(recorder)
    with world.informer:
        recorder.wait(1)
        world.clock.wait_for_sleepers(1)
        world.clock.advance(10.0)
        recorder.wait(2)
        world.source.wait(watches=1)

    old, new = recorder.objects[1:]
    assert old.to_record() is new.to_record()
    assert len(world.source.listed) == len(world.source.watched) == 1


def test_inf_27_a_late_handler_is_shown_what_is_there():
    world, recorder = World(pod("a"), pod("b")), Recorder()
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        registration = world.informer.add_event_handler(recorder)
        world.send(added(pod("c", 11)))
        told = recorder.wait(3)
        assert registration.synced.wait(WAIT)

    assert sorted(told[:2]) == [("add", "a", True), ("add", "b", True)]
    assert told[2] == ("add", "c", False)


def test_inf_27_a_handler_added_in_a_storm_misses_nothing_and_sees_nothing_twice():
    world = World(pod("p0", 1))
    recorders = []
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        for number in range(1, 200):
            world.send(added(pod(f"p{number}", 10 + number)))
            if number % 20 == 0:
                recorders.append(Recorder())
                world.informer.add_event_handler(recorders[-1])
        for recorder in recorders:
            told = recorder.wait(200)
            assert sorted(name for what, name, _ in told) == sorted(f"p{number}" for number in range(200))


def test_inf_28_the_same_handler_twice():
    world, recorder = World(pod("a")), Recorder()
    one, two = (world.informer.add_event_handler(recorder) for _ in range(2))
    with world.informer:
        assert recorder.wait(2) == [("add", "a", True)] * 2

    assert one is not two


def test_inf_29_nothing_is_added_to_a_stopped_informer():
    world = World()
    with world.informer:
        pass

    with pytest.raises(InformerStopped, match=r"was not added to shared informer because it has stopped already$"):
        world.informer.add_event_handler(Recorder())


def test_inf_30_a_registration_has_synced_when_its_handler_is_done():
    world = World(pod("a"), pod("b"))
    release = threading.Event()
    registration = world.informer.add_event_handler(on_add=lambda obj: release.wait(WAIT))
    assert not registration.has_synced()
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        assert not registration.has_synced()
        release.set()
        assert registration.synced.wait(WAIT)


def test_inf_30_with_nothing_in_the_list_it_syncs_with_the_informer():
    world = World()
    registration = world.informer.add_event_handler(Recorder())
    with world.informer:
        assert registration.synced.wait(WAIT)


def test_inf_31_and_32_a_handler_that_raises_goes_on_after_a_second(caplog, clock):
    world = World(pod("bad"), pod("good"), clock=clock)
    seen = []
    done = threading.Event()

    def picky(obj):
        if obj.metadata.name == "bad":
            raise ValueError("no, not that")
        seen.append(obj.metadata.name)
        done.set()

    registration = world.informer.add_event_handler(on_add=picky)
    with world.informer:
        clock.wait_for_sleepers(1)
        assert seen == []
        clock.advance(1.0)
        assert done.wait(WAIT)
        assert not registration.has_synced()

    assert "no, not that" in caplog.text


def test_inf_32_the_fatal_way_on_request():
    world = World(pod("a"), fatal_errors=True)

    def broken(obj):
        raise ValueError("fatal")

    world.informer.add_event_handler(on_add=broken)
    with pytest.raises(ValueError, match="fatal"):
        world.informer.run(threading.Event())


def test_inf_33_removing_is_lenient():
    world, other = World(pod("a")), World()
    registration = world.informer.add_event_handler(Recorder())
    foreign = other.informer.add_event_handler(Recorder())

    for _ in range(2):
        world.informer.remove_event_handler(registration)
    world.informer.remove_event_handler(foreign)
    with pytest.raises(TypeError, match="not a registration"):
        world.informer.remove_event_handler(42)
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        world.informer.remove_event_handler(registration)
    world.informer.remove_event_handler(registration)


def test_inf_34_and_35_removal_discards_what_is_queued():
    world = World(*[pod(f"p{number}") for number in range(5)])
    entered, release, seen = threading.Event(), threading.Event(), []

    def slow(obj):
        seen.append(obj.metadata.name)
        entered.set()
        release.wait(WAIT)

    registration = world.informer.add_event_handler(on_add=slow)
    with world.informer:
        assert entered.wait(WAIT)
        world.informer.remove_event_handler(registration)
        release.set()
        shut_down_event_handler(world.informer, registration)
        assert len(seen) == 1

    shut_down_event_handler(world.informer, World().informer.add_event_handler(Recorder()))


def test_inf_36_handlers_may_add_and_remove_handlers():
    world, late = World(pod("a")), Recorder()
    registrations = []

    def on_add(obj):
        registrations.append(world.informer.add_event_handler(late))
        world.informer.remove_event_handler(own)

    own = world.informer.add_event_handler(on_add=on_add)
    with world.informer:
        assert late.wait(1) == [("add", "a", True)]


# ---- resync periods -------------------------------------------------------------------------------------------------


def test_inf_37_to_41_and_43_periods():
    hour = 3600.0
    informer = World(resync_period=12 * hour).informer
    checks, registrations = [], []
    for wanted in (0.0, 60.0, 55.0, 5.0):
        registrations.append(informer.add_event_handler(Recorder(), resync_period=wanted))
        checks.append(informer._processor.check_period)

    assert checks == [12 * hour, 60.0, 55.0, 5.0]
    assert [registration.period for registration in registrations] == [0.0, 60.0, 55.0, 5.0]


def test_inf_38_and_40_periods_that_are_too_short_or_in_vain(caplog):
    informer = World(resync_period=10.0).informer
    assert informer.add_event_handler(Recorder(), resync_period=0.2).period == 1.0

    informer = World().informer
    assert informer.add_event_handler(Recorder(), resync_period=5.0).period == 0.0
    assert "too short" in caplog.text


def test_inf_39_after_the_start_the_handler_adapts():
    world = World(resync_period=30.0)
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        assert world.informer.add_event_handler(Recorder(), resync_period=5.0).period == 30.0
        assert world.informer.add_event_handler(Recorder(), resync_period=45.0).period == 45.0


def test_inf_42_each_handler_at_its_own_pace(clock):
    world = World(pod("a", 1), clock=clock, resync_period=1.0)
    two, three = Recorder(), Recorder()
    world.informer.add_event_handler(two, resync_period=2.0)
    world.informer.add_event_handler(three, resync_period=3.0)
    with world.informer:
        two.wait(1)
        three.wait(1)
        counts = []
        for second in range(1, 7):
            clock.wait_for_sleepers(1)
            clock.advance(1.0)
            clock.wait_for_sleepers(1)  # the resync has queued what it had to
            world.send(added(pod(f"tick{second}", 10 + second)))
            counts.append(tuple(updates_until(recorder, f"tick{second}") for recorder in (two, three)))

    assert counts == [(0, 0), (1, 0), (1, 1), (2, 1), (2, 1), (3, 2)]


def updates_until(recorder, name):
    """How many updates of "a" there were once `name` has been told of."""
    while not any(told[1] == name for told in recorder.told):
        recorder.wait(len(recorder.told) + 1)
    return sum(told[:2] == ("update", "a") for told in recorder.told)


def test_inf_67_all_threads_end(clock):
    world = World(pod("a"), resync_period=10.0, clock=clock)
    for _ in range(3):
        world.informer.add_event_handler(Recorder())
    with world.informer:
        assert world.informer.synced.wait(WAIT)
        running_now = {thread.name.rsplit("-", 1)[0] for thread in threading.enumerate() if "k8srt" in thread.name}

    assert running_now >= {"k8srt-informer-pod", "k8srt-reflector-pod", "k8srt-handler-pod", "k8srt-reflector-resync"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("k8srt-")]


def test_it_can_tell_what_it_is_up_to(caplog):
    world = World(pod("a"))
    world.informer.add_event_handler(Recorder())
    assert repr(world.informer) == "<SharedIndexInformer Pod: not started, 0 objects>"
    with caplog.at_level(logging.DEBUG), world.informer:
        assert world.informer.synced.wait(WAIT)
        state = world.informer.debug_state()

    assert state["objects"] == 1
    assert state["reflector"]["resource_version"] == "10"
    assert state["queue"]["synced"]
    assert state["handlers"][0]["resync"] == 0.0


def test_what_no_informer_has_is_refused_when_it_is_made():
    with pytest.raises(TypeError, match=r"no option 'page_sise'; they have .*page_size"):
        World(page_sise=3)
