"""Managers in notebooks, under other clocks, beside gevent; and what they log of their life."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest

import k8srt
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import Context, Manager, Request
from k8srt.controller.failures import ShutdownTimeout
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from k8srt.testing.clock import FakeClock
from k8srt.util import stacks
from k8srt.util.threads import Latch

LONG = 20.0
PACKAGE = Path(k8srt.__file__).parent


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


def test_log_05_the_steps_of_a_life_are_logged_at_info(
    server: Server, caplog: pytest.LogCaptureFixture, namespace: str
) -> None:
    manager = Manager(server.config)
    worked = Latch()

    @manager.controller(ConfigMap, name="logged")
    def reconcile(request: Request, ctx: Context[Any]) -> None:
        worked.set()

    with Clientset(server.config) as cs:
        cs.core_v1.config_maps(namespace).create(ConfigMap(metadata=ObjectMeta(name="a")))

    with caplog.at_level(logging.INFO, logger="k8srt"), manager:
        assert worked.wait(LONG)

    said = "\n".join(record.getMessage() for record in caplog.records if record.levelno == logging.INFO)
    for line in ("starting event source", "logged: starting", "starting workers", "all workers have finished"):
        assert line in said
    stops = re.findall(r"^stopping (\w+)$", said, re.MULTILINE)
    assert stops == ["others", "leader", "caches", "webhooks", "http"]
    assert "reconciled" not in said


def test_thr_10_start_works_within_an_event_loop_and_shows_itself(server: Server) -> None:
    manager = Manager(server.config)

    async def cell() -> None:
        await asyncio.to_thread(manager.start)
        assert manager.state == "running"
        manager.stop()

    asyncio.run(cell())

    shown = manager._repr_html_()
    assert shown.startswith("<table>")
    assert "<th>state</th><td>stopped</td>" in shown


@pytest.mark.embedded
def test_thr_11_nothing_of_the_interpreter_is_changed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    forbidden = re.compile(r"setswitchinterval|setdefaulttimeout|pthread_sigmask|monkey\.patch")
    assert [path for path in PACKAGE.rglob("*.py") if forbidden.search(path.read_text(encoding="utf-8"))] == []

    patched = types.ModuleType("gevent.monkey")
    patched.is_module_patched = lambda name: name == "threading"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gevent.monkey", patched)
    monkeypatch.setattr(stacks, "_warned", stacks._Warned())
    stacks.warn_if_patched()
    stacks.warn_if_patched()
    assert caplog.text.count("gevent has patched threads") == 1


def test_thr_12_a_manager_goes_by_the_clock_it_is_given(server: Server) -> None:
    clock = FakeClock()
    manager = Manager(server.config, clock=clock, graceful_shutdown_timeout=30.0)
    let_go, entered = threading.Event(), Latch()
    raised: list[BaseException] = []

    def stubborn(stop: threading.Event) -> None:
        entered.set()
        let_go.wait()

    def stop() -> None:
        try:
            manager.stop()
        except ShutdownTimeout as err:
            raised.append(err)

    manager.add(stubborn)
    manager.start()
    assert entered.wait(LONG)
    stopping = threading.Thread(target=stop)
    stopping.start()
    clock.wait_for_sleepers(1, timeout=LONG)
    clock.advance(30.0)
    stopping.join(LONG)

    assert "grace period of 30s" in str(raised[0])
    let_go.set()


def test_thr_01_and_08_threads_and_their_stacks_can_be_asked_for(server: Server) -> None:
    with Manager(server.config):
        roles = {each.role for each in k8srt.threads()}
        out = io.StringIO()
        k8srt.dump_threads(out)

    assert "runnable" in roles
    assert "thread MainThread" in out.getvalue()
    assert "thread k8srt-runnable-cache-0" in out.getvalue()
    assert "test_thr_01_and_08" in out.getvalue()
