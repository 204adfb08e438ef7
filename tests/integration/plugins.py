"""Where credentials come from in tests: small programs that do what a test says, and an OpenID Connect issuer."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from k8srt.transport.auth_config import ExecConfig
from tests.integration.wire import Exchange

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


def jwt(life: float, **claims: Any) -> str:
    """A token as issuers make them, with a signature that is none: only the server looks at it."""
    payload = {"sub": "jane", "exp": time.time() + life, **claims}
    parts = [{"alg": "RS256"}, payload]
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "s"]
    )


class Issuer:
    """An OpenID Connect issuer that takes each refresh token once."""

    def __init__(self) -> None:
        self.good = {"r0"}
        self.asked: list[dict[str, str]] = []
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        self.given: list[str] = []
        self.life = 3600.0
        self.style = "header"
        self.discovery: Any = None
        self.answer: Any = None
        self.url = ""

    def __call__(self, exchange: Exchange) -> None:
        self.paths.append(exchange.path)
        if exchange.path == "/.well-known/openid-configuration":
            exchange.reply(*(self.discovery or (200, {"issuer": self.url, "token_endpoint": f"{self.url}/token"})))
            return
        form = dict(urllib.parse.parse_qsl(exchange.body.decode()))
        self.asked.append(form)
        self.headers.append(exchange.headers)
        if self.answer is not None:
            exchange.reply(*self.answer)
        elif ("authorization" in exchange.headers) != (self.style == "header"):
            exchange.reply(401, {"error": "invalid_client"})
        elif form.get("refresh_token") not in self.good:
            exchange.reply(
                400, {"error": "invalid_grant", "error_description": "unknown refresh token", "x": "hunter2"}
            )
        else:
            self.good = {f"r{len(self.given) + 1}"}
            self.given.append(jwt(self.life, n=len(self.given)))
            tokens = {"access_token": "other", "id_token": self.given[-1], "refresh_token": next(iter(self.good))}
            exchange.reply(200, {**tokens, "token_type": "Bearer"})
