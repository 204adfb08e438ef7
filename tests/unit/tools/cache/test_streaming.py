"""The initial list as a stream."""

from __future__ import annotations

import logging

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.errors import ConnectionRefused, TransportError
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import DeltaFIFO, Reflector, Store
from tests.unit.tools.cache.scripted import (
    BUSY,
    EXPIRED,
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


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    return Store(kind=Pod)


def complete(*events, rv=20):
    return Stream([*events, bookmark(rv, "true")])


def reflector(source, store, clock, **options):
    return Reflector(source, Pod, store, clock=clock, **options)


def test_refl_04_only_where_the_source_can_do_it(store, clock):
    source = Source(streams=False)
    with running(reflector(source, store, clock).run):
        source.wait(lists=1, watches=1)

    class Silent(Source):
        is_watch_list_semantics_unsupported = None

    silent = Silent(watches=[complete()])
    with running(reflector(silent, store, clock).run):
        silent.wait(watches=1)
        assert silent.watched[0].send_initial_events


def test_refl_12_and_25_the_request(store, clock):
    source = Source(watches=[complete()], streams=True)
    with running(reflector(source, store, clock).run):
        source.wait(watches=1)

    options = source.watched[0]
    assert options.resource_version == ""
    assert (options.send_initial_events, options.allow_watch_bookmarks) == (True, True)
    assert options.resource_version_match == "NotOlderThan"
    assert 300 <= options.timeout_seconds < 600


def test_refl_26_and_27_collected_aside_until_the_bookmark(store, clock):
    store.add(pod("before", 1))
    stream = Stream(
        [added(pod("a", 1)), added(pod("b", 2)), modified(pod("a", 3)), deleted(pod("b", 4))],
        bookmark(7),
        bookmark(8, "false"),
    )
    seen = []
    stream.do(lambda: seen.append(store.list_keys()))
    stream.send([bookmark(20, "true"), added(pod("c", 21))])
    stream.do(lambda: seen.append(sorted(store.list_keys())))
    stream.send(modified(pod("c", 22)))
    source = Source(watches=[stream], streams=True)
    made = reflector(source, store, clock)
    with running(made.run):
        stream.do(lambda: seen.append(made.last_sync_resource_version()))
        stream.end()
        source.wait(watches=2)

    assert seen == [["default/before"], ["default/a", "default/c"], "22"]
    assert source.listed == []
    assert source.watch_versions == ["", "22"]
    assert stream.closed == 1


def test_refl_28_an_end_without_the_bookmark_starts_afresh(store, clock):
    source = Source(watches=[Stream(added(pod("a", 1)), end=True), complete(added(pod("b", 2)))], streams=True)
    with running(reflector(source, store, clock).run):
        source.wait(watches=2)
        stream = source.opened[1] if len(source.opened) > 1 else None
    assert stream is None or stream.reads
    assert store.list_keys() in ([], ["default/b"])
    assert source.watch_versions[:2] == ["", ""]


@pytest.mark.parametrize("trouble", [ConnectionRefused("down"), BUSY, Stream(failure(429, "TooManyRequests"))])
def test_refl_29_retriable_trouble_waits_and_tries_the_stream_again(store, clock, trouble):
    source = Source(watches=[trouble, complete()], streams=True)
    with running(reflector(source, store, clock).run):
        clock.wait_for_sleepers(1)
        while len(source.watched) < 2:
            clock.advance_to_next()
        source.wait(watches=2)

    assert source.listed == []
    assert source.watched[1].send_initial_events


@pytest.mark.parametrize("trouble", [EXPIRED, Stream(failure(410, "Expired"))])
def test_refl_13_and_29_an_expired_version_is_dropped(store, clock, trouble):
    first = complete(rv=20)
    first.send(failure(410, "Expired"))
    source = Source(watches=[first, trouble, complete(rv=30)], streams=True)
    made = reflector(source, store, clock)
    with running(made.run):
        clock.wait_for_sleepers(1)
        while len(source.watched) < 3:
            clock.advance_to_next()
        source.wait(watches=3)

    assert source.watch_versions[:3] == ["", "20", ""]
    assert source.listed == []


@pytest.mark.parametrize("trouble", [api_error(422, "Invalid"), TransportError("odd"), Stream(end=True)])
def test_refl_30_anything_else_falls_back_to_a_plain_list(store, clock, trouble):
    source = Source(lists=[pods(pod("a"), rv=5)], watches=[trouble], streams=True)
    with running(reflector(source, store, clock).run):
        source.wait(lists=1, watches=2)

    assert source.list_versions == ["0"]
    assert store.list_keys() == ["default/a"]
    assert source.watch_versions == ["", "5"]
    assert source.watched[1].send_initial_events is None


def test_refl_31_a_stop_while_streaming_leaves_the_store_alone(store, clock):
    stream = Stream(added(pod("a", 1)))
    source = Source(watches=[stream], streams=True)
    with running(reflector(source, store, clock).run):
        source.wait(watches=1)

    assert store.list_keys() == []
    assert source.listed == []
    assert stream.closed == 1


def test_refl_32_a_warning_when_nothing_comes(store, clock, caplog):
    source = Source(watches=[Stream()], streams=True)
    with caplog.at_level(logging.WARNING), running(reflector(source, store, clock).run):
        clock.wait_for_sleepers(1)
        clock.advance(10.0)
        clock.wait_for_sleepers(1)

    assert "awaiting required bookmark event" in caplog.text


def test_refl_32_a_warning_when_nothing_more_comes(store, clock, caplog):
    stream = Stream(added(pod("a", 1)))
    source = Source(watches=[stream], streams=True)
    with caplog.at_level(logging.WARNING), running(reflector(source, store, clock).run):
        clock.wait_for_sleepers(1)
        while stream.reads < 2:
            pass
        clock.advance(10.0)
        clock.wait_for_sleepers(1)

    assert "hasn't received required bookmark event" in caplog.text


def test_a_transform_runs_once_on_what_was_streamed(clock):
    seen = []

    def transform(obj):
        seen.append(obj.metadata.name)
        obj.metadata.labels = {"transformed": "yes"}
        return obj

    queue = DeltaFIFO(kind=Pod, transformer=transform)
    source = Source(watches=[complete(added(pod("a", 1)))], streams=True)
    with running(reflector(source, queue, clock).run):
        deltas = queue.pop(lambda deltas, initial: None)

    assert seen == ["a"]
    assert deltas[0].object.metadata.labels == {"transformed": "yes"}
