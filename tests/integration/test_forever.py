"""Following a collection and waiting for an object over real HTTP: closes, cuts, silence, expiry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Pod, PodCondition
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient
from k8srt.rest.watch import End
from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import User
from k8srt.testing.choosing import Server
from k8srt.tools.watch import RetryWatcher, until, until_with_sync
from tests.integration.wire import Exchange, WireServer, event

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
PODS = GroupVersionResource("", "v1", "pods")


@pytest.fixture
def server(own_server: Server) -> Server:
    return own_server


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def told(events: Iterator[Any], count: int) -> list[tuple[str, str]]:
    return [(event.type, event.object.metadata.name) for event in islice(events, count)]


def pod() -> Pod:
    document = {
        "metadata": {"name": "web-0"},
        "spec": {"containers": [{"name": "c", "image": "i"}], "schedulerName": "nobody"},
    }
    return Pod.from_dict(document)


Interrupt = Callable[[str], None]


@pytest.fixture
def interrupt(server: Server) -> Interrupt:
    """Ends the watches of a resource, on a server that can be told to."""
    return server.cluster.storage.end_watches if isinstance(server, APIServer) else lambda resource: None


# ---- following ----------------------------------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.parametrize("kind", ["typed", "dynamic", "metadata"])
def test_usr_02_and_03_every_client_follows_over_closes_and_expiry(server: APIServer, cs: Clientset, kind: str) -> None:
    maps = cs.core_v1.config_maps("default")
    clients: dict[str, Any] = {
        "typed": maps,
        "dynamic": DynamicClient.over(cs.rest_client).resource(CONFIG_MAPS, "default"),
        "metadata": MetadataClient.over(cs.rest_client).resource(CONFIG_MAPS, "default"),
    }
    for name in ("gone", "kept", "changed"):
        maps.create(config_map(name))

    with clients[kind].watch(forever=True) as events:
        assert told(events, 3) == [("ADDED", "changed"), ("ADDED", "gone"), ("ADDED", "kept")]
        maps.create(config_map("new"))
        assert told(events, 1) == [("ADDED", "new")]

        server.cluster.storage.end_watches("configmaps")
        maps.label("new", a="1")
        assert told(events, 1) == [("MODIFIED", "new")]

        server.cluster.storage.end_watches("configmaps")
        maps.delete("gone")
        maps.label("changed", a="1")
        maps.create(config_map("newer"))
        server.compact()
        assert told(events, 3) == [("DELETED", "gone"), ("MODIFIED", "changed"), ("ADDED", "newer")]

        maps.delete("kept")
        assert told(events, 1) == [("DELETED", "kept")]


@pytest.mark.embedded
def test_it_follows_over_a_restart_of_a_server_that_has_forgotten_everything() -> None:
    with APIServer() as first:
        cs = Clientset(first.config)
        maps = cs.core_v1.config_maps("default")
        for name in ("a", "b"):
            maps.create(config_map(name))
        events = maps.watch(forever=True)
        assert told(events, 2) == [("ADDED", "a"), ("ADDED", "b")]
    known = {first.token: User("admin", "", ("system:masters",))}
    with cs, events, APIServer(first.port, tokens=known) as second:
        made = maps.create(config_map("b"))
        while int(made.metadata.resource_version) <= int(events.resource_version):
            made = maps.label("b", version=made.metadata.resource_version)
        second.compact()

        assert told(events, 3) == [("DELETED", "a"), ("DELETED", "b"), ("ADDED", "b")]

        maps.label("b", x="1")
        assert told(events, 1) == [("MODIFIED", "b")]


@pytest.mark.embedded
def test_it_ends_when_its_client_is_closed_or_no_longer_welcome(server: APIServer) -> None:
    closed = Clientset(server.config)
    events = closed.core_v1.config_maps("default").watch(forever=True)
    closed.close()
    with pytest.raises(errors.ClientClosed):
        next(events)
    assert events.ended is End.FAILED

    with Clientset(server.config) as cs, cs.core_v1.config_maps("default").watch(forever=True) as others:
        server.stop()
        with APIServer(server.port), pytest.raises(errors.Unauthorized):
            next(others)


def test_usr_40_another_thread_closes_it_and_the_client_stays_usable(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)
    events = maps.watch(forever=True)
    found: list[Any] = []
    reader = threading.Thread(target=lambda: found.extend(events), daemon=True)
    reader.start()
    maps.create(config_map("a"))

    events.close()
    reader.join(5.0)

    assert not reader.is_alive()
    assert events.ended is End.CLOSED
    assert maps.get("a")


def follow(respond: Any, count: int, **options: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """What is told by a server that behaves as `respond` says at each watch, and the paths it was asked for."""
    listed = b'{"apiVersion":"v1","kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}'

    def answer(exchange: Exchange) -> None:
        if "watch=true" in exchange.path:
            respond(exchange)
        else:
            exchange.reply(body=listed)

    with WireServer(answer) as server, Clientset(server.config()) as cs:
        with cs.core_v1.pods("d").watch(forever=True, **options) as events:
            found = told(events, count)
        return found, [exchange.path for exchange in server.requests]


@pytest.mark.embedded
def test_usr_02_cuts_and_resets_and_halves_of_events_lose_nothing() -> None:
    ways = [Exchange.end, Exchange.hang_up, Exchange.end]
    opened: list[str] = []

    def respond(exchange: Exchange) -> None:
        version = int(exchange.path.partition("resourceVersion=")[2].partition("&")[0])
        opened.append(str(version))
        exchange.stream()
        exchange.chunk(event(f"p{version + 1}", version=version + 1))
        exchange.chunk(event("half", version=99)[:40])
        ways[version % len(ways)](exchange)

    found, paths = follow(respond, 30)

    assert found == [("ADDED", f"p{number}") for number in range(2, 32)]
    assert opened == [str(number) for number in range(1, len(opened) + 1)]
    assert sum("watch=true" not in path for path in paths) == 1


@pytest.mark.embedded
def test_usr_01_a_server_that_falls_silent_is_asked_again() -> None:
    seen: list[str] = []

    def respond(exchange: Exchange) -> None:
        seen.append(exchange.path)
        exchange.stream()
        if len(seen) > 1:
            exchange.chunk(event("late", version=5))
        exchange.wait_for_hang_up()

    found, _ = follow(respond, 1, idle_timeout=1.1)

    assert found == [("ADDED", "late")]
    assert len(seen) == 2


# ---- waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["typed", "dynamic"])
def test_usr_34_a_condition_is_awaited_on_one_watch(
    cs: Clientset, namespace: str, interrupt: Interrupt, kind: str
) -> None:
    pods = cs.core_v1.pods(namespace)
    found = pods.create(pod())
    client: Any = pods if kind == "typed" else DynamicClient.over(cs.rest_client).resource(PODS, namespace)
    done: list[Any] = []
    waiting = threading.Thread(
        target=lambda: done.append(client.wait("web-0", "condition=Ready", timeout=10)), daemon=True
    )
    waiting.start()

    for status in ("False", "Unknown", "True"):
        interrupt("pods")
        found.status.phase = "Running"
        found.status.conditions = [PodCondition(type="Ready", status=status)]
        found = pods.update_status(found)
    waiting.join(10.0)

    assert done[0].metadata.resource_version == found.metadata.resource_version
    assert pods.wait("web-0", "jsonpath={.status.phase}=Running").status.phase == "Running"
    assert client.wait("web-0", lambda obj: obj.metadata.name == "web-0").metadata.name == "web-0"


def test_metadata_clients_wait_too(cs: Clientset, namespace: str) -> None:
    cs.core_v1.pods(namespace).create(pod())
    client = MetadataClient.over(cs.rest_client).resource(PODS, namespace)

    assert client.wait("web-0", "create").metadata.name == "web-0"
    assert client.wait("web-0", "jsonpath={.metadata.name}=web-0").metadata.name == "web-0"
    with pytest.raises(ValueError, match="sees no status"):
        client.wait("web-0", "condition=Ready")


def test_deletion_is_awaited(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)
    maps.create(config_map("a"))
    later = threading.Timer(0.1, maps.delete, ["a"])
    later.start()

    assert maps.wait("a", "delete", timeout=10) is None

    later.join()
    with pytest.raises(errors.NotFound):
        maps.get("a")


def test_usr_34_a_timeout_says_what_was_seen(cs: Clientset, namespace: str) -> None:
    pods = cs.core_v1.pods(namespace)
    found = pods.create(pod())
    found.status.conditions = [PodCondition(type="Ready", status="False", reason="Crashed", message="exit 1")]
    pods.update_status(found)

    with pytest.raises(
        errors.WaitTimeout, match=r"after 0.2s waiting for condition=Ready: .*Ready=False \(Crashed: exit 1\)"
    ):
        pods.wait("web-0", "condition=Ready", timeout=0.2)
    with pytest.raises(errors.NotFound):
        pods.wait("web-9", "condition=Ready")


@pytest.mark.embedded
def test_a_wait_with_a_dead_server_ends_in_time() -> None:
    def respond(exchange: Exchange) -> None:
        exchange.wait_for_hang_up()

    with WireServer(respond) as server, Clientset(server.config()) as cs:
        started = time.monotonic()
        with pytest.raises(errors.WaitTimeout, match="the server did not answer"):
            cs.core_v1.pods("d").wait("a", "create", timeout=0.3)

    assert time.monotonic() > started


# ---- tools --------------------------------------------------------------------------------------------------------


@pytest.mark.embedded
def test_mach_57_a_retrying_watch_goes_on_and_ends_when_its_version_has_expired(
    server: APIServer, cs: Clientset
) -> None:
    maps = cs.core_v1.config_maps("default")
    version = maps.list().metadata.resource_version

    with RetryWatcher(maps, version, min_restart_delay=0.0) as events:
        maps.create(config_map("a"))
        assert told(events, 1) == [("ADDED", "a")]
        server.cluster.storage.end_watches("configmaps")
        maps.delete("a")
        assert told(events, 1) == [("DELETED", "a")]

        server.cluster.storage.end_watches("configmaps")
        maps.create(config_map("b"))
        server.compact()
        last = next(events)

    assert (last.type, last.object.code) == ("ERROR", 410)


def test_mach_58_and_59_conditions_over_http(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)
    version = maps.create(config_map("a")).metadata.resource_version
    maps.label("a", x="1")
    maps.delete("a")
    maps.create(config_map("b"))

    last = until(
        maps, version, lambda event: event.type == "MODIFIED", lambda event: event.type == "DELETED", timeout=10
    )
    found = until_with_sync(maps, lambda event: event.object.metadata.name == "b", timeout=10)
    nothing = until_with_sync(
        maps, precondition=lambda store: store.get_by_key(f"{namespace}/b") is not None, timeout=10
    )

    assert last.object.metadata.labels == {"x": "1"}
    assert found.type == "ADDED"
    assert nothing is None
