"""Whatever the network does, an informer comes back by itself, and nothing that happened meanwhile is lost."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing import APIServer
from k8srt.util.wait import Backoff
from tests.faults.clients import SHORT, HastyClock
from tests.faults.proxy import FaultyProxy, fates
from tests.faults.table import CHUNKED, REQUESTS, SILENT, Exchange, chunk, met_by_watches, sized
from tests.integration.wire import Authority, WireServer, event, tls_config

pytestmark = pytest.mark.timeout(60)

WAIT = 40.0
QUICK = Backoff(initial=0.001, factor=1.5, cap=0.005)


class Mirror:
    """A handler that keeps what it is told, and notes what cannot be: twice added, changed before it was there."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.state: dict[str, str] = {}
        self.told: list[tuple[str, str]] = []
        self.problems: list[str] = []

    def on_add(self, obj: Any, is_in_initial_list: bool) -> None:
        with self._cond:
            if obj.metadata.name in self.state:
                self.problems.append(f"added twice: {obj!r}")
            self._note(obj)

    def on_update(self, old: Any, new: Any) -> None:
        with self._cond:
            if self.state.get(new.metadata.name) != old.metadata.resource_version:
                self.problems.append(f"updated from a version that was not told: {old!r}")
            self._note(new)

    def on_delete(self, obj: Any) -> None:
        gone = getattr(obj, "obj", obj)
        with self._cond:
            if self.state.pop(gone.metadata.name, None) is None:
                self.problems.append(f"deleted before it was there: {gone!r}")
            self._cond.notify_all()

    def _note(self, obj: Any) -> None:
        self.state[obj.metadata.name] = obj.metadata.resource_version
        self.told.append((obj.metadata.name, obj.metadata.resource_version))
        self._cond.notify_all()

    def wait(self, done: Callable[[Mirror], bool]) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: done(self), WAIT), (self.state, self.told[-10:])


# ---- a network that does everything at once -----------------------------------------------------------------------


class Served(NamedTuple):
    """A server, how to reach it, and the same with little patience through a proxy."""

    server: APIServer
    config: Config

    def through(self, proxy: FaultyProxy) -> Config:
        config = self.config.copy()
        config.host = proxy.url
        config.connect_timeout, config.read_timeout, config.watch_idle_timeout = SHORT, SHORT, SHORT
        return config

    @property
    def young(self) -> int:
        """So few bytes are an early end of a connection: under TLS it only begins with them."""
        return 150 if self.server.url.startswith("https") else 40


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    options: dict[str, str] = {}
    if request.param == "tls":
        pytest.importorskip("cryptography", reason="certificates are made with cryptography")
        authority = Authority()
        pair = authority.issue("127.0.0.1")
        for name, content in {"certificate": pair.certificate, "private_key": pair.key}.items():
            (tmp_path / name).write_bytes(content)
            options[name] = str(tmp_path / name)
    with APIServer(**options) as server:
        config = server.config
        config.qps = -1.0
        if options:
            config.tls = tls_config(authority)
        yield Served(server, config)


def write(served: Served, seed: int, enough: Callable[[], bool]) -> dict[str, str]:
    """Make changes, with a pause now and then, until they are enough, and return what is there in the end."""
    rng = random.Random(seed)
    server, pause = served.server, threading.Event()
    with Clientset(served.config) as cs:
        maps = cs.core_v1.config_maps("default")
        there: dict[str, str] = {}
        for number in range(5000):
            if number >= 100 and enough():
                break
            name = f"m-{rng.randrange(25)}"
            if name not in there:
                made = maps.create(ConfigMap(metadata=ObjectMeta(name=name), data={"n": str(number)}))
                there[name] = made.metadata.resource_version or ""
            elif rng.random() < 0.3:
                maps.delete(name)
                del there[name]
            else:
                made = maps.label(name, n=str(number))
                there[name] = made.metadata.resource_version or ""
            if rng.random() < 0.05:
                server.cluster.storage.end_watches("configmaps")
            if rng.random() < 0.01:
                server.compact()
            pause.wait(rng.choice((0.0, 0.0, 0.005, 0.02)))
        return there


@pytest.mark.parametrize(
    ("served", "watch_list", "seed"),
    [("plain", True, 1), ("plain", False, 2), ("tls", True, 3)],
    ids=["streaming", "listing", "streaming under TLS"],
    indirect=["served"],
)
def test_usr_02_an_informer_on_a_network_that_cuts_stalls_and_garbles(
    served: Served, watch_list: bool, seed: int
) -> None:
    mirror = Mirror()
    with FaultyProxy(served.server.url, fates(seed, served.young)) as proxy:
        cs = Clientset(served.through(proxy), clock=HastyClock())
        factory = SharedInformerFactory(cs, namespace="default", backoff=QUICK, watch_list=watch_list)
        cached = factory.core_v1.config_maps
        cached.informer.add_event_handler(mirror)
        with cs, factory:
            there = write(served, seed, proxy.did_everything)
            proxy.heal()
            mirror.wait(lambda m: m.state == there)

            assert {obj.metadata.name: obj.metadata.resource_version for obj in cached.lister.list()} == there
        assert proxy.did_everything()
    assert mirror.problems == []


# ---- one fault after the other ------------------------------------------------------------------------------------


class Stubborn:
    """A server of pods p1, p2, …, each made at the version of its number, when the one before was asked for.

    Every other list and every other watch meets a fault; the first list does unless it is to be `begun`.
    """

    def __init__(self, fault: str, last: int, begun: bool = False) -> None:
        self.last = last
        self._requests = itertools.cycle(REQUESTS[fault])
        self._watches = itertools.cycle(met_by_watches(fault))
        self._lock = threading.Lock()
        self._turns = {"list": int(begun), "watch": 0}
        self._newest = 1
        self.faults = 0

    def __call__(self, exchange: Exchange) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(exchange.path).query).items()}
        version = int(query.get("resourceVersion") or 0)
        watching = "watch" in query
        with self._lock:
            self._turns["watch" if watching else "list"] += 1
            faulty = self._turns["watch" if watching else "list"] % 2 == 1
            self.faults += faulty
            self._newest = max(self._newest, version)
            version = version or self._newest
        coming = event(f"p{version + 1}", version=version + 1) if version < self.last else b""
        if faulty:
            (next(self._watches)(coming) if watching else next(self._requests))(exchange)
        elif not watching:
            exchange.reply(body=pods_at(version))
        else:
            exchange.stream()
            exchange.chunk(coming)
            exchange.end()


def pods_at(version: int) -> bytes:
    """The list at a version."""
    numbers = range(1, version + 1)
    items = [{"metadata": {"name": f"p{n}", "namespace": "d", "resourceVersion": str(n)}} for n in numbers]
    found = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}, "items": items}
    return json.dumps(found).encode()


@pytest.mark.parametrize("fault", list(REQUESTS))
def test_usr_02_an_informer_gets_over_every_fault_of_the_table(fault: str) -> None:
    mirror, stubborn = Mirror(), Stubborn(fault, last=4)
    patience = SHORT / 2 if fault in SILENT else 10.0
    with WireServer(stubborn) as server:
        config = server.config(read_timeout=patience, watch_idle_timeout=patience)
        cs = Clientset(config, clock=HastyClock())
        factory = SharedInformerFactory(cs, namespace="d", backoff=QUICK, watch_list=False)
        factory.core_v1.pods.informer.add_event_handler(mirror)
        with cs, factory:
            mirror.wait(lambda m: "p4" in m.state)

    assert list(dict.fromkeys(mirror.told)) == [(f"p{number}", str(number)) for number in range(1, 5)]
    assert mirror.problems == []
    assert stubborn.faults >= 2


@pytest.mark.parametrize("fault", list(REQUESTS))
def test_usr_02_a_watch_for_ever_gets_over_every_fault_once_it_has_begun(fault: str) -> None:
    stubborn = Stubborn(fault, last=4, begun=True)
    patience = SHORT / 2 if fault in SILENT else 10.0
    with WireServer(stubborn) as server:
        config = server.config(read_timeout=patience, watch_idle_timeout=patience)
        with Clientset(config, clock=HastyClock()) as cs, cs.core_v1.pods("d").watch(forever=True) as events:
            told = [(one.type, one.object.metadata.name) for one in itertools.islice(events, 4)]

    assert told == [("ADDED", f"p{number}") for number in range(1, 5)]
    assert stubborn.faults >= 1


class Torn:
    """The same server, which goes away after one byte of its answer, then two, and so on; in the end it stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what follows
        self._sizes = {"list": 0, "watch": 0}
        self.whole = threading.Event()
        self.last = 0

    def __call__(self, exchange: Exchange) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(exchange.path).query).items()}
        kind, version = "watch" if "watch" in query else "list", int(query.get("resourceVersion") or 0)
        answer = CHUNKED + b"".join(chunk(event(f"p{n}", version=n)) for n in (version + 1, version + 2))
        if kind == "list":
            answer = sized(pods_at(max(version, 1)))
        with self._lock:
            self._sizes[kind] += 1
            size = self._sizes[kind]
            self.last = max(self.last, version + 2) if kind == "watch" else self.last
        exchange.raw(answer[:size])
        if size <= len(answer):
            exchange.hang_up()
        elif kind == "watch":
            self.whole.set()
            exchange.wait_for_hang_up()


def test_usr_02_an_informer_gets_over_an_end_after_every_byte() -> None:
    mirror, torn = Mirror(), Torn()
    with WireServer(torn) as server:
        cs = Clientset(server.config(read_timeout=10.0, watch_idle_timeout=10.0), clock=HastyClock())
        factory = SharedInformerFactory(cs, namespace="d", backoff=QUICK, watch_list=False)
        factory.core_v1.pods.informer.add_event_handler(mirror)
        with cs, factory:
            assert torn.whole.wait(WAIT)
            mirror.wait(lambda m: f"p{torn.last}" in m.state)

    assert list(dict.fromkeys(mirror.told)) == [(f"p{n}", str(n)) for n in range(1, torn.last + 1)]
    assert torn.last > 20
    assert mirror.problems == []
