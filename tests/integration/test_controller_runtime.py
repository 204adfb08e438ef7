"""Managers and controllers over HTTP: from an object to its reconcile, elections, failures and ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from k8srt import errors
from k8srt.api.core.v1 import ConfigMap, Secret
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.owners import new_controller_ref
from k8srt.controller import Context, Manager, Request, Result, TerminalError
from k8srt.controller.cache.cache import NoFieldIndex
from k8srt.controller.failures import ShutdownTimeout
from k8srt.kubernetes import Clientset
from k8srt.testing.choosing import Server
from k8srt.util.threads import Stop

LONG = 20.0


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


class Seen:
    """What a reconciler was called with."""

    def __init__(self) -> None:
        self._cond = threading.Condition()
        self.requests: list[Request] = []

    def add(self, request: Request) -> int:
        with self._cond:
            self.requests.append(request)
            self._cond.notify_all()
            return len(self.requests)

    def wait_for(self, count: int) -> None:
        with self._cond:
            assert self._cond.wait_for(lambda: len(self.requests) >= count, timeout=LONG), self.requests


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name), data=data)


def mine(obj: ConfigMap) -> bool:
    return obj.metadata.name != "kube-root-ca.crt"


def test_a_controller_creates_what_is_owned_and_mends_it(server: Server, cs: Clientset, namespace: str) -> None:
    manager = Manager(server.config, namespace=namespace)
    seen = Seen()

    @manager.controller(ConfigMap, owns=[Secret], where=mine, workers=2, name="copies")
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        secret = Secret(metadata=ObjectMeta(name=obj.metadata.name, namespace=obj.metadata.namespace))
        secret.metadata.owner_references = [new_controller_ref(obj)]
        secret.string_data = dict(obj.data)
        ctx.client.apply(secret)
        ctx.recorder.event(obj, "Normal", "Copied", "there is a secret")
        seen.add(ctx.request)

    with manager:
        assert manager.elected.wait(LONG)
        cs.core_v1.config_maps(namespace).create(config_map("a", k="v"))
        secrets = cs.core_v1.secrets(namespace)
        copy = secrets.wait("a", "create", timeout=LONG)
        assert copy.data == {"k": b"v"}
        seen.wait_for(1)
        secrets.delete("a")
        assert secrets.wait("a", "create", timeout=LONG).metadata.uid != copy.metadata.uid
        assert set(seen.requests) == {Request(namespace, "a")}

    assert manager.state == "stopped"
    assert [event.reason for event in cs.core_v1.events(namespace).list()] == ["Copied"]


def test_rec_02_a_failure_is_retried_and_a_terminal_one_is_not(
    server: Server, cs: Clientset, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    manager = Manager(server.config, namespace=namespace)
    seen = Seen()

    @manager.controller(ConfigMap, where=mine, name="failing", backoff=(0.001, 0.01))
    def reconcile(request: Request, ctx: Context) -> Result | None:
        attempt = ctx.attempt
        seen.add(request)
        if request.name == "hopeless":
            raise TerminalError("never")
        if attempt < 3:
            raise RuntimeError("not yet")
        return None

    with manager:
        cs.core_v1.config_maps(namespace).create(config_map("hopeless"))
        seen.wait_for(1)
        cs.core_v1.config_maps(namespace).create(config_map("hard"))
        seen.wait_for(5)

    assert [request.name for request in seen.requests] == ["hopeless", "hard", "hard", "hard", "hard"]
    assert "not to be tried again: never" in caplog.text


def test_mgr_07_a_runnable_that_raises_ends_the_manager(server: Server, cs: Clientset) -> None:
    manager = Manager(server.config)
    ended = threading.Event()

    def faithful(stop: threading.Event) -> None:
        stop.wait()
        ended.set()

    def broken(stop: threading.Event) -> None:
        raise RuntimeError("broken from the start")

    manager.add(faithful)
    manager.add(broken)

    with pytest.raises(RuntimeError, match="broken from the start"):
        manager.run()

    assert ended.is_set()
    assert manager.state == "failed"
    with pytest.raises(errors.AlreadyStarted, match="manager already started"):
        manager.start()


def test_mgr_08_what_does_not_end_is_named_with_its_stack(server: Server) -> None:
    manager = Manager(server.config)
    let_go, entered = threading.Event(), threading.Event()

    def stubborn(stop: threading.Event) -> None:
        entered.set()
        let_go.wait()

    manager.add(stubborn)
    manager.start()
    assert entered.wait(LONG)

    with pytest.raises(ShutdownTimeout, match=r"(?s)stubborn.*let_go\.wait"):
        manager.stop(timeout=0.05)

    let_go.set()


def test_mgr_13_one_of_two_managers_leads_and_the_other_takes_over(
    server: Server, cs: Clientset, namespace: str
) -> None:
    def make() -> tuple[Manager, Seen]:
        seen = Seen()
        manager = Manager(
            server.config,
            namespace=namespace,
            leader_election="pair",
            leader_election_namespace=namespace,
            lease_duration=2.0,
            renew_deadline=1.5,
            retry_period=0.1,
            release_on_cancel=True,
        )

        @manager.controller(ConfigMap, where=mine, skip_name_validation=True)
        def reconcile(request: Request, ctx: Context) -> None:
            seen.add(request)

        return manager, seen

    first, first_saw = make()
    second, second_saw = make()
    cs.core_v1.config_maps(namespace).create(config_map("a"))
    with first:
        assert first.elected.wait(LONG)
        first_saw.wait_for(1)
        with second:
            assert not second.elected.is_set()
            assert second_saw.requests == []
            first.stop()
            assert second.elected.wait(LONG)
            second_saw.wait_for(1)


def test_cch_06_objects_are_found_by_indexed_fields(server: Server, cs: Clientset, namespace: str) -> None:
    manager = Manager(server.config, namespace=namespace)
    manager.cache.index_field(
        ConfigMap, "data.color", lambda obj: [obj.data["color"]] if "color" in (obj.data or {}) else []
    )
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
        cs.core_v1.config_maps(namespace).create(config_map(name, color=color))

    with manager:

        def found(selector: str, **more: int) -> list[str]:
            return sorted(
                each.metadata.name for each in manager.client.list(ConfigMap, field_selector=selector, **more)
            )

        assert found("data.color=red") == ["a", "c"]
        assert found("data.color=red,metadata.name!=a") == ["c"]
        assert found("data.color!=red,data.color=blue") == ["b"]
        assert found(f"metadata.namespace={namespace},data.color=red") == ["a", "c"]
        assert len(found("data.color=red", limit=1)) == 1
        with pytest.raises(NoFieldIndex, match=r"'data\.size'"):
            found("data.size=1")
        with pytest.raises(errors.NotFound):
            manager.client.get(ConfigMap, Request(namespace, "nope"))
        assert manager.client.get_or_none(ConfigMap, f"{namespace}/a") is not None


def test_rec_09_and_10_a_reconcile_hears_of_its_deadline_and_of_the_end(
    server: Server, cs: Clientset, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    manager = Manager(server.config, namespace=namespace)
    seen, ended = Seen(), Stop()

    @manager.controller(ConfigMap, where=mine, name="slow", timeout=0.05, backoff=(60.0, 60.0))
    def reconcile(request: Request, ctx: Context) -> None:
        seen.add(request)
        try:
            ctx.sleep(LONG)
        finally:
            ended.set()

    with manager:
        cs.core_v1.config_maps(namespace).create(config_map("a"))
        assert ended.wait(LONG)
        seen.wait_for(1)

    assert "the time of the reconcile" in caplog.text


PROGRAM = """
import sys
from k8srt.api.core.v1 import ConfigMap
from k8srt.controller import Manager
from k8srt.tools.clientcmd import load_config

manager = Manager(load_config(sys.argv[1]).config, namespace=sys.argv[2])

@manager.controller(ConfigMap, where=lambda obj: obj.metadata.name == "a")
def reconcile(request, ctx):
    print("reconciled", flush=True)
    ctx.stop.wait()
    print("told to stop", flush=True)

manager.run()
print(manager.state, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sig_01_a_signal_ends_a_program_in_order(
    cs: Clientset, namespace: str, kubeconfig: Path, tmp_path: Path, number: signal.Signals
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    cs.core_v1.config_maps(namespace).create(config_map("a"))
    command = [sys.executable, str(program), str(kubeconfig), namespace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reconciled\n"
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(LONG) == 0

    assert rest == "told to stop\nstopped\n"
