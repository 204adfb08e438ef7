"""The reflector against a scripted collection, on a clock that is turned by hand."""

from __future__ import annotations

import logging
import random
import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ListMeta
from k8srt.apimachinery.record import RecordList, WatchRecord, decode_record
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.errors import ConnectionRefused, Expired, TransportError
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import ListOptions, ListWatch, Reflector, Store, new_namespace_keyed_indexer_and_reflector
from k8srt.tools.cache.listing import ListError
from k8srt.tools.cache.paging import page_size_for
from k8srt.tools.cache.reflector import DEFAULT_BACKOFF
from k8srt.util.threads import Stop
from tests.unit.tools.cache.scripted import (
    BUSY,
    EXPIRED,
    WAIT,
    Source,
    Stream,
    added,
    api_error,
    bookmark,
    deleted,
    failure,
    modified,
    pod,
    pods,
    running,
)

REFUSED = ConnectionRefused("nobody listens")


class NoJitter(random.Random):
    def random(self):
        return 0.0


@pytest.fixture
def clock():
    return FakeClock()


def reflector(source, store=None, clock=None, **options):
    options.setdefault("rng", NoJitter())
    return Reflector(
        source, Pod, store if store is not None else Store(kind=Pod), clock=clock or FakeClock(), **options
    )


def once(source, *, watches=1, store=None, clock=None, **options):
    """One `list_and_watch`, stopped when so many watches were opened and the last was read from."""
    made = reflector(source, store, clock, **options)
    with running(made.list_and_watch):
        source.wait(watches=watches)
    return made


# ---- construction ---------------------------------------------------------------------------------------------------


def test_refl_01_defaults():
    assert (DEFAULT_BACKOFF.initial, DEFAULT_BACKOFF.cap, DEFAULT_BACKOFF.factor) == (0.8, 30.0, 2.0)
    assert (DEFAULT_BACKOFF.jitter, DEFAULT_BACKOFF.steps) == (1.0, 38)


@pytest.mark.parametrize(("given", "least", "most"), [(0, 300, 600), (300, 300, 600), (10, 300, 600), (400, 400, 800)])
def test_refl_02_and_05_watch_timeouts(given, least, most):
    source = Source(watches=[Stream(added(pod("a", 2)), end=True) for _ in range(30)])
    once(source, watches=31, min_watch_timeout=given, rng=random.Random(3))

    timeouts = [options.timeout_seconds for options in source.watched]
    assert all(isinstance(each, int) and least <= each < most for each in timeouts)
    assert len(set(timeouts)) > 10


def test_refl_03_names():
    assert "test_reflector.py:" in reflector(Source()).name
    assert reflector(Source()).type_description == "Pod"
    assert Reflector(Source(), None, Store()).type_description == "<unspecified>"
    example = Unstructured({"apiVersion": "apps/v1", "kind": "Deployment"})
    assert Reflector(Source(), example, Store()).type_description == "apps/v1, Kind=Deployment"
    assert Reflector(Source(), Unstructured(), Store()).type_description == "Unstructured"


# ---- the outer loop -------------------------------------------------------------------------------------------------


def test_refl_06_and_07_delays_without_jitter(clock):
    source = Source(lists=[api_error(500, "InternalError")] * 9)
    delays = []
    with running(reflector(source, clock=clock, error_handler=lambda r, err: None).run):
        for count in range(1, 9):
            source.wait(lists=count)
            clock.wait_for_sleepers(1)
            delays.append(round(clock.advance_to_next(), 3))

    assert delays == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]


def test_refl_07_the_sequence_starts_again_after_two_minutes(clock):
    source = Source(lists=[api_error(500, "InternalError")] * 4)
    with running(reflector(source, clock=clock, error_handler=lambda r, err: None).run):
        for count, expected in [(1, 0.8), (2, 1.6)]:
            source.wait(lists=count)
            clock.wait_for_sleepers(1)
            assert clock.advance_to_next() == pytest.approx(expected)
        source.wait(lists=3)
        clock.wait_for_sleepers(1)
        clock.advance(121.0)
        source.wait(lists=4)
        clock.wait_for_sleepers(1)
        assert clock.advance_to_next() == pytest.approx(0.8)


def test_refl_08_all_sleeps_draw_from_one_sequence(clock):
    source = Source(
        lists=[api_error(500, "InternalError"), pods(rv=10)], watches=[REFUSED, Stream(failure(429, "TooManyRequests"))]
    )
    delays = []
    with running(reflector(source, clock=clock, error_handler=lambda r, err: None).run):
        for lists, watches in [(1, 0), (2, 1), (2, 2)]:
            source.wait(lists=lists, watches=watches)
            clock.wait_for_sleepers(1)
            delays.append(round(clock.advance_to_next(), 3))
        source.wait(watches=3)

    assert delays == [0.8, 1.6, 3.2]


def test_refl_09_a_stop_while_a_list_hangs_ends_at_once():
    release = threading.Event()
    source = Source(lists=[lambda options, stop: release.wait(30) and pods()])
    with running(reflector(source).run) as stop:
        source.wait(lists=1)
        stop.set()
    release.set()


def test_refl_09_a_stop_during_a_backoff_is_prompt(clock):
    source = Source(lists=[api_error(500, "InternalError")])
    with running(reflector(source, clock=clock, error_handler=lambda r, err: None).run):
        clock.wait_for_sleepers(1)


@pytest.mark.parametrize("instant", ["list", "first read", "later read", "busy", "streaming", "retry", "resync"])
def test_refl_09_a_stop_at_any_instant_ends_the_run(clock, instant):
    """Time stands still: whatever sleeps or reads is ended by the stop alone."""
    reached, release = threading.Event(), threading.Event()

    def hang(options, stop):
        reached.set()
        release.wait(WAIT)
        return pods()

    later, options = Stream(added(pod("a", 11))), {}
    later.do(reached.set)
    first = Stream()
    first.do(reached.set)
    source = {
        "list": lambda: Source(lists=[hang]),
        "first read": lambda: Source(watches=[first]),
        "later read": lambda: Source(watches=[later]),
        "busy": lambda: Source(watches=[BUSY]),
        "streaming": lambda: Source(watches=[later], streams=True),
        "retry": lambda: Source(watches=[BUSY], streams=True),
        "resync": lambda: Source(watches=[first]),
    }[instant]()
    if instant == "resync":
        options["resync_period"] = 60.0
    with running(reflector(source, clock=clock, error_handler=lambda r, err: None, **options).run):
        if instant in ("busy", "retry"):
            clock.wait_for_sleepers(1)
        else:
            assert reached.wait(WAIT)
    release.set()

    assert all(stream.closed == 1 for stream in source.opened)


def test_it_can_tell_what_it_is_up_to(clock):
    source = Source(lists=[pods(pod("a", 1), rv=10), pods(rv=20)], watches=[Stream(end=True), Stream()])
    made = reflector(source, clock=clock, name="pods")
    assert repr(made) == "<Reflector pods of Pod: idle>"
    state = made.debug_state()
    assert (state["seconds_since_list"], state["seconds_since_watch"], state["restarts"]) == (None, None, 0)
    with running(made.run):
        clock.wait_for_sleepers(1)  # a very short watch
        clock.advance_to_next()
        source.wait(watches=2)
        clock.advance(5.0)
        state = made.debug_state()
        assert repr(made) == "<Reflector pods of Pod: watching at version 20>"

    assert (state["seconds_since_list"], state["seconds_since_watch"], state["restarts"]) == (5.0, 5.0, 1)
    assert (state["lists"], state["watches"], state["failures"]) == (2, 2, 0)
    assert (state["phase"], state["resource_version"]) == ("watching", "20")
    assert repr(made) == "<Reflector pods of Pod: stopped at version 20>"


def test_refl_10_a_stop_before_the_start_asks_for_nothing():
    source = Source()
    stop = Stop()
    stop.set()

    reflector(source).run(stop)
    reflector(source).list_and_watch(stop)

    assert source.listed == source.watched == []


def test_refl_10_every_watch_is_closed_exactly_once():
    streams = [Stream(added(pod("a", 2)), end=True), Stream(added(pod("a", 3)))]
    once(Source(watches=streams), watches=2)

    assert [stream.closed for stream in streams] == [1, 1]


# ---- versions -------------------------------------------------------------------------------------------------------


def test_refl_11_first_list_uses_rv_zero():
    source = Source(lists=[pods(pod("a", 5), rv=10)])
    made = once(source)

    assert source.list_versions == ["0"]
    assert source.watch_versions == ["10"]
    assert made.last_sync_resource_version() == "10"


def test_refl_11_and_15_a_relist_asks_for_the_last_version(clock):
    source = Source(
        lists=[pods(rv=10), pods(rv=20)], watches=[Stream(modified(pod("a", 15)), failure(410, "Expired")), Stream()]
    )
    with running(reflector(source, clock=clock).run):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        source.wait(watches=2)

    assert source.list_versions == ["0", "15"]
    assert source.watch_versions == ["10", "20"]


def test_refl_13_and_20_an_expired_list_is_retried_at_once_without_a_version(clock):
    source = Source(
        lists=[pods(rv=10), EXPIRED, pods(rv=30), pods(rv=40)],
        watches=[Stream(failure(410, "Expired")), Stream(failure(410, "Gone")), Stream()],
    )
    with running(reflector(source, clock=clock).run):
        for _ in range(2):
            clock.wait_for_sleepers(1)
            clock.advance_to_next()
            source.wait(watches=2)
        source.wait(watches=3)

    assert source.list_versions == ["0", "10", "", "30"]


def test_refl_14_no_version_before_the_first_list():
    assert reflector(Source()).last_sync_resource_version() == ""


# ---- listing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "configured", "paginated", "size"),
    [("0", 0, False, 500), ("", 0, False, 500), ("10", 0, False, 0), ("10", 0, True, 500), ("10", 7, False, 7)],
)
def test_refl_17_page_size(version, configured, paginated, size):
    assert page_size_for(version, configured=configured, paginated_before=paginated) == size


def test_refl_17_the_very_first_list():
    source = Source()
    once(source)

    assert (source.listed[0].resource_version, source.listed[0].limit) == ("0", 500)


def test_refl_18_and_19_pages(clock):
    source = Source(
        lists=[pods(pod("a"), rv=10, more="t1"), pods(pod("b"), rv=10, more="t2"), pods(pod("c"), rv=10), pods(rv=11)],
        watches=[Stream(failure(410, "Expired"))],
    )
    store = Store(kind=Pod)
    with running(reflector(source, store, clock).run):
        clock.wait_for_sleepers(1)
        assert len(store) == 3
        clock.advance_to_next()
        source.wait(watches=2)

    asked = [(each.resource_version, each.continue_, each.limit) for each in source.listed]
    assert asked == [("0", "", 500), ("", "t1", 500), ("", "t2", 500), ("10", "", 500)]


def test_refl_18_and_20_an_expired_token_restarts_the_whole_list():
    source = Source(lists=[pods(pod("a"), rv=10, more="t1"), EXPIRED, pods(pod("a"), pod("b"), rv=12)])
    store = Store(kind=Pod)
    once(source, store=store, page_size=1)

    asked = [(each.resource_version, each.continue_, each.limit) for each in source.listed]
    assert asked == [("0", "", 1), ("", "t1", 1), ("0", "", 0)]
    assert len(store) == 2


def test_refl_21_a_list_error_says_what_was_listed_and_why():
    with pytest.raises(ListError, match="failed to list Pod: forbidden!") as caught:
        reflector(Source(lists=[api_error(403, "Forbidden", "forbidden!")])).list_and_watch(Stop())

    assert caught.value.__cause__.reason == "Forbidden"


def test_refl_16_an_error_of_the_list_function_comes_through():
    with pytest.raises(ListError) as caught:
        reflector(Source(lists=[ZeroDivisionError("oops")])).list_and_watch(Stop())

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_refl_22_a_replace_that_fails_leaves_the_version():
    class Fails(Store):
        def replace(self, *args, **options):
            raise RuntimeError("full")

    made = reflector(Source(), Fails(kind=Pod))
    with pytest.raises(ListError, match="unable to sync list result: full"):
        made.list_and_watch(Stop())

    assert made.last_sync_resource_version() == ""


def test_refl_23_a_table_is_refused():
    table = RecordList("meta.k8s.io/v1", "Table", ListMeta(resource_version="1"), [])
    made = Reflector(Source(lists=[table]), Unstructured, Store())
    with pytest.raises(ListError, match="Table"):
        made.list_and_watch(Stop())


def test_refl_24_items_are_kept_as_they_came():
    bare = decode_record(b'{"metadata":{"name":"a","namespace":"default"},"spec":{}}')
    store = Store(kind=Pod)
    once(Source(lists=[pods(bare, rv=10)]), store=store)

    assert store.peek("default/a") is bare
    assert store.get_by_key("default/a").kind == "Pod"


def test_an_item_without_a_name_is_left_out_with_a_log_line(caplog):
    store = Store(kind=Pod)
    once(Source(lists=[pods(pod("a"), pod(""), rv=10)]), store=store)

    assert store.list_keys() == ["default/a"]
    assert [record.getMessage() for record in caplog.records if "no name" in record.getMessage()]


# ---- watching -------------------------------------------------------------------------------------------------------


def test_refl_34_watch_options():
    source = Source()
    once(source)

    options = source.watched[0]
    assert options.allow_watch_bookmarks
    assert options.send_initial_events is None
    assert options.resource_version_match == ""


@pytest.mark.parametrize("err", [REFUSED, BUSY])
def test_refl_35_a_server_that_is_busy_or_down_is_no_reason_to_list(clock, err):
    source = Source(lists=[pods(rv=10)], watches=[err, err])
    reported = []
    with running(reflector(source, clock=clock, error_handler=lambda r, e: reported.append(e)).run):
        for expected in (0.8, 1.6):
            clock.wait_for_sleepers(1)
            assert clock.advance_to_next() == pytest.approx(expected)
        source.wait(watches=3)

    assert source.list_versions == ["0"]
    assert reported == []


def test_refl_35_other_open_errors_go_to_the_handler(clock):
    source = Source(watches=[api_error(403, "Forbidden")])
    reported = []
    with running(reflector(source, clock=clock, error_handler=lambda r, e: reported.append(e.reason)).run):
        clock.wait_for_sleepers(1)

    assert reported == ["Forbidden"]


def test_refl_36_a_normal_end_reopens_the_watch_at_once():
    source = Source(lists=[pods(rv=10)], watches=[Stream(added(pod("a", 11)), end=True)])
    once(source, watches=2)

    assert source.list_versions == ["0"]
    assert source.watch_versions == ["10", "11"]


def test_refl_36_a_lost_connection_is_a_normal_end():
    first = Stream(added(pod("a", 11)))
    first.do(TransportError("connection reset"))
    source = Source(lists=[pods(rv=10)], watches=[first])
    once(source, watches=2)

    assert source.watch_versions == ["10", "11"]


def test_refl_36_and_50_a_very_short_watch_lists_again_after_a_backoff(clock):
    source = Source(watches=[Stream(end=True)])
    reported = []
    with running(reflector(source, clock=clock, error_handler=lambda r, e: reported.append(e)).run):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        source.wait(watches=2)

    assert len(source.listed) == 2
    assert reported == []


def test_usr_06_a_server_that_closes_every_watch_is_not_stormed(clock):
    source = Source(watches=[Stream(end=True) for _ in range(100)])
    started = clock.now()
    with running(reflector(source, clock=clock).run):
        while clock.now() - started < 30.0:
            clock.wait_for_sleepers(1)
            clock.advance_to_next()

    assert len(source.watched) <= 12


def test_usr_04_versions_of_items_do_not_count():
    source = Source(lists=[pods(pod("a", 99), pod("b", 3), rv=10)])
    once(source)

    assert source.watch_versions == ["10"]


def test_refl_36_a_quiet_watch_that_lasted_is_no_short_one(clock):
    quiet = Stream()
    quiet.do(lambda: clock.advance(1.0))
    quiet.end()
    source = Source(lists=[pods(rv=10)], watches=[quiet])
    once(source, watches=2, clock=clock)

    assert len(source.listed) == 1


def test_refl_36_a_429_within_the_stream_reopens_after_a_backoff(clock):
    source = Source(lists=[pods(rv=10)], watches=[Stream(failure(429, "TooManyRequests"))])
    with running(reflector(source, clock=clock).run):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        source.wait(watches=2)

    assert len(source.listed) == 1


def test_refl_36_internal_errors_are_borne_for_a_while(clock):
    def broken():
        stream = Stream()
        stream.do(lambda: clock.advance(6.0))
        stream.send(failure(500, "InternalError"))
        return stream

    source = Source(lists=[pods(rv=10)], watches=[broken(), broken(), broken()])
    with running(reflector(source, clock=clock, max_internal_error_retry=10.0).run):
        source.wait(watches=3)
        clock.wait_for_sleepers(1)  # 12 s after the first: enough

    assert len(source.listed) == 1


@pytest.mark.parametrize("event", [failure(500, "InternalError"), failure(400, "BadRequest", "odd")])
def test_refl_36_other_failures_list_again_quietly(clock, event):
    source = Source(watches=[Stream(event)])
    reported = []
    with running(reflector(source, clock=clock, error_handler=lambda r, e: reported.append(e)).run):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        source.wait(lists=2)

    assert reported == []


def test_refl_44_and_45_an_error_event_ends_the_stream_and_closes_it(clock, caplog):
    stream = Stream([failure(400, "BadRequest", "odd request"), added(pod("never", 12))])
    store = Store(kind=Pod)
    with running(reflector(Source(watches=[stream]), store, clock).run):
        clock.wait_for_sleepers(1)
        assert stream.closed == 1

    assert store.list_keys() == []
    assert "odd request" in caplog.text


def test_refl_45_a_watch_is_closed_when_the_intake_fails(clock):
    class Fails(Store):
        def bookmark(self, version):
            raise RuntimeError("cannot")

    stream = Stream(bookmark(11))
    with running(reflector(Source(watches=[stream]), Fails(kind=Pod), clock, error_handler=lambda r, e: None).run):
        clock.wait_for_sleepers(1)

    assert stream.closed == 1


def test_refl_37_a_410_of_a_watch_does_not_make_the_version_unavailable(clock):
    source = Source(lists=[pods(rv=10)], watches=[Stream(failure(410, "Expired"))])
    with running(reflector(source, clock=clock).run):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        source.wait(lists=2)

    assert source.list_versions == ["0", "10"]


@pytest.mark.parametrize("reason", ["Expired", "Gone"])
def test_refl_38_expired_and_gone_are_the_same(reason):
    source = Source(lists=[api_error(410, reason), pods(rv=3)])
    once(source)

    assert source.list_versions == ["0", ""]


def test_refl_39_a_version_that_is_too_large():
    err = api_error(504, "Timeout", "Too large resource version: 99, current: 3")
    source = Source(lists=[err, pods(rv=3)])
    once(source)

    assert source.list_versions == ["0", ""]


def test_refl_40_events_change_the_store():
    store = Store(kind=Pod)
    stream = Stream(
        [added(pod("a", 11)), added(pod("b", 12)), modified(pod("a", 13)), deleted(pod("b", 14)), bookmark(99)],
        end=True,
    )
    source = Source(lists=[pods(rv=10)], watches=[stream])
    made = once(source, watches=2, store=store)

    assert {key: store.get_by_key(key).metadata.resource_version for key in store.list_keys()} == {"default/a": "13"}
    assert made.last_sync_resource_version() == "99"
    assert store.last_store_sync_resource_version() == "99"


def test_refl_40_a_store_that_fails_is_logged_and_the_loop_goes_on(caplog):
    class Picky:
        def __init__(self):
            self.added = []

        def add(self, obj):
            if obj.metadata.name == "bad":
                raise RuntimeError("I won't")
            self.added.append(obj.metadata.name)

        update = delete = add

        def replace(self, items, version): ...

    store = Picky()
    stream = Stream([added(pod("bad", 11)), added(pod("good", 12))], end=True)
    made = once(Source(watches=[stream]), watches=2, store=store)

    assert store.added == ["good"]
    assert made.last_sync_resource_version() == "12"
    assert "I won't" in caplog.text


def test_refl_41_objects_of_the_wrong_kind_are_left_out(caplog):
    deployment = decode_record(b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"}}')
    no_meta = decode_record(b'{"apiVersion":"v1","kind":"Pod"}')
    stream = Stream([added(deployment), added(no_meta), added(pod("", 13)), added(pod("a", 11))], end=True)
    store = Store(kind=Pod)
    made = once(Source(watches=[stream]), watches=2, store=store)

    assert store.list_keys() == ["default/a"]
    assert made.last_sync_resource_version() == "11"
    for text in ("expected v1, Kind=Pod, but got apps/v1, Kind=Deployment", "no meta", "no name"):
        assert text in caplog.text


def test_refl_41_dynamic_reflectors_check_the_kind_they_were_given(caplog):
    source = Source(watches=[Stream(added(pod("a", 11)), end=True)])
    store = Store(kind=Unstructured)
    made = Reflector(source, GroupVersionKind("apps", "v1", "Deployment"), store, clock=FakeClock())
    with running(made.list_and_watch) as stop:
        source.wait(watches=1)
        while not source.opened[0].closed:
            stop.wait(0.01)

    assert store.list_keys() == []
    assert "expected apps/v1, Kind=Deployment, but got v1, Kind=Pod" in caplog.text


def test_refl_42_versions_are_taken_as_they_come():
    class Versions(Store):
        def __init__(self):
            super().__init__(kind=Pod)
            self.versions = []

        def update_resource_version(self, version):
            self.versions.append(version)

    store = Versions()
    odd = WatchRecord("SPECIAL", pod("a", 32))
    stream = Stream([modified(pod("a", 55)), modified(pod("a", 40)), odd], end=True)
    made = once(Source(lists=[pods(rv=10)], watches=[stream]), watches=2, store=store)

    assert made.last_sync_resource_version() == "32"
    assert store.versions == ["55", "40", "32"]


def test_refl_43_unordered_additions_do_not_move_the_version():
    source = Source(lists=[pods(rv="")], watches=[Stream([added(pod("a", 9)), added(pod("b", 3))], end=True)])
    once(source, watches=2)
    assert source.watch_versions == ["", ""]

    source = Source(lists=[pods(rv="")], watches=[Stream([added(pod("a", 9)), modified(pod("b", 11))], end=True)])
    once(source, watches=2)
    assert source.watch_versions == ["", "11"]


# ---- resync ---------------------------------------------------------------------------------------------------------


class Resynced(Store):
    def __init__(self, fails=False):
        super().__init__(kind=Pod)
        self.count = 0
        self.fails = fails
        self.happened = threading.Semaphore(0)

    def resync(self):
        self.count += 1
        self.happened.release()
        if self.fails:
            raise RuntimeError("no resync")


def test_refl_46_resync_ticks_while_watching(clock):
    store = Resynced()
    due = iter([True, False, True])
    source = Source()
    with running(reflector(source, store, clock, resync_period=5.0, should_resync=lambda: next(due)).run):
        source.wait(watches=1)
        for _ in range(3):
            clock.wait_for_sleepers(1)
            clock.advance(5.0)
        assert store.happened.acquire(timeout=10)
        assert store.happened.acquire(timeout=10)

    assert store.count == 2


def test_refl_47_a_resync_that_fails_lists_again(clock):
    source = Source()
    with running(reflector(source, Resynced(fails=True), clock, resync_period=5.0).run):
        source.wait(watches=1)
        clock.wait_for_sleepers(1)
        clock.advance(5.0)  # resync, which fails
        clock.wait_for_sleepers(1)
        clock.advance_to_next()  # backoff
        source.wait(lists=2)


def test_refl_48_the_resync_thread_has_ended_when_list_and_watch_returns(clock):
    once(Source(), clock=clock, resync_period=5.0)

    assert not [thread for thread in threading.enumerate() if "resync" in thread.name]


# ---- errors ---------------------------------------------------------------------------------------------------------


def test_refl_49_default_handling(caplog, clock):
    source = Source(lists=[REFUSED, REFUSED, pods(rv=1)])
    with caplog.at_level(logging.DEBUG, "k8srt.tools.cache"), running(reflector(source, clock=clock).run):
        for _ in range(2):
            clock.wait_for_sleepers(1)
            clock.advance_to_next()
        source.wait(watches=1)

    levels = [record.levelname for record in caplog.records if "nobody listens" in record.getMessage()]
    assert levels == ["ERROR", "DEBUG"]
    assert [record for record in caplog.records if "works again after 2.4s" in record.getMessage()]


def test_refl_49_expiry_is_quiet(caplog, clock):
    source = Source(lists=[EXPIRED, Expired(EXPIRED.status)])
    with caplog.at_level(logging.INFO, "k8srt.tools.cache"), running(reflector(source, clock=clock).run):
        clock.wait_for_sleepers(1)

    assert not caplog.records


def test_an_error_handler_that_raises_does_not_end_the_reflector(clock):
    source = Source(lists=[REFUSED])

    def broken(reflector, err):
        raise RuntimeError("handler")

    with running(reflector(source, clock=clock, error_handler=broken).run):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
        source.wait(lists=2)


# ---- parts that can be used alone -----------------------------------------------------------------------------------


def test_refl_52_an_indexer_and_its_reflector():
    source = Source(lists=[pods(pod("a"), rv=3)])
    indexer, made = new_namespace_keyed_indexer_and_reflector(source, Pod)
    with running(made.run):
        source.wait(watches=1)
        assert indexer.index_keys("namespace", "default") == ["default/a"]


def test_refl_53_list_watch_takes_objects_and_functions_with_or_without_stop():
    watch = ListWatch(
        lambda options: {"metadata": {"resourceVersion": "4"}, "items": [pod("a").parts and Pod.from_record(pod("a"))]},
        lambda options, stop: iter([("ADDED", Pod.from_record(pod("b", 5)))]),
        watch_list=False,
    )

    listed = watch.list(ListOptions(), Stop())
    stream = watch.watch(ListOptions(), Stop())

    assert (listed.metadata.resource_version, listed.records[0].key) == ("4", "default/a")
    assert [event.record.key for event in stream.read_batch()] == ["default/b"]
    assert stream.read_batch() == []


def test_a_reflector_fills_any_store_of_objects():
    things = {}

    class Mine:
        def add(self, obj):
            things[obj.metadata.name] = obj

        update = add

        def delete(self, obj):
            things.pop(obj.metadata.name, None)

        def replace(self, items, version):
            things.clear()
            for obj in items:
                self.add(obj)

    source = Source(lists=[pods(pod("a"))], watches=[Stream([added(pod("b")), deleted(pod("a"))], end=True)])
    once(source, watches=2, store=Mine())

    assert [type(obj) for obj in things.values()] == [Pod]
    assert list(things) == ["b"]
