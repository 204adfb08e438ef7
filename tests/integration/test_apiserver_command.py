"""`k8srt apiserver`: what its flags make of a server."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from k8srt.cli import apiserver
from k8srt.kubernetes import Clientset
from k8srt.testing.apiserver.server import APIServer
from k8srt.tools.clientcmd import rest_config_from_kubeconfig

pytestmark = pytest.mark.embedded


def made(*words: str) -> APIServer:
    parser = argparse.ArgumentParser()
    apiserver.add_parser(parser.add_subparsers())
    return apiserver.make_server(parser.parse_args(["apiserver", *words]))


def test_a_secured_server_with_roles_that_keeps_its_cluster(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="certificates are made with cryptography")
    words = ("--tls", "--data-dir", str(tmp_path), "--authorization-mode", "RBAC", "--no-anonymous-auth")

    for _ in range(2):
        with made(*words) as server:
            config = rest_config_from_kubeconfig(server.kubeconfig().encode())
            with Clientset(config) as cs:
                cs.core_v1.config_maps("default").create({"metadata": {"generateName": "c-"}})
                maps = cs.core_v1.config_maps("default").list().items

    assert server.url.startswith("https://")
    assert len(maps) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--client-ca-file", "none"), "client certificates need HTTPS"),
        (("--token-auth-file", "none"), "token file none"),
        (("--data-dir", "/proc/none"), "data directory /proc/none"),
        (("--tls-cert-file", "none"), "certificate none: No such file"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    apiserver.add_parser(parser.add_subparsers())

    assert apiserver.run(parser.parse_args(["apiserver", *words])) == 1

    error = capsys.readouterr().err
    assert error.startswith("k8srt apiserver: ")
    assert complaint in error
    assert error.count("\n") == 1
