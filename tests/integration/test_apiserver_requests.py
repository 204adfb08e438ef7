"""What the embedded server was asked, and every hook by which it is told what goes wrong. Contract: ETE-08."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Pod
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer, FakeClock
from k8srt.testing.apiserver.auth import User
from k8srt.testing.apiserver.messages import Request, Response
from k8srt.testing.apiserver.request_log import RequestLog
from tests.integration.apiserver import CONFIG_MAPS, Client, seen

pytestmark = pytest.mark.embedded


@pytest.fixture
def server() -> Iterator[APIServer]:
    with APIServer() as server:
        yield server


@pytest.fixture
def cs(server: APIServer) -> Iterator[Clientset]:
    with Clientset(server.config) as cs:
        yield cs


def made(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}}


# ---- what was asked


def test_ete_08_what_was_asked_is_there_when_the_answer_is(server: APIServer, cs: Clientset) -> None:
    maps = cs.core_v1.config_maps("default")

    maps.create(made("a"))
    maps.create({"metadata": {"generateName": "b-"}})
    maps.list()
    with pytest.raises(errors.NotFound):
        maps.patch("c", {"data": {"k": "v"}}, patch_type="merge")

    created, generated, listed, patched = server.requests
    assert server.requests.lines()[0] == "create configmaps default/a"
    assert server.requests.lines()[2:] == ["list configmaps default/*", "patch configmaps default/c"]
    assert (created.status, created.user, created.verb, created.method) == (201, "system:admin", "create", "POST")
    assert generated.name.startswith("b-")
    assert len(generated.name) > 2
    assert listed.target.startswith("/api/v1/namespaces/default/configmaps")
    assert (patched.status, patched.content_type) == (404, "application/merge-patch+json")
    assert created.at <= patched.at
    assert created.took is not None


def test_ete_08_requests_are_asked_for_by_what_they_are(server: APIServer, cs: Clientset) -> None:
    cs.core_v1.config_maps("default").create(made("a"))
    cs.core_v1.config_maps("kube-system").create(made("b"))
    cs.core_v1.pods().list()
    with Client(server) as other:
        other.get(f"{CONFIG_MAPS}/missing")
        other.get("/healthz")

    log = server.requests
    assert [row.name for row in log.where("create", ConfigMap)] == ["a", "b"]
    assert [row.name for row in log.where(namespace="kube-system")] == ["b"]
    assert [row.namespace for row in log.where("create", name="a")] == ["default"]
    assert log.where("list", Pod).lines() == ["list pods"]
    assert log.where(["get", "list"], agent="test/1").lines() == ["get configmaps default/missing"]
    assert log.where("get", "/health*").lines() == ["get /healthz"]
    assert log.where(status=404) == log.where(status=range(400, 600)) == log.where("get", "configmaps")
    assert log.where(user="jane") == []
    assert log.writes().lines() == ["create configmaps default/a", "create configmaps kube-system/b"]
    with pytest.raises(ValueError, match="creat"):
        log.where("creat")


def test_ete_08_who_asked_is_told_refused_or_not() -> None:
    with APIServer(authorization_mode="RBAC") as server:
        with Clientset(server.config_for("jane", "dev")) as jane, pytest.raises(errors.Forbidden):
            jane.core_v1.pods().list()
        with Client(server) as root, Client(server, "wrong") as nobody:
            root.get("/api/v1/pods", Impersonate_User="joe", Impersonate_Group="ops")
            nobody.get("/api/v1/pods")
            with server.faults.fail("list", "pods", status=503):
                root.get("/api/v1/pods")

        rows = server.requests.where("list", "pods")

    assert [(row.user, row.status) for row in rows] == [("jane", 403), ("joe", 403), ("", 401), ("system:admin", 503)]
    assert "dev" in rows[0].groups
    assert "by nobody: 401" in repr(rows[2])


def test_ete_08_a_watch_is_open_until_it_ends_and_times_are_those_of_the_servers_clock() -> None:
    clock = FakeClock()
    with APIServer(clock=clock) as server, Client(server) as client:
        clock.advance(5.0)
        with client.watch(CONFIG_MAPS) as watch:
            [row] = server.requests.where("watch")
            assert (row.status, row.took, row.at) == (200, None, 5.0)
            assert "open" in repr(row)

            clock.advance(2.0)
            server.faults.drop_watches("configmaps")
            assert watch.ended()

        [row] = server.requests.where("watch")
        assert row.took == 2.0


def test_ete_08_a_connection_that_was_cut_is_noted(server: APIServer, cs: Clientset) -> None:
    with server.faults.reset("delete", "configmaps"), pytest.raises(errors.TransportError):
        cs.core_v1.config_maps("default").delete("a")

    [row] = server.requests.where("delete", status=0)
    assert row.user == "system:admin"
    assert "cut" in repr(row)


def test_ete_08_one_waits_for_requests(server: APIServer, cs: Clientset) -> None:
    maps = cs.core_v1.config_maps("default")
    maps.create(made("a"))
    found: list[list[str]] = []
    waiting = threading.Thread(target=lambda: found.append(server.requests.wait_for("create", count=3).lines()))
    waiting.start()

    maps.list()
    maps.create(made("b"))
    maps.create(made("c"))

    waiting.join(10.0)
    assert found == [[f"create configmaps default/{name}" for name in "abc"]]
    assert server.requests.wait_for("list").lines() == ["list configmaps default/*"]
    with pytest.raises(errors.WaitTimeout, match=r"(?s)0 of 1 requests were patch configmaps.*default/c"):
        server.requests.wait_for("patch", "configmaps", timeout=0.0)


def test_ete_08_what_was_asked_is_cleared_and_shown_as_a_table(server: APIServer, cs: Clientset) -> None:
    assert repr(server.requests) == "<0 requests>"
    cs.core_v1.config_maps("default").create(made("a"))

    shown = repr(server.requests).splitlines()
    assert shown[0].split() == ["AT", "TOOK", "STATUS", "USER", "VERB", "RESOURCE", "NAME", "AGENT"]
    assert shown[1].split()[2:7] == ["201", "system:admin", "create", "configmaps", "default/a"]
    assert "<td>configmaps</td>" in server.requests._repr_html_()
    assert "<td>201</td>" in server.requests.where("create")._repr_html_()
    assert server.requests[0] == server.requests[:1][0] == server.requests[-1]

    kept = server.requests.where()
    server.requests.clear()
    assert (len(server.requests), server.requests.total, list(server.requests)) == (0, 0, [])
    assert len(kept) == 1


# ---- the log by itself


def answered(request: Request) -> Response:
    return Response(200, request.body)


def nobody(request: Request) -> User:
    return User("somebody")


def test_ete_08_the_oldest_requests_are_forgotten() -> None:
    log = RequestLog(FakeClock(), limit=3)
    serve = log.wrap(answered, nobody)

    for number in range(30):
        serve(Request("GET", f"/api/v1/nodes/n{number}", {"user-agent": "a<b>"}))

    assert [row.name for row in log] == ["n27", "n28", "n29"]
    assert (len(log), log.total) == (3, 30)
    assert repr(log).endswith("<the last 3 of 30 requests>")
    assert "a&lt;b&gt;" in log._repr_html_()
    assert log.wait_for("get", "nodes", count=2, timeout=0.0)[0].name == "n27"
    with pytest.raises(ValueError, match="limit"):
        RequestLog(FakeClock(), limit=0)


def test_ete_08_a_long_log_shows_its_end() -> None:
    log = RequestLog(FakeClock())
    serve = log.wrap(answered, nobody)

    for number in range(30):
        serve(Request("GET", f"/api/v1/nodes/n{number}", {}))

    assert repr(log).endswith("<30 requests, 10 before these>")
    assert "n10 " not in repr(log.where(name="n9"))
    assert repr(log).splitlines()[1].split()[-1] == "n10"


def test_ete_08_a_log_is_read_and_cleared_while_it_grows() -> None:
    log = RequestLog(limit=50)
    serve = log.wrap(answered, nobody)
    writers = [
        threading.Thread(
            target=lambda: [
                serve(Request("POST", "/api/v1/nodes", {}, b'{"metadata":{"name":"n"}}')) for _ in range(500)
            ]
        )
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    for number in range(50):
        assert len(log.where("create", name="n")) <= 50
        assert all(row.name == "n" for row in log)
        if number == 25:
            log.clear()
    for writer in writers:
        writer.join()

    assert len(log) <= 50
    assert log.total <= 2000


# ---- every hook


def test_ete_08_fail(server: APIServer, cs: Clientset) -> None:
    with server.faults.fail(verb="create", resource="configmaps", status=503, times=2, retry_after=0) as fault:
        cs.core_v1.config_maps("default").create(made("a"))  # clients heed Retry-After

    assert [row.status for row in server.requests.where("create")] == [503, 503, 201]
    assert fault.count == 2


def test_ete_08_delay() -> None:
    clock = FakeClock()
    with APIServer(clock=clock) as server, Client(server) as client:
        server.faults.delay(3.0, "get", "configmaps")
        asking = threading.Thread(target=lambda: client.get(f"{CONFIG_MAPS}/a"))
        asking.start()
        clock.wait_for_sleepers(1, by=clock.now() + 3.0)
        assert server.requests.where("get", "configmaps") == []

        clock.advance(3.0)
        asking.join(10.0)

        assert server.requests.where("get", "configmaps")[0].took == 3.0


def test_ete_08_drop_watches_and_close_after_some_events(server: APIServer) -> None:
    with Client(server) as client, client.watch(CONFIG_MAPS) as watch:
        server.faults.drop_watches("configmaps", events=1, times=1)
        client.post(CONFIG_MAPS, made("a"))

        assert seen(watch.next()) == ("ADDED", "a")
        assert watch.ended()


def test_ete_08_expire_watches(server: APIServer) -> None:
    with Client(server) as client:
        version = client.get(CONFIG_MAPS).body["metadata"]["resourceVersion"]
        with (
            server.faults.expire("configmaps"),
            client.watch(f"{CONFIG_MAPS}?resourceVersion={version}") as watch,
        ):
            assert watch.next()["object"]["code"] == 410


def test_ete_08_stall_watches(server: APIServer) -> None:
    with Client(server) as client, client.watch(CONFIG_MAPS) as watch:
        with server.faults.stall_watches("configmaps") as fault:
            client.post(CONFIG_MAPS, made("a"))
            assert fault.count == 1
            assert server.requests.where("watch")[0].took is None

        assert seen(watch.next()) == ("ADDED", "a")


def test_ete_08_bookmark(server: APIServer) -> None:
    with (
        Client(server) as client,
        client.watch(f"{CONFIG_MAPS}?allowWatchBookmarks=true") as taking,
        client.watch(CONFIG_MAPS) as plain,
        client.watch("/api/v1/pods?allowWatchBookmarks=true") as other,
    ):
        assert [each.next()["type"] for each in (taking, other)] == ["BOOKMARK"] * 2  # the end of the first events
        client.post(CONFIG_MAPS, made("a"))
        version = client.post("/api/v1/namespaces", made("shop")).body["metadata"]["resourceVersion"]

        assert server.faults.bookmark("configmaps") == 1

        assert seen(taking.next()) == ("ADDED", "a")
        marked = taking.next()
        assert marked["type"] == "BOOKMARK"
        assert int(marked["object"]["metadata"]["resourceVersion"]) >= int(version)
        assert seen(plain.next()) == ("ADDED", "a")
        assert server.faults.bookmark(Pod, agent="test/1") == 1
        assert other.next()["type"] == "BOOKMARK"
        assert server.faults.bookmark("secrets") == server.faults.bookmark("pods", agent="nobody") == 0
        assert server.faults.active == []


def test_ete_08_compact(server: APIServer) -> None:
    with Client(server) as client:
        for name in "abc":
            client.post(CONFIG_MAPS, made(name))
        first = client.get(f"{CONFIG_MAPS}?limit=1").body["metadata"]
        client.post(CONFIG_MAPS, made("d"))

        compacted = server.compact()

        assert compacted > int(first["resourceVersion"])
        assert client.get(f"{CONFIG_MAPS}?limit=1&continue={first['continue']}").status == 410
        with client.watch(f"{CONFIG_MAPS}?resourceVersion={first['resourceVersion']}") as watch:
            assert watch.next()["object"]["code"] == 410
