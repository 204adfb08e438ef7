"""Waiting for conditions on events. Contract: MACH-58, MACH-59."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.watch import Event
from k8srt.testing import FakeClock
from k8srt.tools.watch import WatchClosed, list_watch_until, until, until_with_sync, until_without_retry
from k8srt.util.threads import Stop
from k8srt.util.wait import interrupted
from tests.unit.gentype.scripted import ScriptedClient, ended
from tests.unit.tools.cache.scripted import Stream, added, bookmark, deleted, failure, modified, pod, pods

GONE = failure(410, "Expired", "too old resource version")


def is_type(kind: str) -> Any:
    return lambda event: event.type == kind


def version_is(version: int) -> Any:
    return lambda event: event.object.metadata.resource_version == str(version)


def some(*records: Any) -> list[Event[Pod]]:
    return [Event(kind, Pod.from_record(record)) for kind, record in records]


# ---- until --------------------------------------------------------------------------------------------------------


def test_mach_58_conditions_hold_one_after_the_other_and_look_at_the_last_event_first():
    client = ScriptedClient(watches=[Stream([added(pod("a", 11)), modified(pod("a", 12)), deleted(pod("a", 13))])])

    last = until(client, "10", is_type("ADDED"), version_is(11), version_is(12), is_type("DELETED"))

    assert last is not None
    assert (last.type, last.object.metadata.resource_version) == ("DELETED", "13")


def test_mach_58_it_goes_on_over_watches_that_end():
    client = ScriptedClient(watches=[ended(added(pod("a", 11))), Stream(modified(pod("a", 12)))])

    assert until(client, "10", is_type("MODIFIED")).object.metadata.resource_version == "12"
    assert client.watch_versions == ["10", "11"]


def test_mach_58_without_conditions_nothing_is_asked():
    client = ScriptedClient()

    assert until(client, "10") is None
    assert client.watched == []


def test_mach_58_a_closed_watch_is_an_error():
    events = some(added(pod("a", 11)))

    with pytest.raises(WatchClosed, match="watch closed"):
        until_without_retry(events, is_type("DELETED"))
    with pytest.raises(errors.WatchError):
        until(ScriptedClient(watches=[ended(GONE)]), "10", is_type("DELETED"))


def test_mach_58_a_stop_interrupts(pool):
    stop = Stop()
    client = ScriptedClient(clock=FakeClock())
    waiting = pool.submit(until, client, "10", is_type("ADDED"), stop=stop)
    client.wait_for_watches(1)

    stop.set()

    with pytest.raises(errors.Stopped) as caught:
        waiting.result(timeout=5.0)
    assert interrupted(caught.value)


def test_mach_58_a_timeout_interrupts(pool):
    client = ScriptedClient(clock=FakeClock())
    waiting = pool.submit(until, client, "10", is_type("ADDED"), timeout=5.0)
    client.wait_for_watches(1)
    client.clock.wait_for_sleepers(1)

    client.clock.advance(5.0)

    with pytest.raises(errors.WaitTimeout, match="timed out waiting for the condition") as caught:
        waiting.result(timeout=5.0)
    assert interrupted(caught.value)


def test_mach_58_what_a_condition_raises_ends_the_wait_and_closes_the_watch():
    stream = Stream(added(pod("a", 11)))

    with pytest.raises(ZeroDivisionError):
        until(ScriptedClient(watches=[stream]), "10", lambda event: 1 // 0)

    assert stream.closed


def test_mach_58_without_retry_the_events_given_are_closed():
    class Events:
        closed = False

        def __iter__(self) -> Any:
            return iter(some(added(pod("a", 11)), modified(pod("a", 12))))

        def close(self) -> None:
            self.closed = True

    events = Events()

    assert until_without_retry(events, is_type("MODIFIED")).object.metadata.resource_version == "12"
    assert events.closed


# ---- list and watch -----------------------------------------------------------------------------------------------


def test_what_is_listed_comes_as_added_and_may_be_enough():
    client = ScriptedClient([pods(pod("a", 1), pod("b", 2), rv=10)])

    last = list_watch_until(client, version_is(1), version_is(2), label_selector="app=web")

    assert (last.type, last.object.metadata.name) == ("ADDED", "b")
    assert client.watched == []
    assert client.listed[0]["label_selector"] == "app=web"


def test_a_watch_follows_the_list():
    client = ScriptedClient([pods(pod("a", 1), rv=10)], [Stream(modified(pod("a", 11)))])

    assert list_watch_until(client, is_type("MODIFIED")).object.metadata.resource_version == "11"
    assert client.watch_versions == ["10"]


# ---- with sync ----------------------------------------------------------------------------------------------------


def test_mach_59_what_exists_comes_as_added():
    client = ScriptedClient([pods(pod("a", 1), rv=10)])

    last = until_with_sync(client, is_type("ADDED"))

    assert (last.type, last.object.metadata.name) == ("ADDED", "a")


def test_mach_59_a_precondition_sees_what_exists_and_may_be_the_end():
    client = ScriptedClient([pods(pod("a", 1), rv=10)])
    seen: list[Any] = []

    def there(store: Any) -> bool:
        seen.append(store.get_by_key("default/a"))
        return True

    assert until_with_sync(client, is_type("DELETED"), precondition=there) is None
    assert isinstance(seen[0], Pod)
    assert client.watched == []


def test_mach_59_a_precondition_that_is_not_met_lets_it_go_on():
    client = ScriptedClient([pods(rv=10)], [Stream(added(pod("a", 11)))])

    assert until_with_sync(client, is_type("ADDED"), precondition=lambda store: False).type == "ADDED"


def test_mach_59_an_expired_version_is_listed_over_and_a_deletion_carries_the_last_known_object():
    client = ScriptedClient([pods(pod("a", 7), rv=10), pods(rv=20)], [ended(bookmark(11), GONE)])

    last = until_with_sync(client, is_type("DELETED"))

    assert last.object.metadata.resource_version == "7"
    assert client.list_versions == ["", "11"]


def test_mach_59_a_stop_interrupts(pool):
    stop = Stop()
    client = ScriptedClient([pods(rv=10)], clock=FakeClock())
    waiting = pool.submit(until_with_sync, client, is_type("ADDED"), stop=stop)
    client.wait_for_watches(1)

    stop.set()

    with pytest.raises(errors.Stopped):
        waiting.result(timeout=5.0)
