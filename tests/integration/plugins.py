"""Credential programs for tests: small scripts that do what a test says, and keep what they were told."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

from k8srt.transport.auth_config import ExecConfig

V1, V1BETA1 = (f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1"))

_HEAD = """#!{python} -SE
import json, os, sys, time
with open({calls!r}, "a") as file:
    file.write(os.environ["KUBERNETES_EXEC_INFO"].strip() + "\\n")
runs = sum(1 for _ in open({calls!r}))

def answer(version={version!r}, **status):
    print(json.dumps({{"kind": "ExecCredential", "apiVersion": version, "status": status}}))
"""


class Plugin:
    """A script in a folder. `body` is Python; it may use `runs` (which run it is) and `answer(token=…)`."""

    def __init__(self, folder: Path, body: str, version: str = V1, name: str = "plugin") -> None:
        self.path = folder / name
        self.version = version
        self._calls = folder / f"{name}.calls"
        self.write(body)

    def write(self, body: str) -> None:
        head = _HEAD.format(python=sys.executable, calls=str(self._calls), version=self.version)
        self.path.write_text(head + body)
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    def config(self, **more: Any) -> ExecConfig:
        settings = {"api_version": self.version, "interactive_mode": "Never", **more}
        return ExecConfig(str(self.path), **settings)

    @property
    def told(self) -> list[str]:
        """What each run was told, as text."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    @property
    def runs(self) -> int:
        return len(self.told)

    def kubeconfig(self, cluster: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A kubeconfig whose user runs this."""
        stanza = {"command": str(self.path), "apiVersion": self.version, "interactiveMode": "Never", **more}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"exec": stanza}}],
        }


def written(folder: Path, config: dict[str, Any]) -> Path:
    """The kubeconfig as a file."""
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    os.chmod(path, 0o600)
    return path
