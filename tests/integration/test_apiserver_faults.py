"""Faults of the embedded server, as clients meet them: over HTTP, and in the same process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, FakeClientset, FakeClock
from k8srt.testing.apiserver.faults import Faults
from tests.integration.apiserver import CONFIG_MAPS, Client, seen

pytestmark = pytest.mark.embedded


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture(params=["http", "in process"])
def where(request: pytest.FixtureRequest) -> Iterator[tuple[Clientset, Faults]]:
    if request.param == "http":
        with APIServer() as server, Clientset(server.config) as cs:
            yield cs, server.faults
    else:
        with FakeClientset() as fake:
            yield fake, fake.faults


def cm(name: str) -> ConfigMap:
    return ConfigMap.from_dict({"metadata": {"name": name}})


# ---- requests


def test_a_failure_lasts_as_often_as_it_is_told(where: tuple[Clientset, Faults]) -> None:
    cs, faults = where
    maps = cs.core_v1.config_maps("default")

    with faults.fail("create", "configmaps", status=503, times=2) as fault:
        for _ in range(2):
            with pytest.raises(errors.ServiceUnavailable) as caught:
                maps.create(cm("a"))
        maps.create(cm("a"))

    assert fault.count == 2
    assert not fault.active
    assert caught.value.status.details.kind == "configmaps"


def test_a_failure_ends_with_its_block(where: tuple[Clientset, Faults]) -> None:
    cs, faults = where
    maps = cs.core_v1.config_maps("default")

    with faults.fail("*", ConfigMap, status=500, message="out of order") as fault:
        with pytest.raises(errors.InternalError, match="out of order"):
            maps.list()
        cs.core_v1.pods("default").list()

    maps.list()
    assert (fault.count, faults.active) == (1, [])


def test_retry_after_is_heeded_by_clients(where: tuple[Clientset, Faults]) -> None:
    cs, faults = where

    with faults.throttle("list", "configmaps", retry_after=0, times=3) as fault:
        cs.core_v1.config_maps("default").list()  # tries again by itself

    assert fault.count == 3


def test_a_conflict_is_one_that_is_tried_again(where: tuple[Clientset, Faults]) -> None:
    cs, faults = where
    maps = cs.core_v1.config_maps("default")
    maps.create(cm("a"))

    def change(found: ConfigMap) -> None:
        found.data = {"k": "v"}

    with faults.conflict("update", "configmaps", times=2, name="a") as fault:
        obj = maps.get("a")
        with pytest.raises(errors.Conflict, match="the object has been modified"):
            maps.update(obj)
        with pytest.raises(errors.Conflict):
            maps.update(obj)
        change(obj)
        maps.update(obj)

    assert fault.count == 2
    assert maps.get("a").data == {"k": "v"}


def test_an_applied_failure_has_its_effect(where: tuple[Clientset, Faults]) -> None:
    cs, faults = where
    maps = cs.core_v1.config_maps("default")

    with faults.fail("create", "configmaps", status=504, applied=True, times=1), pytest.raises(errors.Timeout):
        maps.create(cm("a"))

    with pytest.raises(errors.AlreadyExists):
        maps.create(cm("a"))


@pytest.mark.parametrize("applied", [False, True])
def test_a_connection_is_reset(where: tuple[Clientset, Faults], applied: bool) -> None:
    cs, faults = where
    maps = cs.core_v1.config_maps("default")

    with faults.reset("create", "configmaps", applied=applied) as fault, pytest.raises(errors.TransportError):
        maps.create(cm("a"))

    assert fault.count >= 1
    assert [each.metadata.name for each in maps.list().items if each.metadata.name == "a"] == ["a"] * applied


def test_a_reset_is_a_reset_on_the_wire(server: APIServer) -> None:
    with (
        Client(server) as client,
        server.faults.reset("get", "configmaps"),
        pytest.raises(urllib3.exceptions.ProtocolError) as caught,
    ):
        client.get(f"{CONFIG_MAPS}/a")

    assert isinstance(caught.value.args[1], ConnectionResetError)


def test_faults_narrow_down(server: APIServer) -> None:
    with Client(server) as client, Clientset(server.config) as cs:
        maps = cs.core_v1.config_maps("default")
        maps.create(cm("a"))
        with (
            server.faults.fail("get", "configmaps", name="b"),
            server.faults.fail("get", "configmaps", namespace="kube-system"),
            server.faults.fail("get", "configmaps", agent="test/1"),
            server.faults.fail("get", "deployments.apps"),
            server.faults.fail("update", "configmaps/status"),
            server.faults.fail("get", "/healthz"),
            server.faults.fail("*", "/openapi*"),
        ):
            assert maps.get("a").metadata.name == "a"
            assert client.get(f"{CONFIG_MAPS}/a").status == 500
            assert client.get("/healthz").status == 500
            assert client.get("/livez").status == 200
            assert client.get("/openapi/v3").status == 500
            with pytest.raises(errors.InternalError):
                cs.apps_v1.deployments("default").get("d")


def test_some_pass_first_and_chance_is_the_same_in_every_run() -> None:
    def run(seed: int) -> list[bool]:
        with APIServer(seed=seed) as server, Client(server) as client:
            server.faults.fail("get", "configmaps", skip=2, chance=0.5)
            return [client.get(f"{CONFIG_MAPS}/a").status == 500 for _ in range(20)]

    first = run(1)

    assert first == run(1)
    assert first[:2] == [False, False]
    assert 1 < sum(first) < 18
    assert first != run(2)


def test_an_answer_is_late_by_the_clock() -> None:
    clock = FakeClock()
    done = threading.Event()
    with APIServer(clock=clock) as server, Client(server) as client:

        def ask() -> None:
            client.get("/api/v1/namespaces/default")
            done.set()

        with server.faults.delay(5.0, "get", "namespaces") as fault:
            asking = threading.Thread(target=ask)
            asking.start()
            assert fault.wait_for(1)
            clock.wait_for_sleepers(1, by=clock.now() + 5.0)
            assert not done.is_set()
            clock.advance(5.0)
            asking.join(10.0)

        assert done.is_set()


def test_a_server_that_stops_delays_nothing() -> None:
    with APIServer() as server:
        server.faults.delay(3600.0)

        def ask() -> None:
            with Client(server) as client, contextlib.suppress(urllib3.exceptions.HTTPError):
                client.get(CONFIG_MAPS)

        asking = threading.Thread(target=ask)
        asking.start()
        assert server.faults.active[0].wait_for(1)
    asking.join(10.0)
    assert not asking.is_alive()


def test_what_makes_no_sense_is_refused(server: APIServer) -> None:
    faults = server.faults
    for wrong in (
        lambda: faults.fail("create", status=200),
        lambda: faults.fail("creat"),
        lambda: faults.fail([]),
        lambda: faults.fail("get", ""),
        lambda: faults.fail(times=0),
        lambda: faults.fail(chance=2.0),
        lambda: faults.fail(skip=-1),
        lambda: faults.delay(-1.0),
        lambda: faults.drop_watches(events=-1),
    ):
        with pytest.raises(ValueError):
            wrong()
    assert faults.active == []


def test_faults_tell_what_they_are(server: APIServer) -> None:
    with (
        server.faults.fail("update", Deployment, status=503, times=3, namespace="shop"),
        server.faults.stall_watches("pods"),
    ):
        shown = repr(server.faults)

    assert shown == "<Faults: <fail(503) update deployments.apps shop: 0 of 3>, <stall_watches watch pods: 0>>"
    assert repr(server.faults) == "<Faults: none>"


# ---- watches


def test_watches_that_are_open_end_at_once(server: APIServer) -> None:
    with Client(server) as client, client.watch(CONFIG_MAPS) as watch, client.watch("/api/v1/pods") as other:
        with server.faults.drop_watches("configmaps") as fault:
            assert watch.ended()
            with client.watch(CONFIG_MAPS) as again:
                assert again.ended()
            assert fault.count == 2

        with client.watch(CONFIG_MAPS) as last:
            client.post(CONFIG_MAPS, {"metadata": {"name": "a"}})
            assert seen(last.next()) == ("ADDED", "a")
        client.post("/api/v1/namespaces/default/pods", {})
        other.close()


def test_watches_end_after_some_events(server: APIServer) -> None:
    server.faults.drop_watches("configmaps", events=2, times=1)
    with Client(server) as client, client.watch(CONFIG_MAPS) as watch:
        for name in "abc":
            client.post(CONFIG_MAPS, {"metadata": {"name": name}})

        assert [seen(watch.next()), seen(watch.next())] == [("ADDED", "a"), ("ADDED", "b")]
        assert watch.ended()


def test_watches_are_cut(server: APIServer) -> None:
    with Client(server) as client, client.watch(CONFIG_MAPS) as watch:
        server.faults.drop_watches("configmaps", abruptly=True)

        with pytest.raises(urllib3.exceptions.ProtocolError):
            watch.next()


def test_watches_fall_silent_and_catch_up(server: APIServer) -> None:
    with Client(server) as client, client.watch(CONFIG_MAPS) as watch:
        with server.faults.stall_watches("configmaps", events=1):
            for name in "abc":
                client.post(CONFIG_MAPS, {"metadata": {"name": name}})
            assert seen(watch.next()) == ("ADDED", "a")
            held: list[Any] = []
            reader = threading.Thread(target=lambda: held.append(watch.next()))
            reader.start()
            client.get("/version")
            assert held == []

        reader.join(10.0)
        assert [seen(held[0]), seen(watch.next())] == [("ADDED", "b"), ("ADDED", "c")]


def test_a_stalled_watch_ends_with_the_server() -> None:
    with APIServer() as server, Client(server) as client:
        server.faults.stall_watches("configmaps")
        with client.watch(CONFIG_MAPS) as watch:
            client.post(CONFIG_MAPS, {"metadata": {"name": "a"}})
            ends = threading.Thread(target=server.stop)
            ends.start()
            ends.join(10.0)
            assert not ends.is_alive()
            watch.close()


def test_versions_expire_for_whoever_goes_on_from_one(server: APIServer) -> None:
    with Client(server) as client:
        version = client.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]
        with server.faults.expire("configmaps") as fault:
            with client.watch(f"{CONFIG_MAPS}?resourceVersion={version}") as watch:
                event = watch.next()
            assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
            assert client.get(f"{CONFIG_MAPS}?limit=1&continue=x").status == 410
            assert client.get(CONFIG_MAPS).status == 200
            assert fault.count == 2


def test_an_informer_gets_over_all_of_it(where: tuple[Clientset, Faults]) -> None:
    from k8srt.informers import SharedInformerFactory

    cs, faults = where
    maps = cs.core_v1.config_maps("default")
    with SharedInformerFactory(cs) as factory:
        cached = factory.core_v1.config_maps
        assert cached.informer is not None
        factory.start()
        assert factory.wait_for_cache_sync(timeout=10.0).as_error() is None
        with faults.expire("configmaps", times=1), faults.drop_watches("configmaps", times=2, abruptly=True) as cut:
            maps.create(cm("a"))
            assert cut.wait_for(2)

        until(lambda: cached.lister.namespace("default").get("a"))


def until(found: Any) -> None:
    for _ in range(1000):
        try:
            if found() is not None:
                return
        except errors.NotFound:
            pass
        threading.Event().wait(0.01)
    raise AssertionError("it did not come")
