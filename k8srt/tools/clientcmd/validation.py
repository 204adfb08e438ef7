"""What must hold before a configuration is used. Each problem is named with its entry, field and file.

Contract: KCFG-22 to KCFG-26.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from k8srt.tools.clientcmd.errors import ContextNotFound, EmptyConfig, InvalidConfig
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig
from k8srt.transport.headers import mask_url

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MODES = ("Never", "IfAvailable", "Always")


def validate(config: KubeConfig) -> None:
    """Check every entry. Raises EmptyConfig, or InvalidConfig with all problems."""
    if config.is_empty():
        raise EmptyConfig
    problems = []
    if config.current_context and config.current_context not in config.contexts:
        problems.append(_no_context(config.current_context))
    for name, context in config.contexts.items():
        problems += context_problems(name, context, config)
    for name, user in config.users.items():
        problems += user_problems(name, user)
    for name, cluster in config.clusters.items():
        problems += cluster_problems(name, cluster)
    _raise(problems)


def confirm_usable(config: KubeConfig, context: str = "") -> None:
    """Check one context (the current one unless named), its user and its cluster. Raises as `validate`."""
    if config.is_empty():
        raise EmptyConfig
    name = context or config.current_context
    found = config.contexts.get(name)
    if found is None:
        raise ContextNotFound([_no_context(name)])
    problems = context_problems(name, found, config)
    problems += user_problems(found.user, config.users.get(found.user, AuthInfo()))
    problems += cluster_problems(found.cluster, config.clusters.get(found.cluster, Cluster()))
    _raise(problems)


def require_context(config: KubeConfig, name: str, *, overridden: bool = False) -> None:
    """Raise ContextNotFound unless the context exists; the message lists those that do. Contract: KCFG-11, KCFG-12."""
    if name and name not in config.contexts:
        known = ", ".join(sorted(config.contexts)) or "none"
        problem = f'context "{name}" does not exist' if overridden else _no_context(name)
        raise ContextNotFound([f"{problem} (there are: {known})"])


def context_problems(name: str, context: Context, config: KubeConfig) -> list[str]:
    problems = []
    if not name:
        problems.append("empty context name is not allowed")
    where = _where("context", name, context.location_of_origin)
    for field, known in (("user", config.users), ("cluster", config.clusters)):
        value = getattr(context, field)
        if not value:
            problems.append(f"{where}: {field} was not specified")
        elif value not in known:
            problems.append(f'{where}: {field} "{value}" was not found')
    if context.namespace and not _LABEL.fullmatch(context.namespace):
        problems.append(f'{where}: namespace "{context.namespace}" is no DNS label')
    return problems


def cluster_problems(name: str, cluster: Cluster) -> list[str]:
    problems = []
    where = _where("cluster", name, cluster.location_of_origin)
    if not cluster.server:
        problems.append(f"{where}: server: no server found")
    if cluster.proxy_url and not _is_proxy(cluster.proxy_url):
        problems.append(
            f"{where}: proxy-url: {mask_url(cluster.proxy_url)!r} must be an http, https or socks5 URL with a host"
        )
    if cluster.certificate_authority and cluster.certificate_authority_data:
        problems.append(f"{where}: certificate-authority and certificate-authority-data are both specified")
    elif cluster.certificate_authority:
        problems += _unreadable(where, "certificate-authority", cluster.certificate_authority)
    return problems


def user_problems(name: str, user: AuthInfo) -> list[str]:
    where = _where("user", name, user.location_of_origin)
    problems = _certificate_problems(where, user)
    if user.token and (user.username or user.password):
        problems.append(f"{where}: more than one authentication method found: token and basicAuth; only one is allowed")
    if user.exec is not None:
        problems += _exec_problems(where, user)
    if (user.impersonate_uid or user.impersonate_groups or user.impersonate_user_extra) and not user.impersonate:
        problems.append(f"{where}: as: requesting uid, groups or user-extra without impersonating a user")
    return problems


def _certificate_problems(where: str, user: AuthInfo) -> list[str]:
    problems = []
    pairs = {
        "client-certificate": (user.client_certificate, user.client_certificate_data),
        "client-key": (user.client_key, user.client_key_data),
    }
    has_certificate, has_key = (any(pair) for pair in pairs.values())
    for field, (path, data) in pairs.items():
        if path and data:
            problems.append(f"{where}: {field} and {field}-data are both specified")
        elif path and has_certificate:
            problems += _unreadable(where, field, path)
    if has_certificate and not has_key:
        problems.append(f"{where}: client-key: must be specified to use the client certificate")
    return problems


def _exec_problems(where: str, user: AuthInfo) -> list[str]:
    problems = []
    program = user.exec
    assert program is not None
    if user.auth_provider is not None:
        problems.append(f"{where}: exec and auth-provider cannot both be used")
    for field, value in (("command", program.command), ("apiVersion", program.api_version)):
        if not value:
            problems.append(f"{where}: exec.{field} must be specified")
    if any(not name for name, _ in program.env):
        problems.append(f"{where}: exec.env: a variable has no name")
    if program.interactive_mode not in _MODES:
        given = f", not {program.interactive_mode!r}" if program.interactive_mode else ""
        problems.append(f"{where}: exec.interactiveMode must be one of {', '.join(_MODES)}{given}")
    return problems


def _where(kind: str, name: str, origin: str) -> str:
    return f'{kind} "{name}"{f" in {origin}" if origin else ""}'


def _no_context(name: str) -> str:
    return f"context was not found for specified context: {name}"


def _unreadable(where: str, field: str, path: str) -> list[str]:
    try:
        with open(path, "rb"):
            return []
    except OSError as err:
        return [f"{where}: {field}: unable to read {path}: {os.strerror(err.errno) if err.errno else err}"]


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https", "socks5") and bool(parts.hostname)
    except ValueError:
        return False


def _raise(problems: list[str]) -> None:
    if problems:
        raise InvalidConfig(problems)
