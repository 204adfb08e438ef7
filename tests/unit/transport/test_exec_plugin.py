"""What a credential program's answers mean, with the program itself left out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8srt.errors import ConfigError, CredentialsError
from k8srt.testing.clock import FakeClock
from k8srt.tools import metrics
from k8srt.transport import exec_plugin
from k8srt.transport.auth_config import ExecConfig
from k8srt.transport.exec_info import ExecCluster, parse_answer, request_json
from k8srt.transport.exec_plugin import ExecAuthorizer, exec_authorizer
from k8srt.transport.exec_policy import PluginPolicy
from k8srt.transport.exec_process import Finished
from k8srt.util.told import Told as Place

V1 = "client.authentication.k8s.io/v1"
PEMS = {"clientCertificateData": "cert", "clientKeyData": "key"}

Answers = Callable[..., "Programs"]


class Programs:
    """Stands in for running programs: each run gives the next of the answers, the last one again and again."""

    def __init__(self, answers: Sequence[dict[str, Any] | Exception]) -> None:
        self.answers = list(answers)
        self.commands: list[list[str]] = []

    def run(self, command: list[str], **options: Any) -> Finished:
        self.commands.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Finished(0, json.dumps({"kind": "ExecCredential", "apiVersion": V1, "status": answer}).encode(), "")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    def install(*given: dict[str, Any] | Exception) -> Programs:
        programs = Programs(given)
        monkeypatch.setattr(exec_plugin, "run", programs.run)
        return programs

    return install


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def program(**more: Any) -> ExecConfig:
    return ExecConfig("/bin/program", **{"api_version": V1, "interactive_mode": "Never", **more})


def stamp(clock: FakeClock, seconds: float) -> str:
    return (clock.time() + timedelta(seconds=seconds)).isoformat()


def test_rest_59_credentials_expire_strictly_after_their_time(answers: Answers, clock: FakeClock) -> None:
    programs = answers({"token": "a", "expirationTimestamp": stamp(clock, 60)}, {"token": "b"})
    authorizer = ExecAuthorizer(program(), clock=clock)

    assert authorizer.authorization() == "Bearer a"
    clock.advance(60)
    assert authorizer.authorization() == "Bearer a"
    clock.advance(0.001)
    assert authorizer.authorization() == "Bearer b"
    clock.advance(10**9)
    assert authorizer.authorization() == "Bearer b"
    assert len(programs.commands) == 2


def test_rest_59_a_jump_of_the_wall_time_is_a_reason_to_run_it_again(answers: Answers, clock: FakeClock) -> None:
    programs = answers({"token": "a", "expirationTimestamp": stamp(clock, 60)}, {"token": "b"})
    authorizer = ExecAuthorizer(program(), clock=clock)
    authorizer.authorization()

    clock.set_time(clock.time() + timedelta(days=1))

    assert authorizer.authorization() == "Bearer b"
    assert len(programs.commands) == 2


def test_rest_59_a_401_for_older_credentials_changes_nothing(answers: Answers, clock: FakeClock) -> None:
    programs = answers({"token": "a"}, {"token": "b"}, {"token": "c"})
    authorizer = ExecAuthorizer(program(), clock=clock)
    authorizer.authorization()
    asked_with_the_first = clock.now()
    clock.advance(1)

    authorizer.rejected(asked_with_the_first)
    assert authorizer.authorization() == "Bearer b"
    authorizer.rejected(asked_with_the_first)
    assert authorizer.authorization() == "Bearer b"
    clock.advance(1)
    authorizer.rejected(clock.now())
    assert authorizer.authorization() == "Bearer c"
    assert len(programs.commands) == 3


def test_usr_12_credentials_that_were_refused_are_not_used_when_the_program_fails(
    answers: Answers, clock: FakeClock
) -> None:
    answers({"token": "a"}, PermissionError(13, "Permission denied"), {"token": "b"})
    authorizer = ExecAuthorizer(program(), clock=clock)
    authorizer.authorization()
    authorizer.rejected(clock.now())

    with pytest.raises(CredentialsError, match="/bin/program cannot be run: Permission denied"):
        authorizer.authorization()
    assert authorizer.authorization() == "Bearer b"


def test_rest_58_a_certificate_alone_needs_no_header(answers: Answers, clock: FakeClock) -> None:
    answers(PEMS)
    authorizer = ExecAuthorizer(program(), clock=clock)

    assert authorizer.authorization() is None
    assert authorizer.client_certificate() == (b"cert", b"key")


def test_rest_60_what_is_the_same_is_shared() -> None:
    cluster = ExecCluster("https://a")

    first = exec_authorizer(program(args=["a"], env=[("A", "b")], config={"x": [1]}), cluster)

    assert exec_authorizer(program(args=["a"], env=[("A", "b")], config={"x": [1]}), ExecCluster("https://a")) is first
    others = [
        exec_authorizer(program(args=["b"], env=[("A", "b")], config={"x": [1]}), cluster),
        exec_authorizer(program(args=["a"], env=[("A", "c")], config={"x": [1]}), cluster),
        exec_authorizer(program(args=["a"], env=[("A", "b")], config={"x": [2]}), cluster),
        exec_authorizer(program(args=["a"], env=[("A", "b")], config={"x": [1]}), ExecCluster("https://b")),
        exec_authorizer(program(args=["a"], env=[("A", "b")], config={"x": [1]}), cluster, FakeClock()),
    ]
    assert len(set(map(id, [first, *others]))) == 6


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ExecConfig("", api_version=V1), "no command is given"),
        (ExecConfig("x", api_version="v1"), "invalid apiVersion 'v1': must be client.auth"),
        (ExecConfig("x", api_version=""), "invalid apiVersion ''"),
        (program(interactive_mode="Sometimes"), "unknown interactiveMode 'Sometimes'"),
        (program(env=[("", "x")]), "a variable has no name"),
        (program(args="get-token"), "expected a list of texts"),
        (program(args=[1]), "expected a list of texts"),
        (program(env={"A": "b"}), "expected a list of pairs of texts"),
        (program(env=["AB"]), "expected a list of pairs of texts"),
        (program(timeout=-1), "must not be negative"),
        (program(config={1, 2}), "cannot be written as JSON"),
        (program(policy=PluginPolicy("Perhaps")), "must be one of AllowAll, DenyAll, Allowlist, not 'Perhaps'"),
        (program(policy=PluginPolicy("Allowlist")), "Allowlist needs the names of programs"),
        (program(policy=PluginPolicy("DenyAll", ("x",))), "DenyAll takes no allowlist"),
        (program(policy=PluginPolicy.only("")), "the allowlist has an empty name"),
    ],
)
def test_rest_55_rest_61_what_cannot_be_used_is_refused_at_once(config: ExecConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        exec_authorizer(config, None)


def test_a_policy_takes_names_only() -> None:
    with pytest.raises(TypeError, match="got a text"):
        PluginPolicy("Allowlist", "aws")  # type: ignore[arg-type]
    assert PluginPolicy("Allowlist", ["aws"]) == PluginPolicy.only("aws")  # type: ignore[arg-type]


def test_what_its_owner_does_with_a_configuration_later_changes_nothing(answers: Answers, clock: FakeClock) -> None:
    programs = answers({"token": "a"})
    config = program(args=["a"])
    authorizer = ExecAuthorizer(config, clock=clock)

    config.args.append("b")
    authorizer.authorization()

    assert programs.commands == [["/bin/program", "a"]]


def test_rest_61_the_hint_is_given_ten_times_and_then_hourly(answers: Answers, clock: FakeClock) -> None:
    answers(FileNotFoundError())
    authorizer = ExecAuthorizer(program(install_hint="get it"), clock=clock)

    def hinted() -> bool:
        with pytest.raises(CredentialsError, match="executable /bin/program not found") as caught:
            authorizer.authorization()
        return "get it" in str(caught.value)

    assert [hinted() for _ in range(12)] == [True] * 10 + [False] * 2
    clock.advance(3600)
    assert [hinted(), hinted()] == [True, False]


def test_rest_05_nothing_shows_a_secret(answers: Answers, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    answers({"token": "hunter2", **PEMS})
    with caplog.at_level(logging.DEBUG):
        authorizer = ExecAuthorizer(program(args=["hunter2"], env=[("A", "hunter2")]), clock=clock)
        authorizer.authorization()

    held = authorizer._look()
    assert held is not None
    shown = repr(authorizer) + repr(held.credentials) + repr(authorizer.client_certificate()) + caplog.text
    assert "hunter2" not in shown
    assert "key'" not in repr(authorizer.client_certificate())
    assert "pw" not in repr(ExecCluster("https://me:pw@host"))


def test_cli_59_runs_and_certificates_are_counted(
    answers: Answers, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.integration.wire import Authority

    pairs = [Authority().issue(days=days) for days in (3, 5)]
    statuses = [{"clientCertificateData": p.certificate.decode(), "clientKeyData": p.key.decode()} for p in pairs]
    told: list[tuple[Any, ...]] = []

    class Told(metrics.ClientMetrics):
        def exec_plugin_call(self, exit_code: int, status: str) -> None:
            told.append((exit_code, status))

        def cert_expiry(self, moment: datetime | None) -> None:
            told.append(("expiry", moment and (moment - datetime.now(UTC)).days))

        def cert_rotation_age(self, seconds: float) -> None:
            told.append(("age", round(seconds / 86400)))

    monkeypatch.setattr(metrics, "_told", Place())
    metrics.set_provider(Told())
    clock.set_time(datetime.now(UTC))
    answers(*statuses, {"token": "t"}, FileNotFoundError(), PermissionError())
    authorizer = ExecAuthorizer(program(), clock=clock)

    for _ in range(3):
        authorizer.authorization()
        authorizer.rejected(clock.now())
    for _ in range(2):
        with pytest.raises(CredentialsError):
            authorizer.authorization()

    assert told == [
        *[(0, "no_error"), ("expiry", 2)],
        *[(0, "no_error"), ("age", 2), ("expiry", 4)],
        *[(0, "no_error"), ("age", 2), ("expiry", None)],
        *[(1, "plugin_not_found_error"), (1, "client_internal_error")],
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_rest_58_whatever_a_program_prints_is_credentials_or_the_one_error(value: Any) -> None:
    for printed in (value, {"kind": "ExecCredential", "apiVersion": V1, "status": value}):
        with pytest.raises(CredentialsError):
            parse_answer(json.dumps(printed).encode(), V1)


@given(st.binary())
def test_rest_58_bytes_are_never_taken_for_credentials(data: bytes) -> None:
    with pytest.raises(CredentialsError):
        parse_answer(data, V1)


def test_rest_56_what_is_asked_has_the_form_that_kubectl_gives_it() -> None:
    cluster = ExecCluster("https://h", "name", True, b"PEM", "http://p", True, '{"a": 1}')

    asked = request_json(V1, interactive=True, cluster=cluster)

    assert asked == (
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://h",'
        '"tls-server-name":"name","insecure-skip-tls-verify":true,"certificate-authority-data":"UEVN",'
        '"proxy-url":"http://p","disable-compression":true,"config":{"a":1}},"interactive":true}}\n'
    )
    assert request_json(V1, interactive=False, cluster=None) == (
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}\n'
    )
