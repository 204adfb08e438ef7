"""Which files count, how they are merged, and what a wrong one is told."""

from __future__ import annotations

import base64
import logging
import os
from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd import LoadError, LoadingRules, build_config_from_flags, load
from k8srt.tools.clientcmd.deferred import DeferredClientConfig, in_cluster_namespace, in_cluster_possible
from k8srt.tools.clientcmd.loading import client_config_from, rest_config_from_kubeconfig

FULL = """
apiVersion: v1
kind: Config
current-context: {context}
clusters:
- name: {name}
  cluster: {{server: "https://{name}:6443", certificate-authority: ca.crt}}
users:
- name: {name}
  user: {{token: {name}-token}}
contexts:
- name: {name}
  context: {{cluster: {name}, user: {name}, namespace: ns-{name}}}
"""


def write(folder: Path, name: str, context: str = "") -> str:
    folder.mkdir(exist_ok=True)
    (folder / "ca.crt").touch()
    file = folder / "config"
    file.write_text(FULL.format(name=name, context=context or '""'))
    return str(file)


def rules(*files: str, home: str = "/nonexistent") -> LoadingRules:
    return LoadingRules(environ={"KUBECONFIG": os.pathsep.join(files), "HOME": home})


def test_kcfg_01_the_chain(tmp_path: Path) -> None:
    assert rules("a", "b", "", "a").files() == ["a", "b"]
    assert rules("", home="/h").files() == ["/h/.kube/config"]
    assert LoadingRules(environ={"HOME": "/h"}).files() == ["/h/.kube/config"]
    assert LoadingRules("x", environ={"KUBECONFIG": "a"}).files() == ["x"]


def test_kcfg_02_missing_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    there = write(tmp_path / "a", "a", "a")

    with pytest.raises(LoadError, match=r"/no/such/file.*no such file"):
        LoadingRules("/no/such/file").load()
    assert rules("/no/such/file", there).load().current_context == "a"
    assert caplog.records == []
    assert rules("/no/1", "/no/2").load().is_empty()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "/no/1, /no/2" in caplog.text
    assert LoadingRules(environ={"HOME": "/nonexistent"}).load().is_empty()
    assert len(caplog.records) == 1


def test_kcfg_03_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bad, worse = tmp_path / "bad", tmp_path / "worse"
    bad.write_text("a: [")
    worse.write_text("clusters: 5")

    with pytest.raises(LoadError) as caught:
        rules(str(bad), write(tmp_path / "a", "a"), str(worse)).load()

    assert f'error loading config file "{bad}"' in str(caught.value)
    assert f'"{worse}": clusters: expected a list, got a number' in str(caught.value)
    assert len(caught.value.problems) == 2


def test_kcfg_04_kcfg_05_the_first_file_wins_entry_by_entry(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("users: [{name: u, user: {token: one}}]")
    second.write_text("users: [{name: u, user: {username: two}}, {name: v, user: {}}]\ncurrent-context: from-two")

    merged = rules(str(first), str(second)).load()

    assert (merged.users["u"].token, merged.users["u"].username) == ("one", "")
    assert set(merged.users) == {"u", "v"}
    assert merged.current_context == "from-two"


def test_kcfg_06_relative_paths_are_those_of_their_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        """
clusters: [{name: c, cluster: {certificate-authority: pki/ca.crt}}]
users:
- {name: u, user: {client-certificate: ../me.crt, client-key: /abs/me.key, tokenFile: token, exec: {command: ./bin/p}}}
- {name: v, user: {exec: {command: plugin}}}
"""
    )

    config = LoadingRules(str(file)).load()

    user = config.users["u"]
    assert config.clusters["c"].certificate_authority == str(tmp_path / "pki" / "ca.crt")
    assert user.client_certificate == str(tmp_path.parent / "me.crt")
    assert user.client_key == "/abs/me.key"
    assert user.token_file == str(tmp_path / "token")
    assert user.exec is not None
    assert user.exec.command == str(tmp_path / "bin" / "p")
    assert config.users["v"].exec is not None
    assert config.users["v"].exec.command == "plugin"
    assert config.clusters["c"].location_of_origin == str(file)


def test_kcfg_07_what_a_file_may_be(tmp_path: Path) -> None:
    assert load(b"").is_empty()
    assert load(b"# nothing\n").is_empty()
    assert load(b'{"current-context": "json", "unknown": [1]}').current_context == "json"
    assert load(b"clusters:\nusers: null\ncontexts: []\n").is_empty()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("clusters: [{name: a}, {name: a}]", 'duplicate name "a" in list clusters'),
        ("users: [{name: u, user: {client-key-data: '!'}}]", 'user "u": client-key-data: malformed base64'),
        ("users: [{name: u, user: [x]}]", "user: expected a mapping, got a list"),
        ("users: [{name: u, user: {token: {a: b}}}]", 'user "u": token: expected a text, got a mapping'),
        (
            "clusters: [{name: c, cluster: {insecure-skip-tls-verify: maybe}}]",
            'cluster "c": insecure-skip-tls-verify: expected true or false',
        ),
        ("- a", "the document: expected a mapping"),
        ("kind: Pod\napiVersion: v1", "expected kind Config of apiVersion v1, got Pod"),
        ("a: b: c", "mapping values are not allowed"),
        ("\x00", "error loading config"),
    ],
)
def test_kcfg_07_what_it_may_not_be(text: str, problem: str) -> None:
    with pytest.raises(LoadError) as caught:
        load(text.encode(), "the-file")

    assert problem in str(caught.value)
    assert 'file "the-file"' in str(caught.value)


def test_kcfg_trap_10_scalars_stay_what_was_written() -> None:
    config = load(
        "current-context: no\nusers: [{name: 010, user: {token: 1e5, username: yes, password: 2026-01-02, as: off}}]\n"
    )

    user = config.users["010"]
    assert (config.current_context, user.token, user.username, user.password, user.impersonate) == (
        *("no", "1e5", "yes", "2026-01-02", "off"),
    )


def test_kcfg_09_data_is_base64() -> None:
    data = base64.b64encode(b"PEM").decode()

    assert load(f"users: [{{name: u, user: {{client-key-data: {data}}}}}]").users["u"].client_key_data == b"PEM"


def test_kcfg_10_exec_entries() -> None:
    text = "users: [{name: u, user: {exec: {command: c, apiVersion: client.authentication.k8s.io/%s, args: [a, '1'],"
    text += " env: [{name: A, value: b}], provideClusterInfo: true, installHint: h}}}]"

    beta, stable = (load(text % version).users["u"].exec for version in ("v1beta1", "v1"))

    assert beta is not None
    assert stable is not None
    assert (beta.interactive_mode, stable.interactive_mode) == ("IfAvailable", "")
    assert (beta.args, beta.env, beta.provide_cluster_info) == (["a", "1"], [("A", "b")], True)


def test_rest_05_no_secret_is_shown() -> None:
    config = load(
        "users: [{name: u, user: {token: hunter2, password: hunter2, exec: {command: c, args: [hunter2], "
        "env: [{name: A, value: hunter2}]}, auth-provider: {name: oidc, config: {id-token: hunter2}}}}]"
    )

    assert "hunter2" not in repr(config)
    assert "REDACTED" in repr(config)


def test_kcfg_29_in_cluster_only_when_there_is_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("current-context: missing")
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}
    (tmp_path / "token").write_text("t")
    monkeypatch.setattr("k8srt.rest.incluster.log.error", lambda *args: None)

    loaded = DeferredClientConfig(environ={**pod, "POD_NAMESPACE": "mine"}, directory=str(tmp_path))

    assert loaded.client_config().host == "https://10.0.0.1:443"
    assert loaded.namespace() == ("mine", False)
    with pytest.raises(ConfigError, match="missing"):
        DeferredClientConfig(environ={**pod, "KUBECONFIG": str(broken)}, directory=str(tmp_path)).client_config()


GOOD = {
    "current-context": "c",
    "clusters": [{"name": "c", "cluster": {"server": "https://in-cluster"}}],
    "users": [{"name": "c", "user": {}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
}


def test_kcfg_31_the_namespace_of_a_pod(tmp_path: Path) -> None:
    assert in_cluster_namespace({"POD_NAMESPACE": "a"}, str(tmp_path)) == "a"
    assert in_cluster_namespace({}, str(tmp_path)) == "default"
    (tmp_path / "namespace").write_text(" b\n")
    assert in_cluster_namespace({}, str(tmp_path)) == "b"


def test_kcfg_29_what_makes_in_cluster_possible(tmp_path: Path) -> None:
    pod = {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "1"}

    assert not in_cluster_possible(pod, str(tmp_path))
    (tmp_path / "token").touch()
    assert in_cluster_possible(pod, str(tmp_path))
    assert not in_cluster_possible({}, str(tmp_path))


def test_kcfg_32_flags_and_nothing_but_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "a", "a", "a")
    monkeypatch.setenv("KUBECONFIG", write(tmp_path / "b", "b", "b"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    assert build_config_from_flags("", file).host == "https://a:6443"
    assert build_config_from_flags("https://other", file).host == "https://other"
    assert build_config_from_flags("https://other", file).bearer_token == "a-token"
    assert build_config_from_flags("http://only-master").host == "http://only-master"
    with pytest.raises(ConfigError, match="no configuration has been provided"):
        build_config_from_flags()


def test_kcfg_33_from_bytes_dict_or_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")
    file = write(tmp_path / "a", "a", "a")

    assert rest_config_from_kubeconfig(Path(file)).host == "https://a:6443"
    assert rest_config_from_kubeconfig(b"%s" % str(GOOD).replace("'", '"').encode()).host == "https://in-cluster"
    assert client_config_from(GOOD).namespace() == ("default", False)
    with pytest.raises(ConfigError, match="no such file"):
        rest_config_from_kubeconfig("/no/such/file")
