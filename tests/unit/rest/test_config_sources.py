"""Configs from kubeconfigs, on behalf of others, and what they show of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.rest import Config, ImpersonationConfig, in_cluster_config
from k8srt.transport.auth_config import AuthProviderConfig, ExecConfig
from k8srt.transport.headers import mask_url

KUBECONFIG = b"""
current-context: a
clusters: [{name: a, cluster: {server: "https://a"}}]
users: [{name: a, user: {token: hunter2}}]
contexts:
- {name: a, context: {cluster: a, user: a}}
- {name: b, context: {cluster: a}}
"""


def test_kcfg_33_from_bytes_a_dict_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")
    (tmp_path / "config").write_bytes(KUBECONFIG)
    as_dict = {
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": "https://a"}}],
        "users": [{"name": "a", "user": {"token": "hunter2"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    }

    found = [Config.from_kubeconfig(source) for source in (KUBECONFIG, as_dict, tmp_path / "config")]

    assert found == [Config(host="https://a", bearer_token="hunter2")] * 3
    assert Config.from_kubeconfig(KUBECONFIG, context="b").bearer_token == ""
    with pytest.raises(ConfigError, match='context "c" does not exist'):
        Config.from_kubeconfig(KUBECONFIG, context="c")
    with pytest.raises(ConfigError, match="give its content as bytes"):
        Config.from_kubeconfig(KUBECONFIG.decode())


def test_on_behalf_of_somebody_else_and_back() -> None:
    config = Config(host="https://a", bearer_token="t")

    jane = config.impersonating("jane", uid="1", groups=["g"], extra={"k": ["v"]})

    assert jane.impersonate == ImpersonationConfig("jane", "1", ("g",), {"k": ["v"]})
    assert jane.bearer_token == "t"
    assert config.impersonate == ImpersonationConfig()
    assert jane.impersonating("") == config
    with pytest.raises(ValueError, match="without a username"):
        config.impersonating("", groups=["g"])
    with pytest.raises(TypeError, match="groups must be a list"):
        config.impersonating("jane", groups="admins")


def test_rest_05_whatever_may_hold_a_secret_is_masked() -> None:
    config = Config(
        host="https://a",
        proxy_url="http://me:hunter2@proxy:3128",
        exec_provider=ExecConfig("aws", args=["hunter2"], env=[("A", "hunter2")], config={"k": "hunter2"}),
        auth_provider=AuthProviderConfig("oidc", {"id-token": "hunter2"}),
    )

    shown = repr(config) + repr(config.exec_provider) + repr(config.auth_provider)

    assert "hunter2" not in shown
    assert "http://me:***@proxy:3128" in shown
    assert "command='aws'" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host/path?q=a@b", "http://host/path?q=a@b"),
        ("http://user@host", "http://user@host"),
        ("http://user:secret@host:1/p", "http://user:***@host:1/p"),
        ("user:secret@host", "user:***@host"),
        ("host:443", "host:443"),
        ("", ""),
    ],
)
def test_rest_05_urls_without_their_password(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_rest_08_a_token_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    environ = {"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "1"}

    with pytest.raises(ConfigError, match=r"in-cluster configuration: unable to read .*token"):
        in_cluster_config(environ=environ, directory=str(tmp_path))
