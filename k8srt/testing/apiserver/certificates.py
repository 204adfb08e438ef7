"""A certificate authority of one server's own: what it shows to clients, and what clients show to it.

Needs the package `cryptography`, of the extra `tls`.
"""

from __future__ import annotations

import datetime
import importlib.util
import ipaddress
from collections.abc import Iterable
from typing import Any, NamedTuple

from k8srt.errors import ConfigError

SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
_DAYS = 3650
_EARLIER = datetime.timedelta(hours=1)  # clocks differ


class Pair(NamedTuple):
    """A certificate and its private key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Issues certificates. Those who trust `pair.certificate` trust them."""

    def __init__(self, pair: Pair) -> None:
        """Raises ConfigError for what is no authority."""
        _need_cryptography()
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.pair = pair
        try:
            self._certificate = x509.load_pem_x509_certificate(pair.certificate)
            self._key: Any = load_pem_private_key(pair.key, None)
        except (ValueError, TypeError) as err:
            raise ConfigError(f"the certificate authority cannot be read: {err}") from err

    @classmethod
    def new(cls) -> Authority:
        """An authority that signs itself. Raises ConfigError without `cryptography`."""
        _need_cryptography()
        from cryptography import x509

        key = _new_key()
        name = _name("k8srt-ca", ())
        ca = x509.BasicConstraints(ca=True, path_length=None)
        made = _builder(name, name, key.public_key()).add_extension(ca, critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return cls(Pair(_signed(made, key), _pem(key)))

    def for_server(self, names: Iterable[str]) -> Pair:
        """A certificate for host names and addresses."""
        from cryptography import x509

        listed = [_general_name(name) for name in dict.fromkeys(names)]
        return self._issue("kube-apiserver", (), x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, listed)

    def for_client(self, name: str, groups: Iterable[str] = ()) -> Pair:
        """A certificate that makes its holder the user `name` in `groups`."""
        from cryptography import x509

        if not name:
            raise ValueError("a client certificate names a user")
        return self._issue(name, groups, x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def _issue(self, name: str, groups: Iterable[str], usage: Any, names: list[Any]) -> Pair:
        from cryptography import x509

        key = _new_key()
        made = _builder(_name(name, groups), self._certificate.subject, key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(issuer, critical=False)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Pair(_signed(made, self._key), _pem(key))


def _need_cryptography() -> None:
    if importlib.util.find_spec("cryptography") is None:
        text = "certificates are made with the package cryptography, which is missing: pip install 'k8srt[tls]'"
        raise ConfigError(text)


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


def _name(name: str, groups: Iterable[str]) -> Any:
    from cryptography import x509

    parts = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: Any, issuer: Any, key: Any) -> Any:
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )


def _signed(builder: Any, key: Any) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    pem: bytes = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pem
