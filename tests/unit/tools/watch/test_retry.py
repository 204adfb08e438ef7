"""A watch that is opened again where it ended. Contract: MACH-57."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import WatchRecord
from k8srt.apimachinery.watch import EventType
from k8srt.testing import FakeClock
from k8srt.tools.watch import RetryWatcher
from k8srt.util.threads import Stop
from tests.unit.gentype.scripted import ScriptedClient, ended
from tests.unit.tools.cache.scripted import Source, Stream, added, api_error, bookmark, deleted, failure, modified, pod

GONE = failure(410, "Expired", "too old resource version")


@pytest.mark.parametrize("version", ["", "0"])
def test_mach_57_a_version_to_begin_after_is_needed(version):
    with pytest.raises(ValueError, match="needs the resource version"):
        RetryWatcher(ScriptedClient(), version)


def test_mach_57_it_goes_on_from_the_last_version_seen_and_keeps_bookmarks_to_itself():
    watches = [ended([added(pod("a", 11)), bookmark(20)]), ended(), ended([modified(pod("a", 21)), GONE])]
    client = ScriptedClient(watches=watches)

    events = list(RetryWatcher(client, "10", label_selector="app=web"))

    assert [event.type for event in events] == ["ADDED", "MODIFIED", "ERROR"]
    assert isinstance(events[0].object, Pod)
    assert client.watch_versions == ["10", "20", "20"]
    assert all(
        options["allow_watch_bookmarks"] and options["label_selector"] == "app=web" for options in client.watched
    )
    assert client.listed == []


def test_mach_57_watches_are_opened_a_second_apart_at_least():
    client = ScriptedClient(watches=[ended(), ended(), ended(GONE)])

    list(RetryWatcher(client, "10"))

    assert client.clock.waits == [1.0, 1.0]


def test_mach_57_the_server_may_ask_for_more():
    busy = api_error(429, "TooManyRequests")
    busy.status.details = type("Details", (), {"retry_after_seconds": 7, "causes": ()})()
    client = ScriptedClient(watches=[busy, ended(GONE)])

    list(RetryWatcher(client, "10"))

    assert client.clock.waits == [8.0]


@pytest.mark.parametrize(
    "last",
    [
        GONE,
        failure(401, "Unauthorized"),
        failure(403, "Forbidden"),
        added(pod("a", "")),
        WatchRecord("SURPRISE", pod("a", 11)),
    ],
    ids=["expired", "unauthorized", "forbidden", "no version", "unknown type"],
)
def test_mach_57_some_things_end_it_with_an_error_event(last):
    client = ScriptedClient(watches=[ended([added(pod("x", 11)), last])])
    watcher = RetryWatcher(client, "10")

    events = list(watcher)

    assert [event.type for event in events] == ["ADDED", EventType.ERROR]
    assert events[-1].object.code >= 400
    assert watcher.done
    assert len(client.watched) == 1


@pytest.mark.parametrize(("code", "reason"), [(410, "Expired"), (401, "Unauthorized"), (403, "Forbidden")])
def test_mach_57_so_do_some_answers_to_the_request(code, reason):
    (event,) = RetryWatcher(ScriptedClient(watches=[api_error(code, reason)]), "10")

    assert (event.type, event.object.code) == ("ERROR", code)


@pytest.mark.parametrize(
    "trouble",
    [
        errors.TransportError("cut"),
        errors.ConnectionRefused("nobody listens"),
        api_error(404, "NotFound"),
        api_error(500, "InternalError"),
        ended(failure(500, "InternalError")),
        ended(failure(504, "Timeout")),
        ended(failure(422, "Invalid")),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_mach_57_all_else_is_tried_again(trouble):
    client = ScriptedClient(watches=[trouble, ended([deleted(pod("a", 11)), GONE])])

    assert [event.type for event in RetryWatcher(client, "10")] == ["DELETED", "ERROR"]


def test_it_ends_at_once_when_closed(pool):
    client = ScriptedClient(clock=FakeClock())
    watcher = RetryWatcher(client, "10")
    reading = pool.submit(list, watcher)
    client.wait_for_watches(1)

    watcher.close()

    assert reading.result(timeout=5.0) == []
    assert repr(watcher) == "<RetryWatcher of Pod: done at version 10>"


def test_it_ends_at_once_when_stopped_in_a_pause(pool):
    stop, clock = Stop(), FakeClock()
    reading = pool.submit(list, RetryWatcher(ScriptedClient(watches=[ended()], clock=clock), "10", stop=stop))
    clock.wait_for_sleepers(1)

    stop.set()

    assert reading.result(timeout=5.0) == []


def test_it_reads_from_whatever_reflectors_read_from():
    source = Source(watches=[Stream([added(pod("a", 11)), GONE])])

    events = list(RetryWatcher(source, "10", cls=Pod, clock=FakeClock(), field_selector={"metadata.name": "a"}))

    assert [event.type for event in events] == ["ADDED", "ERROR"]
    assert source.watched[0].field_selector == "metadata.name=a"
    assert source.watch_versions == ["10"]
