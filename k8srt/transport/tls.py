"""TLS settings of a connection, and the `ssl` context made from them.

`TLSConfig` is plain data and cheap; `ssl` is imported only by `build_context`, so a program that talks plain
HTTP never builds a context. No key or certificate given as data stays on disk: Python's `ssl` can read a
certificate chain from files only, so the data goes through a file that has no name.

`Contexts` gives the context for the next request: the same one until a file it was made from, or the certificate that
a credential plugin gives, has changed.

Contract: REST-45, REST-46, REST-50, USR-37, USR-38.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from k8srt.errors import ConfigError
from k8srt.transport.headers import MASK

if TYPE_CHECKING:
    import ssl

    from k8srt.transport.connections import Interrupt

log = logging.getLogger(__name__)

FILES_PERIOD = 1.0
"""Files are looked at, when there are requests, once in so many seconds, and read when they look changed."""


@dataclass(frozen=True, slots=True, repr=False)
class TLSConfig:
    """How the server is verified and which certificate the client shows. Immutable, hashable.

    `*_data` holds PEM bytes and beats the `*_file` beside it (REST-46). `server_name` replaces the host both in
    SNI and in verification. `insecure` accepts any certificate and cannot be combined with a CA.
    """

    insecure: bool = False
    server_name: str = ""
    ca_file: str = ""
    ca_data: bytes = b""
    cert_file: str = ""
    cert_data: bytes = b""
    key_file: str = ""
    key_data: bytes = b""

    @property
    def has_ca(self) -> bool:
        return bool(self.ca_file or self.ca_data)

    @property
    def has_client_certificate(self) -> bool:
        return bool((self.cert_file or self.cert_data) and (self.key_file or self.key_data))

    @property
    def implies_tls(self) -> bool:
        """Whether a host without a scheme is reached by https. Contract: REST-02."""
        return self.has_ca or bool(self.cert_file or self.cert_data) or self.insecure

    def __repr__(self) -> str:
        """Never shows a key; certificates are shown as truncated. Contract: REST-05."""
        shown = []
        for name in ("insecure", "server_name", "ca_file", "cert_file", "key_file"):
            if value := getattr(self, name):
                shown.append(f"{name}={value!r}")
        for name in ("ca_data", "cert_data"):
            if getattr(self, name):
                shown.append(f"{name}='--- TRUNCATED ---'")
        if self.key_data:
            shown.append(f"key_data={MASK!r}")
        return f"TLSConfig({', '.join(shown)})"


class ClientCertificate(NamedTuple):
    """A certificate that a client shows, and its key: PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"ClientCertificate(certificate='--- TRUNCATED ---', key={MASK!r})"


class CertificateSource(Protocol):
    """Gives the certificate to show now; None means that of the configuration. Asked for each request, by any thread.

    It may take its time until `deadline`, or until `interrupt` is fired, and raises as `Authorizer.authorization` does.
    """

    def __call__(
        self, deadline: float | None = None, interrupt: Interrupt | None = None
    ) -> ClientCertificate | None: ...


class Contexts:
    """The SSL context of a configuration, now. Thread-safe; one for each process, as it has a lock.

    What cannot be read or does not fit together raises ConfigError the first time. Later it is logged, and the last
    good context stays: certificate and key are rarely replaced in the same moment. Contract: REST-50.
    """

    def __init__(self, tls: TLSConfig, source: CertificateSource | None, now: Callable[[], float]) -> None:
        self._tls = tls
        self._source = source
        self._now = now
        self._files = _watched_files(tls)
        self._lock = threading.Lock()  # guards all below
        self._context: ssl.SSLContext | None = None
        self._given: ClientCertificate | None = None
        self._stamps: tuple[object, ...] = ()
        self._read: tuple[bytes, ...] = ()
        self._looked_at = 0.0
        self._complaint = ""

    def current(self, deadline: float | None = None, interrupt: Interrupt | None = None) -> ssl.SSLContext:
        """The context for a request that is made now. Raises ConfigError, and what the source of certificates does."""
        given = self._source(deadline, interrupt) if self._source is not None else None
        now = self._now()
        with self._lock:
            good = self._context if given == self._given else None
            if good is not None and (not self._files or now - self._looked_at < FILES_PERIOD):
                return good
            self._looked_at = now  # whoever comes meanwhile goes on with the old one
            known = self._stamps
        stamps = tuple(_stamp(path) for _, path in self._files)
        if good is not None and stamps == known:
            return good
        return self._renew(given, stamps)

    def _renew(self, given: ClientCertificate | None, stamps: tuple[object, ...]) -> ssl.SSLContext:
        try:
            read = tuple(read_file(path, field) for field, path in self._files)
            with self._lock:
                if self._context is not None and (given, read) == (self._given, self._read):
                    self._stamps = stamps
                    return self._context
                if self._context is not None and any(not content.strip() for content in read):
                    raise ConfigError(f"tls: one of {', '.join(path for _, path in self._files)} is empty")
                tls = self._tls
                if given is not None:
                    tls = replace(tls, cert_data=given.certificate, key_data=given.key)
                context = build_context(tls)
                if self._context is not None:
                    log.info("the certificates changed: new connections use the new ones")
                self._context, self._given, self._read, self._stamps = context, given, read, stamps
                self._complaint = ""
                return context
        except ConfigError as err:
            with self._lock:
                if self._context is None or given != self._given:
                    raise
                if str(err) != self._complaint:
                    log.warning("keeping the last good certificates: %s", err)
                self._complaint = str(err)
                return self._context


def _watched_files(tls: TLSConfig) -> list[tuple[str, str]]:
    """The fields whose files are read again. A certificate whose other half is data does not change."""
    fields = []
    if tls.ca_file and not tls.ca_data and not tls.insecure:
        fields.append("ca_file")
    if tls.cert_file and tls.key_file and not tls.cert_data and not tls.key_data:
        fields += ["cert_file", "key_file"]
    return [(field, getattr(tls, field)) for field in fields]


def _stamp(path: str) -> object:
    """What differs when a file was replaced or written to."""
    try:
        found = os.stat(path)
    except OSError as err:
        return err.errno
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def build_context(tls: TLSConfig) -> ssl.SSLContext:
    """Return a client context for `tls`: at least TLS 1.2, trusting exactly the CA given, else the system's.

    Raises ConfigError, naming the file or field, for what cannot be read or does not fit together.
    """
    import ssl

    if tls.insecure and tls.has_ca:
        raise ConfigError("tls: specifying a root certificates file with the insecure flag is not allowed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # names are in the alternative names, or nowhere
    context.set_alpn_protocols(["http/1.1"])
    # Cluster CAs are often made without an authority key id, which Python 3.13 refuses by default (USR-37).
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_roots(context, tls)
    _load_client_certificate(context, tls)
    return context


def proxy_context(tls: TLSConfig) -> ssl.SSLContext:
    """Return a context for an https proxy: it is trusted if the system trusts it, or the CA that is given does.

    It is never shown the client certificate, which is for the server.
    """
    import ssl

    context = build_context(TLSConfig(insecure=tls.insecure))
    if tls.has_ca and not tls.insecure:
        with contextlib.suppress(ssl.SSLError, ValueError):  # the server's context is where that raises
            pem = tls.ca_data or read_file(tls.ca_file, "ca_file")
            context.load_verify_locations(cadata=pem.decode("ascii"))
    return context


def _load_roots(context: ssl.SSLContext, tls: TLSConfig) -> None:
    import ssl

    if not tls.has_ca:
        context.load_default_certs()
        return
    source = "ca_data" if tls.ca_data else f"ca_file {tls.ca_file}"
    pem = tls.ca_data or read_file(tls.ca_file, "ca_file")
    if not tls.ca_data and not pem.strip():
        return  # an empty CA file trusts nobody (REST-45)
    try:
        context.load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError) as err:
        raise ConfigError(f"tls: unable to load root certificates from {source}: {err}") from err


def _load_client_certificate(context: ssl.SSLContext, tls: TLSConfig) -> None:
    import ssl

    certificate = tls.cert_data or (read_file(tls.cert_file, "cert_file") if tls.cert_file else b"")
    key = tls.key_data or (read_file(tls.key_file, "key_file") if tls.key_file else b"")
    if not certificate and not key:
        return
    if not (certificate and key):
        missing, given = ("key", "certificate") if certificate else ("certificate", "key")
        raise ConfigError(f"tls: a client {given} is configured without its {missing}")
    where = tls.cert_file if not tls.cert_data else "cert_data"
    try:
        with _nameless_file(certificate + b"\n" + key) as path:
            context.load_cert_chain(path, password=_refuse_password)
    except (ssl.SSLError, ValueError, OSError) as err:
        raise ConfigError(f"tls: unable to load the client certificate and key from {where}: {err}") from err


def _refuse_password() -> str:
    # Without this, OpenSSL asks on the terminal and the program hangs.
    raise ValueError("the key is encrypted, which is not supported")


def read_file(path: str, field: str) -> bytes:
    """Read a file that the field of a configuration names. Raises ConfigError naming both."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as err:
        raise ConfigError(f"{field}: unable to read {path}: {err.strerror or err}") from err


@contextlib.contextmanager
def _nameless_file(data: bytes) -> Iterator[str]:
    """A path that reads as `data` for as long as the context lasts, and that no other user can open."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        descriptor = os.memfd_create("k8srt")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    import tempfile  # with all that it imports, for the few who need it

    descriptor, path = tempfile.mkstemp(prefix="k8srt-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield path
    finally:
        os.unlink(path)
