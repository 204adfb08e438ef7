"""Events over real HTTP: recorded, counted, shown by kubectl, and got through to a server that was away."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap, Event
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient
from k8srt.testing import APIServer
from k8srt.testing.choosing import Server
from k8srt.tools import events, record
from tests.integration.programs import Kubectl, binaries, number
from tests.integration.wire import Exchange, WireServer

LIMIT = 20.0
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.fixture
def cs(server: Server) -> Iterator[Clientset]:
    with Clientset(server.config) as made:
        yield made


@pytest.fixture
def failed() -> Iterator[threading.Event]:
    """Set when a write has failed, as the log tells."""
    seen = threading.Event()

    def tell(record: logging.LogRecord) -> bool:
        seen.set()
        return True

    log = logging.getLogger("k8srt.tools.record.delivery")
    log.addFilter(tell)
    yield seen
    log.removeFilter(tell)


def create(cs: Clientset, name: str) -> ConfigMap:
    return cs.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name=name)))


def written(cs: Clientset, about: str) -> list[Event]:
    return list(cs.core_v1.events("default").list(field_selector=f"involvedObject.name={about}"))


# ---- core events


def test_evt_16_a_flood_is_one_event_and_a_count_of_25(cs: Clientset) -> None:
    about = create(cs, "web")
    with record.EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("me", host="here")
        for _ in range(40):
            recorder.event(about, "Normal", "Synced", "m")

    (event,) = written(cs, "web")
    assert (event.count, event.reason, event.source.component, event.source.host) == (25, "Synced", "me", "here")
    assert list(cs.core_v1.events("default").search(about)) == [event]


@pytest.mark.parametrize("module", [record, events], ids=["record", "events"])
def test_events_and_the_work_they_tell_of_do_not_wait_for_each_other(server: Server, module: Any) -> None:
    config = server.config.copy()
    config.qps, config.burst = 0.001, 2
    with Clientset(config) as cs, module.EventBroadcaster() as broadcaster:
        about = create(cs, "web")
        create(cs, "other")
        broadcaster.start_recording_to_sink(cs)
        broadcaster.new_recorder("me").event(about, "Normal", "Synced", "m")

        assert broadcaster.flush(LIMIT)


def test_evt_03_objects_of_all_clients_are_told_of(cs: Clientset) -> None:
    create(cs, "web")
    dynamic = DynamicClient.over(cs.rest_client).resource(CONFIG_MAPS, "default").get("web")
    partial = MetadataClient.over(cs.rest_client).resource(CONFIG_MAPS, "default").get("web")
    item = next(iter(cs.core_v1.config_maps("default").list(field_selector="metadata.name=web")))
    with record.EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("me")
        for reason, about in (("Dynamic", dynamic), ("Partial", partial), ("Item", item)):
            recorder.event(about, "Normal", reason, "m")

    found = {event.reason: event.involved_object for event in written(cs, "web")}
    kinds = {reason: about.kind for reason, about in found.items()}
    assert kinds == {"Dynamic": "ConfigMap", "Partial": "PartialObjectMetadata", "Item": "ConfigMap"}
    assert {about.uid for about in found.values()} == {item.metadata.uid}


def test_evt_05_events_of_what_is_in_no_namespace_are_in_default(cs: Clientset) -> None:
    with record.EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("me")
        recorder.event(cs.core_v1.namespaces().get("kube-system"), "Normal", "Seen", "m")

    (event,) = written(cs, "kube-system")
    assert (event.metadata.namespace, event.involved_object.kind) == ("default", "Namespace")


@pytest.mark.cluster
def test_evt_19_a_namespace_that_terminates_takes_no_events_and_nobody_is_bothered(
    cs: Clientset, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    held = ConfigMap(metadata=ObjectMeta(name="held", finalizers=["example.com/hold"]))
    about = cs.core_v1.config_maps(namespace).create(held)
    cs.core_v1.namespaces().delete(namespace)
    with record.EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs)
        broadcaster.new_recorder("me").event(about, "Normal", "Synced", "m")

    assert list(cs.core_v1.events(namespace).list()) == []
    assert caplog.messages == []


def test_evt_19_who_may_not_write_events_is_told_so_and_may_later(
    rbac_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with Clientset(rbac_server.config) as admin:
        about = create(admin, "web")
        with Clientset(rbac_server.config_for("robot")) as cs, record.EventBroadcaster() as broadcaster:
            broadcaster.start_recording_to_sink(cs)
            recorder = broadcaster.new_recorder("me")
            recorder.event(about, "Normal", "Synced", "m")
            assert broadcaster.flush(LIMIT)
            assert written(admin, "web") == []
            assert "lost, since the server doesn't take it: events is forbidden" in caplog.text

            rule = {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}
            admin.rbac_v1.cluster_roles().create({"metadata": {"name": "tell"}, "rules": [rule]})
            admin.rbac_v1.cluster_role_bindings().create(
                {
                    "metadata": {"name": "tell"},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tell"},
                    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "robot"}],
                }
            )
            recorder.event(about, "Normal", "Synced", "m")
            assert broadcaster.flush(LIMIT)

        (event,) = written(admin, "web")
        assert event.count == 2


@pytest.mark.embedded
@pytest.mark.parametrize("module", [record, events], ids=["record", "events"])
def test_evt_17_to_20_a_server_that_goes_and_comes_back_gets_the_events(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, failed: threading.Event, module: Any
) -> None:
    caplog.set_level(logging.INFO, "k8srt.tools")
    with APIServer(data_dir=tmp_path) as server:
        config, port = server.config, int(server.url.rpartition(":")[2])
    with module.EventBroadcaster(retry_delay=0.05) as broadcaster, Clientset(config) as cs:
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("me")
        about = ConfigMap(metadata=ObjectMeta(name="web", namespace="default", uid="u1"))
        recorder.event(about, "Normal", "Synced", "m")
        assert failed.wait(LIMIT)

        with APIServer(port=port, data_dir=tmp_path):
            assert broadcaster.flush(LIMIT)
            (event,) = written(cs, "web")

    assert event.reason == "Synced"
    assert "trying again later" in caplog.messages[0]
    assert caplog.messages[-1].startswith("events are written again after")


@pytest.mark.embedded
@pytest.mark.parametrize("module", [record, events], ids=["record", "events"])
def test_evt_01_and_09_a_server_that_never_answers_holds_up_neither_recording_nor_the_end(module: Any) -> None:
    asked = threading.Event()

    def silent(exchange: Exchange) -> None:
        asked.set()
        exchange.wait_for_hang_up()

    with WireServer(silent) as wire, Clientset(wire.config()) as cs:
        broadcaster = module.EventBroadcaster()
        broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("me")
        about = ConfigMap(metadata=ObjectMeta(name="web", namespace="default", uid="u1"))
        for n in range(3000):
            recorder.event(about, "Normal", f"R{n}", "m")
        assert asked.wait(LIMIT)

        broadcaster.shutdown(timeout=0.1)

    assert broadcaster.dropped > 1000
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("k8srt-events")]


# ---- events.k8s.io


def test_evt_24_a_series_is_counted_and_told_to_the_end(cs: Clientset) -> None:
    about = create(cs, "web")
    with events.EventBroadcasterAdapter(cs) as adapter:
        assert adapter.newer
        adapter.start_recording_to_sink()
        recorder = adapter.new_recorder("example.com/me", instance="me-0")
        for _ in range(10):
            recorder.eventf(about, cs.core_v1.namespaces().get("default"), "Normal", "Synced", "Sync", "%d%%", 100)

    (event,) = [each for each in cs.events_v1.events("default").list() if each.regarding.name == "web"]
    assert (event.series.count, event.action, event.note) == (10, "Sync", "100%")
    assert (event.reporting_controller, event.reporting_instance) == ("example.com/me", "me-0")
    assert (event.regarding.name, event.related.name) == ("web", "default")


# ---- kubectl


@pytest.mark.kubectl
@pytest.mark.parametrize("binary", binaries() or [None], ids=lambda binary: number(binary) if binary else "none")
def test_kubectl_shows_what_was_recorded(server: Server, cs: Clientset, binary: Path | None, tmp_path: Path) -> None:
    if binary is None:
        pytest.skip("there is no kubectl on the PATH")
    (tmp_path / "kubeconfig").write_text(server.kubeconfig())
    kubectl = Kubectl(binary, tmp_path / "kubeconfig", tmp_path, "default")
    about = create(cs, "web")
    with record.EventBroadcaster() as core, events.EventBroadcaster() as newer:
        core.start_recording_to_sink(cs)
        newer.start_recording_to_sink(cs)
        for _ in range(3):
            core.new_recorder("old-controller").event(about, "Warning", "Failed", "no room left")
            newer.new_recorder("new-controller").event(about, "Normal", "Synced", "100% done", action="Sync")

    shown = ("get", "events", "--no-headers", "--field-selector=involvedObject.name=web")
    listed = [line.split(None, 4)[1:] for line in kubectl(*shown).splitlines()]
    described = kubectl("describe", "configmap", "web")

    assert sorted(listed) == [
        ["Normal", "Synced", "configmap/web", "100% done"],
        ["Warning", "Failed", "configmap/web", "no room left"],
    ]
    told = [line.split() for line in described.partition("Events:")[2].splitlines() if "-controller" in line]
    assert sorted((words[0], words[1]) for words in told) == [("Normal", "Synced"), ("Warning", "Failed")]
    assert "(x3 over" in described
    assert "old-controller" in described
    assert "new-controller" in described


# ---- processes


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_usr_39_a_child_writes_what_it_records_and_nothing_of_its_parent(cs: Clientset) -> None:
    about = create(cs, "web")
    with record.EventBroadcaster() as broadcaster:
        watch = broadcaster.start_recording_to_sink(cs)
        recorder = broadcaster.new_recorder("me")
        recorder.event(about, "Normal", "Parent", "m")
        assert broadcaster.flush(LIMIT)
        with watch.outbox._lock:  # as if another thread held it at the moment of the fork
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    recorder.event(about, "Normal", "Child", "m")
                    broadcaster.shutdown(LIMIT)
                    code = 0
                finally:
                    os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        recorder.event(about, "Normal", "Parent", "m")

    assert {event.reason: event.count for event in written(cs, "web")} == {"Parent": 2, "Child": 1}
