"""Informers over real HTTP: against a whole server, and against servers that misbehave."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.informers import DynamicSharedInformerFactory, MetadataSharedInformerFactory, SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient, PartialObjectMetadata
from k8srt.rest import Config
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.server import APIServer
from k8srt.testing.choosing import Server
from k8srt.util.wait import Backoff
from tests.integration.wire import Exchange, WireServer

WAIT = 20.0
QueueKind = Literal["delta", "real"]
ADMIN = User("system:admin", "", ("system:masters", "system:authenticated"))
MINE = "metadata.name!=kube-root-ca.crt"
"""Not what a cluster puts into every namespace."""

QUICK = Backoff(initial=0.005, factor=1.5, cap=0.05)


class Mirror:
    """A handler that keeps a copy of what it is told, and counts what happened to each object of the test."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.values: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []
        self.problems: list[str] = []

    def on_add(self, obj: ConfigMap, is_in_initial_list: bool) -> None:
        if obj.metadata.name in self.values:
            self.problems.append(f"added twice: {obj!r}")
        self._put(obj)

    def on_update(self, old: ConfigMap, new: ConfigMap) -> None:
        if old.metadata.name not in self.values:
            self.problems.append(f"updated before it was added: {new!r}")
        self._put(new)

    def on_delete(self, obj: ConfigMap) -> None:
        gone = obj.obj if hasattr(obj, "key") else obj
        with self._cond:
            self.values.pop(gone.metadata.name)
            self.seen.append((gone.metadata.name, "gone"))
            self._cond.notify_all()

    def _put(self, obj: ConfigMap) -> None:
        if obj.metadata.name == "kube-root-ca.crt":  # a cluster puts it into every namespace
            return
        with self._cond:
            self.values[obj.metadata.name] = (obj.data or {}).get("v", "")
            self.seen.append((obj.metadata.name, self.values[obj.metadata.name]))
            self._cond.notify_all()

    def wait(self, done: Callable[[Mirror], bool]) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: done(self), WAIT), (self.values, self.seen[-10:])


def unlimited(server: Server) -> Config:
    config = server.config
    config.qps = -1.0
    return config


def config_map(name: str, value: str = "") -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data={"v": value})


# ---- a whole server ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["delta", "real"])
def queue(request: pytest.FixtureRequest) -> QueueKind:
    """Which queue the informers of a test run on."""
    kind: QueueKind = request.param
    return kind


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


@pytest.mark.parametrize("watch_list", [True, False], ids=["streaming", "plain"])
def test_changes_reach_the_cache_and_the_handler(
    server: Server, namespace: str, watch_list: bool, queue: QueueKind
) -> None:
    mirror = Mirror()
    with Clientset(unlimited(server)) as cs:
        maps = cs.core_v1.config_maps(namespace)
        maps.create(config_map("before", "0"))
        factory = SharedInformerFactory(cs, namespace=namespace, watch_list=watch_list, queue=queue)
        cached = factory.core_v1.config_maps
        cached.informer.add_event_handler(mirror)
        with factory:
            assert factory.wait_for_cache_sync(timeout=WAIT).as_error() is None
            made = maps.create(config_map("a", "1"))
            made.data["v"] = "2"
            maps.update(made)
            maps.delete("before")
            mirror.wait(lambda m: m.values == {"a": "2"})
            assert cached.lister.namespace(namespace).get("a").data == {"v": "2"}

    assert mirror.problems == []


@pytest.mark.embedded
def test_an_informer_survives_a_restart_of_its_server(server: APIServer, queue: QueueKind) -> None:
    """The new one knows nothing of the old one's objects: they are gone, and one list tells."""
    mirror = Mirror()
    with Clientset(unlimited(server)) as cs:
        maps = cs.core_v1.config_maps("default")
        for number in range(20):
            maps.create(config_map(f"old-{number}"))
        factory = SharedInformerFactory(cs, namespace="default", backoff=QUICK, queue=queue)
        factory.core_v1.config_maps.informer.add_event_handler(mirror)
        with factory:
            mirror.wait(lambda m: len(m.values) >= 20)
            server.stop()
            second = APIServer(server.port, tokens={server.token: ADMIN})
            second.cluster.storage._revision += 1000  # as a server that has been around for longer
            second.compact()
            with second, Clientset(unlimited(second)) as other:
                other.core_v1.config_maps("default").create(config_map("new", "1"))
                mirror.wait(lambda m: m.values.get("new") == "1" and not any("old" in name for name in m.values))

    assert mirror.problems == []


def test_dynamic_informers_share_the_machinery(server: Server, namespace: str) -> None:
    gvr = GroupVersionResource("", "v1", "configmaps")
    with Clientset(unlimited(server)) as cs, DynamicClient(server.config) as dynamic:
        cs.core_v1.config_maps(namespace).create(config_map("a", "1"))
        factory = DynamicSharedInformerFactory(dynamic, namespace=namespace)
        lister = factory.for_resource(gvr).lister
        with factory:
            assert factory.wait_for_cache_sync(timeout=WAIT).as_error() is None
            assert lister.get("a", namespace)["data"] == {"v": "1"}
            assert lister.get("a", namespace).kind == "ConfigMap"


@pytest.mark.parametrize("watch_list", [True, False], ids=["streaming", "plain"])
def test_inf_60_informers_of_metadata(server: Server, namespace: str, watch_list: bool) -> None:
    gvr = GroupVersionResource("", "v1", "configmaps")
    seen = []
    changed = threading.Event()

    def on_update(old: PartialObjectMetadata, new: PartialObjectMetadata) -> None:
        seen.append(new)
        changed.set()

    with Clientset(unlimited(server)) as cs, MetadataClient(unlimited(server)) as client:
        maps = cs.core_v1.config_maps(namespace)
        maps.create(config_map("a", "1"))
        factory = MetadataSharedInformerFactory(client, namespace=namespace, watch_list=watch_list)
        cached = factory.for_resource(gvr)
        cached.informer.add_event_handler(on_update=on_update)
        with factory:
            assert factory.wait_for_cache_sync(timeout=WAIT) == {gvr: True}
            found = cached.lister.get("a", namespace)
            maps.label("a", tier="web")
            assert changed.wait(WAIT)

    assert isinstance(found, PartialObjectMetadata)
    assert found.to_record().parts.keys() == {"apiVersion", "kind", "metadata"}
    assert seen[0].metadata.labels == {"tier": "web"}
    assert str(gvr) in cached.informer.name


def test_cli_16_the_metadata_client(server: Server, namespace: str) -> None:
    with Clientset(unlimited(server)) as cs, MetadataClient(unlimited(server)) as client:
        maps = client.resource(GroupVersionResource("", "v1", "configmaps"), namespace)
        cs.core_v1.config_maps(namespace).create(config_map("a", "1"))

        assert maps.get("a").to_dict().keys() == {"apiVersion", "kind", "metadata"}
        assert [each.metadata.name for each in maps.list(field_selector=MINE)] == ["a"]
        patched = maps.patch("a", {"metadata": {"labels": {"x": "y"}}}, patch_type="merge")
        assert patched.metadata.labels == {"x": "y"}
        with maps.watch(field_selector=MINE, timeout_seconds=30) as events:
            event = next(iter(events))
        assert (event.object.metadata.name, event.object.kind) == ("a", "PartialObjectMetadata")
        maps.delete("a")
        assert len(maps.list(field_selector=MINE)) == 0


def test_stopping_is_prompt_and_leaves_no_thread(server: Server, namespace: str, queue: QueueKind) -> None:
    with Clientset(unlimited(server)) as cs:
        factory = SharedInformerFactory(cs, queue=queue)
        for resource in (factory.core_v1.pods, factory.core_v1.config_maps, factory.apps_v1.deployments):
            resource.informer.add_event_handler(Mirror())
        with factory:
            factory.wait_for_cache_sync(timeout=WAIT)

    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(("k8srt-informer", "k8srt-reflector", "k8srt-handler"))]


# ---- servers that misbehave -----------------------------------------------------------------------------------------


class History:
    """A collection of one ConfigMap with as many versions as one likes, on a server that breaks its watches."""

    def __init__(self, versions: int, misbehave: Callable[[Exchange, bytes, int], bool]) -> None:
        self.versions = versions
        self._misbehave = misbehave
        self._lock = threading.Lock()
        self.lists = self.watches = 0

    def document(self, version: int) -> dict[str, object]:
        metadata = {"name": "m", "namespace": "default", "resourceVersion": str(version), "uid": "u"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": str(version)}}

    def respond(self, exchange: Exchange) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(exchange.path).query).items()}
        if query.get("watch") != "true":
            with self._lock:
                self.lists += 1
            body = {"metadata": {"resourceVersion": "1"}, "items": [self.document(1)]}
            exchange.reply(200, {"apiVersion": "v1", "kind": "ConfigMapList", **body})
            return
        with self._lock:
            self.watches += 1
            turn = self.watches
        exchange.stream()
        for version in range(int(query["resourceVersion"]) + 1, self.versions + 1):
            line = json.dumps({"type": "MODIFIED", "object": self.document(version)}).encode() + b"\n"
            if not self._misbehave(exchange, line, turn):
                return
        exchange.wait_for_hang_up()


def follow(history: History, expected: int, queue: QueueKind = "delta", **config: float) -> Mirror:
    """Run an informer against the history until it has seen the last version."""
    mirror = Mirror()
    with WireServer(history.respond) as server, Clientset(server.config(**config)) as cs:
        factory = SharedInformerFactory(cs, namespace="default", watch_list=False, backoff=QUICK, queue=queue)
        factory.core_v1.config_maps.informer.add_event_handler(mirror)
        with factory:
            mirror.wait(lambda m: m.values.get("m") == str(expected))
    assert mirror.problems == []
    return mirror


def keep_going(exchange: Exchange, line: bytes, turn: int) -> bool:
    exchange.chunk(line)
    return True


def one_and_close(exchange: Exchange, line: bytes, turn: int) -> bool:
    exchange.chunk(line)
    exchange.end()
    return False


def cut_mid_line(exchange: Exchange, line: bytes, turn: int) -> bool:
    exchange.chunk(line)
    exchange.chunk(line[: len(line) // 2])
    exchange.hang_up()
    return False


def reset(exchange: Exchange, line: bytes, turn: int) -> bool:
    exchange.chunk(line)
    if turn % 2:
        exchange.reset()
        return False
    exchange.hang_up()
    return False


@pytest.mark.embedded
@pytest.mark.parametrize("misbehave", [one_and_close, cut_mid_line], ids=["closed", "cut mid-line"])
def test_usr_02_every_change_arrives_over_any_number_of_closes(
    misbehave: Callable[..., bool], queue: QueueKind
) -> None:
    history = History(60, misbehave)

    mirror = follow(history, 60, queue)

    assert mirror.seen == [("m", str(version)) for version in range(1, 61)]
    assert history.lists == 1


@pytest.mark.embedded
def test_usr_02_resets_lose_nothing_that_came_later() -> None:
    history = History(40, reset)

    mirror = follow(history, 40)

    versions = [int(value) for _, value in mirror.seen]
    assert versions == sorted(versions)


@pytest.mark.embedded
def test_usr_03_an_expired_version_costs_one_list(queue: QueueKind) -> None:
    expired = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired"}

    def expire_first(exchange: Exchange, line: bytes, turn: int) -> bool:
        exchange.chunk(json.dumps({"type": "ERROR", "object": expired}).encode() + b"\n" if turn == 1 else line)
        return turn != 1

    history = History(4, expire_first)
    follow(history, 4, queue)

    assert history.lists == 2


@pytest.mark.embedded
def test_usr_01_a_server_that_falls_silent_is_left_behind() -> None:
    def silent_first(exchange: Exchange, line: bytes, turn: int) -> bool:
        if turn > 1:
            exchange.chunk(line)
            return True
        exchange.wait_for_hang_up()  # for as long as the client has patience
        return False

    history = History(3, silent_first)
    follow(history, 3, watch_idle_timeout=0.5)

    assert history.watches >= 2


@pytest.mark.embedded
def test_a_line_that_is_no_json_costs_a_log_line_and_a_list(caplog: pytest.LogCaptureFixture) -> None:
    def garbage_first(exchange: Exchange, line: bytes, turn: int) -> bool:
        exchange.chunk(b'{"type":"MODIFIED","object":{"kind": oops}}\n' if turn == 1 else line)
        return turn != 1

    history = History(5, garbage_first)
    with caplog.at_level(logging.WARNING, "k8srt"):
        follow(history, 5)

    assert history.lists == 2
    told = [record.getMessage() for record in caplog.records if "oops" in record.getMessage()]
    assert len(told) == 1
    assert "configmaps" in told[0]


@pytest.mark.embedded
def test_a_list_that_is_no_json_is_one_error_and_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    history = History(3, keep_going)
    calls = []
    real = history.respond

    def dispatch(exchange: Exchange) -> None:
        calls.append(exchange.path)
        if len(calls) <= 3:
            exchange.reply(200, b'{"kind": "ConfigMapList", "items": [{]}')
        else:
            real(exchange)

    history.respond = dispatch  # type: ignore[method-assign]
    with caplog.at_level(logging.ERROR, "k8srt"):
        follow(history, 3)

    errors = [record.getMessage() for record in caplog.records if "failed to list ConfigMap" in record.getMessage()]
    assert len(errors) == 1


@pytest.mark.embedded
def test_a_server_that_refuses_is_one_error_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    history = History(3, keep_going)
    calls = []
    real = history.respond

    def dispatch(exchange: Exchange) -> None:
        calls.append(exchange.path)
        if len(calls) > 4:
            real(exchange)
            return
        exchange.reply(
            403, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden"}
        )

    history.respond = dispatch  # type: ignore[method-assign]
    with caplog.at_level(logging.INFO, "k8srt.tools.cache"):
        follow(history, 3)

    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert [record for record in caplog.records if "works again" in record.getMessage()]
