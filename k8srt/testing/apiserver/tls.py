"""How the server is secured: the certificate it shows, and the authorities whose client certificates it takes.

A client certificate that is not by such an authority ends the handshake: Python's `ssl` cannot take it and leave it
to the server to answer 401, as a real one does.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from k8srt.errors import ConfigError
from k8srt.util.certificates import Authority, Pair

if TYPE_CHECKING:
    from k8srt.testing.apiserver.datadir import DataDir

SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")


class ServerTLS:
    """The context of a server, or None for plain HTTP, and what clients need to know of it."""

    def __init__(
        self,
        kept: DataDir | None,
        address: str,
        generate: bool,
        certificate: str | None,
        private_key: str | None,
        client_ca: str | None,
    ) -> None:
        """Raises ConfigError for files that cannot be used."""
        self.context: ssl.SSLContext | None = None
        self.authority = b""
        self._issuer: Authority | None = None
        if generate and certificate is not None:
            raise ConfigError("tls: a certificate is given, so none is to be made")
        if not generate and certificate is None:
            if client_ca is not None:
                raise ConfigError("client_ca: client certificates need HTTPS: give a certificate, or set tls")
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if generate:
            issuer = kept.authority() if kept is not None else Authority.new()
            self.authority = issuer.pair.certificate
            names = (address, "localhost", "127.0.0.1", "::1", socket.gethostname(), *SERVICE_NAMES)
            listed = [name for name in names if name]
            _load_pair(context, issuer.for_server(listed, common_name="kube-apiserver"))
            if client_ca is None:
                self._issuer = issuer
                context.load_verify_locations(cadata=self.authority.decode())
                context.verify_mode = ssl.CERT_OPTIONAL
        elif certificate is not None:
            self.authority = _read("certificate", certificate)
            try:
                context.load_cert_chain(certificate, private_key)
            except (OSError, ValueError) as err:
                raise ConfigError(f"certificate {certificate}, key {private_key}: {err}") from err
        if client_ca is not None:
            _trust(context, client_ca)
        self.context = context

    def issue(self, user: str, groups: Iterable[str]) -> Pair:
        """A client certificate. Raises ConfigError when there is no authority to issue it."""
        if self._issuer is None:
            raise ConfigError("this server issues no client certificates: it needs tls=True, and no client_ca")
        return self._issuer.for_client(user, groups)


def _load_pair(context: ssl.SSLContext, pair: Pair) -> None:
    with tempfile.TemporaryDirectory(prefix="k8srt-") as folder:  # only files can be loaded
        certificate, key = Path(folder, "crt"), Path(folder, "key")
        certificate.write_bytes(pair.certificate)
        key.write_bytes(pair.key)
        context.load_cert_chain(certificate, key)


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cadata=_read("client_ca", path).decode("ascii"))
    except (ssl.SSLError, ValueError) as err:
        raise ConfigError(f"client_ca {path}: {err}") from err
    context.verify_mode = ssl.CERT_OPTIONAL


def _read(field: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as err:
        raise ConfigError(f"{field} {path}: {err.strerror or err}") from err
