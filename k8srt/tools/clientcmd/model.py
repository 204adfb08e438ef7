"""A kubeconfig in memory: clusters, users, contexts by name.

Each entry remembers the file it came from (`location_of_origin`), which messages name and against which its relative
paths resolve. `repr` shows no secret.

Contract: KCFG-04, KCFG-06, KCFG-09, KCFG-10, REST-05.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from k8srt.transport.headers import MASK

_SECRET = frozenset({"client_key_data", "token", "password"})
_LONG = frozenset({"certificate_authority_data", "client_certificate_data"})


class _Entry:
    """Shows what is set, without secrets."""

    def __repr__(self) -> str:
        shown = []
        for spec in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, spec.name)
            if not value:
                continue
            if spec.name in _SECRET:
                value = MASK
            elif spec.name in _LONG:
                value = "--- TRUNCATED ---"
            shown.append(f"{spec.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(slots=True, repr=False)
class Cluster(_Entry):
    """Where a cluster is and how its certificate is checked."""

    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: bytes = b""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict)
    location_of_origin: str = ""


@dataclass(slots=True, repr=False)
class ExecConfig(_Entry):
    """A program that is run for credentials."""

    command: str = ""
    args: list[str] = field(default_factory=list)
    env: list[tuple[str, str]] = field(default_factory=list, repr=False)
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""

    def __repr__(self) -> str:
        return f"ExecConfig(command={self.command!r}, args={MASK!r}, env={MASK!r})"  # both often hold secrets


@dataclass(slots=True, repr=False)
class AuthProvider(_Entry):
    """A named way of authenticating that is built in, and its settings."""

    name: str = ""
    config: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"AuthProvider(name={self.name!r}, config={MASK!r})"


@dataclass(slots=True, repr=False)
class AuthInfo(_Entry):
    """Who a user is: certificate, token, password, a program, and whom to act as."""

    client_certificate: str = ""
    client_certificate_data: bytes = b""
    client_key: str = ""
    client_key_data: bytes = b""
    token: str = ""
    token_file: str = ""
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: list[str] = field(default_factory=list)
    impersonate_user_extra: Mapping[str, list[str]] = field(default_factory=dict)
    username: str = ""
    password: str = ""
    auth_provider: AuthProvider | None = None
    exec: ExecConfig | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    location_of_origin: str = ""


@dataclass(slots=True, repr=False)
class Context(_Entry):
    """A cluster, a user on it, and a namespace."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""
    extensions: Mapping[str, Any] = field(default_factory=dict)
    location_of_origin: str = ""


@dataclass(slots=True)
class KubeConfig:
    """The content of one kubeconfig file, or of several merged."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    users: dict[str, AuthInfo] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)
    current_context: str = ""
    preferences: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)

    def is_empty(self) -> bool:
        """Whether nothing at all is configured."""
        return not (self.clusters or self.users or self.contexts or self.current_context)
