"""Reconcilers that misbehave, over HTTP: the others go on, nothing is lost, and the end comes in time."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Manager, ReconcileTimeout, Request, Result
from k8srt.kubernetes import Clientset
from k8srt.testing import APIServer
from k8srt.testing.choosing import Server
from k8srt.util.threads import Stop

LONG = 20.0


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Tally:
    """How often each object was looked at."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> int:
        with self._cond:
            self._counts[name] += 1
            self._cond.notify_all()
            return self._counts[name]

    def wait_for(self, name: str, count: int = 1) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: self._counts[name] >= count, LONG), self._counts


def create(cs: Clientset, namespace: str, *names: str) -> None:
    for name in names:
        cs.core_v1.config_maps(namespace).create(ConfigMap(metadata=ObjectMeta(name=name, labels={"mine": "yes"})))


def deep(n: int) -> int:
    return deep(n + 1) + 1


def test_rec_08_raising_recursing_and_flooding_hold_nobody_up(
    server: Server, cs: Clientset, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    manager = Manager(server.config, namespace=namespace)
    tally = Tally()

    @manager.controller(ConfigMap, labels={"mine": "yes"}, name="bad", backoff=(0.001, 0.01))
    def reconcile(request: Request, ctx: Context) -> Result | None:
        count = tally.add(request.name)
        if request.name == "raises":
            raise ValueError("always")
        if request.name == "recurses" and count < 3:
            deep(0)
        if request.name == "floods":
            return Result(requeue=True)
        if request.name == "leaks":
            threading.Thread(target=ctx.stop.wait, daemon=True, name="leaked").start()
        return None

    with manager:
        create(cs, namespace, "raises", "recurses", "floods", "leaks")
        tally.wait_for("floods", 20)
        tally.wait_for("raises", 20)
        tally.wait_for("recurses", 3)
        create(cs, namespace, "good")
        tally.wait_for("good")
        tally.wait_for("leaks")
        snapshot = manager.controllers[0].queue_snapshot()
        assert len(snapshot) <= 3  # a flood is one entry

    assert "panic: RecursionError" in caplog.text
    told = [record for record in caplog.records if record.getMessage().endswith("Reconciler error: always")]
    assert len(told) == 1
    for thread in threading.enumerate():
        if thread.name == "leaked":
            thread.join(LONG)
            assert not thread.is_alive()


def test_thr_05_a_reconcile_that_hangs_holds_up_its_own_object_only(
    server: Server, cs: Clientset, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    manager = Manager(server.config, namespace=namespace)
    tally, let_go = Tally(), threading.Event()

    @manager.controller(ConfigMap, labels={"mine": "yes"}, name="hangs", timeout=0.05, stuck_after=0.1)
    def reconcile(request: Request, ctx: Context) -> None:
        tally.add(request.name)
        if request.name == "hangs":
            let_go.wait(LONG)

    with manager:
        create(cs, namespace, "hangs")
        tally.wait_for("hangs")
        create(cs, namespace, "good")
        tally.wait_for("good")
        let_go.set()

    assert "hangs has not returned for 0.1s" in caplog.text


@pytest.mark.embedded
@pytest.mark.parametrize("call", ["write", "read past the cache", "wait for a cache"])
def test_rec_10_a_deadline_ends_calls_and_waits_of_the_library(
    server: APIServer, cs: Clientset, namespace: str, call: str
) -> None:
    manager = Manager(server.config, namespace=namespace)
    caught: list[Exception] = []
    done = Stop()

    @manager.controller(ConfigMap, labels={"mine": "yes"}, name="slow", timeout=0.2, max_attempts=1)
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        try:
            if call == "write":
                ctx.client.create(Secret(metadata=ObjectMeta(name="s", namespace=namespace)))
            elif call == "read past the cache":
                cs.core_v1.secrets(namespace).list()
            else:
                ctx.client.list(Secret)
        except Exception as err:
            caught.append(err)
            raise
        finally:
            done.set()

    with manager, server.faults.delay(LONG, "*", "secrets"):
        create(cs, namespace, "a")
        assert done.wait(LONG)

    (err,) = caught
    assert isinstance(err, ReconcileTimeout), repr(err)
    assert isinstance(err, errors.Stopped)


def test_dec_02_and_ctx_01_hooks_and_contexts_in_a_whole_manager(server: Server, cs: Clientset, namespace: str) -> None:
    state = {"seen": 0}
    manager = Manager(server.config, namespace=namespace, state=state)
    order: list[str] = []
    tally = Tally()

    @manager.on_start
    def connect(mgr: Manager) -> None:
        order.append(f"start, caches filled: {mgr.client.list(ConfigMap) is not None}")

    @manager.on_stop
    def disconnect() -> None:
        order.append("stop")

    @manager.controller(ConfigMap, labels={"mine": "yes"}, name="whole")
    def reconcile(obj: ConfigMap, ctx: Context[dict[str, int]]) -> None:
        ctx.state["seen"] += 1
        ctx.memo["times"] = ctx.memo.get("times", 0) + 1
        assert ctx.manager is manager
        assert ctx.api_reader is not None
        order.append("reconcile")
        tally.add(obj.metadata.name)

    create(cs, namespace, "a")
    with manager:
        tally.wait_for("a")

    assert order == ["start, caches filled: True", "reconcile", "stop"]
    assert state == {"seen": 1}


def test_dec_02_a_start_that_fails_ends_the_manager(server: Server) -> None:
    manager = Manager(server.config)

    @manager.on_start
    def broken() -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        manager.start()
    assert manager.state == "failed"


PROGRAM = """
import sys
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.tools.clientcmd import load_config

manager = Manager(load_config(sys.argv[1]).config, namespace=sys.argv[2])

@manager.controller(ConfigMap, workers=4)
def reconcile(request, ctx):
    sys.exit(7)

manager.run()
"""


def test_rec_08_sys_exit_in_a_reconciler_ends_the_program_with_its_code(
    cs: Clientset, namespace: str, kubeconfig: Path, tmp_path: Path
) -> None:
    create(cs, namespace, "a")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    done = subprocess.run([sys.executable, str(program), str(kubeconfig), namespace], timeout=60, check=False)

    assert done.returncode == 7


def test_log_05_lifecycles_are_told(
    server: Server, cs: Clientset, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    manager = Manager(server.config, namespace=namespace)

    @manager.controller(ConfigMap, name="told", workers=3)
    def reconcile(request: Request, ctx: Context) -> None: ...

    with manager:
        assert manager.controllers[0].ready.wait(LONG)

    lines = [record.getMessage() for record in caplog.records]
    starting: Any = next(record for record in caplog.records if "starting workers" in record.getMessage())
    assert getattr(starting, "worker count") == 3
    for line in ("starting event source <Kind ConfigMap>", "controller told: all workers have finished"):
        assert line in lines
    assert "stopping leader" in caplog.text


def test_rec_19_a_standby_is_warm_and_works_as_soon_as_it_leads(server: Server, cs: Clientset, namespace: str) -> None:
    def make(name: str) -> tuple[Manager, Tally]:
        tally = Tally()
        manager = Manager(
            server.config,
            namespace=namespace,
            leader_election="warm",
            leader_election_namespace=namespace,
            retry_period=0.1,
            release_on_cancel=True,
        )

        @manager.controller(ConfigMap, labels={"mine": "yes"}, name=name, enable_warmup=True)
        def reconcile(obj: ConfigMap, ctx: Context) -> None:
            tally.add(obj.metadata.name)

        return manager, tally

    create(cs, namespace, "a")
    first, first_saw = make("warm-1")
    second, second_saw = make("warm-2")
    with first:
        first_saw.wait_for("a")
        with second:
            assert not second.elected.is_set()
            assert [each["request"] for each in second.controllers[0].queue_snapshot()] == [f"{namespace}/a"]
            first.stop()
            second_saw.wait_for("a")
