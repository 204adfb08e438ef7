"""What a kubeconfig says about credentials that are fetched: by a program, or by a provider that is built in.

Plain data. `tools.clientcmd` reads it from files, `rest.Config` carries it, and the transport acts on it. `repr` shows
neither arguments, variables nor settings: all of them often hold secrets.

Contract: KCFG-10, KCFG-20, REST-05.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from k8srt.transport.headers import MASK

if TYPE_CHECKING:
    from k8srt.transport.exec_policy import PluginPolicy


@dataclass(slots=True, repr=False)
class ExecConfig:
    """A program that is run for credentials.

    - `env` holds pairs of name and value, put on top of the program's own environment.
    - `interactive_mode` is `Never`, `IfAvailable` or `Always`.
    - `install_hint` is told to whoever does not have the program.
    - `provide_cluster_info` tells the program which cluster it is for; `config` then goes along: the cluster's
      extension named `client.authentication.k8s.io/exec`. It is not written with the stanza.
    - `stdin_unavailable`: standard input is used for something else, which `stdin_unavailable_message` names. Neither
      is written.
    - `timeout` is how many seconds the program may take; 0 means a minute, or ten where it can ask a person. `policy`
      says whether it may be run at all. Neither is written.
    - `unknown` holds the keys of the stanza that this version does not know.
    """

    command: str = ""
    args: list[str] = field(default_factory=list)
    env: list[tuple[str, str]] = field(default_factory=list)
    api_version: str = ""
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""
    config: Any = None
    stdin_unavailable: bool = False
    stdin_unavailable_message: str = ""
    timeout: float = 0.0
    policy: PluginPolicy | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = [f"command={self.command!r}"]
        shown += [f"{name}={MASK!r}" for name in ("args", "env", "config", "unknown") if getattr(self, name)]
        shown += [f"{name}={getattr(self, name)!r}" for name in ("api_version", "interactive_mode")]
        return f"ExecConfig({', '.join(shown)})"


@dataclass(slots=True, repr=False)
class AuthProviderConfig:
    """A way of authenticating that is registered by name, and its settings: texts, tokens among them."""

    name: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"AuthProviderConfig(name={self.name!r}, config={MASK!r})"


class AuthProviderConfigPersister(Protocol):
    """Where an auth provider keeps what it got. Thread-safe. Contract: KCFG-39."""

    def persist(self, config: Mapping[str, str]) -> None:
        """Make these the settings of the provider. Raises ConfigError when they cannot be written."""
        ...
