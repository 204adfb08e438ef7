"""How to reach a cluster, and as whom: client-go's `rest.Config` in snake_case.

Plain data: making, copying and printing one does nothing. `repr` and `str` never show a secret.

Contract: REST-01 to REST-09, REST-45 to REST-47.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from k8srt._version import __version__
from k8srt.errors import ConfigError
from k8srt.transport.headers import MASK, mask_url
from k8srt.transport.tls import TLSConfig

if TYPE_CHECKING:
    from k8srt.transport.auth_config import AuthProviderConfig, AuthProviderConfigPersister, ExecConfig
    from k8srt.transport.custom import RoundTripper, Wrapper
    from k8srt.util.flowcontrol import RateLimiter

__all__ = [
    "Config",
    "ImpersonationConfig",
    "TLSConfig",
    "anonymous_client_config",
    "copy_config",
    "default_user_agent",
]

_SECRETS = frozenset({"password", "bearer_token", "exec_provider", "auth_provider", "auth_persister"})
_URLS = frozenset({"host", "proxy_url"})
_KEPT_ANONYMOUS = (
    *("host", "api_path", "accept_content_types", "content_type", "group_version", "qps", "burst", "rate_limiter"),
    *("warning_handler", "user_agent", "disable_compression", "timeout", "proxy_url"),
    *("connect_timeout", "read_timeout", "watch_idle_timeout"),
)


@dataclass(slots=True)
class ImpersonationConfig:
    """Whom the server is asked to take the client for. Contract: REST-53."""

    username: str = ""
    uid: str = ""
    groups: Sequence[str] = ()
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class Config:
    """Address, identity and manners of a client.

    - `host` is a host, host:port, or URL; a path in it comes before every request's path (REST-02).
    - `qps` 0 means 5 and `burst` 0 means 10; a negative `qps` turns client-side limiting off; a `rate_limiter`
      overrides both (REST-01).
    - `timeout` bounds a whole request, body included, in seconds; 0 means no bound. It never applies to watches.
      `connect_timeout` and `read_timeout` (the head of an answer, then each silence) always hold (USR-16).
    - `watch_idle_timeout`: a watch that hears nothing for so long ends, as a dead connection would (USR-01).
      Bookmarks, which a server sends about once a minute, keep a quiet one alive.
    - `exec_provider` is a program that is run for credentials, `auth_provider` a provider that is built in, and
      `auth_persister` where that one keeps what it got.
    - `transport` takes the place of connections: requests go to its `send`, TLS options with it are refused (REST-47).
      `wrap_transport` is a function that is given a transport and returns one, or several, the innermost first: see
      `k8srt.transport.custom`, and `wrap`.
    - `proxy_url` is the proxy that is used, always; without it the environment says (REST-54).
    """

    host: str = ""
    api_path: str = ""
    group_version: str = ""
    accept_content_types: str = ""
    content_type: str = ""
    username: str = ""
    password: str = ""
    bearer_token: str = ""
    bearer_token_file: str = ""
    tls: TLSConfig = field(default_factory=TLSConfig)
    impersonate: ImpersonationConfig = field(default_factory=ImpersonationConfig)
    exec_provider: ExecConfig | None = None
    auth_provider: AuthProviderConfig | None = None
    auth_persister: AuthProviderConfigPersister | None = None
    user_agent: str = ""
    disable_compression: bool = False
    qps: float = 0.0
    burst: int = 0
    rate_limiter: RateLimiter | None = None
    warning_handler: Callable[[int, str, str], None] | None = None
    timeout: float = 0.0
    proxy_url: str = ""
    transport: RoundTripper | None = None
    wrap_transport: Wrapper | Sequence[Wrapper] | None = None
    connect_timeout: float = 30.0
    read_timeout: float = 75.0
    watch_idle_timeout: float = 90.0

    def copy(self) -> Config:
        """Every field, collections shared. Contract: REST-06."""
        return dataclasses.replace(self)

    def wrap(self, *wrappers: Wrapper) -> Config:
        """Put these around the transport of clients made from now on, around those that are there. Returns self.

        Each is given a transport and returns one: an object with the same `send`. Contract: REST-52.
        """
        from k8srt.transport.custom import wrappers_of

        self.wrap_transport = (*wrappers_of(self.wrap_transport), *wrappers_of(wrappers))
        return self

    def anonymous(self) -> Config:
        """The same server without any credential or impersonation. Contract: REST-06."""
        kept = {name: getattr(self, name) for name in _KEPT_ANONYMOUS}
        tls = dataclasses.replace(self.tls, cert_file="", cert_data=b"", key_file="", key_data=b"")
        return Config(**kept, tls=tls)

    def impersonating(
        self,
        username: str,
        *,
        uid: str = "",
        groups: Sequence[str] = (),
        extra: Mapping[str, Sequence[str]] | None = None,
    ) -> Config:
        """The same, asking the server to be taken for somebody else; no name means for oneself again.

        Raises ValueError for uid, groups or extra without a name. Contract: REST-53.
        """
        if not username and (uid or groups or extra):
            raise ValueError("impersonating: uid, groups or extra are given without a username")
        if isinstance(groups, str):
            raise TypeError("impersonating: groups must be a list of texts")
        who = ImpersonationConfig(
            username, uid, tuple(groups), {key: list(each) for key, each in (extra or {}).items()}
        )
        return dataclasses.replace(self, impersonate=who)

    @classmethod
    def from_kubeconfig(
        cls, source: bytes | str | Mapping[str, Any] | os.PathLike[str], *, context: str = ""
    ) -> Config:
        """From the content of a kubeconfig (bytes, or a dict) or from one file (a path), and nothing else: no other
        files, no environment, no fallback. Raises ConfigError naming the file, the entry and the field."""
        # By its name: files are read a layer above, where this class is known.
        loading = importlib.import_module("k8srt.tools.clientcmd.loading")
        found: Config = loading.rest_config_from_kubeconfig(source, context)
        return found

    def base_url(self) -> str:
        """The URL of the server, with the path every request starts with. Raises ConfigError. Contract: REST-02."""
        host = self.host or "localhost"
        if "://" not in host:
            if "/" in host:
                raise ConfigError(f"host: {mask_url(host)!r} must be a URL or a host:port pair")
            host = f"{'https' if self.tls.implies_tls else 'http'}://{host}"
        try:
            parts = urlsplit(host)
            _ = parts.port  # raises for a port that is no number
        except ValueError as err:
            raise ConfigError(f"host: {mask_url(self.host)!r} must be a URL or a host:port pair: {err}") from err
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ConfigError(f"host: {mask_url(self.host)!r} must be a URL or a host:port pair")
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"

    def is_tls(self) -> bool:
        """Whether the server is reached by https. Contract: REST-09."""
        return self.base_url().startswith("https://")

    def __repr__(self) -> str:
        """Only what was set, secrets masked. Contract: REST-05."""
        shown = []
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            if value == getattr(_DEFAULTS, spec.name):
                continue
            if spec.name in _SECRETS:
                value = MASK
            elif spec.name in _URLS:
                value = mask_url(value)
            shown.append(f"{spec.name}={value!r}")
        return f"Config({', '.join(shown)})"

    __str__ = __repr__


_DEFAULTS = Config()


def copy_config(config: Config) -> Config:
    """`config.copy()`, under upstream's name."""
    return config.copy()


def anonymous_client_config(config: Config) -> Config:
    """`config.anonymous()`, under upstream's name."""
    return config.anonymous()


def add_user_agent(config: Config, suffix: str) -> Config:
    """Set the user agent to the default one with `/suffix` and return the config. Contract: REST-07."""
    config.user_agent = f"{default_user_agent()}/{suffix}"
    return config


def default_user_agent() -> str:
    """`<program>/<version> (<os>/<arch>) kubernetes/<commit>`; unknown parts are `unknown`. Contract: REST-07."""
    program = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "unknown"
    program = "".join(char if char.isascii() and char.isprintable() else "_" for char in program) or "unknown"
    version = __version__.partition("-")[0] or "unknown"
    system = sys.platform or "unknown"
    return f"{program}/{version} ({system}/{platform.machine().lower() or 'unknown'}) kubernetes/unknown"
