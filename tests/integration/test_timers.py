"""Timers and daemons over HTTP: what they are for, when they run, and how they end."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Election, Manager, Registry
from k8srt.kubernetes import Clientset
from k8srt.testing import eventually
from k8srt.testing.choosing import Server
from k8srt.tools.leaderelection.failures import NotLeaderError
from k8srt.util.threads import Latch, Stop

LONG = 30.0
TENDED = {"tended": "yes"}


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Calls:
    """How often what was called, with the last that was seen."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        with self._cond:
            self.counts[what] += 1
            self._cond.notify_all()

    def wait_for(self, what: str, times: int = 1) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: self.counts[what] >= times, timeout=LONG), self.counts


def config_map(name: str, labels: dict[str, str] | None = None, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, labels=TENDED if labels is None else labels), data=data)


def daemon_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("k8srt-daemon-")]


def gone(client: Any, name: str) -> None:
    """Wait until an object is gone."""

    def look() -> bool:
        try:
            client.get(name)
        except errors.NotFound:
            return True
        return False

    eventually(look, timeout=LONG)


def test_tmr_01_a_timer_runs_for_each_object_that_matches_as_long_as_it_does(
    server: Server, cs: Clientset, namespace: str
) -> None:
    manager, calls = Manager(server.config, namespace=namespace), Calls()

    @manager.timer(ConfigMap, interval=0.02, labels=TENDED, workers=2)
    def check(obj: ConfigMap, ctx: Context) -> None:
        calls.add(f"{obj.metadata.name} {obj.data['k']}" if obj.data else obj.metadata.name)

    config_maps = cs.core_v1.config_maps(namespace)
    with manager:
        assert manager.elected.wait(LONG)
        config_maps.create(config_map("a", k="1"))
        config_maps.create(config_map("b", k="1"))
        config_maps.create(config_map("other", labels={}))
        calls.wait_for("a 1", times=3)
        calls.wait_for("b 1", times=3)
        config_maps.patch("a", {"data": {"k": "2"}}, patch_type="merge")
        calls.wait_for("a 2", times=3)

        config_maps.patch("a", {"metadata": {"labels": None}}, patch_type="merge")
        config_maps.delete("b")
        [controller] = manager.controllers
        assert controller.name == "configmap-check"
        eventually(lambda: controller.queue_snapshot() == [], timeout=LONG)

    assert not [what for what in calls.counts if what.startswith("other")]


def test_tmr_01_a_timer_that_writes_into_its_object_is_not_woken_by_that(
    server: Server, cs: Clientset, namespace: str
) -> None:
    manager, calls = Manager(server.config, namespace=namespace), Calls()

    @manager.timer(ConfigMap, interval=3600.0, labels=TENDED)
    def count(obj: ConfigMap, ctx: Context) -> None:
        ctx.client.patch(obj, {"data": {"count": str(int((obj.data or {}).get("count", "0")) + 1)}}, patch_type="merge")
        calls.add(obj.metadata.name)

    config_maps = cs.core_v1.config_maps(namespace)
    with manager:
        config_maps.create(config_map("a"))
        calls.wait_for("a")
        config_maps.patch("a", {"data": {"k": "v"}}, patch_type="merge")
        config_maps.create(config_map("b"))
        calls.wait_for("b")

    assert calls.counts == {"a": 1, "b": 1}
    assert config_maps.get("a").data == {"count": "1", "k": "v"}


def test_tmr_03_and_tmr_04_a_daemon_sees_its_object_change_and_ends_with_it(
    server: Server, cs: Clientset, namespace: str
) -> None:
    manager, calls = Manager(server.config, namespace=namespace), Calls()

    @manager.daemon(ConfigMap, labels=TENDED, finalizer="example.com/tend")
    def tend(obj: ConfigMap, ctx: Context) -> None:
        while not ctx.stop.wait(0.01):
            calls.add(f"sees {ctx.current().data}")
        last = config_map(f"{obj.metadata.name}-was-here", labels={})
        last.metadata.namespace = namespace
        ctx.client.create(last)

    config_maps = cs.core_v1.config_maps(namespace)
    with manager:
        config_maps.create(config_map("a", k="1"))
        calls.wait_for("sees {'k': '1'}")
        config_maps.patch("a", {"data": {"k": "2"}}, patch_type="merge")
        calls.wait_for("sees {'k': '2'}")
        assert config_maps.get("a").metadata.finalizers == ["example.com/tend"]
        config_maps.delete("a")
        gone(config_maps, "a")

        assert config_maps.get("a-was-here").metadata.name == "a-was-here"
        eventually(lambda: daemon_threads() == [], timeout=LONG)


def test_tmr_03_at_the_end_daemons_are_told_and_waited_for_and_begin_again_with_the_next_manager(
    server: Server, cs: Clientset, namespace: str
) -> None:
    calls = Calls()

    def tend(obj: ConfigMap, ctx: Context) -> None:
        calls.add("began")
        ctx.stop.wait()
        calls.add("ended")

    registry = Registry()
    registry.daemon(ConfigMap, labels=TENDED, finalizer="example.com/tend")(tend)
    config_maps = cs.core_v1.config_maps(namespace)
    config_maps.create(config_map("a"))
    for turn in (1, 2):
        manager = Manager(server.config, namespace=namespace)
        manager.include(registry)
        with manager:
            calls.wait_for("began", turn)
        assert calls.counts == {"began": turn, "ended": turn}
        assert daemon_threads() == []
        assert config_maps.get("a").metadata.finalizers == ["example.com/tend"]

    config_maps.delete("a")
    manager = Manager(server.config, namespace=namespace)
    manager.include(registry)
    with manager:
        gone(config_maps, "a")
    assert calls.counts["began"] == 2


def test_tmr_03_those_that_wait_for_a_daemon_have_an_event(server: Server, cs: Clientset, namespace: str) -> None:
    manager, calls = Manager(server.config, namespace=namespace), Calls()

    @manager.daemon(ConfigMap, labels=TENDED, max_daemons=1)
    def tend(obj: ConfigMap, ctx: Context) -> None:
        calls.add(obj.metadata.name)
        ctx.stop.wait()

    config_maps = cs.core_v1.config_maps(namespace)
    with manager:
        config_maps.create(config_map("a"))
        calls.wait_for("a")
        config_maps.create(config_map("b"))

        def told() -> list[str]:
            return [each.involved_object.name for each in cs.core_v1.events(namespace).list()]

        eventually(lambda: told() == ["b"], timeout=LONG)
        [event] = cs.core_v1.events(namespace).list()
        assert (event.type, event.reason) == ("Warning", "TooManyDaemons")
        assert calls.counts == {"a": 1}
        config_maps.delete("a")
        calls.wait_for("b")


def test_tmr_03_a_daemon_that_does_not_hear_holds_nothing_up(server: Server, cs: Clientset, namespace: str) -> None:
    manager, calls, let_go = Manager(server.config, namespace=namespace), Calls(), Stop()

    @manager.daemon(ConfigMap, labels=TENDED, finalizer="example.com/tend", stop_timeout=0.1)
    def deaf(obj: ConfigMap, ctx: Context) -> None:
        calls.add("began")
        let_go.wait(LONG)

    config_maps = cs.core_v1.config_maps(namespace)
    with manager:
        config_maps.create(config_map("a"))
        calls.wait_for("began")

        def delete() -> None:
            config_maps.delete("a")
            gone(config_maps, "a")

        with pytest.warns(ResourceWarning, match=r"has not ended within 0.1s(.|\n)*in deaf"):
            delete()
        let_go.set()
        eventually(lambda: daemon_threads() == [], timeout=LONG)


def test_tmr_05_a_daemon_that_has_returned_begins_again_when_something_else_is_wanted(
    server: Server, cs: Clientset, namespace: str
) -> None:
    manager, calls = Manager(server.config, namespace=namespace), Calls()

    @manager.daemon(Deployment, backoff=(0.001, 0.01))
    def roll_out(obj: Deployment, ctx: Context) -> None:
        if ctx.attempt < 2:
            calls.add("failed")
            raise RuntimeError("not yet")
        calls.add(f"done with {obj.spec.replicas}")

    deployments = cs.apps_v1.deployments(namespace)
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }
    with manager:
        deployments.create(Deployment.from_dict({"metadata": {"name": "web"}, "spec": spec}))
        calls.wait_for("done with 1")
        deployments.patch("web", {"metadata": {"labels": {"x": "y"}}}, patch_type="merge")
        [controller] = manager.controllers
        controller.reconcile_all()
        eventually(lambda: controller.queue_snapshot() == [], timeout=LONG)
        assert calls.counts == {"failed": 2, "done with 1": 1}

        deployments.patch("web", {"spec": {"replicas": 2}}, patch_type="merge")
        calls.wait_for("done with 2")
    assert calls.counts == {"failed": 4, "done with 1": 1, "done with 2": 1}


def test_tmr_01_and_tmr_03_only_the_leader_runs_them(server: Server, cs: Clientset, namespace: str) -> None:
    calls = Calls()

    def manager_called(name: str) -> Manager:
        election = Election("timers", namespace=namespace, release_on_cancel=True, identity=name, retry_period=0.1)
        manager = Manager(server.config, namespace=namespace, leader_election=election)
        options: dict[str, Any] = {"labels": TENDED, "skip_name_validation": True}

        @manager.timer(ConfigMap, interval=0.02, **options)
        def check(obj: ConfigMap, ctx: Context) -> None:
            calls.add(f"{name} timed")

        @manager.daemon(ConfigMap, **options)
        def tend(obj: ConfigMap, ctx: Context) -> None:
            calls.add(f"{name} began")
            ctx.stop.wait()

        return manager

    cs.core_v1.config_maps(namespace).create(config_map("a"))
    first, second = manager_called("first"), manager_called("second")
    with second, first:
        leader, other = (first, second) if _elected(first, second) is first else (second, first)
        names = ("first", "second") if leader is first else ("second", "first")
        calls.wait_for(f"{names[0]} timed", times=2)
        calls.wait_for(f"{names[0]} began")
        assert f"{names[1]} began" not in calls.counts
        assert f"{names[1]} timed" not in calls.counts
        leader.stop()
        assert other.wait_elected(LONG)
        seen = calls.counts[f"{names[0]} timed"]
        calls.wait_for(f"{names[1]} timed", times=2)
        calls.wait_for(f"{names[1]} began")
        assert calls.counts[f"{names[0]} timed"] == seen


def _elected(*managers: Manager) -> Manager:
    return eventually(lambda: next((each for each in managers if each.elected.is_set()), False), timeout=LONG)  # type: ignore[return-value]


def test_tmr_03_and_mgr_10_a_daemon_that_leads_no_more_is_told_and_writes_no_more(
    server: Server, cs: Clientset, namespace: str
) -> None:
    election = Election("timers", namespace, lease_duration=4.0, renew_deadline=2.0, retry_period=0.1)
    manager = Manager(server.config, namespace=namespace, leader_election=election)
    began, refused = Latch(), Latch()

    @manager.daemon(ConfigMap, labels=TENDED)
    def tend(obj: ConfigMap, ctx: Context) -> None:
        began.set()
        ctx.stop.wait()
        try:
            ctx.client.patch(obj, {"data": {"late": "yes"}}, patch_type="merge")
        except NotLeaderError:
            refused.set()

    config_maps = cs.core_v1.config_maps(namespace)
    config_maps.create(config_map("a"))
    manager.start()
    assert began.wait(LONG)
    taken = {"spec": {"holderIdentity": "usurper", "leaseDurationSeconds": 600}}
    cs.coordination_v1.leases(namespace).patch("timers", taken, patch_type="merge")

    assert refused.wait(LONG)
    eventually(lambda: manager.state == "failed", timeout=LONG)
    assert not config_maps.get("a").data
    eventually(lambda: daemon_threads() == [], timeout=LONG)


def test_bld_07_the_rights_of_timers_and_daemons_are_known(server: Server) -> None:
    manager = Manager(server.config)
    manager.timer(ConfigMap, interval=60.0, uses=[(ConfigMap, "patch")])(lambda obj, ctx: None)
    manager.daemon(Deployment, finalizer="example.com/x", name="d", uses=[(Deployment, "patch/status")])(
        lambda obj, ctx: None
    )

    rules = {
        (group, resource): rule["verbs"]
        for rule in manager.rbac_rules()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert rules["", "configmaps"] == ["list", "patch", "watch"]
    assert rules["apps", "deployments"] == ["get", "list", "patch", "watch"]
    assert rules["apps", "deployments/status"] == ["patch"]
    assert rules["events.k8s.io", "events"] == ["create", "patch"]
    assert [each.name for each in manager.controllers] == ["configmap-lambda", "d"]
    manager.stop()


def test_tmr_03_debug_shows_what_daemons_do_and_since_when(server: Server, cs: Clientset, namespace: str) -> None:
    manager, calls = Manager(server.config, namespace=namespace, profiling_address="127.0.0.1:0"), Calls()

    @manager.daemon(ConfigMap, labels=TENDED)
    def tend(obj: ConfigMap, ctx: Context) -> None:
        calls.add("began")
        ctx.stop.wait()

    with manager:
        cs.core_v1.config_maps(namespace).create(config_map("a"))
        calls.wait_for("began")

        def seen() -> bool:
            with urllib.request.urlopen(f"{manager.profiling_url}/debug", timeout=LONG) as answer:
                [told] = json.load(answer)["controllers"]
            [daemon] = told["daemons"]
            assert (daemon["request"], daemon["state"]) == (f"{namespace}/a", "running")
            assert daemon["seconds"] >= 0.0
            return bool(daemon["at"].endswith("in tend")) and __file__ in daemon["at"]

        eventually(seen, timeout=LONG)
