"""From a `Config` to what puts credentials on its requests.

Contract: REST-47, REST-51, REST-52, REST-60, REST-62, USR-12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8srt.errors import ConfigError, CredentialsError
from k8srt.rest.config import Config
from k8srt.transport.credentials import Authorizer, BasicAuth, StaticToken, TokenFile
from k8srt.transport.tls import read_file
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    from k8srt.transport.connections import Interrupt
    from k8srt.transport.exec_info import ExecCluster


def check_credentials(config: Config) -> None:
    """Raises ConfigError for credentials that exclude one another. Contract: REST-47."""
    if (config.username or config.password) and (config.bearer_token or config.bearer_token_file):
        raise ConfigError("username/password or bearer token may be set, but not both")
    if config.exec_provider is not None and config.auth_provider is not None:
        raise ConfigError("exec_provider and auth_provider cannot be used in combination")


def make_authorizer(config: Config, clock: Clock) -> Authorizer | None:
    """Return what authorizes the requests of `config`, or None. Fetches nothing.

    A token or a password that is given is used and nothing else is asked; a certificate that is given keeps programs
    from being run. Raises ConfigError for what cannot be used. Contract: REST-60.
    """
    if config.bearer_token_file:
        return TokenFile(config.bearer_token_file, initial=config.bearer_token, clock=clock)
    if config.bearer_token:
        return StaticToken(config.bearer_token)
    if config.username or config.password:
        return BasicAuth(config.username, config.password)
    if config.exec_provider is not None and not config.tls.has_client_certificate:
        from k8srt.transport.exec_plugin import exec_authorizer  # with all that it loads, for those who need it

        authorizer = exec_authorizer(config.exec_provider, _cluster(config), clock)
        shown = config.is_tls() and config.transport is None
        return authorizer if shown else _TokensOnly(authorizer)
    if config.auth_provider is not None:
        from k8srt.rest.auth_provider import provider_authorizer

        return provider_authorizer(config, clock)
    return None


class _TokensOnly:
    """For where no certificate is shown: one that gives nothing else would send requests without credentials."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str:
        value = self._authorizer.authorization(deadline, interrupt)
        if value is None:
            raise CredentialsError(f"getting credentials: {self._authorizer!r} gives a certificate, which needs https")
        return value

    def rejected(self, asked_at: float) -> None:
        self._authorizer.rejected(asked_at)

    def __repr__(self) -> str:
        return repr(self._authorizer)


def _cluster(config: Config) -> ExecCluster | None:
    """What a program is told of the cluster, if it wants to know. Contract: REST-56."""
    program = config.exec_provider
    if program is None or not program.provide_cluster_info:
        return None
    import json

    from k8srt.transport.exec_info import ExecCluster

    tls = config.tls
    try:
        extension = json.dumps(program.config)
    except (TypeError, ValueError) as err:
        raise ConfigError(f"exec_provider.config: cannot be written as JSON: {err}") from None
    return ExecCluster(
        server=config.host,
        tls_server_name=tls.server_name,
        insecure=tls.insecure,
        ca_data=tls.ca_data or (read_file(tls.ca_file, "ca_file") if tls.ca_file else b""),
        proxy_url=config.proxy_url,
        disable_compression=config.disable_compression,
        config=extension,
    )
