"""What is said beside the files: flags, timeouts, defaults."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError
from k8srt.tools.clientcmd import ClientConfig, Overrides, flags, from_dict
from k8srt.tools.clientcmd.loading import load_config
from k8srt.tools.clientcmd.overrides import Flags, parse_timeout

FILE: dict[str, Any] = {
    "current-context": "main",
    "clusters": [
        {
            "name": "c",
            "cluster": {"server": "https://c:6443", "tls-server-name": "kube", "certificate-authority-data": "eA=="},
        }
    ],
    "users": [{"name": "u", "user": {"client-certificate-data": "eA==", "client-key-data": "eQ=="}}],
    "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
}


def test_kcfg_13_every_flag_of_kubectl_is_a_keyword() -> None:
    asked = flags(
        context="main",
        cluster="c",
        user="u",
        namespace="web",
        server="https://elsewhere",
        tls_server_name="name",
        insecure_skip_tls_verify=True,
        proxy_url="http://proxy:3128",
        disable_compression=True,
        token="t",
        as_="jane",
        as_uid="7",
        as_group=["a", "b"],
        as_user_extra={"k": ["v"]},
        request_timeout="1m",
    )

    loaded = ClientConfig(from_dict(FILE), asked)
    config = loaded.client_config()

    assert loaded.namespace() == ("web", True)
    assert (config.host, config.tls.server_name, config.tls.insecure) == ("https://elsewhere", "name", True)
    assert (config.tls.ca_data, config.tls.cert_data) == (b"", b"x")
    assert (config.proxy_url, config.disable_compression, config.timeout) == ("http://proxy:3128", True, 60.0)
    assert config.bearer_token == "t"
    who = config.impersonate
    assert (who.username, who.uid, who.groups, who.extra) == ("jane", "7", ["a", "b"], {"k": ["v"]})


def test_the_flags_of_a_program_are_those_of_the_function() -> None:
    assert {*Flags.__annotations__, "context", "namespace"} == set(inspect.signature(flags).parameters)
    assert flags(as_group="one").auth_info.impersonate_groups == ["one"]
    assert flags() == Overrides()


def test_kcfg_14_files_given_replace_data_in_the_entry(tmp_path: Path) -> None:
    for name in ("cert", "key", "ca"):
        (tmp_path / name).write_text(name)

    asked = flags(
        client_certificate=str(tmp_path / "cert"),
        client_key=str(tmp_path / "key"),
        certificate_authority=str(tmp_path / "ca"),
    )
    tls = ClientConfig(from_dict(FILE), asked).client_config().tls

    assert (tls.cert_file, tls.key_file, tls.ca_file) == tuple(str(tmp_path / name) for name in ("cert", "key", "ca"))
    assert (tls.cert_data, tls.key_data, tls.ca_data) == (b"", b"", b"")


def test_kcfg_16_a_token_on_the_command_line_is_not_overruled_by_the_file_of_the_entry(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    config = from_dict(FILE)
    config.users["u"].token_file = str(tmp_path / "token")

    found = ClientConfig(config, flags(token="given")).client_config()

    assert (found.bearer_token, found.bearer_token_file) == ("given", "")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (0, 0.0),
        (7, 7.0),
        (1.5, 1.5),
        ("", 0.0),
        ("30", 30.0),
        ("0", 0.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        ("250ms", 0.25),
        ("+2s", 2.0),
        (".5s", 0.5),
    ],
)
def test_kcfg_18_timeouts(given: Any, seconds: float) -> None:
    assert parse_timeout(given) == pytest.approx(seconds)


@pytest.mark.parametrize("given", ["soon", "1x", "1m 30s", "-3s", "-3", -1.0, "1.5", float("nan"), True, "s"])
def test_kcfg_18_what_is_no_timeout(given: Any) -> None:
    with pytest.raises(ConfigError, match="timeout: invalid value"):
        ClientConfig(from_dict(FILE), Overrides(timeout=given)).client_config()


def test_kcfg_13_the_master_of_the_environment_is_used_when_there_is_nothing_else(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "KUBERNETES_MASTER": "http://master:8080"}

    assert load_config(environ=environ).config.host == "http://master:8080"
    assert load_config(environ=environ, server="http://flag").config.host == "http://flag"


def test_flags_and_overrides_together_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="token cannot be given beside overrides"):
        load_config(overrides=Overrides(), token="t", environ={"HOME": str(tmp_path)})
