"""Which queue an informer runs on."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import Indexer, SharedIndexInformer
from k8srt.tools.cache.queues import make_queue
from tests.unit.tools.cache.scripted import WAIT, Recorder, Source, Stream, added, bookmark, modified, pod, pods


def test_cache_49_the_default_collects_by_key_and_an_option_keeps_all():
    store = Indexer(kind=Pod)
    names = [
        make_queue(kind, store, transformer=None, name="Pod", clock=FakeClock()).name for kind in ("delta", "real")
    ]

    assert names == ["DeltaFIFO Pod", "RealFIFO Pod"]
    with pytest.raises(ValueError, match="queue must be 'delta' or 'real', not 'other'"):
        SharedIndexInformer(Source(), Pod, queue="other")


@pytest.mark.parametrize(
    ("kind", "name"), [(None, "DeltaFIFO Pod"), ("delta", "DeltaFIFO Pod"), ("real", "RealFIFO Pod")]
)
def test_cache_49_an_informer_runs_on_the_queue_that_was_chosen(kind, name):
    informer = SharedIndexInformer(Source(), Pod, clock=FakeClock(), **({"queue": kind} if kind else {}))
    with informer:
        assert informer.synced.wait(WAIT)
        assert informer.debug_state()["queue"]["name"] == name


def test_cache_50_an_informer_on_the_real_queue_tells_changes_in_the_order_of_the_server():
    stream, recorder = Stream(), Recorder()
    stream.send([added(pod("a", 11)), added(pod("b", 12)), modified(pod("a", 13)), added(pod("c", 14))])
    informer = SharedIndexInformer(Source(watches=[stream]), Pod, queue="real", clock=FakeClock())
    informer.add_event_handler(recorder)
    with informer:
        told = recorder.wait(4)

    assert [each[:2] for each in told] == [("add", "a"), ("add", "b"), ("update", "a"), ("add", "c")]


def test_cache_54_a_bookmark_moves_the_version_of_the_store():
    stream, recorder = Stream(), Recorder()
    informer = SharedIndexInformer(Source(lists=[pods(rv=10)], watches=[stream]), Pod, queue="real", clock=FakeClock())
    informer.add_event_handler(recorder)
    with informer:
        assert informer.synced.wait(WAIT)
        stream.send([added(pod("a", 11)), bookmark(20), added(pod("b", 15))])
        stream.send(bookmark(30))
        stream.send(added(pod("c", 31)))
        recorder.wait(3)

    assert informer.store.last_store_sync_resource_version() == "31"
    assert [each[1] for each in recorder.told] == ["a", "b", "c"]
