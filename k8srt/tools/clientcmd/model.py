"""A kubeconfig in memory: clusters, users, contexts by name.

Each entry remembers the file it came from (`location_of_origin`), which messages name and against which its relative
paths resolve. What this version does not know is kept: `unknown` holds the other keys of a stanza, `beside` those next
to its name. `repr` shows no secret.

Contract: KCFG-04, KCFG-06, KCFG-09, KCFG-10, KCFG-41, REST-05.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from k8srt.transport.auth_config import AuthProviderConfig, ExecConfig
from k8srt.transport.headers import MASK, mask_url

__all__ = ["AuthInfo", "AuthProviderConfig", "Cluster", "Context", "ExecConfig", "KubeConfig", "Preferences"]

_SECRET = frozenset({"client_key_data", "token", "password", "unknown", "beside"})
_LONG = frozenset({"certificate_authority_data", "client_certificate_data"})
_URL = frozenset({"server", "proxy_url"})


class _Entry:
    """Shows what is set, without secrets."""

    __slots__ = ()

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
            elif spec.name in _URL:
                value = mask_url(value)
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
    unknown: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)


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
    auth_provider: AuthProviderConfig | None = None
    exec: ExecConfig | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    location_of_origin: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class Context(_Entry):
    """A cluster, a user on it, and a namespace."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""
    extensions: Mapping[str, Any] = field(default_factory=dict)
    location_of_origin: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class Preferences(_Entry):
    """What kubectl once kept about itself."""

    colors: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class KubeConfig(_Entry):
    """The content of one kubeconfig file, or of several merged. Mutable, and owned by whoever loaded it."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    users: dict[str, AuthInfo] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)
    current_context: str = ""
    preferences: Preferences = field(default_factory=Preferences)
    extensions: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)

    def is_empty(self) -> bool:
        """Whether nothing at all is configured."""
        return not (self.clusters or self.users or self.contexts or self.current_context)

    def copy(self) -> KubeConfig:
        """One that shares nothing with this one."""
        return copy.deepcopy(self)
