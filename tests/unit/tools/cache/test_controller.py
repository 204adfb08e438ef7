"""The low-level informer."""

from __future__ import annotations

import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import Controller, DeltaFIFO, Indexer, new_informer
from tests.unit.tools.cache.scripted import (
    WAIT,
    Recorder,
    Source,
    Stream,
    added,
    deleted,
    pod,
    pod_object,
    pods,
    running,
)


def made(source, handler, **options):
    return new_informer(source, Pod, handler, clock=FakeClock(), **options)


def test_inf_01_and_06_a_store_and_a_controller():
    stream = Stream()
    source, recorder = Source(lists=[pods(pod("a", 1), rv=10)], watches=[stream]), Recorder()
    store, controller = made(source, recorder)
    assert controller.last_sync_resource_version() == ""
    assert not controller.has_synced()
    with running(controller.run):
        recorder.wait(1)
        stream.send([added(pod("b", 11)), deleted(pod("a", 12))])
        told = recorder.wait(3)
        assert controller.synced.wait(WAIT)
        assert controller.has_synced()
        assert store.list_keys() == ["default/b"]

    assert told == [("add", "a", True), ("add", "b", False), ("delete", "a")]
    assert controller.last_sync_resource_version() == "12"
    assert isinstance(store, Indexer)


def test_inf_01_when_run_returns_the_reflector_has_ended():
    source = Source()
    _, controller = made(source, Recorder())
    with running(controller.run):
        source.wait(watches=1)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("k8srt-")]


def test_inf_04_an_exception_of_the_handler_ends_run():
    class Broken(Recorder):
        def on_add(self, obj, is_in_initial_list):
            raise ValueError("enough")

    source = Source(lists=[pods(pod("a"), rv=10)])
    _, controller = made(source, Broken())

    with pytest.raises(ValueError, match="enough"):
        controller.run(threading.Event())
    assert controller.queue.is_closed()


def test_inf_06_handlers_run_in_the_thread_that_runs_the_controller():
    threads = []

    class Where(Recorder):
        def on_add(self, obj, is_in_initial_list):
            threads.append(threading.current_thread().name)
            super().on_add(obj, is_in_initial_list)

    recorder = Where()
    _, controller = made(Source(lists=[pods(pod("a"), rv=10)]), recorder)
    with running(controller.run):
        recorder.wait(1)

    assert threads == ["test-running"]


def test_inf_02_the_loop_goes_on_until_the_queue_is_closed_and_empty():
    queue, seen = DeltaFIFO(), []
    controller = Controller(queue, lambda: None, lambda batch, initial: seen.extend(each.key for each in batch), "pods")
    queue.add(pod_object("a"))
    queue.close()
    controller.process_loop(threading.Event())
    assert seen == ["default/a"]

    queue.add(pod_object("b"))
    stopped = threading.Event()
    stopped.set()
    controller.process_loop(stopped)
    assert seen == ["default/a"]


def test_inf_03_what_waits_is_popped_in_one_batch():
    queue, sizes = DeltaFIFO(), []
    controller = Controller(queue, lambda: None, lambda batch, initial: sizes.append(len(batch)), "pods")
    for name in "abc":
        queue.add(pod_object(name))
    queue.close()
    controller.process_loop(threading.Event())

    assert sizes == [3]


def test_inf_05_synced_is_what_the_queue_says():
    queue = DeltaFIFO()
    controller = Controller(queue, lambda: None, lambda batch, initial: None, "pods")
    assert not controller.has_synced()
    assert controller.last_sync_resource_version() == ""

    queue.replace([])
    assert controller.has_synced()
    assert controller.synced is queue.synced
