"""Credentials that change or fail while a program goes on: token files, and an informer over a program that fails."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.errors import Unauthorized
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.rest import Config, RESTClient, in_cluster_config
from k8srt.testing import APIServer, FakeClock
from k8srt.testing.apiserver.auth import User
from k8srt.util.wait import Backoff
from tests.integration.plugins import Plugin
from tests.integration.wire import Authority, Exchange, WireServer

pytestmark = pytest.mark.embedded

ADMIN = User("jane", "", ("system:masters", "system:authenticated"))
QUICK = Backoff(initial=0.005, factor=1.5, cap=0.05)


def test_rest_59_usr_12_an_informer_recovers_from_a_program_that_fails_and_from_tokens_that_are_refused(
    tmp_path: Path,
) -> None:
    """The program fails, then gives tokens; each is refused after a while. Nothing is lost, nobody is anonymous."""
    plugin = Plugin(tmp_path, "sys.exit(1) if runs < 3 else answer(token=f't{runs}')")
    names: set[str] = set()
    complete = threading.Event()

    class Handler:
        def on_add(self, obj: ConfigMap, is_in_initial_list: bool) -> None:
            names.add(obj.metadata.name)
            if len(names) == 30:
                complete.set()

        def on_update(self, old: ConfigMap, new: ConfigMap) -> None:
            pass

        def on_delete(self, obj: ConfigMap) -> None:
            pass

    with APIServer(tokens={f"t{n}": ADMIN for n in range(3, 100)}, anonymous=False) as api:
        admin = Clientset(api.config)
        config = dataclasses.replace(api.config, bearer_token="", exec_provider=plugin.config())
        factory = SharedInformerFactory(Clientset(config), namespace="default", backoff=QUICK)
        factory.core_v1.config_maps.informer.add_event_handler(Handler())
        with factory:
            for number in range(30):
                made = ConfigMap(metadata=ObjectMeta(name=f"c{number}", namespace="default"))
                admin.core_v1.config_maps("default").create(made)
                if number % 10 == 5:  # the token is worth nothing any more, and the watch ends
                    _wait_for(lambda number=number: len(names) > number)
                    del api._tokens[f"t{plugin.runs}"]
                    api.faults.drop_watches("configmaps", times=1)
            assert complete.wait(20)

    assert plugin.runs == 3 + 3


def test_rest_51_usr_11_a_token_file_that_is_rotated_is_read_again(tmp_path: Path) -> None:
    """As a pod's service account has it: within a minute by itself, and at once after a 401."""
    (tmp_path / "token").write_text("first\n")
    clock, came = FakeClock(), []
    good = ["first"]

    def respond(exchange: Exchange) -> None:
        came.append(exchange.headers["authorization"].removeprefix("Bearer "))
        exchange.reply(200 if came[-1] in good else 401)

    authority = Authority()
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    with WireServer(respond, tls=authority.issue("127.0.0.1").server_context(tmp_path)) as server:
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port)}
        config = in_cluster_config(environ=environ, directory=str(tmp_path))
        with RESTClient(config, clock=clock) as client:
            get = client.get().abs_path("/x").do
            get()
            (tmp_path / "token").write_text("second\n")
            good[:] = ["first", "second"]
            get()
            clock.advance(60)
            get()
            (tmp_path / "token").write_text("third\n")
            good[:] = ["third"]
            with pytest.raises(Unauthorized):
                get()
            get()
            (tmp_path / "token").write_text("")
            clock.advance(60)
            get()

    assert came == ["first", "first", "second", "second", "third", "third"]


def test_usr_11_basic_authentication_goes_along(tmp_path: Path) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.reply(200 if exchange.headers["authorization"] == "Basic amFuZTpww6TDnw==" else 401)

    with WireServer(respond) as server, RESTClient(server.config(username="jane", password="päß")) as client:
        client.get().abs_path("/x").do()


_WAITS = """
import sys
from k8srt.rest import Config, RESTClient
from k8srt.transport.auth_config import ExecConfig
program = ExecConfig(sys.argv[1], api_version="client.authentication.k8s.io/v1", interactive_mode="Never")
try:
    RESTClient(Config(host="http://127.0.0.1:1", exec_provider=program)).get().abs_path("/x").do()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_usr_40_ctrl_c_ends_the_wait_for_a_program_and_the_program(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    plugin = Plugin(tmp_path, f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", _WAITS, str(plugin.path)], stdout=subprocess.PIPE, text=True)
    _wait_for(lambda: pid.exists() and pid.read_text() != "")

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)

    assert output == "interrupted\n"
    _wait_for(lambda: not _lives(int(pid.read_text())))


_LEAVES = """
import sys
from k8srt.errors import TimeoutExpired
from k8srt.rest import Config, RESTClient
from k8srt.transport.auth_config import ExecConfig
program = ExecConfig(sys.argv[1], api_version="client.authentication.k8s.io/v1", interactive_mode="Never")
try:
    RESTClient(Config(host="http://127.0.0.1:1", exec_provider=program)).get().abs_path("/x").timeout(1).do()
except TimeoutExpired:
    print("timed out")
"""


def test_usr_14_a_program_that_hangs_ends_with_the_interpreter(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    plugin = Plugin(tmp_path, f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    done = subprocess.run(
        [sys.executable, "-c", _LEAVES, str(plugin.path)], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout == "timed out\n"
    _wait_for(lambda: not _lives(int(pid.read_text())))


def test_usr_14_a_client_with_a_program_starts_nothing_until_it_is_used(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")
    before = set(threading.enumerate())

    clients = [RESTClient(Config(host="https://h", exec_provider=plugin.config(args=[str(n)]))) for n in range(50)]

    assert set(threading.enumerate()) == before
    assert plugin.runs == 0
    assert len(clients) == 50


def _lives(pid: int) -> bool:
    """Whether a process is there, and not only waits for its parent to take notice of its end."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] not in ("", "Z")


def _wait_for(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
