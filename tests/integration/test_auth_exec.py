"""Credential programs as real processes, and what a server sees of them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError, CredentialsError, Stopped, TimeoutExpired, TransportError, Unauthorized
from k8srt.rest import Config, RESTClient
from k8srt.testing import APIServer
from k8srt.testing.apiserver.auth import User
from k8srt.transport.auth_config import ExecConfig
from k8srt.transport.exec_policy import PluginPolicy
from k8srt.util.threads import Stop
from tests.integration.plugins import V1, V1BETA1, Plugin
from tests.integration.wire import Authority, Exchange, WireServer

pytestmark = pytest.mark.embedded

WHO = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


class Guarded:
    """A server that takes one token, and keeps which came."""

    def __init__(self, good: str = "t1") -> None:
        self.good = good
        self.came: list[str] = []

    def __call__(self, exchange: Exchange) -> None:
        came = exchange.headers.get("authorization", "")
        self.came.append(came)
        status = 200 if came == f"Bearer {self.good}" else 401
        exchange.reply(status, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}})


@pytest.fixture
def guard() -> Guarded:
    return Guarded()


@pytest.fixture
def server(guard: Guarded) -> Iterator[WireServer]:
    with WireServer(guard) as server:
        yield server


def get(client: RESTClient, **options: Any) -> Any:
    return client.get().abs_path("/x").do(**options)


def of(server: WireServer, program: ExecConfig, **more: Any) -> RESTClient:
    return RESTClient(server.config(exec_provider=program, **more))


@pytest.mark.parametrize("version", [V1, V1BETA1])
def test_rest_55_the_token_of_a_program_goes_along_with_every_request(
    version: str, tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')", version)

    with of(server, plugin.config()) as client:
        get(client)
        get(client)

    assert guard.came == ["Bearer t1"] * 2
    assert plugin.runs == 1


def test_rest_55_another_version_is_refused_when_the_client_is_made(server: WireServer) -> None:
    with pytest.raises(ConfigError, match=r"invalid apiVersion 'client.auth.*/v1alpha1'"):
        of(server, ExecConfig("x", api_version="client.authentication.k8s.io/v1alpha1"))


def test_rest_56_a_program_is_told_about_the_cluster_if_it_wants_to(tmp_path: Path, server: WireServer) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")

    with of(
        server, plugin.config(provide_cluster_info=True, config={"audience": "me"}), disable_compression=True
    ) as it:
        get(it)
    with of(server, plugin.config(config={"audience": "me"})) as it:
        get(it)

    told = [json.loads(line) for line in plugin.told]
    cluster = {"server": server.url, "disable-compression": True, "config": {"audience": "me"}}
    assert [each["spec"] for each in told] == [{"cluster": cluster, "interactive": False}, {"interactive": False}]
    assert {(each["kind"], each["apiVersion"]) for each in told} == {("ExecCredential", V1)}


def test_rest_56_the_environment_is_that_of_the_program_and_what_is_configured(
    tmp_path: Path, server: WireServer, guard: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "t")
    monkeypatch.setenv("NUMBER", "9")
    plugin = Plugin(tmp_path, "answer(token=os.environ['FROM_OUTSIDE'] + os.environ['NUMBER'] + sys.argv[1])")
    guard.good = "t1!"

    with of(server, plugin.config(env=[("NUMBER", "1")], args=["!"])) as client:
        get(client)

    assert guard.came == ["Bearer t1!"]


def test_rest_56_complaints_pass_through_and_standard_input_is_closed(
    tmp_path: Path, server: WireServer, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = Plugin(tmp_path, "print('visit', repr(sys.stdin.read()), file=sys.stderr); answer(token='t1')")

    with of(server, plugin.config(interactive_mode="IfAvailable")) as client:
        get(client)

    assert "visit ''" in capsys.readouterr().err
    assert json.loads(plugin.told[0])["spec"]["interactive"] is False


def test_rest_57_who_must_ask_needs_a_terminal(tmp_path: Path, server: WireServer) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")

    with (
        of(server, plugin.config(interactive_mode="Always")) as client,
        pytest.raises(CredentialsError, match="cannot support interactive mode: standard input is not a terminal"),
    ):
        get(client)

    assert plugin.runs == 0


_AT_A_TERMINAL = """
import sys
from k8srt.errors import CredentialsError
from k8srt.transport.auth_config import ExecConfig
from k8srt.transport.exec_plugin import ExecAuthorizer
mode, unavailable = sys.argv[2], sys.argv[3] == "yes"
program = ExecConfig(sys.argv[1], api_version="client.authentication.k8s.io/v1", interactive_mode=mode,
                     stdin_unavailable=unavailable, stdin_unavailable_message="it is used for -f -")
try:
    print("got", ExecAuthorizer(program).authorization())
except CredentialsError as err:
    print("got", err)
"""


@pytest.mark.parametrize(
    ("mode", "unavailable", "expected"),
    [
        ("Always", "no", "Bearer typed-True"),
        ("IfAvailable", "no", "Bearer typed-True"),
        ("IfAvailable", "yes", "Bearer -False"),
        ("Never", "no", "Bearer -False"),
        ("Always", "yes", "cannot support interactive mode: standard input is unavailable: it is used for -f -"),
    ],
)
def test_rest_57_at_a_terminal(mode: str, unavailable: str, expected: str, tmp_path: Path) -> None:
    told = "json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['interactive']"
    plugin = Plugin(tmp_path, f"answer(token=sys.stdin.readline().strip() + '-' + str({told}))")
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"typed\n")
        done = subprocess.run(
            [sys.executable, "-c", _AT_A_TERMINAL, str(plugin.path), mode, unavailable],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    finally:
        os.close(ours)
        os.close(theirs)

    assert expected in done.stdout


def test_rest_56_at_a_terminal_complaints_go_there_as_they_are(tmp_path: Path) -> None:
    """The program sees the terminal, and stays among those that Ctrl-C reaches."""
    plugin = Plugin(tmp_path, "print('seen', os.isatty(2), os.getpgrp() == os.getpgid(os.getppid()), file=sys.stderr)")
    ours, theirs = pty.openpty()
    try:
        command = [sys.executable, "-c", _AT_A_TERMINAL, str(plugin.path), "Never", "no"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=30, check=True)
        shown = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)

    assert shown == b"seen True True\r\n"
    assert "decoding stdout: it is empty" in done.stdout


BAD = {
    "no output": ("", "decoding stdout: it is empty"),
    "nonsense": ("print('gibberish')", "decoding stdout: neither JSON (line 1, column 1) nor a YAML object"),
    "no utf-8": ("sys.stdout.buffer.write(b'\\xff\\xfe')", "decoding stdout: it is no UTF-8"),
    "a list": ("print('[]')", "expected an object of kind ExecCredential, got a list"),
    "no kind": ("print('{}')", "no kind or no apiVersion"),
    "another kind": (
        f"print(json.dumps(dict(kind='Pod', apiVersion={V1!r})))",
        "expected kind ExecCredential, got 'Pod'",
    ),
    "another version": (f"answer({V1BETA1!r}, token='t')", f"API version {V1}, but returned version '{V1BETA1}'"),
    "no status": (f"print(json.dumps(dict(kind='ExecCredential', apiVersion={V1!r})))", "didn't return a status field"),
    "an empty status": ("answer()", "didn't return a token or cert/key pair"),
    "only a certificate": ("answer(clientCertificateData='c')", "returned only certificate or key, not both"),
    "only a key": ("answer(token='t', clientKeyData='k')", "returned only certificate or key, not both"),
    "a token that is none": ("answer(token=5)", "status.token: expected a text, got a number"),
    "a token that breaks out": (
        "answer(token='hunter2\\nX: y')",
        "header Authorization: the value contains a line break",
    ),
    "an odd time": ("answer(token='t', expirationTimestamp='soon')", "status.expirationTimestamp: expected a moment"),
    "too much": ("print('x' * 2000000)", "wrote more than 1048576 bytes"),
    "exit 1": ("sys.stderr.write('log in first'); sys.exit(1)", "failed with exit code 1: log in first"),
    "killed": ("os.kill(os.getpid(), 9)", "failed with exit code -9"),
}


@pytest.mark.parametrize("case", BAD)
def test_rest_58_rest_61_usr_12_what_a_program_does_wrong_is_one_error_and_nothing_is_sent(
    case: str, tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    body, message = BAD[case]
    plugin = Plugin(tmp_path, body)

    with of(server, plugin.config()) as client, pytest.raises(CredentialsError) as caught:
        get(client)

    assert message in str(caught.value)
    assert str(plugin.path) in str(caught.value)
    assert "gibberish" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert guard.came == []


def test_rest_61_a_program_that_is_missing_or_cannot_be_run(tmp_path: Path, server: WireServer) -> None:
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "plain").chmod(0o644)
    hint = "brew install it"

    with of(server, ExecConfig("no-such-program", api_version=V1, install_hint=hint)) as client:
        messages = []
        for _ in range(12):
            with pytest.raises(CredentialsError) as caught:
                get(client)
            messages.append(str(caught.value))
    with (
        of(server, ExecConfig(str(tmp_path / "gone"), api_version=V1, install_hint=hint)) as client,
        pytest.raises(CredentialsError, match=rf"(?s)executable {tmp_path}/gone not found.*{hint}"),
    ):
        get(client)
    with (
        of(server, ExecConfig(str(tmp_path / "plain"), api_version=V1)) as client,
        pytest.raises(CredentialsError, match="plain cannot be run: Permission denied"),
    ):
        get(client)

    assert all("exec: executable no-such-program not found" in message for message in messages)
    assert [hint in message for message in messages] == [True] * 10 + [False] * 2


def test_rest_61_a_policy_decides_what_may_be_run(tmp_path: Path, server: WireServer, guard: Guarded) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")
    denied = [PluginPolicy.deny_all(), PluginPolicy.only("sh", "/usr/bin/other")]

    for policy in denied:
        with of(server, plugin.config(policy=policy)) as client, pytest.raises(CredentialsError, match="not allowed"):
            get(client)
    assert plugin.runs == 0

    with of(server, plugin.config(policy=PluginPolicy.only("sh", str(plugin.path)))) as client:
        get(client)
    assert guard.came == ["Bearer t1"]


def test_usr_12_an_error_has_the_exit_code_and_no_secret(tmp_path: Path, server: WireServer) -> None:
    said = "'Bearer hunter2 eyJhbGciOi.hunter2.x', os.environ['MY_TOKEN'], 'try again'"
    plugin = Plugin(tmp_path, f"print({said}, file=sys.stderr); sys.exit(7)")

    with (
        of(server, plugin.config(env=[("MY_TOKEN", "hunter2-of-env")])) as client,
        pytest.raises(CredentialsError) as caught,
    ):
        get(client)

    assert caught.value.exit_code == 7
    assert "try again" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_rest_59_credentials_are_kept_until_they_expire(tmp_path: Path, server: WireServer, guard: Guarded) -> None:
    times = "'2000-01-01T00:00:00Z' if runs < 3 else '2999-01-01T00:00:00.123456789+01:00'"
    plugin = Plugin(tmp_path, f"answer(token=f't{{runs}}', expirationTimestamp={times})")
    server._respond = lambda exchange: guard.came.append(exchange.headers["authorization"]) or exchange.reply()

    with of(server, plugin.config()) as client:
        for _ in range(5):
            get(client)

    assert guard.came == ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t3", "Bearer t3"]


def test_rest_59_a_401_is_returned_and_the_next_request_has_new_credentials(
    tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    plugin = Plugin(tmp_path, "answer(token=f't{runs}')")

    with of(server, plugin.config()) as client:
        get(client)
        guard.good = "t2"
        with pytest.raises(Unauthorized):
            get(client)
        get(client)

    assert guard.came == ["Bearer t1", "Bearer t1", "Bearer t2"]
    assert plugin.runs == 2


def test_rest_59_usr_11_of_many_threads_that_are_refused_one_run_helps_all(
    tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    plugin = Plugin(tmp_path, "time.sleep(0.2); answer(token=f't{runs}')")
    refused: list[int] = []
    everybody_came = threading.Barrier(16)

    def respond(exchange: Exchange) -> None:
        everybody_came.wait(10)
        guard(exchange)

    def work(client: RESTClient) -> None:
        try:
            get(client)
        except Unauthorized:
            refused.append(1)

    def all_at_once(client: RESTClient) -> None:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

    server._respond = respond
    with of(server, plugin.config()) as client:
        all_at_once(client)
        assert (plugin.runs, len(refused)) == (1, 0)
        guard.good = "t2"
        all_at_once(client)
        assert (plugin.runs, len(refused)) == (1, 16)
        all_at_once(client)

    assert (plugin.runs, len(refused)) == (2, 16)


def test_rest_60_clients_of_the_same_configuration_share_what_a_program_gave(
    tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")

    for config in (plugin.config(), plugin.config(), plugin.config(args=["other"])):
        with of(server, config) as client:
            get(client)

    assert plugin.runs == 2


@pytest.mark.parametrize("given", [{"bearer_token": "t1"}, {"username": "me", "password": "pw"}])
def test_rest_60_with_other_credentials_no_program_is_run(
    given: dict[str, str], tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    plugin = Plugin(tmp_path, "answer(token='other')")
    server._respond = lambda exchange: exchange.reply()

    with of(server, plugin.config(), **given) as client:
        get(client)

    assert plugin.runs == 0


def test_a_header_of_ones_own_is_sent_instead(tmp_path: Path, server: WireServer, guard: Guarded) -> None:
    plugin = Plugin(tmp_path, "answer(token='other')")

    with of(server, plugin.config()) as client:
        client.get().abs_path("/x").header("Authorization", "Bearer t1").do()
    assert (guard.came, plugin.runs) == (["Bearer t1"], 0)


def test_rest_59_a_401_for_a_header_of_ones_own_says_nothing_of_the_program(
    tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1')")

    with of(server, plugin.config()) as client:
        get(client)
        with pytest.raises(Unauthorized):
            client.get().abs_path("/x").header("Authorization", "Bearer other").do()
        get(client)

    assert plugin.runs == 1


def test_usr_38_a_program_leaves_no_descriptor_behind(tmp_path: Path, server: WireServer) -> None:
    bodies = {
        "good": "answer(token='t1')",
        "bad": "sys.exit(1)",
        "big": "print('x' * 2000000)",
        "slow": "time.sleep(60)",
    }
    programs = []
    for name, body in bodies.items():
        programs.append(Plugin(tmp_path, body, name=name).config(timeout=0.2 if name == "slow" else 0.0))
    clients = [of(server, program) for program in programs]

    def run_all() -> None:
        for client in clients:
            with contextlib.suppress(CredentialsError, Unauthorized):
                get(client)
            client.transport._authorizer.rejected(client.clock.now())

    run_all()
    _wait_for(lambda: not any(thread.name.startswith("k8srt-") for thread in threading.enumerate()))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run_all()
    _wait_for(lambda: not any(thread.name.startswith("k8srt-") for thread in threading.enumerate()))

    assert len(os.listdir("/proc/self/fd")) == before
    for client in clients:
        client.close()


def test_a_program_that_hangs_ends_with_its_time(tmp_path: Path, server: WireServer, guard: Guarded) -> None:
    plugin = Plugin(tmp_path, f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    with (
        of(server, plugin.config(timeout=3.0)) as client,  # time enough to begin
        pytest.raises(CredentialsError, match=r"plugin did not end within 3 seconds"),
    ):
        get(client)

    _wait_until_gone(int((tmp_path / "pid").read_text()))
    assert guard.came == []


def test_what_a_program_started_ends_with_it(tmp_path: Path, server: WireServer) -> None:
    start = f"import subprocess; open({str(tmp_path / 'pid')!r}, 'w').write(str(subprocess.Popen(['sleep', '60']).pid))"
    plugin = Plugin(tmp_path, f"{start}\ntime.sleep(60)")

    with of(server, plugin.config(timeout=3.0)) as client, pytest.raises(CredentialsError, match=r"within 3 seconds"):
        get(client)

    pid = (tmp_path / "pid").read_text()

    def ended() -> bool:
        done = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False)
        return done.stdout.strip()[:1] in ("", "Z")

    _wait_for(ended)


def test_a_program_that_closes_its_output_and_hangs_ends_with_its_time(tmp_path: Path, server: WireServer) -> None:
    plugin = Plugin(tmp_path, "answer(token='t1'); sys.stdout.flush(); os.close(1); time.sleep(60)")

    with (
        of(server, plugin.config(timeout=0.5)) as client,
        pytest.raises(CredentialsError, match=r"did not end within 0.5 seconds"),
    ):
        get(client)


def test_what_a_program_leaves_behind_holds_nobody_up(tmp_path: Path, server: WireServer, guard: Guarded) -> None:
    """An agent that goes on running, with the program's standard error in its hand."""
    leave = "import subprocess; p = subprocess.Popen(['sleep', '5'], stdout=subprocess.DEVNULL)"
    plugin = Plugin(tmp_path, f"{leave}\nanswer(token='t1')")

    with of(server, plugin.config(timeout=4.0)) as client:
        get(client)

    assert guard.came == ["Bearer t1"]


def test_a_stop_ends_the_wait_and_the_program(tmp_path: Path, server: WireServer, guard: Guarded) -> None:
    pid = tmp_path / "pid"
    plugin = Plugin(tmp_path, f"open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    stop, ended = Stop(), []

    def work(client: RESTClient) -> None:
        with pytest.raises(Stopped):
            get(client, stop=stop)
        ended.append(1)

    with of(server, plugin.config()) as client:
        thread = threading.Thread(target=work, args=(client,))
        thread.start()
        _wait_for(lambda: pid.exists() and pid.read_text() != "")
        stop.set()
        thread.join(10)

    assert ended == [1]
    _wait_until_gone(int(pid.read_text()))


def test_a_request_in_a_hurry_leaves_the_program_running_for_the_next(
    tmp_path: Path, server: WireServer, guard: Guarded
) -> None:
    go = tmp_path / "go"
    plugin = Plugin(tmp_path, f"\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nanswer(token='t1')")

    with of(server, plugin.config()) as client:
        with pytest.raises(TimeoutExpired, match="timed out while waiting for credentials"):
            client.get().abs_path("/x").timeout(0.3).do()
        go.touch()
        get(client)

    assert (plugin.runs, guard.came) == (1, ["Bearer t1"])


def test_usr_39_a_child_process_does_not_wait_for_the_threads_of_its_parent(tmp_path: Path) -> None:
    code = f"""
import os, threading, time
from k8srt.transport.auth_config import ExecConfig
from k8srt.transport.exec_plugin import exec_authorizer
authorizer = exec_authorizer(ExecConfig({str(tmp_path / "plugin")!r}, api_version={V1!r}), None)
waiting = threading.Thread(target=authorizer.authorization, daemon=True)
waiting.start()
while not os.path.exists({str(tmp_path / "plugin.calls")!r}): time.sleep(0.01)
child = os.fork()
if child == 0:
    os._exit(0 if authorizer.authorization() == "Bearer t2" else 1)
print(os.waitpid(child, 0)[1])
waiting.join()
print(authorizer.authorization())
"""
    Plugin(tmp_path, "time.sleep(1.0 if runs == 1 else 0.0); answer(token=f't{runs}')")

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)

    assert done.stdout.split("\n")[:2] == ["0", "Bearer t1"], done.stderr


def test_rest_47_a_transport_of_ones_own_gets_the_tokens_of_a_program(tmp_path: Path) -> None:
    came: list[str] = []

    class Transport:
        def send(self, method: str, target: str, *, headers: Any, **options: Any) -> Any:
            came.append(headers["Authorization"])
            raise TransportError("that was all")

    def over(program: ExecConfig) -> RESTClient:
        return RESTClient(Config(transport=Transport(), exec_provider=program))

    token = Plugin(tmp_path, "answer(token='t1')")
    certificate = Plugin(tmp_path, "answer(clientCertificateData='c', clientKeyData='k')", name="other")
    with over(token.config()) as it, pytest.raises(TransportError, match="that was all"):
        get(it)
    with over(certificate.config()) as it, pytest.raises(CredentialsError, match="gives a certificate"):
        get(it)

    assert came == ["Bearer t1"]


class TestCertificates:
    """A program that gives certificates, and a server that tells who shows one."""

    @pytest.fixture
    def authority(self) -> Authority:
        return Authority()

    @pytest.fixture
    def api(self, authority: Authority, tmp_path: Path) -> Iterator[APIServer]:
        (tmp_path / "ca.pem").write_bytes(authority.certificate)
        with APIServer(tls=True, client_ca=str(tmp_path / "ca.pem"), anonymous=False) as api:
            yield api

    def who(self, client: RESTClient) -> str:
        result = (
            client.post().abs_path("/apis/authentication.k8s.io/v1/selfsubjectreviews").body(json.dumps(WHO).encode())
        )
        answer = json.loads(result.header("Content-Type", "application/json").do().raw())
        return str(answer["status"]["userInfo"]["username"])

    def plugin(self, folder: Path, authority: Authority, *names: str) -> Plugin:
        pairs = []
        for name in names:
            pair = authority.issue(common_name=name)
            pairs.append((pair.certificate.decode(), pair.key.decode()))
        body = f"c, k = {pairs!r}[runs - 1]; answer(clientCertificateData=c, clientKeyData=k)"
        return Plugin(folder, body)

    def config(self, api: APIServer, plugin: Plugin) -> Config:
        return dataclasses.replace(api.config, bearer_token="", exec_provider=plugin.config())

    def test_rest_58_a_certificate_says_who_asks(self, api: APIServer, authority: Authority, tmp_path: Path) -> None:
        plugin = self.plugin(tmp_path, authority, "jane")

        with RESTClient(self.config(api, plugin)) as client:
            assert self.who(client) == "jane"
            assert self.who(client) == "jane"

        assert plugin.runs == 1

    def test_rest_59_a_new_certificate_closes_the_connections_of_the_old(
        self, api: APIServer, authority: Authority, tmp_path: Path
    ) -> None:
        plugin = self.plugin(tmp_path, authority, "jane", "mary")

        with RESTClient(self.config(api, plugin)) as client:
            assert self.who(client) == "jane"
            client.transport._authorizer.rejected(client.clock.now())  # as a 401 does
            assert self.who(client) == "mary"

        assert plugin.runs == 2

    def test_a_certificate_that_is_none_is_an_error(self, api: APIServer, tmp_path: Path) -> None:
        plugin = Plugin(tmp_path, "answer(clientCertificateData='hunter2', clientKeyData='hunter2')")

        with RESTClient(self.config(api, plugin)) as client, pytest.raises(ConfigError) as caught:
            self.who(client)

        assert "client certificate" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    def test_usr_12_without_https_a_certificate_is_no_credential(
        self, server: WireServer, guard: Guarded, authority: Authority, tmp_path: Path
    ) -> None:
        plugin = self.plugin(tmp_path, authority, "jane")

        with (
            of(server, plugin.config()) as client,
            pytest.raises(CredentialsError, match="gives a certificate, which needs https"),
        ):
            get(client)

        assert guard.came == []

    def test_rest_60_a_certificate_that_is_configured_keeps_the_program_from_being_run(
        self, api: APIServer, authority: Authority, tmp_path: Path
    ) -> None:
        pair = authority.issue(common_name="me")
        plugin = self.plugin(tmp_path, authority, "jane")
        tls = dataclasses.replace(api.config.tls, cert_data=pair.certificate, key_data=pair.key)

        with RESTClient(dataclasses.replace(self.config(api, plugin), tls=tls)) as client:
            assert self.who(client) == "me"

        assert plugin.runs == 0


def test_usr_13_many_threads_and_many_identities_never_mix(tmp_path: Path) -> None:
    """Each of four programs gives its own short-lived tokens; every request goes out as its own client's user."""
    tokens = {f"{who}-{n}": User(who, "", ("system:masters",)) for who in "abcd" for n in range(1, 200)}
    wrong: list[str] = []
    with APIServer(tokens=tokens) as api:
        clients = {}
        for who in "abcd":
            (tmp_path / who).mkdir()
            soon = "time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 1))"
            plugin = Plugin(tmp_path / who, f"answer(token=f'{who}-{{runs}}', expirationTimestamp={soon})")
            config = dataclasses.replace(api.config, bearer_token="", exec_provider=plugin.config())
            clients[who] = RESTClient(config)
        end = time.monotonic() + 4.0

        def work(who: str, client: RESTClient) -> None:
            path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
            while time.monotonic() < end:
                request = client.post().abs_path(path).body(json.dumps(WHO).encode())
                answer = json.loads(request.header("Content-Type", "application/json").do().raw())
                if answer["status"]["userInfo"]["username"] != who:
                    wrong.append(who)

        def watch(client: RESTClient) -> None:
            while time.monotonic() < end:
                with (
                    client.get()
                    .abs_path("/api/v1/namespaces")
                    .param("watch", "true")
                    .param("timeoutSeconds", "1")
                    .watch() as events
                ):
                    for _ in events:
                        pass

        threads = [threading.Thread(target=work, args=pair) for pair in clients.items() for _ in range(3)]
        threads += [threading.Thread(target=watch, args=(client,)) for client in clients.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        for client in clients.values():
            client.close()

    assert wrong == []


def _wait_for(condition: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def _wait_until_gone(pid: int) -> None:
    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    _wait_for(gone)
