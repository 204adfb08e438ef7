"""Managers over HTTP: what they start and stop and in which order, elections that are lost, and what they serve."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Manager, Request
from k8srt.controller.cluster import Cluster
from k8srt.controller.failures import ForkedProcessError, LeaderElectionLost, ShutdownTimeout
from k8srt.controller.health import caches_synced, leader_or_standby, not_wedged, watches_fresh
from k8srt.controller.manager.groups import StoppedError
from k8srt.controller.manager.office import Election, Office
from k8srt.controller.metrics.names import REGISTRY
from k8srt.controller.serving.listener import ListenError
from k8srt.controller.serving.messages import HTTPRequest, HTTPResponse, text
from k8srt.controller.serving.server import HTTPServer, PathTaken
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing import APIServer
from k8srt.testing.choosing import Server
from k8srt.tools.leaderelection.failures import NotLeaderError
from k8srt.tools.leaderelection.leaselock import LeaseLock
from k8srt.util.clock import SYSTEM
from k8srt.util.threads import Latch, Stop

LONG = 20.0


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


def get(url: str, **headers: str) -> tuple[int, str, Any]:
    """The status, body and headers of an answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=LONG) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read().decode(), err.headers


def config_map(name: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data={"k": "v"})


class Diary:
    """What happened, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        with self._lock:
            self.lines.append(line)


class Noted:
    """A runnable that notes when it begins and ends, and is up a moment after it has begun."""

    def __init__(self, name: str, diary: Diary) -> None:
        self.name, self.diary = name, diary
        self.ready = Latch()

    def start(self, stop: threading.Event) -> None:
        self.diary.write(f"+{self.name}")
        self.ready.set()
        stop.wait()
        self.diary.write(f"-{self.name}")


def plain(server: Server, **options: Any) -> Manager:
    return Manager(server.config, **options)


def elected(server: Server, where: str, /, **options: Any) -> Manager:
    times = {"lease_duration": 2.0, "renew_deadline": 1.0, "retry_period": 0.1}
    return Manager(
        server.config,
        leader_election=Election("lease", where, **{**times, **options.pop("election", {})}),
        **options,
    )


# ---- made and refused


def test_mgr_01_what_cannot_work_fails_at_once_and_leaves_nothing_open(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        before = threading.active_count()

        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port} cannot be listened on"):
            Manager(server.config, profiling_address=f"127.0.0.1:{port}", health_address="127.0.0.1:0")
        with pytest.raises(ListenError):
            Manager(server.config, health_address=f"127.0.0.1:{port}")
        assert threading.active_count() == before

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for _ in range(2):  # the second finds the address free again
        with pytest.raises(errors.ConfigError, match="the name of a lease"):
            Manager(server.config, health_address=f"127.0.0.1:{port}", leader_election=Election())


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"leader_election": True}, "give the name of the lease"),
        ({"leader_election": "x"}, "leader_election_namespace: must be given outside of a cluster"),
        ({"health_address": "8081"}, "the address of health: '8081' is no address; write \"host:port\""),
        ({"metrics_address": ":http"}, "the address of metrics"),
        ({"on_lease_lost": "cry"}, "on_lease_lost: expected 'raise' or 'exit'"),
        ({"preflight": "yes"}, "preflight: expected"),
    ],
)
def test_mgr_01_bad_options_are_named(options: dict[str, Any], why: str) -> None:
    with pytest.raises((errors.ConfigError, ValueError), match=re.escape(why)):
        Manager(Config(host="http://127.0.0.1:1"), **options)


@pytest.mark.embedded
def test_mgr_01_a_configuration_is_needed() -> None:
    with pytest.raises(errors.ConfigError, match="a manager needs a Config"):
        Manager(None)  # type: ignore[arg-type]


# ---- order


def test_mgr_02_to_04_groups_start_and_stop_in_order(server: Server) -> None:
    manager, diary = plain(server), Diary()
    for group in ("leader", "warmup", "others", "caches", "webhooks", "http"):
        manager.add(Noted(group, diary), group=group)

    with manager:
        assert manager.wait_elected(LONG)

    started = [line for line in diary.lines if line[0] == "+"]
    assert started == ["+http", "+webhooks", "+caches", "+others", "+warmup", "+leader"]
    ended = [line for line in diary.lines if line[0] == "-" and line != "-warmup"]
    assert ended == ["-others", "-leader", "-caches", "-webhooks", "-http"]
    assert "-warmup" in diary.lines
    with pytest.raises(ValueError, match="group: one of http"):
        manager.add(Noted("x", diary), group="nope")


def test_mgr_02_runnables_go_where_they_belong(server: Server, namespace: str) -> None:
    manager, diary = elected(server, namespace), Diary()
    with Clientset(server.config) as cs:  # somebody else leads
        other = Manager(cs, leader_election=Election("lease", namespace, identity="the other", release_on_cancel=True))
        serves = HTTPServer("serves", "127.0.0.1:0")
        serves.handle("/hello", lambda request: text(200, f"hello {request.parameter('who')}"))
        leads = HTTPServer("leads", "127.0.0.1:0", only_when_leader=True)
        always = Noted("always", diary)
        always.need_leader_election = lambda: False  # type: ignore[attr-defined]
        plain_function = Latch()
        for runnable in (serves, leads, always, lambda stop: plain_function.set()):
            manager.add(runnable)

        with other:
            assert other.wait_elected(LONG)
            with manager:
                assert get(f"{serves.url}/hello?who=you")[:2] == (200, "hello you\n")
                assert get(f"{serves.url}/nope")[0] == 404
                assert always.ready.is_set()
                assert leads.url == ""
                assert not plain_function.is_set()
                assert not manager.elected.is_set()
                other.stop()
                assert plain_function.wait(LONG)
                assert leads.ready.wait(LONG)
    assert diary.lines == ["+always", "-always"]


def test_mgr_05_what_is_added_later_starts_at_once_and_not_at_all_after_the_end(server: Server) -> None:
    manager, diary = plain(server), Diary()

    with manager:
        late = Noted("late", diary)
        manager.add(late)
        assert late.ready.wait(LONG)

    with pytest.raises(StoppedError, match="leader of the manager are stopping"):
        manager.add(Noted("too late", diary))
    with pytest.raises(TypeError, match="a runnable has start"):
        manager.add(3)  # type: ignore[arg-type]


def test_mgr_05_a_controller_that_is_added_twice_fails_its_manager(server: Server) -> None:
    manager = plain(server)
    controller = manager.new_controller("twice", lambda request, ctx: None)
    manager.add(controller)
    manager.add(controller)

    with pytest.raises(errors.AlreadyStarted, match="was it added twice"):
        manager.run()


def test_mgr_06_checks_and_handlers_come_before_the_start(server: Server) -> None:
    manager = plain(server)

    with manager:
        with pytest.raises(errors.AlreadyStarted, match="manager already started"):
            manager.start()
        for add in (
            lambda: manager.add_healthz_check("a", lambda: None),
            lambda: manager.add_readyz_check("a", lambda: None),
            lambda: manager.add_metrics_handler("/a", lambda request: text(200, "")),
        ):
            with pytest.raises(errors.AlreadyStarted, match="only be added before"):
                add()


def test_mgr_07_a_failure_while_stopping_is_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    manager = plain(server)
    entered = Latch()

    def sulking(stop: threading.Event) -> None:
        entered.set()
        stop.wait()
        raise RuntimeError("not in the mood")

    manager.add(sulking)

    with manager:
        assert entered.wait(LONG)

    assert manager.state == "stopped"
    assert "not in the mood" in caplog.text


# ---- ends


@pytest.mark.parametrize("grace", [0.0, 0.02])
def test_mgr_08_a_grace_of_nothing_is_no_error(server: Server, grace: float) -> None:
    manager, let_go, entered = plain(server, graceful_shutdown_timeout=grace), threading.Event(), Latch()

    def stubborn(stop: threading.Event) -> None:
        entered.set()
        let_go.wait()

    manager.add(stubborn)
    manager.start()
    assert entered.wait(LONG)

    if grace:
        with pytest.raises(ShutdownTimeout, match=r"(?s)grace period of 0\.02s.*stubborn.*k8srt-runnable-stubborn"):
            manager.stop()
    else:
        manager.stop()
    assert manager.state == ("failed" if grace else "stopped")
    let_go.set()


def test_mgr_08_a_negative_grace_waits(server: Server) -> None:
    manager, let_go, entered = plain(server, graceful_shutdown_timeout=-1.0), threading.Event(), Latch()

    def slow(stop: threading.Event) -> None:
        entered.set()
        let_go.wait()

    manager.add(slow)
    manager.start()
    assert entered.wait(LONG)
    stopping = threading.Thread(target=manager.stop)

    stopping.start()
    assert not stopping.join(0.05)
    assert stopping.is_alive()
    let_go.set()
    stopping.join(LONG)

    assert manager.state == "stopped"


def test_mgr_09_a_failure_and_a_stop_that_fails_are_both_told(server: Server) -> None:
    manager, let_go = plain(server, graceful_shutdown_timeout=0.02), threading.Event()
    entered = Latch()

    def stubborn(stop: threading.Event) -> None:
        entered.set()
        let_go.wait()

    def broken(stop: threading.Event) -> None:
        entered.wait(LONG)
        raise RuntimeError("broken")

    manager.add(stubborn)
    manager.add(broken)

    with pytest.raises(ExceptionGroup) as caught:
        manager.run()

    assert caught.value.subgroup(RuntimeError) is not None
    assert caught.value.subgroup(ShutdownTimeout) is not None
    let_go.set()


def usurp(cs: Clientset, namespace: str) -> None:
    """Somebody else takes the lease, and keeps it."""
    lease = cs.coordination_v1.leases(namespace).get("lease")
    lease.spec.holder_identity = "usurper"
    lease.spec.lease_duration_seconds = 600
    cs.coordination_v1.leases(namespace).update(lease)


def test_mgr_10_who_loses_the_lease_stops_and_writes_no_more(server: Server, cs: Clientset, namespace: str) -> None:
    manager = elected(server, namespace, namespace=namespace)
    inside, lost, refused = Latch(), Latch(), Latch()

    @manager.controller(ConfigMap, name="fenced", where=lambda obj: obj.metadata.name == "a")
    def reconcile(request: Request, ctx: Context[Any]) -> None:
        inside.set()
        lost.wait(LONG)
        try:
            ctx.client.create(ConfigMap(metadata=ObjectMeta(name="late", namespace=namespace)))
        except NotLeaderError:
            refused.set()

    cs.core_v1.config_maps(namespace).create(config_map("a"))
    running = threading.Thread(target=lambda: raised.append(_raised(manager.run)))
    raised: list[BaseException | None] = []
    running.start()
    assert inside.wait(LONG)
    usurp(cs, namespace)
    running.join(LONG)

    assert [type(each) for each in raised] == [LeaderElectionLost]
    assert manager.state == "failed"
    lost.set()
    assert refused.wait(LONG)
    with pytest.raises(NotLeaderError):
        manager.client.create(ConfigMap(metadata=ObjectMeta(name="late", namespace=namespace)))
    assert "late" not in {each.metadata.name for each in cs.core_v1.config_maps(namespace).list()}


def _raised(call: Callable[[], object]) -> BaseException | None:
    try:
        call()
    except BaseException as err:  # noqa: BLE001 - it is what is asked for
        return err
    return None


def test_mgr_11_and_12_what_is_stopped_before_it_was_elected_never_leads(server: Server, namespace: str) -> None:
    diary = Diary()
    with elected(server, namespace) as first:
        assert first.wait_elected(LONG)
        manager = elected(server, namespace)
        manager.add(Noted("leads", diary))
        manager.start()

        assert not manager.wait_elected(0.05)
        manager.stop()

    assert diary.lines == []
    assert not manager.elected.is_set()


def test_mgr_13_the_client_of_the_election_is_one_of_its_own(server: Server, cs: Clientset, namespace: str) -> None:
    election = Election("lease", namespace, identity="me", labels={"app": "x"}, renew_deadline=6.0, lease_duration=9.0)

    office = Office(election, cs, lead=lambda stop: None, lost=print, failed=print, clock=SYSTEM)

    assert office.config is not None
    assert office.config.user_agent.endswith("/leader-election")
    assert office.config.timeout == 3.0
    assert office.elector.identity == "me"
    office.run()
    cs.coordination_v1.leases(namespace).wait("lease", "create", timeout=LONG)
    office.resign(give_back=False)
    assert cs.coordination_v1.leases(namespace).get("lease").metadata.labels == {"app": "x"}


def test_mgr_13_times_and_names_that_are_left_out(cs: Clientset) -> None:
    office = Office(
        Election("x", "default", renew_deadline=0.5, retry_period=0.1),
        cs,
        lead=print,
        lost=print,
        failed=print,
        clock=SYSTEM,
    )

    assert office.config is not None
    assert office.config.timeout == 1.0
    assert office.elector.identity.startswith(f"{socket.gethostname()}_")
    assert (Election().lease_duration, Election().renew_deadline, Election().retry_period) == (15.0, 10.0, 2.0)
    assert not Election().release_on_cancel
    office.resign(give_back=False)


def test_mgr_13_a_lock_that_is_ready_is_used_as_it_is(cs: Clientset, namespace: str) -> None:
    lock = LeaseLock(cs, namespace, "ready-made", "somebody")

    office = Office(Election("ignored", lock=lock), cs, lead=print, lost=print, failed=print, clock=SYSTEM)

    assert office.elector.lock is lock
    assert office.config is None
    assert office.lease is None
    office.resign(give_back=False)


@pytest.mark.parametrize("stubborn", [False, True])
def test_mgr_14_a_lease_is_given_back_only_when_nothing_acts_on_it(
    server: Server, cs: Clientset, namespace: str, stubborn: bool
) -> None:
    manager = elected(server, namespace, election={"release_on_cancel": True}, graceful_shutdown_timeout=0.05)
    let_go, entered = threading.Event(), Latch()

    def leads(stop: threading.Event) -> None:
        entered.set()
        (let_go if stubborn else stop).wait()

    manager.add(leads)
    manager.start()
    assert entered.wait(LONG)
    _raised(manager.stop)

    holder = cs.coordination_v1.leases(namespace).get("lease").spec.holder_identity
    assert bool(holder) is stubborn
    let_go.set()


# ---- options, life


def test_mgr_15_what_a_controller_says_wins_then_its_kind_then_the_manager(server: Server) -> None:
    options = {"max_concurrent_reconciles": 3, "group_kind_concurrency": {"ConfigMap": 5, "ReplicaSet.apps": 7}}
    manager = plain(server, controller_options=options)

    def workers(controller: Any) -> int:
        return int(controller.debug_state()["workers"]["most"])

    def reconcile(request: Request, ctx: Context[Any]) -> None: ...

    assert workers(manager.new_controller("of-no-kind", reconcile)) == 3
    assert workers(manager.new_controller("of-its-kind", reconcile, kind=ConfigMap)) == 5
    assert workers(manager.new_controller("of-its-own", reconcile, kind=ConfigMap, workers=2)) == 2
    manager.stop()


def test_mgr_16_without_webhooks_there_is_no_webhook_server(server: Server) -> None:
    with plain(server) as manager:
        assert "0 runnables" in manager.debug_state()["groups"]["webhooks"]


def test_mgr_17_two_managers_live_side_by_side(server: Server, cs: Clientset, namespace: str) -> None:
    seen: dict[str, Latch] = {"one": Latch(), "two": Latch()}
    managers = []
    for name, latch in seen.items():
        manager = plain(server, namespace=namespace)
        controller = manager.controller(ConfigMap, name=name)
        controller(lambda request, ctx, latch=latch: latch.set())
        managers.append(manager)

    with managers[0], managers[1]:
        cs.core_v1.config_maps(namespace).create(config_map("a"))
        assert all(latch.wait(LONG) for latch in seen.values())
        assert managers[0].cache is not managers[1].cache


def test_mgr_18_a_start_that_hangs_is_stopped_from_elsewhere(server: Server) -> None:
    manager = plain(server)
    entered = Latch()

    class Never:
        ready = Latch()

        def start(self, stop: threading.Event) -> None:
            entered.set()
            stop.wait()

    manager.add(Never(), group="http")
    starting = threading.Thread(target=manager.start)
    starting.start()
    assert entered.wait(LONG)
    assert manager.state == "starting"

    manager.stop()
    manager.stop()
    starting.join(LONG)

    assert not starting.is_alive()
    assert manager.state == "stopped"
    assert not manager.elected.is_set()


def test_mgr_18_a_start_that_fails_stops_everything_and_raises(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        manager = plain(server, metrics_address=f"127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(ListenError):
            manager.start()

    assert manager.state == "failed"


def test_mgr_18_one_that_is_never_started_can_be_stopped(server: Server) -> None:
    manager = plain(server, health_address="127.0.0.1:0")

    manager.stop()

    assert manager.state == "stopped"
    assert manager.health_url == ""
    assert "stopped" in repr(manager)
    assert "<th>state</th><td>stopped</td>" in manager._repr_html_()


def test_mgr_19_a_start_that_hangs_says_for_what_it_waits(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    said = Latch()
    manager = plain(server, patience=0.05)

    class Slow:
        ready = Latch()

        def start(self, stop: threading.Event) -> None:
            said.wait(LONG)
            self.ready.set()
            stop.wait()

        def __repr__(self) -> str:
            return "<the slow one>"

    class Told(type(caplog.handler)):  # type: ignore[misc]
        def emit(self, record: Any) -> None:
            if "still waiting" in record.getMessage():
                texts.append(record.getMessage())
                said.set()

    import logging

    texts: list[str] = []
    handler = Told()
    logging.getLogger("k8srt.controller.manager").addHandler(handler)
    manager.add(Slow(), group="http")
    try:
        with manager:
            pass
    finally:
        logging.getLogger("k8srt.controller.manager").removeHandler(handler)

    assert texts[0] == "starting http: still waiting for <the slow one>"


# ---- over HTTP


def test_mgr_21_what_it_is_up_to_is_told_as_json(server: Server, cs: Clientset, namespace: str) -> None:
    manager = plain(server, namespace=namespace, profiling_address="127.0.0.1:0")
    inside, let_go = Latch(), threading.Event()

    @manager.controller(ConfigMap, name="debugged", where=lambda obj: obj.metadata.name == "a")
    def reconcile(request: Request, ctx: Context[Any]) -> None:
        inside.set()
        let_go.wait(LONG)

    with manager:
        cs.core_v1.config_maps(namespace).create(config_map("a"))
        assert inside.wait(LONG)
        url = manager.profiling_url
        state = json.loads(get(f"{url}/debug")[1])
        queue = json.loads(get(f"{url}/debug/queue")[1])
        cache = json.loads(get(f"{url}/debug/cache")[1])
        stacks = get(f"{url}/debug/threads")[1]
        heap = json.loads(get(f"{url}/debug/heap")[1])
        let_go.set()

    assert state["state"] == "running"
    assert state["controllers"][0]["name"] == "debugged"
    assert f"{namespace}/a" in json.dumps(queue["debugged"])
    (kind,) = cache
    assert kind["resource"].endswith("configmaps")
    assert kind["objects"] >= 1
    assert kind["synced"] is True
    assert "let_go.wait(LONG)" in stacks
    assert heap["tracing"] is False
    assert get(f"{url}/nope")[0] == 404 if manager.profiling_url else True


def test_hlz_01_and_05_health_and_readiness_are_served(server: Server, cs: Clientset, namespace: str) -> None:
    manager = elected(server, namespace, health_address="127.0.0.1:0", namespace=namespace)

    working = Latch()

    @manager.controller(ConfigMap, name="healthy")
    def reconcile(request: Request, ctx: Context[Any]) -> None:
        working.set()

    manager.add_healthz_check("leader", leader_or_standby(manager))
    manager.add_healthz_check("wedged", not_wedged(manager))
    manager.add_readyz_check("caches", caches_synced(manager))
    manager.add_readyz_check("watches", watches_fresh(manager, after=600.0))

    assert "not started" in str(_raised(caches_synced(manager)))
    cs.core_v1.config_maps(namespace).create(config_map("a"))
    with manager:
        assert working.wait(LONG)
        code, body, headers = get(f"{manager.health_url}/readyz?verbose")
        assert (code, body) == (200, "[+]caches ok\n[+]watches ok\nhealthz check passed\n")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        assert get(f"{manager.health_url}/healthz")[:2] == (200, "ok")
        assert get(f"{manager.health_url}/healthz/wedged")[:2] == (200, "ok")
        assert get(f"{manager.health_url}/healthz/nope")[0] == 404
        assert get(f"{manager.health_url}/metrics")[0] == 404
    with pytest.raises(OSError):
        get(manager.health_url or "http://127.0.0.1:1/")


def test_hlz_01_paths_can_be_others_and_are_there_without_checks(server: Server) -> None:
    with plain(server, health_address="127.0.0.1:0", healthz="/live", readyz="/ready") as manager:
        assert get(f"{manager.health_url}/live?verbose")[1] == "[+]ping ok\nhealthz check passed\n"
        assert get(f"{manager.health_url}/ready")[:2] == (200, "ok")
        assert get(f"{manager.health_url}/healthz")[0] == 404


def test_msv_01_metrics_are_off_unless_asked_for(server: Server) -> None:
    with plain(server) as manager:
        assert (manager.metrics_url, manager.health_url, manager.profiling_url) == ("", "", "")
    with plain(server, metrics_address="0") as manager:
        assert manager.metrics_url == ""


def test_msv_02_other_handlers_stand_beside_the_metrics(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    manager = plain(server, metrics_address="127.0.0.1:0")

    def broken(request: HTTPRequest) -> HTTPResponse:
        raise RuntimeError("a collector raised")

    manager.add_metrics_handler("/custom", lambda request: text(200, "mine"))
    manager.add_metrics_handler("/broken", broken)
    with pytest.raises(PathTaken, match="/metrics cannot be replaced"):
        manager.add_metrics_handler("/metrics", broken)
    with pytest.raises(PathTaken, match="/custom is served already"):
        manager.add_metrics_handler("/custom", broken)

    with manager:
        url = manager.metrics_url.removesuffix("/metrics")
        assert get(f"{url}/custom")[:2] == (200, "mine\n")
        assert get(f"{url}/broken")[0] == 500
        assert get(f"{url}/custom")[0] == 200
    disabled = plain(server)
    disabled.add_metrics_handler("/custom", broken)
    disabled.stop()
    assert "the metrics server is disabled" in caplog.text


def test_msv_05_a_collector_that_raises_fails_one_scrape(server: Server) -> None:
    def broken() -> Any:
        raise RuntimeError("no figures")

    with plain(server, metrics_address="127.0.0.1:0") as manager:
        undo = REGISTRY.collect_from(broken)
        try:
            assert get(manager.metrics_url)[0] == 500
        finally:
            undo()
        assert get(manager.metrics_url)[0] == 200


# ---- clusters, recorders, processes


@pytest.mark.embedded
def test_clu_01_and_04_another_cluster_comes_and_goes(server: Server, namespace: str) -> None:
    with APIServer() as elsewhere:
        other = Cluster(elsewhere.config, name="elsewhere")
        other.cache.informer(ConfigMap)
        with plain(server) as manager:
            manager.add(other)
            assert other.wait_for_sync(LONG)
            with Clientset(elsewhere.config) as far:
                far.core_v1.config_maps("default").create(config_map("far"))
                assert other.api_reader.core_v1.config_maps("default").get("far").data == {"k": "v"}
            other.stop()
            assert manager.state == "running"
            assert "elsewhere" in repr(other)


def test_clu_02_without_a_limit_of_its_own_a_client_has_none(server: Server) -> None:
    free, limited = server.config.copy(), server.config.copy()
    free.qps, free.burst = 0.0, 0
    limited.qps, limited.burst = 5.0, 10

    managers = Manager(free), Manager(limited)
    for manager in managers:
        manager.stop()

    assert [manager.config.qps for manager in managers] == [-1.0, 5.0]


def test_evr_01_to_03_events_are_recorded_in_both_forms(
    server: Server, cs: Clientset, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POD_NAME", "foo-7d8-x")
    obj = cs.core_v1.config_maps(namespace).create(config_map("a"))

    with plain(server) as manager:
        manager.recorder("foo").eventf(obj, None, "Normal", "Made", "Making", "there are %d", 3)
        manager.core_recorder("bar").event(obj, "Warning", "Lost", "gone")

    found = {each.reason: each for each in cs.events_v1.events(namespace).list()}
    assert (found["Made"].note, found["Made"].action) == ("there are 3", "Making")
    assert (found["Made"].reporting_controller, found["Made"].reporting_instance) == ("foo", "foo-foo-7d8-x")
    core = {each.reason: each for each in cs.core_v1.events(namespace).list()}
    assert core["Lost"].source.component == "bar"


def test_evr_02_a_broadcaster_that_was_given_is_not_ended(server: Server, cs: Clientset, namespace: str) -> None:
    from k8srt.tools.events.broadcaster import EventBroadcaster

    told: list[str] = []
    with EventBroadcaster() as broadcaster:
        broadcaster.start_logging(lambda *args: told.append(str(args)))
        with plain(server, broadcaster=broadcaster) as manager:
            recorder = manager.recorder("foo")
        recorder.event(config_map("a"), "Normal", "Still", "here")

    assert any("Still" in line for line in told)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_thr_09_in_a_forked_child_a_manager_refuses(server: Server) -> None:
    with plain(server) as manager:
        child = os.fork()
        if child == 0:
            refused = [
                isinstance(_raised(call), ForkedProcessError)
                for call in (manager.start, manager.stop, manager.run, lambda: manager.add(lambda stop: None))
            ]
            os._exit(0 if all(refused) else 1)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_thr_13_starting_and_stopping_leaves_nothing_behind(server: Server, namespace: str) -> None:
    def cycle() -> None:
        manager = elected(
            server,
            namespace,
            election={"release_on_cancel": True},
            namespace=namespace,
            health_address="127.0.0.1:0",
            metrics_address="127.0.0.1:0",
            profiling_address="127.0.0.1:0",
        )

        @manager.controller(ConfigMap, name="again")
        def reconcile(request: Request, ctx: Context[Any]) -> None: ...

        with manager:
            assert manager.wait_elected(LONG)

    def left() -> tuple[set[str], int]:
        threads = {each.name for each in threading.enumerate() if "apiserver" not in each.name}
        return threads, len(os.listdir("/proc/self/fd"))

    cycle()
    before = left()
    for _ in range(100):
        cycle()
    after = left()

    assert after[0] == before[0]
    assert after[1] <= before[1] + 3  # what the server beside it holds open comes and goes
    values = {value for family in REGISTRY.snapshot() for sample in family.samples for _, value in sample.labels}
    assert not values & {"again", "lease", "ConfigMap"}


def test_thr_01_and_02_threads_have_names_and_end_with_the_manager(server: Server) -> None:
    stop = Stop()
    before = {thread.ident for thread in threading.enumerate()}
    manager = plain(server, metrics_address="127.0.0.1:0")
    running = threading.Thread(target=manager.run, args=(stop,))
    running.start()
    assert manager.wait_elected(LONG)
    mine = [
        each
        for each in threading.enumerate()
        if each.ident not in before and each is not running and "apiserver" not in each.name
    ]

    stop.set()
    running.join(LONG)

    assert mine
    assert all(re.fullmatch(r"k8srt-[a-z]+(-.+)?", each.name) and each.daemon for each in mine)
    assert not any(each.is_alive() for each in mine)
