"""events.k8s.io/v1 events on their way to a server. Contract: EVT-21, EVT-24 to EVT-30."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from random import Random

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Namespace
from k8srt.apimachinery.meta import ObjectMeta, Status
from k8srt.testing import FakeClientset, FakeClock
from k8srt.tools.events import EventBroadcaster
from tests.unit.tools.record.sinks import Sink

LIMIT = 10.0
LOST = errors.TransportError("connection lost")


class Half(Random):
    """Dice that always show the middle."""

    def random(self) -> float:
        return 0.5


def not_found() -> errors.NotFound:
    return errors.NotFound(Status(code=404, message="it is gone"))


def already_exists() -> errors.AlreadyExists:
    return errors.AlreadyExists(Status(code=409, message="it is there"))


@pytest.fixture
def broadcaster(clock: FakeClock) -> Iterator[EventBroadcaster]:
    with EventBroadcaster(clock=clock, rng=Half()) as made:
        yield made


@pytest.fixture
def fake(clock: FakeClock) -> Iterator[FakeClientset]:
    with FakeClientset(Namespace(metadata=ObjectMeta(name="shop")), clock=clock) as made:
        yield made


def tell(broadcaster, pod, times: int = 1, reason: str = "Synced") -> None:
    """Tell it so often, and have each written before the next."""
    recorder = broadcaster.new_recorder("me", instance="me-here")
    for _ in range(times):
        recorder.event(pod, "Normal", reason, "m")
        assert broadcaster.flush()


def test_evt_24_and_26_create_then_one_patch_of_the_series(broadcaster, clock, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)

    tell(broadcaster, pod, times=5)

    assert sink.verbs() == ["create", "patch"]
    assert sink.created[0].to_dict().get("series") is None
    assert sink.patches[0][1] == {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}}
    assert sink.patches[0][0].metadata.name == sink.created[0].metadata.name


def test_evt_30_the_last_count_is_written_last(broadcaster, clock, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    tell(broadcaster, pod)
    assert sink.waiting.acquire(timeout=LIMIT)
    sink.gate.clear()
    recorder = broadcaster.new_recorder("me", instance="me-here")
    for _ in range(4):
        recorder.event(pod, "Normal", "Synced", "m")
    assert sink.waiting.acquire(timeout=LIMIT)  # the second: its patch is under way

    ending = threading.Thread(target=broadcaster.shutdown)
    ending.start()
    clock.wait_for_waiters(1)
    sink.gate.set()
    ending.join(LIMIT)

    assert [patch["series"]["count"] for _, patch in sink.patches] == [2, 5]


def test_evt_25_all_series_are_sent_again_after_half_an_hour(broadcaster, clock, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    tell(broadcaster, pod, times=2)
    for _ in range(5):
        clock.wait_for_sleepers(1)
        clock.advance(300.0)
        tell(broadcaster, pod)
    clock.wait_for_sleepers(1)
    assert sink.verbs() == ["create", "patch"]

    clock.advance(300.0)
    clock.wait_for_sleepers(1)

    assert sink.verbs() == ["create", "patch", "patch"]
    assert sink.patches[-1][1]["series"]["count"] == 7


def test_evt_25_a_series_that_is_over_is_sent_a_last_time_and_forgotten(broadcaster, clock, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    tell(broadcaster, pod, times=3)
    tell(broadcaster, pod, reason="Once")

    for _ in range(2):
        clock.wait_for_sleepers(1)
        clock.advance(360.0)
    clock.wait_for_sleepers(1)

    assert sink.verbs() == ["create", "patch", "create", "patch"]
    assert sink.patches[-1][1]["series"]["count"] == 3
    tell(broadcaster, pod, times=1)
    tell(broadcaster, pod, reason="Once")
    assert sink.verbs()[4:] == ["create", "create"]


def test_evt_25_a_series_that_cannot_be_sent_is_kept_for_the_next_time(broadcaster, clock, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    tell(broadcaster, pod, times=3)
    sink.failures.append(LOST)

    for _ in range(3):
        clock.wait_for_sleepers(1)
        clock.advance(360.0)
    clock.wait_for_sleepers(1)

    assert sink.verbs() == ["create", "patch", "patch", "patch"]
    assert [patch["series"]["count"] for _, patch in sink.patches] == [2, 3]


def test_evt_26_a_series_of_an_event_that_is_gone_is_created(broadcaster, pod):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    tell(broadcaster, pod)
    sink.failures.append(not_found())

    tell(broadcaster, pod)

    assert sink.verbs() == ["create", "patch", "create"]
    assert sink.created[-1].series.count == 2


def test_evt_26_a_series_that_comes_into_being_meanwhile_is_patched_after_a_while(broadcaster, clock, pod, caplog):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    tell(broadcaster, pod)
    sink.failures += [not_found(), already_exists()]
    recorder = broadcaster.new_recorder("me", instance="me-here")

    recorder.event(pod, "Normal", "Synced", "m")
    clock.wait_for_sleepers(1, by=clock.now() + 12.5)
    recorder.event(pod, "Normal", "Synced", "m")
    clock.wait_for_sleepers(2)
    clock.advance(11.25)
    assert broadcaster.flush()

    assert sink.verbs() == ["create", "patch", "create", "patch"]
    assert sink.patches[-1][1]["series"]["count"] == 3
    assert caplog.messages == []


def test_evt_26_a_plain_event_that_is_there_already_is_given_up(broadcaster, pod, caplog):
    sink = Sink(already_exists())
    broadcaster.start_recording_to_sink(sink)

    tell(broadcaster, pod)

    assert sink.verbs() == ["create"]
    assert caplog.messages == []


def test_evt_27_tries_are_ten_seconds_apart_or_a_quarter_more(broadcaster, clock, pod, caplog):
    sink = Sink(*[LOST] * 12)
    broadcaster.start_recording_to_sink(sink)
    broadcaster.new_recorder("me").event(pod, "Normal", "Synced", "m")

    waits = []
    for _ in range(11):
        clock.wait_for_sleepers(1, by=clock.now() + 12.5)
        waits.append(clock.advance_to_next())

    assert broadcaster.flush()
    assert waits == [11.25] * 11
    assert sink.verbs() == ["create"] * 12
    assert "lost after 12 tries" in caplog.messages[-1]


def test_evt_27_eight_write_at_once(broadcaster, pod):
    sink = Sink()
    sink.gate.clear()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")

    for n in range(12):
        recorder.event(pod, "Normal", f"R{n}", "m")
    for _ in range(8):
        assert sink.waiting.acquire(timeout=LIMIT)

    assert len([t for t in threading.enumerate() if t.name.startswith("k8srt-events-")]) == 8
    assert len(sink.calls) == 8
    sink.gate.set()
    assert broadcaster.flush()
    assert len(sink.calls) == 12


def test_evt_27_what_finds_no_room_is_dropped_and_nobody_waits(broadcaster, pod, caplog):
    sink = Sink()
    sink.gate.clear()
    watch = broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")
    for n in range(8):
        recorder.event(pod, "Normal", f"R{n}", "m")
        assert sink.waiting.acquire(timeout=LIMIT)

    for _ in range(1002):
        recorder.event(pod, "Normal", "Synced", "m")

    assert watch.dropped == 2
    assert caplog.messages == ["events: 1000 wait already, those that come now are dropped"]
    sink.gate.set()
    watch.stop()


def test_evt_30_the_same_from_many_threads_is_one_create_and_the_count_is_exact(broadcaster, pod, pool):
    sink = Sink()
    broadcaster.start_recording_to_sink(sink)
    recorder = broadcaster.new_recorder("me")

    def say() -> None:
        for _ in range(25):
            recorder.event(pod, "Normal", "Synced", "m")

    for future in [pool.submit(say) for _ in range(8)]:
        future.result(timeout=LIMIT)
    assert broadcaster.flush()

    assert sorted(sink.verbs()) == ["create", "patch"]
    broadcaster.shutdown()
    assert sink.patches[-1][1]["series"]["count"] == 200


def test_a_shutdown_tells_how_far_the_series_got(clock, pod):
    sink = Sink()
    with EventBroadcaster(clock=clock) as broadcaster:
        broadcaster.start_recording_to_sink(sink)
        tell(broadcaster, pod, times=4)
        tell(broadcaster, pod, times=2, reason="Twice")
        tell(broadcaster, pod, reason="Once")
        before = len(sink.calls)

    assert sink.verbs()[before:] == ["patch"]
    assert sink.patches[-1][1]["series"]["count"] == 4


def test_a_server_counts_along(broadcaster, fake, clock, pod):
    broadcaster.start_recording_to_sink(fake)

    tell(broadcaster, pod, times=2)

    (event,) = fake.events_v1.events("shop").list()
    assert event.series.count == 2
    assert event.reporting_instance == "me-here"
    fake.tracker.events_v1.events("shop").delete_collection()
    tell(broadcaster, pod, reason="Other")
    tell(broadcaster, pod)
    broadcaster.shutdown()
    found = {event.reason: event for event in fake.events_v1.events("shop").list()}
    assert found["Synced"].series.count == 3
    assert fake.core_v1.events("shop").list().items[0].involved_object.name == "web-0"


def test_evt_21_logs(broadcaster, pod, caplog):
    caplog.set_level(logging.INFO, "k8srt")
    lines: list[str] = []
    broadcaster.start_logging(lambda text, *values: lines.append(text % values))
    broadcaster.start_structured_logging()

    broadcaster.new_recorder("me").eventf(pod, None, "Normal", "Synced", "Sync", "%d%%", 100)

    assert broadcaster.flush()
    assert lines == ["Event(v1 Pod shop/web-0): type: 'Normal' reason: 'Synced' 100%"]
    assert caplog.messages == [
        "Event occurred object='shop/web-0' fieldPath='' kind='Pod' apiVersion='v1' type='Normal' reason='Synced' "
        "action='Sync' note='100%'"
    ]


def test_wrong_settings_are_refused(broadcaster):
    with pytest.raises(ValueError, match="retry_delay"):
        EventBroadcaster(retry_delay=-1.0)
    with pytest.raises(TypeError, match="a sink of events is"):
        broadcaster.start_recording_to_sink(None)
