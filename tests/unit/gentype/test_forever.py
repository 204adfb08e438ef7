"""`watch(forever=True)`: what is told when, and what is asked of the server for it."""

from __future__ import annotations

import gc
import random
import threading
import weakref
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import WatchRecord
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.gentype.forever import ForeverWatch, watch_forever
from k8srt.rest.watch import End
from k8srt.testing import FakeClock
from k8srt.util.threads import Stop
from tests.unit.gentype.scripted import ScriptedClient, ended
from tests.unit.tools.cache.scripted import (
    BUSY,
    EXPIRED,
    Stream,
    added,
    api_error,
    bookmark,
    deleted,
    failure,
    modified,
    pod,
    pods,
)

GONE = failure(410, "Expired", "too old resource version")


def told(events: ForeverWatch[Any], count: int) -> list[str]:
    """The next events, as `ADDED a@1`."""
    found = []
    for _ in range(count):
        event = next(events)
        found.append(f"{event.type} {event.object.metadata.name}@{event.object.metadata.resource_version}")
    return found


def test_what_there_is_comes_first_and_then_what_changes():
    client = ScriptedClient(
        [pods(pod("a", 1), pod("b", 2), rv=10)], [Stream([modified(pod("a", 11)), added(pod("c", 12))])]
    )

    with watch_forever(client, label_selector="app=web") as events:
        assert told(events, 4) == ["ADDED a@1", "ADDED b@2", "MODIFIED a@11", "ADDED c@12"]
        assert isinstance(next(iter([events])), ForeverWatch)

    assert client.listed[0]["label_selector"] == client.watched[0]["label_selector"] == "app=web"
    assert client.list_versions == [""]
    assert client.watch_versions == ["10"]
    assert client.watched[0]["allow_watch_bookmarks"]
    assert 300 <= client.watched[0]["timeout_seconds"] < 600


def test_usr_04_a_watch_that_ends_goes_on_from_the_last_version_seen():
    watches = [
        ended(modified(pod("a", 11))),
        ended(bookmark(20)),
        ended([modified(pod("a", 55)), modified(pod("b", 32))]),
        Stream(deleted(pod("a", 60))),
    ]
    client = ScriptedClient([pods(pod("a", 999), pod("b", 2), rv=10)], watches)

    with watch_forever(client, send_initial_events=False) as events:
        assert told(events, 4) == ["MODIFIED a@11", "MODIFIED a@55", "MODIFIED b@32", "DELETED a@60"]

    assert client.watch_versions == ["10", "11", "20", "32"]
    assert len(client.listed) == 1


def test_usr_03_one_410_is_one_list_which_tells_the_difference():
    first = pods(pod("gone", 1), pod("same", 2), pod("old", 3), rv=10)
    second = pods(pod("same", 2), pod("old", 30), pod("new", 31), rv=40)
    client = ScriptedClient([first, second], [ended(bookmark(11), GONE), Stream(modified(pod("new", 41)))])

    with watch_forever(client, send_initial_events=False) as events:
        assert told(events, 4) == ["DELETED gone@1", "MODIFIED old@30", "ADDED new@31", "MODIFIED new@41"]

    assert client.list_versions == ["", "11"]
    assert client.watch_versions == ["10", "40"]
    assert client.clock.waits == []


def test_usr_03_a_410_in_answer_to_the_request_does_the_same():
    client = ScriptedClient([pods(pod("a", 1), rv=10), pods(rv=20)], [ended(bookmark(11)), EXPIRED])

    with watch_forever(client, send_initial_events=False) as events:
        assert told(events, 1) == ["DELETED a@1"]

    assert client.watch_versions == ["10", "11"]


def test_refl_13_a_list_refused_for_its_version_is_made_without_one():
    client = ScriptedClient([pods(rv=10), EXPIRED, pods(pod("a", 5), rv=20)], [ended(bookmark(11), GONE)])

    with watch_forever(client) as events:
        assert told(events, 1) == ["ADDED a@5"]

    assert client.list_versions == ["", "11", ""]


def test_refl_39_a_version_from_the_future_is_given_up():
    too_large = api_error(504, "Timeout", "Too large resource version: 11, current: 5")
    client = ScriptedClient([pods(rv=10), too_large, pods(pod("a", 5), rv=20)], [ended(bookmark(11), GONE)])

    with watch_forever(client) as events:
        assert told(events, 1) == ["ADDED a@5"]


def test_an_object_that_was_replaced_unseen_is_deleted_and_added():
    lists = [pods(pod("a", 1, uid="x"), rv=10), pods(pod("a", 9, uid="y"), rv=20)]
    client = ScriptedClient(lists, [ended(GONE)])

    with watch_forever(client, send_initial_events=False) as events:
        assert told(events, 2) == ["DELETED a@1", "ADDED a@9"]


def test_what_was_told_is_not_told_again():
    batch = [added(pod("a", 1)), modified(pod("a", 1)), deleted(pod("never", 3)), added(pod("a", 12))]
    client = ScriptedClient([pods(pod("a", 1), rv=10)], [Stream(batch)])

    with watch_forever(client) as events:
        assert told(events, 2) == ["ADDED a@1", "MODIFIED a@12"]


def test_a_version_given_is_where_it_begins():
    batch = [modified(pod("a", 6)), deleted(pod("b", 7))]
    relist = pods(pod("a", 6), pod("quiet", 3), pod("new", 9), rv=10)
    client = ScriptedClient([relist], [ended(batch), ended(GONE)])

    with watch_forever(client, resource_version="5") as events:
        assert told(events, 3) == ["MODIFIED a@6", "DELETED b@7", "ADDED new@9"]

    assert client.watch_versions[0] == "5"
    assert client.list_versions == ["7"]


@pytest.mark.parametrize("options", [{"resource_version": "0"}, {"resource_version": "7", "send_initial_events": True}])
def test_a_version_may_be_that_of_the_first_list(options):
    client = ScriptedClient([pods(pod("a", 1), rv=10)])

    with watch_forever(client, **options) as events:
        assert told(events, 1) == ["ADDED a@1"]

    assert client.list_versions == [options["resource_version"]]


def test_bookmarks_are_told_to_those_who_ask():
    client = ScriptedClient([pods(rv=10)], [Stream(bookmark(20))])

    with watch_forever(client, allow_watch_bookmarks=True) as events:
        assert next(events).type == "BOOKMARK"
        assert events.resource_version == "20"


def test_items_of_unstructured_lists_know_their_kind():
    record = pod("a", 1)
    bare = record.__class__(
        {key: value for key, value in record.parts.items() if key == "metadata"}, "default", "a", "uid-a", "1"
    )
    client = ScriptedClient([pods(bare, rv=10)], cls=Unstructured)

    with watch_forever(client) as events:
        found = next(events).object

    assert (found.kind, found.api_version) == ("Pod", "v1")


# ---- failures -----------------------------------------------------------------------------------------------------


def test_usr_06_a_server_that_closes_every_watch_at_once_is_asked_ever_less_often():
    watches = [lambda: Stream(end=True)] * 100
    client = ScriptedClient([pods(rv=10)], watches)
    events = watch_forever(client, rng=random.Random(1))
    began, stop = client.clock.now(), []

    def close_after_30_seconds() -> Stream:
        if client.clock.now() - began >= 30.0:
            stop.append(len(client.watched))
            events.close()
        return Stream(end=True)

    client._watches = [close_after_30_seconds] * 100
    assert list(events) == []

    assert stop[0] <= 12
    assert client.clock.waits == sorted(client.clock.waits)


def test_a_server_that_cannot_be_reached_is_tried_again_without_a_list(caplog):
    refused = errors.ConnectionRefused("nobody listens")
    client = ScriptedClient([pods(rv=10)], [refused, refused, BUSY, Stream(added(pod("a", 11)))])

    with caplog.at_level("INFO"), watch_forever(client) as events:
        assert told(events, 1) == ["ADDED a@11"]

    assert len(client.listed) == 1
    assert len(client.clock.waits) == 3
    lines = [record.message for record in caplog.records if record.levelname != "DEBUG"]
    assert [line.partition(":")[2].strip() for line in lines] == [
        "cannot watch: nobody listens; trying again",
        f"works again after {sum(client.clock.waits):.1f}s",
    ]


def test_any_other_failure_in_a_watch_leads_to_a_list_after_a_while(caplog):
    client = ScriptedClient(
        [pods(pod("a", 1), rv=10), errors.TransportError("cut"), pods(pod("a", 2), rv=20)],
        [ended(failure(500, "InternalError", "etcd"))],
    )

    with watch_forever(client, send_initial_events=False) as events:
        assert told(events, 1) == ["MODIFIED a@2"]

    assert len(client.clock.waits) == 2
    assert "etcd" in caplog.text


def test_a_server_that_is_busy_says_how_long_to_wait():
    busy = api_error(429, "TooManyRequests")
    busy.status.details = type("Details", (), {"retry_after_seconds": 17, "causes": ()})()
    client = ScriptedClient([pods(rv=10)], [busy, Stream(added(pod("a", 11)))])

    with watch_forever(client) as events:
        assert told(events, 1) == ["ADDED a@11"]

    assert client.clock.waits == [17.0]


def test_what_cannot_get_better_by_itself_is_raised():
    client = ScriptedClient([pods(rv=10), api_error(403, "Forbidden", "no")], [ended(bookmark(11), GONE)])
    events = watch_forever(client)

    with pytest.raises(errors.Forbidden):
        next(events)

    assert events.ended is End.FAILED
    assert list(events) == []


def test_the_first_list_raises_where_it_is_called_for():
    with pytest.raises(errors.ConnectionRefused):
        watch_forever(ScriptedClient([errors.ConnectionRefused("nobody listens")]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'selector'"):
        watch_forever(ScriptedClient(), selector="app=web")


# ---- ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "stop", "plain event"])
def test_any_thread_ends_it_at_once(pool, how):
    stop = threading.Event() if how == "plain event" else Stop()
    client = ScriptedClient([pods(pod("a", 1), rv=10)])
    events = watch_forever(client, stop=stop)
    reading = pool.submit(list, events)
    client.wait_for_watches(1)

    (events.close if how == "close" else stop.set)()

    assert [event.object.metadata.name for event in reading.result(timeout=5.0)] == ["a"]
    assert events.ended is End.CLOSED
    events.close()


def test_a_close_ends_a_pause_too(pool):
    clock = FakeClock()
    client = ScriptedClient([pods(rv=10)], [errors.ConnectionRefused("nobody listens")], clock=clock)
    events = watch_forever(client)
    reading = pool.submit(list, events)
    clock.wait_for_sleepers(1)

    events.close()

    assert reading.result(timeout=5.0) == []


def test_usr_40_an_interrupt_ends_it_and_closes_its_connection():
    def interrupt() -> None:
        raise KeyboardInterrupt

    stream = Stream()
    stream.do(interrupt)
    events = watch_forever(ScriptedClient([pods(rv=10)], [stream]))

    with pytest.raises(KeyboardInterrupt):
        next(events)

    assert stream.closed
    assert events.ended is End.CLOSED


def test_a_stop_that_outlives_it_is_let_go():
    stop = Stop()
    with watch_forever(ScriptedClient(), stop=stop):
        assert stop._callbacks

    assert not stop._callbacks


def test_a_forgotten_watch_is_closed():
    stream = Stream([added(pod("a", 11))])
    events = watch_forever(ScriptedClient([pods(rv=10)], [stream]), stop=threading.Event())
    assert told(events, 1) == ["ADDED a@11"]
    gone = weakref.ref(events)

    del events
    gc.collect()

    assert gone() is None
    assert stream.closed


def test_it_shows_what_it_is():
    client = ScriptedClient([pods(pod("a", 1), rv=10)])
    events = watch_forever(client)
    next(events)

    assert repr(events) == "<ForeverWatch of Pod: open at version 10, 1 events>"
    events.close()
    assert repr(events) == "<ForeverWatch of Pod: closed at version 10, 1 events>"


def test_an_object_told_belongs_to_the_reader():
    client = ScriptedClient([pods(pod("a", 1), rv=10), pods(rv=20)], [ended(GONE)])

    with watch_forever(client) as events:
        first = next(events).object
        first.metadata.name = "changed"
        last = next(events)

    assert isinstance(first, Pod)
    assert (last.type, last.object.metadata.name) == ("DELETED", "a")


def test_a_batch_may_hold_an_event_of_every_type():
    batch: list[WatchRecord] = [added(pod("a", 11)), modified(pod("a", 12)), bookmark(13), deleted(pod("a", 14)), GONE]
    client = ScriptedClient([pods(rv=10), pods(rv=20)], [ended(batch)])

    with watch_forever(client) as events:
        assert told(events, 3) == ["ADDED a@11", "MODIFIED a@12", "DELETED a@14"]
        client._watches = [Stream(added(pod("b", 21)))]
        assert told(events, 1) == ["ADDED b@21"]
