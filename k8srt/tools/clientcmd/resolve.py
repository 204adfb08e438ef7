"""From a kubeconfig, and what overrides it, to a `rest.Config`.

Contract: KCFG-11 to KCFG-21, KCFG-26, KCFG-28, USR-12.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from k8srt.errors import ConfigError
from k8srt.rest.config import Config, ImpersonationConfig
from k8srt.tools.clientcmd.changing import UserPersister
from k8srt.tools.clientcmd.errors import EmptyConfig, InvalidConfig
from k8srt.tools.clientcmd.model import AuthInfo, Cluster, Context, KubeConfig
from k8srt.tools.clientcmd.overrides import Overrides, parse_timeout
from k8srt.tools.clientcmd.rules import ConfigAccess
from k8srt.tools.clientcmd.validation import cluster_problems, require_context, user_problems
from k8srt.transport.auth_config import ExecConfig
from k8srt.transport.tls import TLSConfig

E = TypeVar("E", Cluster, AuthInfo)

Prompt = Callable[[str, bool], str]
"""Asks a person for "Username" or "Password"; the second argument says whether what is typed may be seen."""

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_SPACES = frozenset("\t\n\v\f\r")


class ClientConfig:
    """A loaded kubeconfig seen through its overrides. It changes nothing. Thread-safe."""

    def __init__(
        self,
        config: KubeConfig,
        overrides: Overrides | None = None,
        *,
        context: str = "",
        prompt: Prompt | None = None,
        access: ConfigAccess | None = None,
    ) -> None:
        """`context` stands behind the override and before the current context.

        `prompt` is asked for user name and password, once, where there are no credentials. `access` is where auth
        providers write what they get.
        """
        self.kubeconfig = config
        self.overrides = overrides or Overrides()
        self.access = access
        self._context_name = self.overrides.context or context or config.current_context
        self._prompt = prompt
        self._asking = threading.Lock()  # guards _asked; held while a person is asked, so that it is once
        self._asked: tuple[str, str] | None = None

    @property
    def context_name(self) -> str:
        """The context that is used; "" when there is none. Contract: KCFG-11."""
        return self._context_name

    def client_config(self) -> Config:
        """Return how to reach the cluster, as the user.

        Raises ConfigError for what is missing or makes no sense, naming the entry and the file.
        """
        user_name, user = self._user()
        if self.overrides.context:
            require_context(self.kubeconfig, self.overrides.context, overridden=True)
        cluster_name, cluster = self._cluster()
        self._confirm_usable(cluster_name, cluster, user_name, user)
        config = _for_cluster(cluster, parse_timeout(self.overrides.timeout))
        if config.is_tls():  # a secret never goes over plain HTTP (KCFG-15)
            self._add_user(config, user_name, user, cluster)
        if user.impersonate:
            config.impersonate = ImpersonationConfig(
                user.impersonate, user.impersonate_uid, user.impersonate_groups, user.impersonate_user_extra
            )
        return config

    def namespace(self) -> tuple[str, bool]:
        """The namespace to work in, and whether an override said so. Contract: KCFG-28."""
        if self.overrides.namespace:
            return self.overrides.namespace, True
        require_context(self.kubeconfig, self._context_name, overridden=bool(self.overrides.context))
        return self._context().namespace or "default", False

    def _context(self) -> Context:
        return self.kubeconfig.contexts.get(self._context_name) or Context()

    def _cluster(self) -> tuple[str, Cluster]:
        asked = self.overrides
        name = asked.cluster or self._context().cluster
        if asked.cluster and name not in self.kubeconfig.clusters:
            raise ConfigError(f'cluster "{name}" does not exist{_known(self.kubeconfig.clusters)}')
        entry = _overlaid(asked.cluster_defaults, self.kubeconfig.clusters.get(name) or Cluster())
        given = asked.cluster_info
        merged = _overlaid(entry, given)
        if given.insecure_skip_tls_verify or given.certificate_authority or given.certificate_authority_data:
            merged = replace(
                merged,
                insecure_skip_tls_verify=given.insecure_skip_tls_verify,
                certificate_authority=given.certificate_authority,
                certificate_authority_data=given.certificate_authority_data,
            )
        if given.server:
            merged = replace(merged, tls_server_name=given.tls_server_name)
        return name, merged

    def _user(self) -> tuple[str, AuthInfo]:
        asked = self.overrides
        name = asked.user or self._context().user
        if asked.user and name not in self.kubeconfig.users:
            raise ConfigError(f'auth info "{name}" does not exist{_known(self.kubeconfig.users)}')
        given = asked.auth_info
        merged = _overlaid(self.kubeconfig.users.get(name) or AuthInfo(), given)
        if given.client_certificate or given.client_certificate_data:
            pair = given.client_certificate, given.client_certificate_data
            merged = replace(merged, client_certificate=pair[0], client_certificate_data=pair[1])
        if given.client_key or given.client_key_data:
            merged = replace(merged, client_key=given.client_key, client_key_data=given.client_key_data)
        if given.token or given.token_file:  # otherwise the file of the entry would win later (REST-51)
            merged = replace(merged, token=given.token, token_file=given.token_file)
        return name, merged

    def _confirm_usable(self, cluster_name: str, cluster: Cluster, user_name: str, user: AuthInfo) -> None:
        """Contract: KCFG-22, KCFG-26. What a context names and is nowhere makes nobody anonymous (USR-12)."""
        require_context(self.kubeconfig, self._context_name)
        where = _where("context", self._context_name, self._context().location_of_origin)
        problems = []
        if user_name and user_name not in self.kubeconfig.users and user == AuthInfo():
            problems.append(f'{where}: user "{user_name}" was not found')
        problems += user_problems(user_name, user)
        if cluster.server or cluster_name in self.kubeconfig.clusters:
            problems += cluster_problems(cluster_name, cluster)
        elif cluster_name:
            problems.append(f'{where}: cluster "{cluster_name}" was not found')
        elif not problems:
            raise EmptyConfig(self._unchosen())
        if problems:
            raise InvalidConfig(problems)

    def _unchosen(self) -> str:
        known = ", ".join(sorted(self.kubeconfig.contexts))
        return f"there is no current-context; there are the contexts {known}" if known else ""

    def _add_user(self, config: Config, name: str, user: AuthInfo, cluster: Cluster) -> None:
        if user.client_certificate or user.client_certificate_data:
            config.tls = replace(
                config.tls,
                cert_file=user.client_certificate,
                cert_data=user.client_certificate_data,
                key_file=user.client_key,
                key_data=user.client_key_data,
            )
        config.bearer_token, config.bearer_token_file = user.token, user.token_file
        if user.token_file and not user.token:
            config.bearer_token = _read_token(_where("user", name, user.location_of_origin), user.token_file)
        config.username, config.password = user.username, user.password
        if user.auth_provider is not None:
            config.auth_provider = user.auth_provider
            config.auth_persister = UserPersister(self.access, name) if self.access is not None else None
        if user.exec is not None:
            config.exec_provider = _for_program(user.exec, cluster)
        if self._prompt is not None and not _identifies(config):
            config.username, config.password = self._ask(self._prompt)

    def _ask(self, prompt: Prompt) -> tuple[str, str]:
        """Contract: KCFG-21."""
        with self._asking:
            if self._asked is None:
                self._asked = prompt("Username", True), prompt("Password", False)
            return self._asked


def terminal_prompt(field: str, visible: bool) -> str:
    """Ask on the terminal, a `Prompt`."""
    if visible:
        return input(f"Please enter {field}: ")
    import getpass

    return getpass.getpass(f"Please enter {field}: ")


def _overlaid(below: E, above: E) -> E:
    """`below` with every field that `above` sets."""
    return replace(below, **{spec.name: value for spec in fields(above) if (value := getattr(above, spec.name))})


def _where(kind: str, name: str, origin: str) -> str:
    return f'{kind} "{name}"{f" in {origin}" if origin else ""}'


def _known(entries: dict[str, E]) -> str:
    return f" (there are: {', '.join(sorted(entries)) or 'none'})"


def _identifies(config: Config) -> bool:
    """Whether the server can tell who this is."""
    given = config.username, config.bearer_token, config.tls.cert_file, config.tls.cert_data
    return any(given) or config.auth_provider is not None or config.exec_provider is not None


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


def _for_program(program: ExecConfig, cluster: Cluster) -> ExecConfig:
    """With the extension of the cluster that is meant for it, and a hint that cannot take over a terminal (KCFG-20)."""
    hint = "".join(char if _is_shown(char) else f"U+{ord(char):04X}" for char in program.install_hint)
    return replace(program, config=cluster.extensions.get(EXEC_EXTENSION), install_hint=hint)


def _is_shown(char: str) -> bool:
    return char in _SPACES or unicodedata.category(char)[0] != "C"


def _read_token(where: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{where}: tokenFile: unable to read {path}: {err}") from err
    if not token:
        raise ConfigError(f"{where}: tokenFile: {path} is empty")
    return token
