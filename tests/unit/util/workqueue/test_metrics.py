"""What is measured at a queue."""

from __future__ import annotations

import gc
import threading
from collections import defaultdict

import pytest

from k8srt.testing.clock import FakeClock
from k8srt.util.told import Told
from k8srt.util.workqueue import DelayingQueue, PriorityQueue, Queue, metrics


class Instrument:
    """Every kind of instrument at once."""

    def __init__(self) -> None:
        self.value = 0.0
        self.seen: list[float] = []
        self.by_label: dict[str, int] = defaultdict(int)

    def inc(self, label: str = "") -> None:
        self.value += 1
        self.by_label[label] += 1

    def dec(self, label: str = "") -> None:
        self.value -= 1
        self.by_label[label] -= 1

    def set(self, value: float) -> None:
        self.value = value
        self.seen.append(value)

    def observe(self, value: float) -> None:
        self.seen.append(value)


class Provider:
    """Keeps its instruments where a test can look at them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.instruments: dict[str, Instrument] = defaultdict(Instrument)

    def _make(self, what: str, name: str) -> Instrument:
        self.names.append(name)
        return self.instruments[what]

    def depth(self, name: str) -> Instrument:
        return self._make(metrics.DEPTH, name)

    def adds(self, name: str) -> Instrument:
        return self._make(metrics.ADDS, name)

    def queue_duration(self, name: str) -> Instrument:
        return self._make(metrics.QUEUE_DURATION, name)

    def work_duration(self, name: str) -> Instrument:
        return self._make(metrics.WORK_DURATION, name)

    def unfinished_work(self, name: str) -> Instrument:
        return self._make(metrics.UNFINISHED_WORK, name)

    def longest_running(self, name: str) -> Instrument:
        return self._make(metrics.LONGEST_RUNNING, name)

    def retries(self, name: str) -> Instrument:
        return self._make(metrics.RETRIES, name)

    def __getitem__(self, what: str) -> Instrument:
        return self.instruments[what]


class PriorityProvider(Provider):
    """One that tells priorities apart."""

    def priority_depth(self, name: str) -> Instrument:
        return self._make(metrics.DEPTH, name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=0.0)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def queue(clock: FakeClock, provider: Provider):
    queue = DelayingQueue[str]("pods", clock=clock, metrics_provider=provider)
    yield queue
    queue.shut_down()


def test_wq_41_nothing_is_measured_without_a_name_or_a_provider(provider) -> None:
    for queue in (Queue[str](metrics_provider=provider), Queue[str]("pods")):
        queue.add("a")
        queue.done(queue.get() or "")

    assert provider.names == []


def test_wq_41_the_global_provider_is_set_once(provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_told", Told())
    other = Provider()

    assert metrics.set_provider(provider)
    assert not metrics.set_provider(other)
    with Queue[str]("pods") as queue:
        queue.add("a")
    with Queue[str]("own", metrics_provider=other):
        pass

    assert set(provider.names) == {"pods"}
    assert provider[metrics.ADDS].value == 1
    assert set(other.names) == {"own"}


def test_wq_42_depth_and_adds_count_what_had_an_effect(queue, provider) -> None:
    depth, adds = provider[metrics.DEPTH], provider[metrics.ADDS]
    queue.add("a")
    queue.add("a")
    assert (depth.value, adds.value) == (1, 1)

    queue.get()
    assert (depth.value, adds.value) == (0, 1)

    queue.add("a")
    queue.add("a")
    assert (depth.value, adds.value) == (1, 2)
    queue.done("a")
    assert (depth.value, adds.value) == (1, 2)
    queue.get()
    assert (depth.value, adds.value) == (0, 2)


def test_wq_43_durations_run_from_the_first_add_to_get_to_done(clock, queue, provider) -> None:
    queue.add("a")
    clock.advance(1.0)
    queue.add("a")
    clock.advance(2.0)
    queue.get()
    clock.advance(0.5)
    queue.add("a")
    clock.advance(3.0)
    queue.done("a")
    clock.advance(1.0)
    queue.get()

    assert provider[metrics.QUEUE_DURATION].seen == [3.0, 4.0]
    assert provider[metrics.WORK_DURATION].seen == [3.5]


def test_wq_43_a_delayed_item_is_added_when_it_is_due(clock, queue, provider) -> None:
    queue.add_after("a", 5.0)
    assert provider[metrics.ADDS].value == 0
    clock.advance(7.0)

    queue.get()

    assert provider[metrics.ADDS].value == 1
    assert provider[metrics.QUEUE_DURATION].seen == [2.0]


def tick(clock: FakeClock, seconds: float = metrics.UPDATE_PERIOD) -> None:
    clock.wait_for_sleepers(1)
    clock.advance(seconds)
    clock.wait_for_sleepers(1)


def test_wq_44_work_going_on_is_measured_every_half_second(clock, queue, provider) -> None:
    queue.add("a")
    queue.add("b")
    queue.get()
    tick(clock)
    queue.get()
    tick(clock)

    assert provider[metrics.UNFINISHED_WORK].seen == [0.5, 1.5]
    assert provider[metrics.LONGEST_RUNNING].seen == [0.5, 1.0]
    queue.done("a")
    queue.done("b")
    tick(clock)
    assert provider[metrics.UNFINISHED_WORK].value == 0.0
    assert provider[metrics.LONGEST_RUNNING].value == 0.0

    queue.shut_down()
    clock.advance(10.0)
    assert len(provider[metrics.UNFINISHED_WORK].seen) == 3


def test_wq_44_the_depth_also_tells_what_fell_due_with_nobody_waiting(clock, queue, provider) -> None:
    queue.add_after("a", 0.2)

    tick(clock)

    assert provider[metrics.DEPTH].value == 1


def test_wq_45_delayed_adds_are_retries(clock, queue, provider) -> None:
    queue.add("a")
    assert provider[metrics.RETRIES].value == 0
    queue.add_after("a", 0.0)
    queue.add_after("a", 1.0)
    queue.add_after("a", 1.0)
    assert provider[metrics.RETRIES].value == 3

    queue.shut_down()
    queue.add_after("a", 1.0)
    assert provider[metrics.RETRIES].value == 3


def test_wq_46_the_names_are_the_conventional_ones() -> None:
    assert metrics.DEPTH == "workqueue_depth"
    assert metrics.ADDS == "workqueue_adds_total"
    assert metrics.QUEUE_DURATION == "workqueue_queue_duration_seconds"
    assert metrics.WORK_DURATION == "workqueue_work_duration_seconds"
    assert metrics.UNFINISHED_WORK == "workqueue_unfinished_work_seconds"
    assert metrics.LONGEST_RUNNING == "workqueue_longest_running_processor_seconds"
    assert metrics.RETRIES == "workqueue_retries_total"


def test_wq_47_a_get_that_blocks_records_nothing_until_it_succeeds(clock, queue, provider, pool) -> None:
    getter = pool.submit(queue.get)
    clock.wait_for_waiters(1)
    assert provider[metrics.DEPTH].value == 0
    assert provider[metrics.QUEUE_DURATION].seen == []

    queue.add("a")
    getter.result(timeout=5.0)

    assert provider[metrics.DEPTH].value == 0
    assert provider[metrics.QUEUE_DURATION].seen == [0.0]


@pytest.mark.parametrize("drain", [False, True])
@pytest.mark.parametrize("kind", [Queue, DelayingQueue, PriorityQueue])
def test_wq_17_a_shutdown_returns_when_the_thread_has_ended(kind, drain, clock, provider) -> None:
    queue = kind("unique", clock=clock, metrics_provider=provider)
    assert not named("k8srt-workqueue-unique"), "nothing starts before the first item"
    queue.add("a")
    assert len(named("k8srt-workqueue-unique")) == 1

    queue.shut_down(drain=drain)

    assert not named("k8srt-workqueue-unique")
    queue.get()
    queue.done("a")
    assert not named("k8srt-workqueue-unique")


def test_the_thread_of_a_queue_that_nobody_has_ends_too(clock, provider) -> None:
    queue = Queue[str]("unique", clock=clock, metrics_provider=provider)
    queue.add("a")
    clock.wait_for_sleepers(1)
    (thread,) = named("k8srt-workqueue-unique")

    del queue
    gc.collect()
    clock.advance(metrics.UPDATE_PERIOD)

    thread.join(5.0)
    assert not thread.is_alive()


def named(prefix: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(prefix)]


def test_an_instrument_that_fails_loses_no_work(queue, provider, caplog: pytest.LogCaptureFixture) -> None:
    provider[metrics.QUEUE_DURATION].seen = None  # type: ignore[assignment]
    queue.add("a")

    assert queue.get() == "a"
    assert "a metric of workqueue pods failed" in caplog.text


def test_an_instrument_may_use_the_queue(clock) -> None:
    provider = Provider()
    queue = Queue[str]("pods", clock=clock, metrics_provider=provider)
    lengths: list[int] = []
    provider[metrics.ADDS].inc = lambda: lengths.append(len(queue))  # type: ignore[method-assign]

    queue.add("a")
    queue.shut_down()

    assert lengths == [1]


def test_wq_59_depth_is_told_by_priority(clock) -> None:
    provider = PriorityProvider()
    depth = provider[metrics.DEPTH].by_label
    with_priorities = PriorityQueue[str]("pods", clock=clock, metrics_provider=provider)
    with_priorities.add_with(["a", "b"], priority=-100)
    with_priorities.add_with(["c"], after=5.0, priority=-100)
    assert (depth["-100"], provider[metrics.ADDS].value) == (2, 2)

    with_priorities.add_with(["a", "c"], priority=0, after=0.0)
    assert (depth["-100"], depth["0"], provider[metrics.ADDS].value) == (1, 2, 3)

    assert with_priorities.get_with_priority() == ("a", 0)
    assert (depth["-100"], depth["0"]) == (1, 1)
    with_priorities.add_with(["d"], after=5.0, priority=3)
    clock.advance(5.0)
    len(with_priorities)
    assert provider[metrics.ADDS].value == 3, "counted, and told at the next occasion"
    with_priorities.done("a")
    assert (depth["3"], provider[metrics.ADDS].value) == (1, 4)
    with_priorities.shut_down()


def test_wq_59_a_plain_provider_is_told_the_sum(clock, provider) -> None:
    queue = PriorityQueue[str]("pods", clock=clock, metrics_provider=provider)
    queue.add_with(["a"], priority=-100)
    queue.add_with(["a"], priority=5)
    queue.add("b")

    assert provider[metrics.DEPTH].value == 2
    queue.shut_down()


def test_pq_06_adds_with_a_delay_are_retries_and_latency_starts_when_ready(clock, provider) -> None:
    queue = PriorityQueue[str]("pods", clock=clock, metrics_provider=provider)
    queue.add_after("a", 0.0)
    queue.add_after("b", 5.0)
    queue.add_rate_limited("a")
    assert provider[metrics.RETRIES].value == 2

    clock.advance(7.0)
    queue.get()
    queue.get()
    assert provider[metrics.QUEUE_DURATION].seen == [7.0, 2.0]
    queue.done("a")
    assert provider[metrics.WORK_DURATION].seen == [0.0]
    queue.shut_down()


def test_pq_08_more_than_25_priorities_share_a_label(clock) -> None:
    provider = PriorityProvider()
    queue = PriorityQueue[int]("pods", clock=clock, metrics_provider=provider)
    for priority in range(30):
        queue.add_with([priority], priority=priority)

    labels = provider[metrics.DEPTH].by_label
    assert labels == {**{str(p): 1 for p in range(25)}, "exceeded_cardinality_limit": 5}
    queue.shut_down()
