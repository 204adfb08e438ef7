"""How to reach a cluster, and as whom."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.rest import (
    Config,
    ImpersonationConfig,
    NotInCluster,
    TLSConfig,
    add_user_agent,
    anonymous_client_config,
    copy_config,
    default_user_agent,
    in_cluster_config,
)
from k8srt.rest.connect import make_transport
from k8srt.rest.limits import make_limiter
from k8srt.transport.auth_config import AuthProviderConfig, ExecConfig
from k8srt.util.flowcontrol import TokenBucket, Unlimited


def test_rest_01_rate_limits() -> None:
    usual = make_limiter(Config())
    given = Unlimited()

    assert isinstance(usual, TokenBucket)
    assert (usual.qps, usual.burst) == (5.0, 10)
    assert isinstance(make_limiter(Config(qps=-1)), Unlimited)
    assert make_limiter(Config(qps=1, burst=1, rate_limiter=given)) is given


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (Config(), "http://localhost"),
        (Config(host="example.com:8080"), "http://example.com:8080"),
        (Config(host="example.com", tls=TLSConfig(insecure=True)), "https://example.com"),
        (Config(host="example.com", tls=TLSConfig(ca_data=b"x")), "https://example.com"),
        (Config(host="example.com", tls=TLSConfig(cert_file="x")), "https://example.com"),
        (Config(host="https://example.com/prefix/?q=1#f"), "https://example.com/prefix"),
        (Config(host="http://[::1]:80"), "http://[::1]:80"),
    ],
)
def test_rest_02_hosts_and_urls(config: Config, url: str) -> None:
    assert config.base_url() == url


@pytest.mark.parametrize("host", ["example.com/path", "ftp://x", "http://", "http://x:port", "http://user:pw@x"])
def test_rest_02_what_is_no_server_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="host"):
        Config(host=host).base_url()


def test_rest_05_nothing_secret_is_shown() -> None:
    config = Config(
        host="https://x",
        username="me",
        password="hunter2",
        bearer_token="hunter2",
        tls=TLSConfig(key_data=b"hunter2", cert_data=b"hunter2"),
        exec_provider={"env": "hunter2"},
    )

    assert "hunter2" not in repr(config) + str(config)
    assert "username='me'" in repr(config)
    assert "REDACTED" in repr(config)


def test_rest_06_a_copy_has_every_field() -> None:
    config = Config(host="x", qps=3, tls=TLSConfig(insecure=True), impersonate=ImpersonationConfig(username="u"))

    copied = copy_config(config)

    assert copied == config
    assert copied is not config
    assert copied.tls is config.tls


def test_rest_06_an_anonymous_config_keeps_the_server_and_drops_the_identity() -> None:
    config = Config(
        host="https://x",
        username="u",
        password="p",
        bearer_token="t",
        bearer_token_file="f",
        impersonate=ImpersonationConfig(username="boss"),
        tls=TLSConfig(ca_data=b"ca", server_name="n", cert_data=b"c", key_data=b"k", cert_file="c", key_file="k"),
        exec_provider="e",
        auth_provider="a",
        qps=7,
        user_agent="me",
        timeout=3,
    )

    anonymous = anonymous_client_config(config)

    tls = TLSConfig(ca_data=b"ca", server_name="n")
    assert anonymous == Config(host="https://x", qps=7, user_agent="me", timeout=3, tls=tls)


def test_rest_06_the_anonymous_config_decides_on_every_field() -> None:
    dropped = {"username", "password", "bearer_token", "bearer_token_file", "impersonate"}
    dropped |= {"exec_provider", "auth_provider", "auth_persister", "transport", "wrap_transport"}
    from k8srt.rest.config import _KEPT_ANONYMOUS

    assert {spec.name for spec in dataclasses.fields(Config)} == dropped | set(_KEPT_ANONYMOUS) | {"tls"}


def test_rest_07_user_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/my-controller"])

    assert default_user_agent().startswith("my-controller/")
    assert default_user_agent().endswith(") kubernetes/unknown")
    assert add_user_agent(Config(), "leader").user_agent == f"{default_user_agent()}/leader"
    monkeypatch.setattr("sys.argv", [""])
    assert default_user_agent().startswith("unknown/")


def test_rest_08_in_cluster(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    (tmp_path / "token").write_text("abc\n")

    without_ca = in_cluster_config(environ=environ, directory=str(tmp_path))
    (tmp_path / "ca.crt").write_text("PEM")
    config = in_cluster_config(environ=environ, directory=str(tmp_path))

    assert config.host == "https://[fd00::1]:443"
    assert config.bearer_token == "abc"
    assert config.bearer_token_file == str(tmp_path / "token")
    assert config.tls.ca_file == str(tmp_path / "ca.crt")
    assert without_ca.tls.ca_file == ""
    assert "ca.crt" in caplog.text


def test_rest_08_outside_of_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(NotInCluster, match="KUBERNETES_SERVICE_HOST"):
        in_cluster_config(environ={}, directory=str(tmp_path))
    with pytest.raises(ConfigError, match="token"):
        in_cluster_config(
            environ={"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "1"}, directory=str(tmp_path)
        )


def test_rest_09_what_counts_as_tls() -> None:
    assert Config(host="https://x").is_tls()
    assert not Config(host="http://x", tls=TLSConfig(insecure=True)).is_tls()


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (Config(host="https://x", tls=TLSConfig(insecure=True, ca_file="x")), "insecure"),
        (Config(username="u", bearer_token="t"), "not both"),
        (Config(username="u", bearer_token_file="t"), "not both"),
        (Config(exec_provider=1, auth_provider=1), "combination"),
        (Config(exec_provider=ExecConfig("aws", api_version="v1")), "invalid apiVersion 'v1'"),
        (Config(auth_provider=AuthProviderConfig("nobody")), "no auth provider found for name 'nobody'"),
        (Config(proxy_url="ftp://proxy"), "proxy_url"),
        (Config(transport=object(), tls=TLSConfig(insecure=True)), "custom transport"),  # type: ignore[arg-type]
        (Config(impersonate=ImpersonationConfig(groups=["g"])), "without a username"),
        (Config(user_agent="a\nb"), "User-Agent"),
        (Config(bearer_token="a\nb"), "Authorization"),
        (Config(read_timeout=None), "read_timeout"),  # type: ignore[arg-type]
        (Config(connect_timeout=0), "connect_timeout"),
    ],
)
def test_rest_47_what_does_not_fit_together_is_refused_before_anything_is_sent(config: Config, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        make_transport(config)
