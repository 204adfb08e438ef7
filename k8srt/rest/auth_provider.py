"""From a `Config` that names an auth provider to what authorizes its requests. Contract: REST-60, REST-62, KCFG-39."""

from __future__ import annotations

import logging
import os
from collections.abc import Hashable, Mapping, Sequence

from k8srt.errors import ConfigError, Stopped
from k8srt.plugin.auth.registry import Answer, Output, ProviderContext, make
from k8srt.rest.config import Config
from k8srt.transport.auth_config import AuthProviderConfigPersister
from k8srt.transport.exec_process import run
from k8srt.transport.provided import LIMIT, ProviderAuthorizer
from k8srt.transport.shared import Shared
from k8srt.transport.web import ask
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop

log = logging.getLogger(__name__)

_TRIES, _PAUSE = 20, 0.1
_shared: Shared[ProviderAuthorizer] = Shared()


def provider_authorizer(config: Config, clock: Clock) -> ProviderAuthorizer:
    """Return what authorizes by the provider of `config`; the same one for the same settings on the same cluster.

    Also for the settings that it wrote since: who loads the file again shares it. Raises ConfigError.
    """
    named = config.auth_provider
    if named is None:
        raise ConfigError("auth_provider: none is named")
    if not all(isinstance(text, str) for pair in named.config.items() for text in pair):
        raise ConfigError(f"auth provider {named.name}: a setting is no text")
    surroundings = _Surroundings(named.name, config.base_url(), config.auth_persister, clock)

    def build() -> ProviderAuthorizer:
        context = ProviderContext(
            name=named.name,
            cluster=surroundings.cluster,
            settings=dict(named.config),
            clock=clock,
            environ=os.environ,
            ask=surroundings.ask,
            run=surroundings.run,
            save=surroundings.save,
        )
        surroundings.authorizer = ProviderAuthorizer(named.name, make(context), clock)
        return surroundings.authorizer

    return _shared.get(surroundings.key(named.config), build)


class _Surroundings:
    """What one provider gets of the world."""

    def __init__(self, name: str, cluster: str, persister: AuthProviderConfigPersister | None, clock: Clock) -> None:
        self.name = name
        self.cluster = cluster
        self.authorizer: ProviderAuthorizer | None = None
        self._persister = persister
        self._clock = clock

    def key(self, settings: Mapping[str, str]) -> Hashable:
        return self.name, self.cluster, tuple(sorted(settings.items())), self._clock

    def ask(
        self,
        method: str,
        url: str,
        *,
        stop: Stop,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        ca_file: str = "",
        ca_data: bytes = b"",
    ) -> Answer:
        page = ask(
            method, url, stop=stop, headers=headers, body=body, ca_file=ca_file, ca_data=ca_data, clock=self._clock
        )
        return Answer(*page)

    def run(self, command: Sequence[str], *, stop: Stop) -> Output:
        try:
            return Output(*run(command, env=os.environ, stdin=False, stop=stop, limit=LIMIT))
        except Stopped:
            raise ConfigError(f"{command[0]!r} did not end within {LIMIT:g} seconds") from None

    def save(self, settings: Mapping[str, str], *, stop: Stop) -> None:
        """Write them, and be found by them. Somebody else may hold the lock of the file for a moment."""
        if self.authorizer is not None:
            _shared.put(self.key(settings), self.authorizer)
        if self._persister is None:
            return
        for tried in range(_TRIES):
            try:
                self._persister.persist(settings)
                return
            except (ConfigError, OSError) as err:
                if tried == _TRIES - 1 or self._clock.wait_event(stop, _PAUSE):
                    # What was used to get them may be worth nothing any more, so they are not thrown away.
                    log.warning(
                        "auth provider %s: could not persist new tokens, going on with them: %s", self.name, err
                    )
                    return
