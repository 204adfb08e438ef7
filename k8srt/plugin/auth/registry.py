"""The auth providers that there are, by the name that a kubeconfig calls them.

    class Vault:
        def __init__(self, context: ProviderContext) -> None:
            self._context = context

        def token(self, stop: Stop, *, rejected: bool) -> Token:
            answer = self._context.ask("GET", self._context.settings["address"], stop=stop)
            return Token(answer.json()["token"])

    register("vault", Vault)

What a provider gives is kept until it expires. It is asked by one thread at a time, while no lock is held, and all
threads that need a token wait for that one. Clients with the same settings share one provider.

Contract: REST-62.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from k8srt.errors import ConfigError, CredentialsError
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

LEEWAY = timedelta(seconds=10)
"""A token that expires so soon is no longer used."""

_MASK = "--- REDACTED ---"
_BUILT_IN = {
    "oidc": ("k8srt.plugin.auth.oidc", "OIDC"),
    "gcp": ("k8srt.plugin.auth.gcp", "GCP"),
    "azure": ("k8srt.plugin.auth.azure", "Azure"),
    "openstack": ("k8srt.plugin.auth.openstack", "OpenStack"),
}


class Token(NamedTuple):
    """A bearer token, and until when it is good: aware, or None for as long as the server takes it."""

    value: str
    expires: datetime | None = None

    def __repr__(self) -> str:
        return f"Token({_MASK!r}, expires={self.expires})"


class Answer(NamedTuple):
    """What a server said. Header names are in lower case. `repr` shows the status only."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises CredentialsError, which does not show it."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            kind = self.headers.get("content-type", "no content type")[:80]
            raise CredentialsError(f"{self.url}: answered {self.status} without a JSON object ({kind})")
        return value

    def __repr__(self) -> str:
        return f"Answer({self.url!r}, {self.status})"


class Output(NamedTuple):
    """What a program gave: its exit code, what it wrote, and the end of what it complained."""

    code: int
    output: bytes
    complaint: str

    def __repr__(self) -> str:
        return f"Output(code={self.code})"


class Asks(Protocol):
    """Sends one request to any server, within seconds, and reads the whole answer, of any status.

    The server is trusted if the system trusts it, or with `ca_file` or `ca_data` (PEM) if that CA does; proxies are
    those of the environment. A GET follows redirects. Raises TransportError, and ConfigError for an odd URL or CA.
    """

    def __call__(
        self,
        method: str,
        url: str,
        *,
        stop: Stop,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        ca_file: str = "",
        ca_data: bytes = b"",
    ) -> Answer: ...


class Runs(Protocol):
    """Runs a program without standard input; what it complains is passed through. Raises OSError, ConfigError."""

    def __call__(self, command: Sequence[str], *, stop: Stop) -> Output: ...


class Saves(Protocol):
    """Writes the settings of a provider to where they came from, if that can be done.

    Raises nothing: what cannot be written is logged, and used all the same.
    """

    def __call__(self, settings: Mapping[str, str], *, stop: Stop) -> None: ...


@dataclass(frozen=True, slots=True, repr=False)
class ProviderContext:
    """What a provider is made with: the cluster's address, its settings, and what it needs of the world.

    `environ` is the environment. `repr` shows no setting.
    """

    name: str
    cluster: str
    settings: Mapping[str, str]
    clock: Clock
    environ: Mapping[str, str]
    ask: Asks
    run: Runs
    save: Saves

    def __repr__(self) -> str:
        return f"ProviderContext({self.name!r}, {self.cluster!r}, settings={_MASK!r})"


class AuthProvider(Protocol):
    """Something that gets tokens."""

    def token(self, stop: Stop, *, rejected: bool) -> Token:
        """Get a token: the one at hand if it is good, else a new one.

        `rejected`: the server refused the one given last. `stop` is set when nobody waits any more. What is raised is
        the caller's error, with the name of the provider; it must show no secret.
        """
        ...


Factory = Callable[[ProviderContext], AuthProvider]
_own: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Have `factory` make the provider of this name. Raises ValueError for a name that is taken. Thread-safe."""
    if not name:
        raise ValueError("an auth provider needs a name")
    if name in _BUILT_IN or _own.setdefault(name, factory) is not factory:
        raise ValueError(f"auth provider {name!r} is registered already")


def registered() -> list[str]:
    """The names there are, sorted."""
    return sorted({*_BUILT_IN, *_own})


def make(context: ProviderContext) -> AuthProvider:
    """Make the provider that the context names. Raises ConfigError, with what is wrong with its settings."""
    factory = _own.get(context.name)
    if factory is None:
        if context.name not in _BUILT_IN:
            known = ", ".join(registered())
            raise ConfigError(f"no auth provider found for name {context.name!r} (there are: {known})")
        module, attribute = _BUILT_IN[context.name]
        factory = getattr(importlib.import_module(module), attribute)
    try:
        return factory(context)
    except ConfigError as err:
        raise ConfigError(f"auth provider {context.name}: {err}") from err.__cause__
