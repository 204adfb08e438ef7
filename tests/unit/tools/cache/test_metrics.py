"""What informers and reflectors report, and to whom."""

from __future__ import annotations

import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.errors import QueueClosed
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import (
    DeltaFIFO,
    InformerName,
    RealFIFO,
    Reflector,
    SharedIndexInformer,
    Store,
    metrics,
    set_informer_metrics_provider,
    set_reflector_metrics_provider,
)
from k8srt.tools.cache.measured import MeasuredQueue, measured
from tests.unit.tools.cache.scripted import WAIT, Source, Stream, added, pod, pod_object, pods, running

PODS = GroupVersionResource("", "v1", "pods")


class Instrument:
    """Writes down what it is told."""

    def __init__(self):
        self._cond = threading.Condition()
        self.values = []

    def observe(self, value):
        with self._cond:
            self.values.append(value)
            self._cond.notify_all()

    set = observe

    def inc(self):
        self.observe(1)

    def wait(self, value):
        with self._cond:
            assert self._cond.wait_for(lambda: value in self.values, WAIT), self.values


class Provider:
    """An instrument for each name; `provider["lists"]`."""

    def __init__(self):
        self.made = {}

    def __getattr__(self, name):
        def make(about):
            assert self.made.setdefault("about", about) is about
            return self.made.setdefault(name, Instrument())

        return make

    def __getitem__(self, name):
        return self.made[name]

    def values(self, name):
        return self.made[name].values


@pytest.fixture
def provider(monkeypatch):
    made = Provider()
    monkeypatch.setattr(metrics.informer_provider, "_provider", made)
    monkeypatch.setattr(metrics.reflector_provider, "_provider", made)
    return made


@pytest.fixture
def name():
    made = InformerName("tests")
    yield made
    made.release()


def queues():
    return [DeltaFIFO(kind=Pod, known_objects=Store(kind=Pod)), RealFIFO(kind=Pod, atomic=True, emit_bookmarks=True)]


def test_refl_51_and_inf_65_providers_are_set_once(monkeypatch):
    for setter, holder in [
        (set_informer_metrics_provider, metrics.informer_provider),
        (set_reflector_metrics_provider, metrics.reflector_provider),
    ]:
        monkeypatch.setattr(holder, "_provider", None)
        first, second = Provider(), Provider()
        assert setter(first)
        assert not setter(second)
        assert holder.get() is first


def test_refl_51_and_inf_65_names_are_those_of_the_field():
    assert (metrics.QUEUED_ITEMS, metrics.PROCESSING_LATENCY, metrics.STORE_RESOURCE_VERSION) == (
        "informer_queued_items",
        "informer_processing_latency_seconds",
        "informer_store_resource_version",
    )
    assert (metrics.LISTS, metrics.LIST_DURATION, metrics.ITEMS_PER_LIST) == (
        "reflector_lists_total",
        "reflector_list_duration_seconds",
        "reflector_items_per_list",
    )
    assert (metrics.WATCHES, metrics.SHORT_WATCHES, metrics.WATCH_DURATION, metrics.ITEMS_PER_WATCH) == (
        "reflector_watches_total",
        "reflector_short_watches_total",
        "reflector_watch_duration_seconds",
        "reflector_items_per_watch",
    )
    assert metrics.LAST_RESOURCE_VERSION == "reflector_last_resource_version"


@pytest.mark.parametrize(
    ("version", "figure"),
    [("42", 42.0), ("1234567890123456789", 567890123456789.0), ("", None), ("a1", None), ("-5", None), ("٣", None)],
)
def test_inf_65_versions_as_figures(version, figure):
    assert metrics.version_figure(version) == figure


@pytest.mark.parametrize("inner", queues(), ids=["delta", "real"])
def test_cache_59_length_and_latency_are_reported(provider, name, inner):
    clock = FakeClock()
    queue = measured(inner, name.with_resource(PODS), clock, lambda: "1234")
    queue.add(pod_object("a"))
    queue.update(pod_object("b"))
    queue.pop_batch(lambda batch, initial: clock.advance(2.0), 1)
    queue.pop(lambda deltas, initial: clock.advance(3.0))
    queue.close()
    with pytest.raises(QueueClosed):
        queue.pop(lambda deltas, initial: None)

    assert provider.values("queued_items") == [1.0, 2.0, 1.0, 0.0, 0.0]
    assert provider.values("processing_latency") == [2.0, 3.0]
    assert provider.values("store_resource_version") == [1234.0, 1234.0]


@pytest.mark.parametrize("inner", queues(), ids=["delta", "real"])
def test_cache_59_every_way_in_is_counted(provider, name, inner):
    queue = measured(inner, name.with_resource(PODS), FakeClock(), lambda: "")
    queue.replace([pod_object("a")], "1")
    queue.extend([])
    queue.delete(pod_object("a"))
    queue.resync()
    queue.bookmark("2")

    assert provider.values("queued_items")[0] == 1.0
    assert provider.values("queued_items")[-1] == float(len(queue))
    assert len(provider.values("queued_items")) == 5
    assert (queue.has_synced(), queue.transformer(), queue.form) == (False, None, inner.form)
    assert queue.debug_state() == inner.debug_state()
    assert repr(queue) == repr(inner)


def test_inf_64_and_cache_59_without_a_reserved_identity_nothing_is_measured(provider, name, monkeypatch):
    inner, clock = queues()[0], FakeClock()
    reserved, duplicate = name.with_resource(PODS), name.with_resource(PODS)
    assert measured(inner, None, clock, str) is inner
    assert measured(inner, duplicate, clock, str) is inner

    queue = measured(inner, reserved, clock, lambda: "5")
    assert isinstance(queue, MeasuredQueue)
    name.release()
    queue.add(pod_object("a"))
    queue.pop_batch(lambda batch, initial: None)
    assert provider.values("queued_items") == provider.values("processing_latency") == []

    monkeypatch.setattr(metrics.informer_provider, "_provider", None)
    assert measured(inner, reserved, clock, str) is inner


def test_an_instrument_that_fails_loses_no_change(provider, name, caplog):
    queue = measured(queues()[0], name.with_resource(PODS), FakeClock(), lambda: "5")
    provider["queued_items"].set = lambda value: 1 / 0
    queue.add(pod_object("a"))

    assert queue.pop_batch(lambda batch, initial: None) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("kind", ["delta", "real"])
def test_inf_65_an_informer_reports(provider, name, kind):
    source = Source(lists=[pods(pod("a", 1), rv=10)], watches=[Stream(added(pod("b", 11)))])
    informer = SharedIndexInformer(
        source, Pod, queue=kind, identifier=name.with_resource(PODS), clock=FakeClock(), description="x"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics.reflector_provider, "_provider", None)
        with informer:
            assert informer.synced.wait(WAIT)
            provider["store_resource_version"].wait(11.0)
            provider["queued_items"].wait(0.0)

    assert provider.values("processing_latency")


def test_refl_51_a_reflector_reports(provider):
    clock = FakeClock()
    streams = [Stream(end=True), Stream([added(pod("b", 11)), added(pod("c", 12))])]
    streams[1].do(lambda: clock.advance(7.0))
    streams[1].end()

    def slow_list(options, stop):
        clock.advance(3.0)
        return pods(pod("a", 1), rv=10)

    source = Source(lists=[slow_list, pods(rv=10)], watches=streams)
    reflector = Reflector(source, Pod, Store(kind=Pod), name="pods", clock=clock)
    with running(reflector.run):
        clock.wait_for_sleepers(1)  # the very short watch has led to a backoff
        clock.advance_to_next()
        provider["last_resource_version"].wait(12.0)
        source.wait(watches=3)

    assert provider["about"] == "pods"
    assert (len(provider.values("lists")), provider.values("items_per_list")) == (2, [1.0, 0.0])
    assert provider.values("list_duration") == [3.0, 0.0]
    assert len(provider.values("watches")) == 3
    assert len(provider.values("short_watches")) >= 1
    assert provider.values("items_per_watch")[:2] == [0.0, 2.0]
    assert provider.values("watch_duration")[:2] == [0.0, 7.0]
    assert provider.values("last_resource_version") == [10.0, 10.0, 12.0]
