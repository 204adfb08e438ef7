"""Views: only the current context, files inlined, secrets hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd import (
    ContextNotFound,
    InvalidConfig,
    KubeConfig,
    LoadingRules,
    flatten_config,
    load,
    minify_config,
    shorten_config,
    to_dict,
)

FILE = """
current-context: a
clusters:
- {name: a, cluster: {server: https://a, certificate-authority: pki/ca.crt}}
- {name: b, cluster: {server: https://b}}
users:
- {name: a, user: {client-certificate: me.crt, client-key-data: S0VZ, token: hunter2, tokenFile: token}}
- {name: b, user: {username: b, password: hunter2}}
contexts:
- {name: a, context: {cluster: a, user: a}}
- {name: b, context: {cluster: b, user: b}}
- {name: dangling, context: {cluster: nope, user: b}}
extensions: [{name: x, extension: 1}]
"""


@pytest.fixture
def config(tmp_path: Path) -> KubeConfig:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_text("CA")
    (tmp_path / "me.crt").write_text("CERT")
    (tmp_path / "config").write_text(FILE)
    return LoadingRules(str(tmp_path / "config"), resolve=False).load()


def test_kcfg_40_minify_keeps_what_the_current_context_needs(config: KubeConfig) -> None:
    small = minify_config(config)

    assert (list(small.clusters), list(small.users), list(small.contexts)) == (["a"], ["a"], ["a"])
    assert small.extensions == {"x": 1}
    assert minify_config(config, "b").current_context == "b"
    assert len(config.users) == 2


def test_kcfg_40_minify_needs_a_context_that_is_there(config: KubeConfig) -> None:
    with pytest.raises(ContextNotFound, match="cannot locate context nope"):
        minify_config(config, "nope")
    with pytest.raises(InvalidConfig, match="cannot locate cluster nope"):
        minify_config(config, "dangling")
    config.current_context = ""
    with pytest.raises(InvalidConfig, match="current-context must exist in order to minify"):
        minify_config(config)


def test_kcfg_40_flatten_inlines_files_seen_from_where_they_are_named(
    config: KubeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")

    flat = flatten_config(config)

    cluster, user = flat.clusters["a"], flat.users["a"]
    assert (cluster.certificate_authority, cluster.certificate_authority_data) == ("", b"CA")
    assert (user.client_certificate, user.client_certificate_data, user.client_key_data) == ("", b"CERT", b"KEY")
    assert config.clusters["a"].certificate_authority == "pki/ca.crt"
    config.users["a"].client_key = "key"
    with pytest.raises(ConfigError, match='user "a": client-key: there are both a file and data'):
        flatten_config(config)
    config.users["a"].client_key_data = b""
    with pytest.raises(ConfigError, match=r'user "a": client-key: unable to read .*key: No such file'):
        flatten_config(config)


def test_kcfg_40_shorten_shows_no_secret(config: KubeConfig) -> None:
    short = shorten_config(flatten_config(config))

    plain = to_dict(short)
    user = plain["users"][0]["user"]
    assert plain["clusters"][0]["cluster"]["certificate-authority-data"] == "DATA+OMITTED"
    assert (user["client-certificate-data"], user["client-key-data"]) == ("DATA+OMITTED", "DATA+OMITTED")
    assert (user["token"], plain["users"][1]["user"]["password"]) == ("REDACTED", "REDACTED")
    assert "hunter2" not in str(plain)
    assert "token" not in to_dict(shorten_config(load("users: [{name: u, user: {}}]")))["users"][0]["user"]
