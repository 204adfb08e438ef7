"""Configurations, as type checkers see them; never run."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import k8srt
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.tools import clientcmd
from k8srt.tools.clientcmd import AuthInfo, KubeConfig, PathOptions
from k8srt.transport.auth_config import ExecConfig


def connecting(path: Path) -> None:
    assert_type(k8srt.connect(kubeconfig=path, context="c", server="https://x", as_="jane", as_group=["g"]), Clientset)
    k8srt.connect(request_timeout="30s", insecure_skip_tls_verify=True)
    k8srt.connect(servr="https://x")  # type: ignore[call-arg]
    assert_type(clientcmd.load_config(path, namespace="web", token="t").config, Config)
    assert_type(Config.from_kubeconfig(b"", context="c").impersonating("jane", groups=["g"]), Config)


def changing(path: Path) -> None:
    with clientcmd.editing(path, relativize=True) as config:
        assert_type(config, KubeConfig)
        config.users["me"] = AuthInfo(token="t")
        assert_type(config.users["me"].exec, ExecConfig | None)
    clientcmd.modify(PathOptions(), lambda config: config.contexts.clear())
