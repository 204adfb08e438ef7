"""What goes into the `Authorization` header of each request: bearer tokens, token files, basic auth.

An `Authorizer` is asked for each request, from any thread. A configuration that has credentials never lets a
request go out without them: what cannot be read raises (USR-12).

Contract: REST-47, REST-51, USR-11, USR-12.
"""

from __future__ import annotations

import base64
import logging
import threading
from typing import TYPE_CHECKING, Protocol

from k8srt.errors import ConfigError
from k8srt.transport.headers import MASK, check_header
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.transport.connections import Interrupt

log = logging.getLogger(__name__)

TOKEN_FILE_PERIOD = 50.0
"""A token file is read again after this many seconds: one minute less ten seconds of leeway."""


class Authorizer(Protocol):
    """Where the value of the `Authorization` header comes from. Thread-safe."""

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str | None:
        """Return the header's value; None when somebody is told by a certificate alone.

        What has to be fetched is waited for until `deadline` (on the clock of the authorizer), or until `interrupt` is
        fired. Raises ConfigError if there is nothing to be had, TransportError when the wait was ended.
        """
        ...

    def rejected(self, asked_at: float) -> None:
        """The server answered 401 to a request made at `asked_at` (on the clock of the authorizer)."""
        ...


class StaticToken:
    """A bearer token that never changes."""

    def __init__(self, token: str) -> None:
        self._value = f"Bearer {token}"
        check_header("Authorization", self._value)

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str:
        return self._value

    def rejected(self, asked_at: float) -> None:
        pass

    def __repr__(self) -> str:
        return f"StaticToken({MASK!r})"


class BasicAuth:
    """User name and password."""

    def __init__(self, username: str, password: str) -> None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        self._value = f"Basic {pair}"
        self._username = username

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str:
        return self._value

    def rejected(self, asked_at: float) -> None:
        pass

    def __repr__(self) -> str:
        return f"BasicAuth({self._username!r}, {MASK!r})"


class TokenFile:
    """A bearer token kept in a file that somebody else rotates.

    The file is read when its content is older than `TOKEN_FILE_PERIOD`, and after a 401 to a request younger
    than the last read. A failed read keeps the last good token; `initial` counts as one. An empty file is a
    failure. Contract: REST-51.
    """

    def __init__(self, path: str, *, initial: str = "", clock: Clock = SYSTEM) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()  # guards _value and _read_at
        self._value = f"Bearer {initial}" if initial else ""
        self._read_at: float | None = None

    def authorization(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> str:
        with self._lock:
            value, read_at = self._value, self._read_at
        now = self._clock.now()
        if read_at is not None and now - read_at < TOKEN_FILE_PERIOD:
            return value
        # Two threads may both read an old file: harmless, and nobody waits for a slow disk under the lock.
        try:
            value = f"Bearer {self._read()}"
        except ConfigError as err:
            if not value:
                raise
            log.warning("keeping the last good token: %s", err)
            return value
        with self._lock:
            self._value, self._read_at = value, now
        return value

    def rejected(self, asked_at: float) -> None:
        with self._lock:
            if self._read_at is not None and self._read_at <= asked_at:
                self._read_at = None

    def _read(self) -> str:
        try:
            with open(self._path, encoding="utf-8") as file:
                token = file.read().strip()
        except (OSError, UnicodeDecodeError) as err:
            raise ConfigError(f"bearer_token_file: unable to read {self._path}: {err}") from err
        if not token:
            raise ConfigError(f"bearer_token_file: {self._path} is empty")
        check_header("Authorization", token)
        return token

    def __repr__(self) -> str:
        return f"TokenFile({self._path!r})"
