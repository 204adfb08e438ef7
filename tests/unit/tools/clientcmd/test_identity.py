"""Who somebody is: programs, providers, prompts, and the pod's own account."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError
from k8srt.rest import Config
from k8srt.tools.clientcmd import (
    AuthInfo,
    AuthProviderConfig,
    ClientConfig,
    DeferredClientConfig,
    EmptyConfig,
    ExecConfig,
    InClusterClientConfig,
    InvalidConfig,
    KubeConfig,
    LoadingRules,
    Overrides,
    flags,
    from_dict,
)

FILE: dict[str, Any] = {
    "current-context": "main",
    "clusters": [{"name": "c", "cluster": {"server": "https://c:6443"}}],
    "users": [{"name": "u", "user": {}}],
    "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
}
EXEC = {"command": "aws", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}


def kubeconfig(user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> KubeConfig:
    document = copy.deepcopy(FILE)
    document["users"][0]["user"] = user or {}
    document["clusters"][0]["cluster"].update(cluster or {})
    return from_dict(document, "/the/file")


def test_kcfg_20_a_program_gets_the_extension_of_the_cluster_and_a_hint_without_escapes() -> None:
    program = {**EXEC, "provideClusterInfo": True, "installHint": "get it\n\x1b[31mhere\x07", "args": ["token"]}
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "me"}}

    config = ClientConfig(kubeconfig({"exec": program}, {"extensions": [extension]})).client_config()

    found = config.exec_provider
    assert isinstance(found, ExecConfig)
    assert (found.command, found.args, found.provide_cluster_info) == ("aws", ["token"], True)
    assert found.config == {"audience": "me"}
    assert found.install_hint == "get it\nU+001B[31mhereU+0007"
    assert "token" not in repr(config)


def test_an_auth_provider_goes_along_with_a_place_for_what_it_gets() -> None:
    provider = {"auth-provider": {"name": "oidc", "config": {"id-token": "hunter2"}}}
    rules = LoadingRules("/the/file")

    config = ClientConfig(kubeconfig(provider), access=rules).client_config()
    alone = ClientConfig(kubeconfig(provider)).client_config()

    assert config.auth_provider == AuthProviderConfig("oidc", {"id-token": "hunter2"})
    assert "'u'" in repr(config.auth_persister)
    assert alone.auth_persister is None
    assert "hunter2" not in repr(config)


def test_kcfg_15_a_program_is_not_for_plain_http() -> None:
    config = ClientConfig(kubeconfig({"exec": EXEC, "as": "jane"}, {"server": "http://c"})).client_config()

    assert config.exec_provider is None
    assert config.impersonate.username == "jane"


def test_kcfg_21_a_person_is_asked_once() -> None:
    asked: list[tuple[str, bool]] = []

    def prompt(field: str, visible: bool) -> str:
        asked.append((field, visible))
        return {"Username": "me", "Password": "secret"}[field]

    loaded = ClientConfig(kubeconfig(), prompt=prompt)
    first, second = loaded.client_config(), loaded.client_config()

    assert (first.username, first.password) == (second.username, second.password) == ("me", "secret")
    assert asked == [("Username", True), ("Password", False)]


@pytest.mark.parametrize(
    "user", [{"token": "t"}, {"exec": EXEC}, {"auth-provider": {"name": "oidc"}}, {"username": "u", "password": "p"}]
)
def test_kcfg_21_nobody_is_asked_who_is_known(user: dict[str, Any]) -> None:
    def prompt(field: str, visible: bool) -> str:
        raise AssertionError(field)

    ClientConfig(kubeconfig(user), prompt=prompt).client_config()
    ClientConfig(kubeconfig(cluster={"server": "http://plain"}), prompt=prompt).client_config()


def test_usr_12_a_user_that_is_nowhere_makes_nobody_anonymous() -> None:
    document = copy.deepcopy(FILE)
    document["contexts"][0]["context"] = {"cluster": "gone", "user": "gone"}
    config = from_dict(document, "/the/file")

    with pytest.raises(InvalidConfig) as caught:
        ClientConfig(config).client_config()
    given = ClientConfig(config, flags(server="https://x", token="t")).client_config()

    assert caught.value.problems == (
        'context "main" in /the/file: user "gone" was not found',
        'context "main" in /the/file: cluster "gone" was not found',
    )
    assert (given.host, given.bearer_token) == ("https://x", "t")


def test_kcfg_26_a_context_need_not_name_what_is_overridden() -> None:
    document = copy.deepcopy(FILE)
    document["contexts"][0]["context"] = {}
    config = from_dict(document)

    assert ClientConfig(config, flags(cluster="c", user="u")).client_config().host == "https://c:6443"
    with pytest.raises(EmptyConfig):
        ClientConfig(config).client_config()


def test_kcfg_22_what_there_would_be_is_told_when_nothing_is_chosen() -> None:
    document = {**FILE, "current-context": ""}

    with pytest.raises(EmptyConfig, match=r"try setting KUBERNETES_MASTER .*no current-context.*contexts main"):
        ClientConfig(from_dict(document)).client_config()


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, Any]:
    """What makes a process one in a pod: the environment and the folder, as keywords."""
    for name, content in (("token", "pod-token"), ("ca.crt", "CA"), ("namespace", "pod-ns\n")):
        (tmp_path / name).write_text(content)
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}
    return {"environ": environ, "directory": str(tmp_path)}


def test_kcfg_30_in_cluster_with_overrides(pod: dict[str, Any], tmp_path: Path) -> None:
    def config(**asked: Any) -> Config:
        return InClusterClientConfig(flags(**asked), **pod).client_config()

    plain = config()
    other = config(server="https://other")
    token = config(token="mine")
    file = config(token_file="/a/token")
    ca = config(certificate_authority="/a/ca")

    assert (plain.host, plain.bearer_token, plain.tls.ca_file) == (
        *("https://10.0.0.1:443", "pod-token", str(tmp_path / "ca.crt")),
    )
    assert (token.host, token.bearer_token, token.bearer_token_file) == ("https://10.0.0.1:443", "mine", "")
    assert (file.bearer_token, file.bearer_token_file) == ("", "/a/token")
    assert (ca.tls.ca_file, ca.bearer_token) == ("/a/ca", "pod-token")
    assert (other.host, other.bearer_token) == ("https://other", "pod-token")
    deferred = DeferredClientConfig(overrides=flags(certificate_authority="/a/ca", token="mine"), **pod)
    assert (deferred.client_config().host, deferred.client_config().bearer_token) == ("https://10.0.0.1:443", "mine")


def test_kcfg_31_the_namespace_of_the_pod_gives_way_to_what_is_said(pod: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "config"

    def namespace(text: str, **asked: Any) -> tuple[str, bool]:
        file.write_text(text)
        return DeferredClientConfig(LoadingRules(str(file)), flags(**asked), **pod).namespace()

    assert namespace("") == ("pod-ns", False)
    assert namespace("", namespace="said") == ("said", True)
    assert namespace("current-context: c\ncontexts: [{name: c, context: {}}]") == ("pod-ns", False)
    assert namespace("current-context: c\ncontexts: [{name: c, context: {namespace: default}}]") == ("default", False)
    assert namespace("contexts: [{name: c, context: {namespace: web}}]", context="c") == ("web", False)


def test_kcfg_29_files_are_read_once_and_when_they_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "config"
    deferred = DeferredClientConfig(LoadingRules(str(file)), environ={})

    with pytest.raises(ConfigError, match="no such file"):
        deferred.client_config()
    file.write_text(str(FILE).replace("'", '"'))
    first = deferred.client_config()
    file.unlink()

    assert deferred.client_config() == first
    changed = deferred.raw_config()
    changed.users.clear()
    assert deferred.raw_config().users == {"u": AuthInfo(location_of_origin=str(file))}


def test_kcfg_22_what_was_looked_at_is_told_when_there_is_nothing(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}

    with pytest.raises(EmptyConfig, match=r"no configuration has been provided.*looked at .*\.kube/config"):
        DeferredClientConfig(LoadingRules(environ=home), environ=home).client_config()


def test_kcfg_29_a_declared_default_comes_last(pod: dict[str, Any], tmp_path: Path) -> None:
    from k8srt.tools.clientcmd import Cluster

    default = Cluster(server="http://localhost:8080")

    outside = DeferredClientConfig(default=default, environ={"HOME": str(tmp_path)}).client_config()
    inside = DeferredClientConfig(default=default, **pod).client_config()

    assert (outside.host, inside.host) == ("http://localhost:8080", "https://10.0.0.1:443")


def test_overrides_are_not_changed_by_what_is_loaded(tmp_path: Path) -> None:
    from k8srt.tools.clientcmd import load_config

    asked = Overrides()
    file = tmp_path / "config"
    file.write_text(str(FILE).replace("'", '"'))

    load_config(file, context="main", namespace="x", overrides=asked)

    assert asked == Overrides()
