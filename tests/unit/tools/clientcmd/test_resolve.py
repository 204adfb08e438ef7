"""From a kubeconfig to a rest.Config."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError, CredentialsError
from k8srt.rest import Config
from k8srt.rest.connect import make_transport
from k8srt.tools.clientcmd import (
    AuthInfo,
    ClientConfig,
    Cluster,
    ContextNotFound,
    InvalidConfig,
    Overrides,
    confirm_usable,
    is_configuration_invalid,
    is_context_not_found,
    is_empty_config,
    validate,
)
from k8srt.tools.clientcmd.codec import from_dict
from k8srt.tools.clientcmd.model import KubeConfig

BASE: dict[str, Any] = {
    "current-context": "main",
    "clusters": [
        {"name": "c", "cluster": {"server": "https://c:6443", "tls-server-name": "kube"}},
        {"name": "plain", "cluster": {"server": "http://plain:80"}},
    ],
    "users": [{"name": "u", "user": {"token": "t"}}, {"name": "v", "user": {"username": "v", "password": "p"}}],
    "contexts": [
        {"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "web"}},
        {"name": "other", "context": {"cluster": "plain", "user": "v"}},
    ],
}


def kubeconfig(user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None) -> KubeConfig:
    document = copy.deepcopy(BASE)
    if user is not None:
        document["users"][0]["user"] = user
    if cluster is not None:
        document["clusters"][0]["cluster"] = cluster
    return from_dict(document, "/the/file")


def resolve(config: KubeConfig | None = None, **overrides: Any) -> Config:
    return ClientConfig(config or kubeconfig(), Overrides(**overrides)).client_config()


def test_the_current_context() -> None:
    config = resolve()

    assert (config.host, config.bearer_token, config.tls.server_name) == ("https://c:6443", "t", "kube")


def test_kcfg_11_an_unknown_context_is_named_with_those_there_are() -> None:
    with pytest.raises(ContextNotFound, match=r'context "nope" does not exist .*main, other'):
        resolve(context="nope")
    with pytest.raises(ContextNotFound, match=r"context was not found for specified context: nope .*main, other"):
        ClientConfig(kubeconfig(), context="nope").client_config()
    assert ClientConfig(kubeconfig(), context="other").client_config().host == "http://plain:80"


def test_kcfg_12_names_given_must_exist() -> None:
    assert resolve(user="v").username == "v"
    assert resolve(cluster="plain").host == "http://plain:80"
    with pytest.raises(ConfigError, match='cluster "x" does not exist'):
        resolve(cluster="x")
    with pytest.raises(ConfigError, match='auth info "x" does not exist'):
        resolve(user="x")


def test_kcfg_13_fields_override_and_empty_ones_do_not() -> None:
    config = resolve(auth_info=AuthInfo(token="better"), cluster_defaults=Cluster(server="https://unused"))

    assert config.bearer_token == "better"
    assert config.host == "https://c:6443"
    assert resolve(KubeConfig(), cluster_defaults=Cluster(server="http://master")).host == "http://master"


def test_kcfg_14_trust_is_replaced_as_a_whole_and_a_new_server_has_a_new_name(tmp_path: Path) -> None:
    ca = tmp_path / "ca"
    ca.touch()
    config = kubeconfig(cluster={"server": "https://c", "certificate-authority": str(ca), "tls-server-name": "kube"})

    insecure = resolve(config, cluster_info=Cluster(insecure_skip_tls_verify=True))
    moved = resolve(config, cluster_info=Cluster(server="https://d"))

    assert (insecure.tls.insecure, insecure.tls.ca_file) == (True, "")
    assert (moved.host, moved.tls.server_name, moved.tls.ca_file) == ("https://d", "", str(ca))


def test_kcfg_15_no_credential_goes_over_plain_http() -> None:
    config = resolve(kubeconfig(user={"token": "t", "as": "jane"}), cluster="plain")

    assert (config.bearer_token, config.username) == ("", "")
    assert config.impersonate.username == "jane"


def test_kcfg_16_tokens_and_token_files(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")

    both = resolve(kubeconfig(user={"token": "t", "tokenFile": str(file)}))
    one = resolve(kubeconfig(user={"tokenFile": str(file)}))

    assert (both.bearer_token, both.bearer_token_file) == ("t", str(file))
    assert (one.bearer_token, one.bearer_token_file) == ("from-file", str(file))
    with pytest.raises(ConfigError, match='user "u" in /the/file: tokenFile: unable to read /no/such'):
        resolve(kubeconfig(user={"tokenFile": "/no/such"}))


def test_kcfg_17_what_a_cluster_may_say() -> None:
    cluster = {"server": "https://c", "proxy-url": "socks5://p:1", "disable-compression": True}
    config = resolve(kubeconfig(cluster=cluster))

    assert (config.proxy_url, config.disable_compression) == ("socks5://p:1", True)
    with pytest.raises(InvalidConfig, match="proxy-url"):
        resolve(kubeconfig(cluster={"server": "https://c", "proxy-url": "ftp://p"}))


def test_kcfg_19_query_and_fragment_of_the_server_go() -> None:
    assert resolve(kubeconfig(cluster={"server": "https://c/path?x=1#y"})).host == "https://c/path"


def test_usr_12_a_program_or_provider_that_gives_nothing_raises_and_makes_nobody_anonymous() -> None:
    stanza = {"command": "no-such-program", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}

    with pytest.raises(ConfigError, match="auth provider oidc: must provide idp-issuer-url"):
        make_transport(resolve(kubeconfig(user={"auth-provider": {"name": "oidc"}})))
    transport = make_transport(resolve(kubeconfig(user={"exec": stanza})))
    with pytest.raises(CredentialsError, match="executable no-such-program not found"):
        transport.send("GET", "/x")


def test_kcfg_22_kcfg_27_all_problems_at_once_and_predicates() -> None:
    broken = kubeconfig(user={"token": "t", "username": "x"}, cluster={})

    with pytest.raises(InvalidConfig) as caught:
        validate(broken)

    assert str(caught.value).startswith("invalid configuration: ")
    assert len(caught.value.problems) == 2
    assert is_configuration_invalid(caught.value)
    with pytest.raises(ConfigError) as empty:
        ClientConfig(KubeConfig()).client_config()
    assert is_empty_config(empty.value)
    with pytest.raises(ConfigError) as missing:
        resolve(context="nope")
    assert is_context_not_found(missing.value)
    assert not is_context_not_found(None)


@pytest.mark.parametrize(
    ("cluster", "problem"),
    [
        ({}, 'cluster "c" in /the/file: server: no server found'),
        (
            {"server": "https://c", "certificate-authority": "x", "certificate-authority-data": "eA=="},
            "certificate-authority and certificate-authority-data are both specified",
        ),
        ({"server": "https://c", "certificate-authority": "/no/ca"}, "certificate-authority: unable to read /no/ca"),
        ({"server": "c/d"}, "must be a URL"),
    ],
)
def test_kcfg_23_clusters(cluster: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(kubeconfig(cluster=cluster))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ({"client-certificate": "x", "client-certificate-data": "eA==", "client-key-data": "eA=="}, "both specified"),
        ({"client-certificate-data": "eA=="}, "client-key: must be specified"),
        ({"client-certificate": "/no/c", "client-key-data": "eA=="}, "client-certificate: unable to read /no/c"),
        ({"token": "t", "password": "p"}, "more than one authentication method found"),
        ({"exec": {"interactiveMode": "Never"}}, "exec.command must be specified"),
        ({"exec": {"command": "c", "apiVersion": "client.authentication.k8s.io/v1"}}, "interactiveMode"),
        (
            {"exec": {"command": "c", "apiVersion": "v", "interactiveMode": "Never", "env": [{"value": "x"}]}},
            "a variable has no name",
        ),
        (
            {"exec": {"command": "c", "apiVersion": "v", "interactiveMode": "Never"}, "auth-provider": {"name": "x"}},
            "cannot both be used",
        ),
        ({"as-groups": ["g"]}, "without impersonating a user"),
    ],
)
def test_kcfg_24_kcfg_25_users(user: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        resolve(kubeconfig(user=user))
    assert problem in str(caught.value)
    assert 'user "u" in /the/file' in str(caught.value)


def test_kcfg_24_a_certificate_and_a_token_go_together() -> None:
    config = resolve(kubeconfig(user={"token": "t", "client-certificate-data": "eA==", "client-key-data": "eQ=="}))

    assert (config.bearer_token, config.tls.cert_data, config.tls.key_data) == ("t", b"x", b"y")


def test_kcfg_26_contexts() -> None:
    document = copy.deepcopy(BASE)
    document["contexts"].append({"name": "bad", "context": {"cluster": "nope", "namespace": "Not A Label"}})
    config = from_dict(document, "f")

    confirm_usable(config)
    with pytest.raises(InvalidConfig) as caught:
        confirm_usable(config, "bad")
    text = str(caught.value)
    assert 'context "bad" in f: user was not specified' in text
    assert 'cluster "nope" was not found' in text
    assert "no DNS label" in text
    with pytest.raises(ContextNotFound):
        confirm_usable(config, "missing")


def test_kcfg_28_namespaces() -> None:
    assert ClientConfig(kubeconfig()).namespace() == ("web", False)
    assert ClientConfig(kubeconfig(), context="other").namespace() == ("default", False)
    assert ClientConfig(KubeConfig(), Overrides(namespace="x")).namespace() == ("x", True)


def test_kcfg_42_a_missing_current_context_fails_when_it_is_used() -> None:
    config = from_dict({**BASE, "current-context": "gone"})

    with pytest.raises(ContextNotFound, match="gone"):
        ClientConfig(config).client_config()
    assert ClientConfig(config, Overrides(context="main")).client_config().host == "https://c:6443"


def test_kcfg_27_predicates_look_into_groups_and_causes() -> None:
    with pytest.raises(ContextNotFound) as missing:
        resolve(context="nope")
    group = ExceptionGroup("several", [ValueError(), missing.value])
    outer = RuntimeError("outer")
    outer.__cause__ = group

    assert is_context_not_found(outer)
    assert is_configuration_invalid(group)
    assert not is_empty_config(outer)
