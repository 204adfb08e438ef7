"""Credentials from an auth provider: its tokens are kept until they expire, and fetched once for all that wait.

Contract: REST-62, USR-11 to USR-13.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from k8srt.errors import CredentialsError, K8srtError
from k8srt.transport.connections import Interrupt
from k8srt.transport.flight import SingleFlight
from k8srt.transport.headers import MASK, check_header
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop

if TYPE_CHECKING:
    from k8srt.plugin.auth.registry import AuthProvider

LIMIT = 90.0
"""Seconds that a provider may take for a token."""

_LEEWAY = timedelta(seconds=10)


class _Token(Protocol):
    @property
    def value(self) -> str: ...
    @property
    def expires(self) -> datetime | None: ...


class _Held:
    """A token as the header's value, when it came, and whether the server refused it since."""

    def __init__(self, token: _Token, obtained_at: float) -> None:
        self.value = f"Bearer {token.value}"
        self.expires = token.expires
        self.obtained_at = obtained_at
        self.rejected = False


class ProviderAuthorizer:
    """Asks an auth provider for tokens. Thread-safe, also across a fork."""

    def __init__(self, name: str, provider: AuthProvider, clock: Clock = SYSTEM) -> None:
        self._name = name
        self._provider = provider
        self._clock = clock
        self._held: _Held | None = None
        self._flight = SingleFlight(f"auth provider {name}", self._look, self._fetch, limit=LIMIT, clock=clock)

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str:
        """The header's value. Raises as `Authorizer`."""
        return self._flight.get(deadline, interrupt).value

    def rejected(self, asked_at: float) -> None:
        """The next request has the provider asked again, unless that has happened since."""
        held = self._held
        if held is not None and held.obtained_at <= asked_at:
            held.rejected = True

    def _look(self) -> _Held | None:
        held = self._held
        if held is None or held.rejected:
            return None
        return None if held.expires is not None and self._clock.time() + _LEEWAY >= held.expires else held

    def _fetch(self, stop: Stop) -> _Held:
        before = self._held
        about = f"getting credentials: auth provider {self._name}"
        try:
            token = self._provider.token(stop, rejected=before is not None and before.rejected)
            if not token.value:
                raise CredentialsError("gave an empty token")
            held = _Held(token, self._clock.now())
            check_header("Authorization", held.value)
        except K8srtError as err:
            raise CredentialsError(f"{about}: {err}") from err
        except Exception as err:
            # Only its kind: what somebody else's code says may hold a secret. The rest is the cause.
            raise CredentialsError(f"{about}: {type(err).__name__}") from err
        self._held = held
        return held

    def __repr__(self) -> str:
        return f"ProviderAuthorizer({self._name!r}, {MASK!r})"
