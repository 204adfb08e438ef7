"""Certificates that a webhook server makes for itself. Needs the package `cryptography`, of the extra `tls`.

Each serving certificate comes with an authority of its own, whose key is thrown away: nothing that could sign more is
kept anywhere.
"""

from __future__ import annotations

import importlib.util
import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from k8srt.errors import ConfigError

_EARLIER = timedelta(hours=1)  # clocks differ
_END = b"-----END CERTIFICATE-----"


class Issued(NamedTuple):
    """A serving certificate, its key and the authority that signed it, as PEM."""

    certificate: bytes
    key: bytes
    authority: bytes


class Validity(NamedTuple):
    """From when to when a certificate is good. It is to be replaced when two thirds of that are over."""

    begin: datetime
    end: datetime

    @property
    def renewal(self) -> datetime:
        return self.begin + (self.end - self.begin) * 2 / 3


def need_cryptography() -> None:
    """Raises ConfigError where the package is missing."""
    if importlib.util.find_spec("cryptography") is None:
        raise ConfigError("self-signed certificates need the package cryptography: pip install 'k8srt[tls]'")


def issue(names: Sequence[str], now: datetime, lifetime: timedelta) -> Issued:
    """Make an authority and a serving certificate for host names and addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    ca_key, key = _new_key(), _new_key()
    ca_name = _name(f"k8srt-webhook-ca-{int(now.timestamp())}")
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
    ca = _builder(ca_name, ca_name, ca_key.public_key(), now, lifetime)
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(usage, critical=True)
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
    leaf = _builder(_name(names[0][:64]), ca_name, key.public_key(), now, lifetime)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    leaf = leaf.add_extension(issuer, critical=False)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Issued(_signed(leaf, ca_key), pem, _signed(ca, ca_key))


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


def _name(text: str) -> Any:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: Any, issuer: Any, key: Any, now: datetime, lifetime: timedelta) -> Any:
    from cryptography import x509

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


def service_names(service: str) -> Iterable[str]:
    """The names under which "namespace/name" is called."""
    namespace, _, name = service.partition("/")
    name = name.partition(":")[0]
    return (f"{name}.{namespace}.svc", f"{name}.{namespace}", f"{name}.{namespace}.svc.cluster.local")
