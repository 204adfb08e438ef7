"""Replicas that share the work, against one server.

Time is turned by hand, as far as the replicas keep up with it: one that stalls has a clock of its own, which stands.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from k8srt.api.coordination.v1 import Lease, LeaseSpec
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, KeyMoved, LeaderElectionLost, Manager, Request, Result, Ring
from k8srt.controller.sharding.ring import LABEL
from k8srt.errors import ConfigError
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing import FakeClock, eventually
from k8srt.testing.choosing import Server
from k8srt.tools.leaderelection import NotLeaderError
from tests.integration.strictly import strictly

LONG = 30.0
PATIENCE = 300.0
"""Seconds of the clock that anything may take."""

NAMES = [f"c{n}" for n in range(30)]


class Journal:
    """Who reconciles what, at any moment and all in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards all below
        self._hands: dict[str, str] = {}
        self.wrong: list[str] = []
        self.done: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def taken(self, who: str, name: str) -> Iterator[None]:
        with self._lock:
            other = self._hands.setdefault(name, who)
            if other != who:
                self.wrong.append(f"{name} is in the hands of {other} and {who}")
        try:
            yield
        finally:
            with self._lock:
                self._hands.pop(name, None)
                self.done[who, name] += 1

    def of(self, who: str) -> set[str]:
        with self._lock:
            return {name for each, name in self.done if each == who}

    def forget(self) -> None:
        with self._lock:
            self.done.clear()


class Replica:
    """A manager with one controller, which looks at everything again and again."""

    def __init__(self, config: Config, name: str, journal: Journal, clock: FakeClock, **options: Any) -> None:
        self.name = name
        self.clock = clock
        ring = Ring("foo", "default", name)
        self.manager = Manager(
            config, sharding=ring, clock=clock, namespace="default", graceful_shutdown_timeout=-1.0, **options
        )

        @self.manager.controller(ConfigMap, name=f"foo-{name}", where=lambda obj: obj.metadata.name in NAMES)
        def reconcile(request: Request, ctx: Context[Any]) -> Result:
            with journal.taken(name, request.name):
                return Result(requeue_after=5.0)

    @property
    def shards(self) -> dict[str, str]:
        assert self.manager.shard is not None
        return {name: str(state) for name, state in self.manager.shard.view.states.items()}

    @property
    def share(self) -> set[str]:
        """What is its own, as it sees it."""
        assert self.manager.shard is not None
        view = self.manager.shard.view
        return {name for name in NAMES if view.owner(f"/ConfigMap/default/{name}") == self.name}

    def keeps_up(self) -> bool:
        """Whether it has renewed its lease and seen the others since the clock was turned far."""
        elector, shard, now = self.manager.elector, self.manager.shard, self.clock.now()
        assert elector is not None
        assert shard is not None
        attempted = elector.attempted_at
        return attempted is not None and now - attempted < 4.0 and shard.view.sure_until - now > 6.0


def turn(*replicas: Replica, until: Callable[[], object]) -> None:
    """Turn the clocks of these, slowly while somebody is behind, until something is so."""
    left, pause = PATIENCE, threading.Event()
    while not until():
        assert left > 0.0, [(each.shards, each.manager) for each in replicas]
        behind = not all(each.keeps_up() for each in replicas)
        step = 0.02 if behind else 0.5
        for clock in {each.clock for each in replicas}:
            clock.advance(step)
        left -= step
        pause.wait(0.05 if behind else 0.003)


@pytest.fixture
def cs(own_server: Server) -> Iterator[Clientset]:
    with Clientset(own_server.config) as made:
        for name in NAMES:
            made.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name=name)))
        yield made


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.timeout(180)
def test_shd_01_04_and_06_mtr_06_one_comes_and_takes_its_part_and_one_that_goes_gives_it_back_at_once(
    own_server: Server, cs: Clientset, ends: ExitStack
) -> None:
    journal, clock = Journal(), FakeClock()
    a = Replica(own_server.config, "a", journal, clock, metrics_address="127.0.0.1:0")
    b = Replica(own_server.config, "b", journal, clock, profiling_address="127.0.0.1:0")
    ends.enter_context(a.manager)
    assert a.manager.wait_elected(LONG)
    turn(a, until=lambda: journal.of("a") == set(NAMES))

    ends.enter_context(b.manager)
    assert b.manager.wait_elected(LONG)
    joined = clock.now()
    turn(a, b, until=lambda: journal.of("b"))

    assert clock.now() - joined >= 15.0
    turn(a, b, until=lambda: journal.of("b") == b.share)
    journal.forget()
    turn(a, b, until=lambda: len(journal.of("a")) + len(journal.of("b")) == len(NAMES))
    assert (journal.of("a"), journal.of("b")) == (a.share, b.share)
    assert len(a.share) > 3
    assert len(b.share) > 3

    with urllib.request.urlopen(a.manager.metrics_url, timeout=LONG) as answer:
        figures = answer.read().decode()
    assert 'k8srt_shards{ring="foo",state="ready"} 2' in figures
    assert f'k8srt_shard_objects{{ring="foo",controller="foo-a",whose="own"}} {len(a.share)}' in figures
    assert f'k8srt_shard_objects{{ring="foo",controller="foo-a",whose="other"}} {len(b.share)}' in figures
    with urllib.request.urlopen(f"{b.manager.profiling_url}/debug", timeout=LONG) as answer:
        shown = json.load(answer)["sharding"]
    assert shown["shards"] == {"a": "ready", "b": "ready"}
    assert shown["keys"] == {"foo-b": {"a": len(a.share), "b": len(b.share)}}
    assert repr(a.manager.shard) == "<Shard a of foo: a ready, b ready>"
    assert "a ready, b ready" in a.manager._repr_html_()

    a.manager.stop()
    gone = clock.now()
    journal.forget()
    turn(b, until=lambda: journal.of("b") == set(NAMES))

    assert clock.now() - gone < 15.0
    assert b.shards == {"a": "dead", "b": "ready"}
    assert cs.coordination_v1.leases("default").get("a").spec.holder_identity in (None, "")
    assert journal.wrong == []


@pytest.mark.timeout(180)
def test_shd_03_and_06_one_that_stalls_is_taken_over_and_writes_nothing_when_it_goes_on(
    own_server: Server, cs: Clientset, ends: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    journal, clock, standing = Journal(), FakeClock(), FakeClock()
    a, b = (Replica(own_server.config, name, journal, clock) for name in "ab")
    stalled = Replica(own_server.config, "stalled", journal, standing)
    for each in (a, stalled):
        ends.enter_context(each.manager)
        assert each.manager.wait_elected(LONG)
    turn(a, stalled, until=lambda: journal.of("stalled") == stalled.share != set(NAMES))
    ends.enter_context(b.manager)  # and now the clock of one stands
    turn(a, b, until=lambda: b.shards.get("stalled") == "expired")

    assert len(a.share | b.share) < len(NAMES)  # it counts, and nobody has its keys
    lost = stalled.share - a.share - b.share
    journal.forget()
    turn(a, b, until=lambda: journal.of("a") | journal.of("b") == set(NAMES))

    assert lost
    assert (a.shards["stalled"], b.shards["stalled"]) == ("dead", "dead")
    turn(a, b, until=lambda: a.shards == b.shards == {"a": "ready", "b": "ready"})  # its lease is deleted
    journal.forget()
    standing.advance(100.0)  # it goes on
    eventually(lambda: bool(stalled.manager.errors), timeout=LONG)
    assert isinstance(stalled.manager.errors[0], LeaderElectionLost)
    with pytest.raises(NotLeaderError):
        stalled.manager.client.create(ConfigMap(metadata=ObjectMeta(name="made", namespace="default")))
    assert journal.of("stalled") == set()
    assert journal.wrong == []
    ends.pop_all()
    for each in (a, b, stalled):
        each.manager.stop()


def test_shd_06_outside_of_a_reconcile_nothing_is_written_either_while_the_others_are_not_seen(
    own_server: Server, cs: Clientset, ends: ExitStack
) -> None:
    clock = FakeClock()
    replica = Replica(own_server.config, "a", Journal(), clock)
    ends.enter_context(replica.manager)
    assert replica.manager.wait_elected(LONG)
    [controller] = replica.manager.controllers
    shard = replica.manager.shard
    assert shard is not None
    shard.check_leading()

    view = shard.view
    shard.membership._view = type(view)(view.me, view.ring, view.states, view.mine_from, clock.now())

    with pytest.raises(KeyMoved, match="has not seen the others"):
        shard.check_leading()
    assert controller.debug_state()["sharding"]["aside"] == 0


def test_shd_01_a_controller_that_is_taken_out_leaves_nothing_behind(
    own_server: Server, cs: Clientset, ends: ExitStack
) -> None:
    replica = Replica(own_server.config, "a", Journal(), FakeClock())
    ends.enter_context(replica.manager)
    [controller] = replica.manager.controllers

    assert replica.manager.remove(controller)

    assert replica.manager.shard is not None
    assert replica.manager.shard.debug_state()["sharding"]["keys"] == {}


@pytest.mark.timeout(120)
def test_bld_07_it_runs_with_the_rights_it_asks_for_and_no_others(rbac_server: Server) -> None:
    journal, replicas = Journal(), []

    def make(config: Config) -> Manager:
        replicas.append(Replica(config, "a", journal, FakeClock(), preflight="fail"))
        return replicas[-1].manager

    spec = LeaseSpec(holder_identity="", lease_duration_seconds=15)
    dead = Lease(metadata=ObjectMeta(name="dead", namespace="default", labels={LABEL: "foo"}), spec=spec)
    with strictly(rbac_server, make, ConfigMap(metadata=ObjectMeta(name="c1", namespace="default")), dead) as strict:
        leases = strict.admin.coordination_v1.leases("default")
        with strict.manager:
            eventually(lambda: journal.of("a") == {"c1"}, timeout=LONG)
            turn(*replicas, until=lambda: [each.metadata.name for each in leases.list()] == ["a"])

        rules = [rule for rule in strict.manager.rbac_rules() if rule["resources"] == ["leases"]]
        assert [rule["verbs"] for rule in rules] == [["create", "delete", "get", "list", "update"]]


def test_shd_01_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(host="http://127.0.0.1:9")

    with pytest.raises(ConfigError, match="sharding and leader_election"):
        Manager(config, sharding=Ring("foo", "default"), leader_election="foo")
    with pytest.raises(ConfigError, match="replicas_namespace: must be given"):
        Manager(config, sharding=Ring("foo"))
    with pytest.raises(TypeError, match="expected a Ring"):
        Manager(config, sharding="foo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="lease_duration"):
        Manager(config, sharding=Ring("foo", "default", lease_duration=5.0))
