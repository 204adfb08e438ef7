"""Certificates: authorities, what they issue, and what is in one. Needs the package `cryptography`, of the extra `tls`.

    authority = Authority.new("my-ca")
    pair = authority.for_server(["localhost", "127.0.0.1"])

Everything is PEM, as bytes.
"""

from __future__ import annotations

import importlib.util
import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from k8srt.errors import ConfigError

LIFETIME = timedelta(days=3650)
_EARLIER = timedelta(hours=1)  # clocks differ
_END = b"-----END CERTIFICATE-----"


class Pair(NamedTuple):
    """A certificate and its private key."""

    certificate: bytes
    key: bytes


class Validity(NamedTuple):
    """From when to when a certificate is good. It is to be replaced when two thirds of that are over."""

    begin: datetime
    end: datetime

    @property
    def renewal(self) -> datetime:
        return self.begin + (self.end - self.begin) * 2 / 3


class Authority:
    """Issues certificates. Those who trust `pair.certificate` trust them."""

    def __init__(self, pair: Pair) -> None:
        """Raises ConfigError for what is no authority, and without `cryptography`."""
        need_cryptography()
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.pair = pair
        try:
            self._certificate = x509.load_pem_x509_certificate(pair.certificate)
            self._key: Any = load_pem_private_key(pair.key, None)
        except (ValueError, TypeError) as err:
            raise ConfigError(f"the certificate authority cannot be read: {err}") from err

    @classmethod
    def new(cls, name: str = "k8srt-ca", now: datetime | None = None, lifetime: timedelta = LIFETIME) -> Authority:
        """An authority that signs itself, and none below it. Raises ConfigError without `cryptography`."""
        need_cryptography()
        from cryptography import x509

        key, subject = _new_key(), _name(name)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            **dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
                 "decipher_only"),
                False,
            ),
        )  # fmt: skip
        made = _builder(subject, subject, key.public_key(), now, lifetime)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        made = made.add_extension(usage, critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return cls(Pair(_signed(made, key), _pem(key)))

    def for_server(
        self,
        names: Sequence[str],
        *,
        now: datetime | None = None,
        lifetime: timedelta = LIFETIME,
        common_name: str = "",
    ) -> Pair:
        """A certificate for host names and addresses."""
        from cryptography import x509

        listed = x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys(names)])
        subject = _name((common_name or names[0])[:64])
        return self._issue(subject, x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, [listed], now, lifetime)

    def for_client(self, name: str, groups: Iterable[str] = ()) -> Pair:
        """A certificate that makes its holder the user `name` in `groups`."""
        from cryptography import x509

        if not name:
            raise ValueError("a client certificate names a user")
        return self._issue(_name(name, groups), x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH, [], None, LIFETIME)

    def _issue(self, subject: Any, usage: Any, more: list[Any], now: datetime | None, lifetime: timedelta) -> Pair:
        from cryptography import x509

        key = _new_key()
        made = _builder(subject, self._certificate.subject, key.public_key(), now, lifetime)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        for extension in (
            x509.ExtendedKeyUsage([usage]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            *more,
        ):
            made = made.add_extension(extension, critical=False)
        return Pair(_signed(made, self._key), _pem(key))


def need_cryptography() -> None:
    """Raises ConfigError where the package is missing."""
    if importlib.util.find_spec("cryptography") is None:
        text = "certificates are made with the package cryptography, which is missing: pip install 'k8srt[tls]'"
        raise ConfigError(text)


def validity_of(certificate: bytes) -> Validity:
    """When a certificate is good. Raises ValueError for what is none."""
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate)
    try:
        return Validity(found.not_valid_before_utc, found.not_valid_after_utc)
    except AttributeError:  # before version 42
        return Validity(found.not_valid_before.replace(tzinfo=UTC), found.not_valid_after.replace(tzinfo=UTC))


def names_in(certificate: bytes) -> set[str]:
    """The host names and addresses a certificate is for. Raises ValueError for what is none."""
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each.value) for each in names}


def split(bundle: bytes) -> list[bytes]:
    """The certificates of a bundle, each by itself."""
    return [part.lstrip() + _END + b"\n" for part in bundle.split(_END)[:-1]]


def still_good(bundle: bytes, now: datetime) -> list[bytes]:
    """The certificates of a bundle that have not ended; what cannot be read is left out."""
    return [each for each in split(bundle) if _ends_after(each, now)]


def _ends_after(certificate: bytes, now: datetime) -> bool:
    try:
        return validity_of(certificate).end > now
    except ValueError:
        return False


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


def _name(name: str, groups: Iterable[str] = ()) -> Any:
    from cryptography import x509

    parts = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: Any, issuer: Any, key: Any, now: datetime | None, lifetime: timedelta) -> Any:
    from cryptography import x509

    now = datetime.now(UTC) if now is None else now
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - min(_EARLIER, lifetime / 3))
        .not_valid_after(now + lifetime)
    )


def _signed(builder: Any, key: Any) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    pem: bytes = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pem
