"""A certificate in two files that are replaced while it is served.

    watcher = CertWatcher("/certs/tls.crt", "/certs/tls.key")
    watcher.read()                              # must succeed the first time
    watcher.start(stop)                         # looks again every 10 seconds, until `stop`
    watcher.context().wrap_socket(sock, server_side=True)

What is compared is what the files hold, so replaced files and swapped symlinks, as Secret volumes have them, are all
the same. A pair that cannot be used leaves the one in use as it is, and is tried again at the next look.

Contract: CRT-01 to CRT-04.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from k8srt.controller.serving.figures import report
from k8srt.errors import ConfigError
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import spawn

log = logging.getLogger(__name__)

INTERVAL = 10.0

Prepare = Callable[[ssl.SSLContext], object]


class Certificate(NamedTuple):
    """A certificate (or a chain) and its private key, as PEM. It does not show the key."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"<Certificate of {len(self.certificate)} bytes>"


Callback = Callable[[Certificate], object]


class CertWatcher:
    """See the module. Thread-safe. `prepare` is given each new context, to set what else it is to have."""

    def __init__(
        self,
        certificate: str | Path,
        key: str | Path,
        *,
        interval: float = INTERVAL,
        prepare: Prepare | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        if interval <= 0.0:
            raise ValueError(f"interval: must be more than 0 seconds, not {interval!r}")
        self.certificate_path = Path(certificate)
        self.key_path = Path(key)
        self.need_leader_election = False
        self._interval = interval
        self._prepare = prepare
        self._clock = clock
        self._reading = threading.Lock()  # one reader at a time; taken before _lock, never with it held
        self._lock = threading.Lock()  # guards all below
        self._current: Certificate | None = None
        self._context: ssl.SSLContext | None = None
        self._callbacks: list[Callback] = []
        self._callers: list[threading.Thread] = []

    @property
    def current(self) -> Certificate | None:
        """What is in use; None before the first read."""
        with self._lock:
            return self._current

    def context(self) -> ssl.SSLContext:
        """The context for a handshake that begins now. Raises ConfigError before the first read."""
        with self._lock:
            if self._context is None:
                raise ConfigError(f"{self._paths}: not read yet")
            return self._context

    @property
    def _paths(self) -> str:
        return f"certificate {self.certificate_path} and key {self.key_path}"

    def read(self) -> bool:
        """Read both files now; returns whether what they hold is new and in use.

        Raises ConfigError naming both paths for files that cannot be read or do not belong together.
        """
        with self._reading:
            try:
                found = Certificate(self.certificate_path.read_bytes(), self.key_path.read_bytes())
                if found == self.current:
                    return False
                context = server_context(found)
                if self._prepare is not None:
                    self._prepare(context)
            except (OSError, ValueError) as err:
                report("certificate_error")
                raise ConfigError(f"{self._paths} cannot be used: {err}") from err
            report("certificate_read")
            with self._lock:
                self._current, self._context = found, context
                callbacks = list(self._callbacks)
            for callback in callbacks:
                self._tell(callback, found)
            return True

    def register_callback(self, callback: Callback) -> None:
        """Have `callback` called with the certificate now, if there is one, and with each new one, in a thread."""
        with self._lock:
            self._callbacks.append(callback)
            current = self._current
        if current is not None:
            self._tell(callback, current)

    def _tell(self, callback: Callback, certificate: Certificate) -> None:
        thread = spawn("certificate-callback", callback, certificate)
        with self._lock:
            self._callers = [each for each in self._callers if each.is_alive()] + [thread]

    def start(self, stop: threading.Event) -> None:
        """Look at the files until `stop`. Raises ConfigError if the first read fails."""
        if self.current is None:
            self.read()
        failing = False
        while not self._clock.wait_event(stop, self._interval):
            try:
                if self.read():
                    log.info("the %s have changed, and are in use", self._paths)
                failing = False
            except ConfigError as err:
                log.log(logging.DEBUG if failing else logging.ERROR, "the certificate in use stays: %s", err)
                failing = True
        with self._lock:
            callers = list(self._callers)
        for thread in callers:
            thread.join()

    def __repr__(self) -> str:
        return f"<CertWatcher of {self.certificate_path}>"


def server_context(pair: Certificate) -> ssl.SSLContext:
    """A context that serves a certificate, TLS 1.2 at least. Raises OSError (ssl.SSLError), ValueError."""
    import tempfile

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory(prefix="k8srt-") as folder:  # only files can be loaded; nobody else can look in
        certificate, key = Path(folder, "crt"), Path(folder, "key")
        certificate.write_bytes(pair.certificate)
        key.write_bytes(pair.key)
        context.load_cert_chain(certificate, key, password=_no_password)
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted: it must come without a password")
