"""From a kubeconfig, and what overrides it, to a `rest.Config`.

Contract: KCFG-11 to KCFG-19, KCFG-28, USR-12.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from k8srt.errors import ConfigError
from k8srt.rest.config import Config, ImpersonationConfig
from k8srt.tools.clientcmd.errors import EmptyConfig, InvalidConfig
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig
from k8srt.tools.clientcmd.validation import cluster_problems, require_context, user_problems
from k8srt.transport.tls import TLSConfig

E = TypeVar("E", Cluster, AuthInfo)


@dataclass(slots=True)
class Overrides:
    """What is said on a command line. Empty values override nothing.

    `cluster` and `user` are names of entries; `cluster_info` and `auth_info` override single fields. `timeout` is in
    seconds.
    """

    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    cluster_info: Cluster = field(default_factory=Cluster)
    auth_info: AuthInfo = field(default_factory=AuthInfo)
    cluster_defaults: Cluster = field(default_factory=Cluster)
    timeout: float = 0.0


class ClientConfig:
    """A loaded kubeconfig seen through its overrides. Immutable."""

    def __init__(self, config: KubeConfig, overrides: Overrides | None = None, *, context: str = "") -> None:
        """`context` stands behind the override and before the current context."""
        self.kubeconfig = config
        self.overrides = overrides or Overrides()
        self._context_name = self.overrides.context or context or config.current_context

    def client_config(self) -> Config:
        """Return how to reach the cluster, as the user.

        Raises ConfigError for what is missing or makes no sense, naming the entry and the file.
        """
        if self.overrides.context:
            require_context(self.kubeconfig, self.overrides.context)
        cluster_name, cluster = self._cluster()
        user_name, user = self._user()
        if self.kubeconfig.is_empty() and not cluster.server:
            raise EmptyConfig
        require_context(self.kubeconfig, self._context_name)
        problems = user_problems(user_name, user) + cluster_problems(cluster_name, cluster)
        if problems:
            raise InvalidConfig(problems)
        config = _for_cluster(cluster, self.overrides.timeout)
        if config.is_tls():  # a secret never goes over plain HTTP (KCFG-15)
            _add_user(config, user_name, user)
        config.impersonate = ImpersonationConfig(
            user.impersonate, user.impersonate_uid, user.impersonate_groups, user.impersonate_user_extra
        )
        return config

    def namespace(self) -> tuple[str, bool]:
        """The namespace to work in, and whether an override said so. Contract: KCFG-28."""
        if self.overrides.namespace:
            return self.overrides.namespace, True
        if self.overrides.context:
            require_context(self.kubeconfig, self.overrides.context)
        return self._context().namespace or "default", False

    def _context(self) -> Context:
        return self.kubeconfig.contexts.get(self._context_name) or Context()

    def _cluster(self) -> tuple[str, Cluster]:
        asked = self.overrides
        name = asked.cluster or self._context().cluster
        if asked.cluster and name not in self.kubeconfig.clusters:
            raise ConfigError(f'cluster "{name}" does not exist')
        entry = _overlaid(asked.cluster_defaults, self.kubeconfig.clusters.get(name) or Cluster())
        merged = _overlaid(entry, asked.cluster_info)
        trust = asked.cluster_info
        if trust.insecure_skip_tls_verify or trust.certificate_authority or trust.certificate_authority_data:
            merged = replace(
                merged,
                insecure_skip_tls_verify=trust.insecure_skip_tls_verify,
                certificate_authority=trust.certificate_authority,
                certificate_authority_data=trust.certificate_authority_data,
            )
        if trust.server:
            merged = replace(merged, tls_server_name=trust.tls_server_name)
        return name, merged

    def _user(self) -> tuple[str, AuthInfo]:
        asked = self.overrides
        name = asked.user or self._context().user
        if asked.user and name not in self.kubeconfig.users:
            raise ConfigError(f'auth info "{name}" does not exist')
        merged = _overlaid(self.kubeconfig.users.get(name) or AuthInfo(), asked.auth_info)
        given = asked.auth_info
        if given.client_certificate and not given.client_certificate_data:
            merged = replace(merged, client_certificate_data=b"")
        if given.client_key and not given.client_key_data:
            merged = replace(merged, client_key_data=b"")
        return name, merged


def _overlaid(below: E, above: E) -> E:
    """`below` with every field that `above` sets."""
    return replace(below, **{spec.name: value for spec in fields(above) if (value := getattr(above, spec.name))})


def _for_cluster(cluster: Cluster, timeout: float) -> Config:
    parts = urlsplit(cluster.server)
    server = urlunsplit(parts._replace(query="", fragment="")) if parts.path else cluster.server
    config = Config(
        host=server,
        tls=TLSConfig(
            insecure=cluster.insecure_skip_tls_verify,
            server_name=cluster.tls_server_name,
            ca_file=cluster.certificate_authority,
            ca_data=cluster.certificate_authority_data,
        ),
        proxy_url=cluster.proxy_url,
        disable_compression=cluster.disable_compression,
        timeout=timeout,
    )
    config.base_url()  # names what is wrong with the server now and not at the first request
    return config


def _add_user(config: Config, name: str, user: AuthInfo) -> None:
    """Put the credentials in. What cannot be used raises: nobody becomes anonymous unasked (USR-12)."""
    where = f'user "{name}"{f" in {user.location_of_origin}" if user.location_of_origin else ""}'
    if user.exec is not None:
        raise ConfigError(f"{where}: exec: credential plugins ({user.exec.command}) are not supported by this version")
    if user.auth_provider is not None:
        raise ConfigError(f"{where}: auth-provider: {user.auth_provider.name!r} is not supported by this version")
    config.tls = replace(
        config.tls,
        cert_file=user.client_certificate,
        cert_data=user.client_certificate_data,
        key_file=user.client_key,
        key_data=user.client_key_data,
    )
    config.bearer_token, config.bearer_token_file = user.token, user.token_file
    if user.token_file and not user.token:
        config.bearer_token = _read_token(where, user.token_file)
    config.username, config.password = user.username, user.password


def _read_token(where: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{where}: tokenFile: unable to read {path}: {err}") from err
    if not token:
        raise ConfigError(f"{where}: tokenFile: {path} is empty")
    return token
