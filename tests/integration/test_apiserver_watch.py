"""Watches of the embedded server, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt.testing import APIServer
from tests.integration.apiserver import CONFIG_MAPS, Client, seen

pytestmark = pytest.mark.embedded


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def client(server: APIServer) -> Iterator[Client]:
    with Client(server) as client:
        yield client


def make(client: Client, name: str, **labels: str) -> str:
    body = {"metadata": {"name": name, "labels": labels}}
    return str(client.post(CONFIG_MAPS, body).body["metadata"]["resourceVersion"])


def test_changes_stream_as_they_happen(client):
    version = client.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]
    with client.watch(f"{CONFIG_MAPS}?resourceVersion={version}") as watch:
        make(client, "a")
        assert seen(watch.next()) == ("ADDED", "a")

        client.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "1"}})
        client.delete(f"{CONFIG_MAPS}/a")

        assert seen(watch.next()) == ("MODIFIED", "a")
        assert seen(watch.next()) == ("DELETED", "a")


def test_a_watch_resumes_from_history(client):
    version = make(client, "a")
    make(client, "b")
    client.delete(f"{CONFIG_MAPS}/a")

    with client.watch(f"{CONFIG_MAPS}?resourceVersion={version}") as watch:
        assert [seen(watch.next()) for _ in range(2)] == [("ADDED", "b"), ("DELETED", "a")]


def test_objects_enter_and_leave_a_selector(client):
    version = make(client, "a", app="web")
    with client.watch(f"{CONFIG_MAPS}?resourceVersion={version}&labelSelector=app%3Dweb") as watch:
        client.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"app": "db"}}})
        client.patch(f"{CONFIG_MAPS}/a", {"data": {"k": "1"}})
        client.patch(f"{CONFIG_MAPS}/a", {"metadata": {"labels": {"app": "web"}}})

        assert [seen(watch.next()) for _ in range(2)] == [("DELETED", "a"), ("ADDED", "a")]


def test_initial_events_end_with_a_bookmark(client):
    make(client, "a")
    options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"

    with client.watch(f"{CONFIG_MAPS}?{options}") as watch:
        assert seen(watch.next()) == ("ADDED", "a")
        end = watch.next()

    assert end["type"] == "BOOKMARK"
    assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_an_old_version_expires(server, client):
    version = make(client, "a")
    make(client, "b")

    server.compact()
    with client.watch(f"{CONFIG_MAPS}?resourceVersion={version}") as watch:
        event = watch.next()

        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert watch.ended()
    assert client.get(f"{CONFIG_MAPS}?resourceVersion={version}&resourceVersionMatch=Exact").status == 410


def test_an_expired_page_tells_how_to_go_on(server, client):
    for name in "abc":
        make(client, name)
    token = client.get(f"{CONFIG_MAPS}?limit=1").body["metadata"]["continue"]
    make(client, "d")

    server.compact()
    expired = client.get(f"{CONFIG_MAPS}?continue={token}")
    rest = client.get(f"{CONFIG_MAPS}?continue={expired.body['metadata']['continue']}").body

    assert (expired.status, expired.reason) == (410, "Expired")
    assert [each["metadata"]["name"] for each in rest["items"]] == ["b", "c", "d"]


def test_a_watch_ends_after_its_time_with_a_last_bookmark(client):
    with client.watch(f"{CONFIG_MAPS}?resourceVersion=0&timeoutSeconds=1&allowWatchBookmarks=true") as watch:
        kinds = []
        while (event := next(watch._lines, None)) is not None:
            kinds.append(event["type"])

    assert set(kinds) == {"BOOKMARK"}


def test_stopping_the_server_ends_watches_at_once(pool):
    server = APIServer().start()
    client = Client(server)
    watch = client.watch(CONFIG_MAPS)
    waiting = pool.submit(watch.ended)

    server.stop()

    assert waiting.exception(timeout=5.0) is not None or waiting.result()
    watch.close()


def test_a_client_that_leaves_frees_its_thread(server, client):
    import threading

    def connections() -> int:
        return sum(1 for thread in threading.enumerate() if "-conn-" in thread.name)

    with Client(server) as other:
        watch = other.watch(CONFIG_MAPS)
        assert watch.status == 200
        assert connections() == 1
        watch._response.shutdown()
        watch.close()
    for _ in range(200):
        if connections() == 0:
            return
        threading.Event().wait(0.02)
    raise AssertionError("the connection's thread is still there")


def test_a_hundred_watchers_see_the_same(client):
    version = client.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]
    watches = [client.watch(f"{CONFIG_MAPS}?resourceVersion={version}") for _ in range(100)]

    for name in "abc":
        make(client, name)

    for watch in watches:
        assert [seen(watch.next()) for _ in range(3)] == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
        watch.close()
