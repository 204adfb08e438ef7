"""From a `Config` to a `Transport`: which way requests take, which credentials and headers go with each.

Contract: REST-07, REST-45, REST-47, REST-51 to REST-54, USR-12.
"""

from __future__ import annotations

from k8srt.errors import ConfigError
from k8srt.rest.config import Config, default_user_agent
from k8srt.rest.credentials import check_credentials, make_authorizer
from k8srt.transport.client import Transport
from k8srt.transport.custom import wrappers_of
from k8srt.transport.headers import check_header, escape_key
from k8srt.transport.proxy import proxy_for
from k8srt.transport.tls import TLSConfig
from k8srt.util.clock import SYSTEM, Clock


def make_transport(config: Config, clock: Clock = SYSTEM) -> Transport:
    """Return a transport for `config`. Opens no socket. Raises ConfigError for what does not fit together."""
    _check(config)
    base_url = config.base_url()
    # A transport that the configuration brings finds its way by itself.
    proxy = proxy_for(base_url, config.proxy_url) if config.transport is None else None
    headers: dict[str, str | list[str]] = {"User-Agent": config.user_agent or default_user_agent()}
    headers.update(_impersonation(config))
    for name, value in headers.items():
        for single in value if isinstance(value, list) else [value]:
            check_header(name, single)
    authorizer = make_authorizer(config, clock)
    return Transport(
        base_url,
        tls=config.tls,
        authorizer=authorizer,
        headers=headers,
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        clock=clock,
        proxy=proxy,
        client_certificate=getattr(authorizer, "client_certificate", None),
        wrappers=wrappers_of(config.wrap_transport),
        inner=config.transport,
    )


def _check(config: Config) -> None:
    if config.tls.insecure and config.tls.has_ca:
        raise ConfigError("tls: specifying a root certificates file with the insecure flag is not allowed")
    check_credentials(config)
    if config.transport is not None and config.tls != TLSConfig():
        raise ConfigError("transport: a custom transport with TLS options is not allowed")
    for name in ("connect_timeout", "read_timeout", "watch_idle_timeout"):
        value = getattr(config, name)
        if not isinstance(value, (int, float)) or not value > 0:
            raise ConfigError(f"{name}: must be a positive number of seconds, not {value!r}")


def _impersonation(config: Config) -> dict[str, str | list[str]]:
    who = config.impersonate
    if not who.username:
        if who.uid or who.groups or who.extra:
            raise ConfigError("impersonate: uid, groups or extra are given without a username")
        return {}
    headers: dict[str, str | list[str]] = {"Impersonate-User": who.username}
    if who.uid:
        headers["Impersonate-Uid"] = who.uid
    if who.groups:
        headers["Impersonate-Group"] = list(who.groups)
    for key, values in who.extra.items():
        headers[f"Impersonate-Extra-{escape_key(key)}"] = list(values)
    return headers
