"""Events on their way to sinks, logs and handlers. Contract: EVT-06 to EVT-09, EVT-16 to EVT-21."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Event, Namespace, Pod
from k8srt.apimachinery.meta import ObjectMeta, Status, StatusCause, StatusDetails
from k8srt.testing import FakeClientset, FakeClock
from k8srt.tools.record import ClientSink, CorrelatorOptions, EventBroadcaster
from k8srt.util.threads import Stop
from tests.unit.tools.record.sinks import Sink

LIMIT = 10.0
PLENTY = CorrelatorOptions(burst=10_000)


class Half(Random):
    """Dice that always show the middle."""

    def random(self) -> float:
        return 0.5


@pytest.fixture
def broadcaster(clock: FakeClock) -> Iterator[EventBroadcaster]:
    with EventBroadcaster(clock=clock, rng=Half()) as made:
        yield made


@pytest.fixture
def fake(clock: FakeClock) -> Iterator[FakeClientset]:
    with FakeClientset(Namespace(metadata=ObjectMeta(name="shop")), clock=clock) as made:
        yield made


def refusal(cls: type[errors.StatusError], code: int, cause: str = "") -> errors.StatusError:
    details = StatusDetails(causes=[StatusCause(reason=cause)]) if cause else StatusDetails()
    return cls(Status(code=code, message="it is refused", details=details))


LOST = errors.TransportError("connection lost")


# ---- watches


def test_evt_08_what_was_told_before_anybody_watched_is_lost(broadcaster, pod):
    recorder = broadcaster.new_recorder("me")
    seen: list[Event] = []
    recorder.event(pod, "Normal", "Early", "m")

    broadcaster.start_event_watcher(seen.append)
    recorder.event(pod, "Normal", "Late", "m")

    assert broadcaster.flush()
    assert [event.reason for event in seen] == ["Late"]
    assert broadcaster.dropped == 0


def test_no_thread_starts_before_the_first_event(broadcaster, pod):
    before = threading.active_count()

    broadcaster.start_recording_to_sink(Sink())
    broadcaster.start_logging(logging.getLogger("x").info)
    assert threading.active_count() == before

    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "m")
    assert sorted(t.name for t in threading.enumerate() if t.name.startswith("k8srt-")) == [
        "k8srt-events-0",
        "k8srt-events-log-0",
    ]


def test_evt_07_all_who_watch_get_an_event_of_their_own(broadcaster, pod):
    seen: list[Event] = []

    def change(event: Event) -> None:
        event.message = "changed"
        seen.append(event)

    for _ in range(2):
        broadcaster.start_event_watcher(change)
    broadcaster.start_event_watcher(seen.append)
    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert sorted(event.message for event in seen) == ["changed", "changed", "m"]


def test_evt_07_and_20_a_slow_sink_holds_up_nobody_else(broadcaster, pod):
    slow, fast = Sink(), Sink()
    slow.gate.clear()
    broadcaster.start_recording_to_sink(slow)
    broadcaster.start_recording_to_sink(fast)
    recorder = broadcaster.new_recorder("me")

    for n in range(3):
        recorder.event(pod, "Normal", f"R{n}", "m")
        assert fast.waiting.acquire(timeout=LIMIT)

    assert slow.waiting.acquire(timeout=LIMIT)
    assert slow.verbs() == ["create"]
    slow.gate.set()


def test_evt_01_and_06_the_1002nd_event_is_dropped_when_a_sink_hangs_and_nobody_waits(broadcaster, pod, caplog):
    sink = Sink()
    sink.gate.clear()
    watch = broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    recorder.event(pod, "Normal", "First", "m")
    assert sink.waiting.acquire(timeout=LIMIT)

    for n in range(1003):
        recorder.event(pod, "Normal", "Synced", f"m{n}")

    assert (watch.dropped, broadcaster.dropped) == (3, 3)
    assert caplog.messages == ["events: 1000 wait already, those that come now are dropped"]
    sink.gate.set()
    watch.stop()


def test_evt_06_after_the_shutdown_events_are_logged_and_dropped(clock, pod, caplog):
    broadcaster = EventBroadcaster(clock=clock)
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    broadcaster.shutdown()

    recorder.event(pod, "Normal", "Late", "m")

    assert sink.calls == []
    assert broadcaster.dropped == 1
    assert "dropped, the broadcaster was shut down" in caplog.text
    with pytest.raises(RuntimeError, match="was shut down"):
        broadcaster.start_recording_to_sink(sink)


def test_a_stopped_watch_gets_no_more(broadcaster, pod):
    seen: list[str] = []
    recorder = broadcaster.new_recorder("me")
    with broadcaster.start_event_watcher(lambda event: seen.append(event.reason)) as watch:
        recorder.event(pod, "Normal", "One", "m")
        assert broadcaster.flush()

    recorder.event(pod, "Normal", "Two", "m")
    watch.stop()

    assert broadcaster.flush()
    assert seen == ["One"]


def test_a_stopped_watch_tries_no_more(broadcaster, clock, pod):
    sink, other = Sink(LOST), Sink(LOST)
    watch = broadcaster.start_recording_to_sink(sink)
    broadcaster.start_recording_to_sink(other)
    broadcaster.new_recorder("me").event(pod, "Normal", "One", "m")
    clock.wait_for_sleepers(2)

    watch.stop()
    clock.advance_to_next()

    assert broadcaster.flush()
    assert (sink.verbs(), other.verbs()) == (["create"], ["create", "create"])


def test_a_handler_may_stop_its_own_watch_and_shut_everything_down(clock, pod):
    broadcaster = EventBroadcaster(clock=clock)
    done = threading.Event()

    def handle(event: Event) -> None:
        watch.stop()
        broadcaster.shutdown()
        done.set()

    watch = broadcaster.start_event_watcher(handle)
    broadcaster.new_recorder("me").event(pod, "Normal", "One", "m")

    assert done.wait(LIMIT)


def test_a_handler_that_raises_ends_nothing(broadcaster, pod, caplog):
    seen: list[str] = []

    def handle(event: Event) -> None:
        seen.append(event.reason)
        raise ValueError(event.reason)

    broadcaster.start_event_watcher(handle)
    recorder = broadcaster.new_recorder("me")
    for reason in ("One", "Two"):
        recorder.event(pod, "Normal", reason, "m")

    assert broadcaster.flush()
    assert seen == ["One", "Two"]
    assert caplog.messages == ["events-watch: a handler failed"] * 2


@pytest.mark.parametrize("wrong", [None, 7, "sink"])
def test_what_is_no_sink_and_no_handler_is_refused(broadcaster, wrong):
    with pytest.raises(TypeError, match="a sink of events is"):
        broadcaster.start_recording_to_sink(wrong)
    with pytest.raises(TypeError, match="a handler is"):
        broadcaster.start_event_watcher(wrong)


# ---- the end


def test_a_shutdown_waits_for_what_is_queued(clock, pod):
    broadcaster = EventBroadcaster(clock=clock)
    sink = Sink()
    sink.gate.clear()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    for n in range(3):
        recorder.event(pod, "Normal", f"R{n}", "m")
    assert sink.waiting.acquire(timeout=LIMIT)
    sink.gate.set()

    broadcaster.shutdown()
    broadcaster.shutdown()

    assert sink.verbs() == ["create"] * 3


def test_a_shutdown_waits_no_longer_than_its_timeout(clock, pod, caplog, monkeypatch):
    broadcaster = EventBroadcaster(clock=clock)
    sink = Sink()
    sink.gate.clear()
    watch = broadcaster.start_recording_to_sink(sink)
    abandon = watch.abandon
    monkeypatch.setattr(watch, "abandon", lambda: (abandon(), sink.gate.set())[0])
    recorder = broadcaster.new_recorder("me")
    for n in range(3):
        recorder.event(pod, "Normal", f"R{n}", "m")
    assert sink.waiting.acquire(timeout=LIMIT)

    broadcaster.shutdown(timeout=0.0)

    assert sink.verbs() == ["create"]
    assert caplog.messages == ["events were not written within 0s of the shutdown; 2 that waited are lost"]


def test_evt_09_a_shutdown_ends_the_wait_between_tries_and_tries_a_last_time(clock, pod, pool, caplog):
    broadcaster = EventBroadcaster(clock=clock, rng=Half())
    sink = Sink(LOST, LOST)
    broadcaster.start_recording_to_sink(sink)
    broadcaster.new_recorder("me").event(pod, "Normal", "One", "m")
    clock.wait_for_sleepers(1)

    broadcaster.shutdown()

    assert sink.verbs() == ["create", "create"]
    assert "lost after 2 tries: connection lost" in caplog.messages[-1]


def test_evt_20_a_queue_that_is_lost_at_the_end_is_two_lines_in_the_log(clock, pod, pool, caplog):
    broadcaster = EventBroadcaster(clock=clock)
    sink = Sink(*[LOST] * 50)
    sink.gate.clear()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    for n in range(20):
        recorder.event(pod, "Normal", f"R{n}", "m")
    assert sink.waiting.acquire(timeout=LIMIT)

    shutdown = pool.submit(broadcaster.shutdown)
    clock.wait_for_sleepers(1)
    sink.gate.set()
    shutdown.result(timeout=LIMIT)

    assert len(sink.calls) == 20
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "ERROR"]
    assert caplog.messages[1].endswith("lost after one try: connection lost")
    assert caplog.messages[2] == "20 events were lost in all, since they could not be written"


@pytest.mark.parametrize("kind", [Stop, threading.Event])
def test_evt_09_the_stop_of_the_construction_ends_everything_at_once(clock, pod, kind):
    stop = kind()
    broadcaster = EventBroadcaster(clock=clock, stop=stop)
    sink = Sink(LOST)
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    for n in range(3):
        recorder.event(pod, "Normal", f"R{n}", "m")
    clock.wait_for_sleepers(1)

    stop.set()
    for thread in threading.enumerate():
        if thread.name.startswith("k8srt-"):
            thread.join(LIMIT)

    recorder.event(pod, "Normal", "Late", "m")
    assert sink.verbs() == ["create"]
    assert broadcaster.dropped == 1
    broadcaster.shutdown()


# ---- writing


def test_evt_17_and_18_the_first_is_created_and_repetitions_patch_what_the_server_has(broadcaster, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")

    for _ in range(3):
        recorder.event(pod, "Normal", "Synced", "m")
        assert broadcaster.flush()

    assert sink.verbs() == ["create", "patch", "patch"]
    assert [patch["count"] for _, patch in sink.patches] == [2, 3]
    assert [event.metadata.resource_version for event, _ in sink.patches] == ["101", "102"]
    assert {event.metadata.name for event, _ in sink.patches} == {sink.created[0].metadata.name}


def test_evt_17_an_event_that_is_gone_is_created_again_without_a_version(broadcaster, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    recorder.event(pod, "Normal", "Synced", "m")
    assert broadcaster.flush()
    sink.failures.append(refusal(errors.NotFound, 404))

    recorder.event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert sink.verbs() == ["create", "patch", "create"]
    again = sink.created[-1]
    assert (again.count, again.metadata.resource_version) == (2, None)


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (refusal(errors.AlreadyExists, 409), logging.DEBUG),
        (refusal(errors.Forbidden, 403, "NamespaceTerminating"), logging.DEBUG),
        (refusal(errors.Forbidden, 403), logging.ERROR),
        (refusal(errors.Invalid, 422), logging.ERROR),
        (refusal(errors.InternalError, 500), logging.ERROR),
        (errors.WrongValue("no such value"), logging.ERROR),
        (errors.ClientClosed("closed"), logging.ERROR),
        (ValueError("no namespace"), logging.ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_evt_19_what_will_never_be_taken_is_not_sent_again(broadcaster, pod, caplog, error, level):
    caplog.set_level(logging.DEBUG, "k8srt.tools")
    sink = Sink(error)
    broadcaster.start_recording_to_sink(sink)

    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert sink.verbs() == ["create"]
    assert [record.levelno for record in caplog.records] == [level]


@pytest.mark.parametrize("error", [LOST, errors.DecodeError("no event"), OSError("no route")])
def test_evt_19_and_20_what_did_not_arrive_is_sent_again(broadcaster, clock, pod, caplog, error):
    caplog.set_level(logging.INFO, "k8srt")
    sink = Sink(error, error, error)
    broadcaster.start_recording_to_sink(sink)

    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "m")

    waits = []
    for _ in range(3):
        clock.wait_for_sleepers(1)
        waits.append(clock.advance_to_next())
    assert broadcaster.flush()
    assert waits == [5.0, 10.0, 10.0]
    assert sink.verbs() == ["create"] * 4
    assert caplog.messages[0].endswith(f"not written, trying again later: {error}")
    assert caplog.messages[1:] == ["events are written again after 25s; lost meanwhile: 0"]


def test_evt_20_after_twelve_tries_an_event_is_lost_and_the_next_one_tried(broadcaster, clock, pod, caplog):
    caplog.set_level(logging.INFO, "k8srt")
    sink = Sink(*[LOST] * 12)
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    recorder.event(pod, "Normal", "One", "m")
    recorder.event(pod, "Normal", "Two", "m")

    for _ in range(11):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()

    assert broadcaster.flush()
    assert len(sink.calls) == 13
    assert [event.reason for event in sink.created] == ["Two"]
    assert "lost after 12 tries: connection lost" in caplog.messages[1]
    assert caplog.messages[2:] == ["events are written again after 105s; lost meanwhile: 1"]


def test_evt_16_26_at_once_are_one_create_and_24_patches(broadcaster, fake, pod):
    broadcaster.start_recording_to_sink(fake)
    recorder = broadcaster.new_recorder("me")

    for _ in range(26):
        recorder.event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert [action.verb for action in fake.actions] == ["create"] + ["patch"] * 24
    (event,) = fake.core_v1.events("shop").list()
    assert event.count == 25


# ---- with a cluster


def test_events_of_all_namespaces_are_written_where_they_belong(broadcaster, fake, clock, pod):
    broadcaster.start_recording_to_sink(fake.core_v1.events())
    recorder = broadcaster.new_recorder("me")
    other = Pod(metadata=ObjectMeta(name="db-0", namespace="default", uid="u3"))

    recorder.event(pod, "Normal", "Synced", "m")
    recorder.event(other, "Normal", "Synced", "m")
    recorder.event(fake.core_v1.namespaces().get("shop"), "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert fake.actions.writes().lines() == [
        f"create events shop/{_name('web-0', clock, 0)}",
        f"create events default/{_name('db-0', clock, 1)}",
        f"create events default/{_name('shop', clock, 2)}",
    ]


def _name(about: str, clock: FakeClock, nth: int) -> str:
    return f"{about}.{int(clock.time().timestamp()) * 10**9 + nth:x}"


def test_a_namespace_that_is_not_there_costs_that_event_only(broadcaster, fake, pod, caplog):
    broadcaster.start_recording_to_sink(fake)
    recorder = broadcaster.new_recorder("me")

    recorder.event(Pod(metadata=ObjectMeta(name="x", namespace="nowhere")), "Normal", "Synced", "m")
    recorder.event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert len(fake.core_v1.events("shop").list()) == 1
    assert len(caplog.messages) == 1
    assert "nowhere" in caplog.text


def test_a_sink_of_one_namespace_refuses_the_others(broadcaster, fake, pod, caplog):
    broadcaster.start_recording_to_sink(fake.core_v1.events("default"))

    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    assert list(fake.actions) == []
    assert "with namespace 'shop' in namespace 'default'" in caplog.text


def test_evt_29_a_sink_refuses_an_event_without_a_namespace(fake):
    sink: ClientSink[Any] = ClientSink(fake.core_v1.events())

    with pytest.raises(ValueError, match="an event needs a namespace"):
        sink.create(Event(metadata=ObjectMeta(name="x")))
    with pytest.raises(ValueError, match="an event needs a namespace"):
        sink.patch(Event(metadata=ObjectMeta(name="x")), {"count": 2})


def test_evt_17_the_server_forgot_an_event_and_gets_it_with_its_count(broadcaster, fake, pod):
    broadcaster.start_recording_to_sink(fake)
    recorder = broadcaster.new_recorder("me")
    for _ in range(2):
        recorder.event(pod, "Normal", "Synced", "m")
    assert broadcaster.flush()
    fake.tracker.core_v1.events("shop").delete_collection()

    recorder.event(pod, "Normal", "Synced", "m")

    assert broadcaster.flush()
    (event,) = fake.core_v1.events("shop").list()
    assert event.count == 3


def test_evt_12_an_aggregate_on_a_server_is_one_event_whose_count_goes_up(clock, fake, pod):
    with EventBroadcaster(clock=clock, correlator=PLENTY) as broadcaster:
        broadcaster.start_recording_to_sink(fake)
        recorder = broadcaster.new_recorder("me")

        for n in range(14):
            recorder.eventf(pod, "Warning", "Failed", "try %d", n)

        assert broadcaster.flush()
        found = {event.message: event.count for event in fake.core_v1.events("shop").list()}
    assert found == {f"try {n}": 1 for n in range(9)} | {"(combined from similar events): try 13": 5}


# ---- logs


def test_evt_21_plain_logging(broadcaster, pod):
    lines: list[str] = []
    broadcaster.start_logging(lambda text, *values: lines.append(text % values))

    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "100% done")

    assert broadcaster.flush()
    assert lines == ["Event(v1 Pod shop/web-0): type: 'Normal' reason: 'Synced' 100% done"]


def test_evt_21_structured_logging(broadcaster, pod, caplog):
    logger = logging.getLogger("events-of-a-test")
    broadcaster.start_structured_logging(logging.WARNING, logger)

    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "100% done")

    assert broadcaster.flush()
    (record,) = caplog.records
    assert record.getMessage() == (
        "Event occurred object='shop/web-0' fieldPath='' kind='Pod' apiVersion='v1' type='Normal' reason='Synced' "
        "message='100% done'"
    )
    assert (record.name, record.levelno) == ("events-of-a-test", logging.WARNING)
    assert record.__dict__["event"]["object"] == "shop/web-0"


# ---- settings


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="retry_delay"):
        EventBroadcaster(retry_delay=-1.0)


def test_what_it_is_can_be_read(clock, pod):
    broadcaster = EventBroadcaster(clock=clock)
    broadcaster.start_event_watcher(lambda event: None)

    assert repr(broadcaster) == "<EventBroadcaster watches: 1, events dropped: 0>"
    assert repr(broadcaster.new_recorder("me", host="h")) == "<EventRecorder me on h>"
    broadcaster.shutdown()
    assert repr(broadcaster) == "<EventBroadcaster shut down, events dropped: 0>"
