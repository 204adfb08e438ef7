"""TLS settings: what is refused, what is shown, and that keys leave nothing on disk."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

import pytest

from k8srt.errors import ConfigError
from k8srt.transport.tls import TLSConfig, build_context

certs = pytest.importorskip("cryptography", reason="certificates are made with cryptography")


def _pair(name: str = "test") -> tuple[bytes, bytes]:
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return certificate.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_rest_45_ca_and_insecure_together_are_refused() -> None:
    with pytest.raises(ConfigError, match="insecure"):
        build_context(TLSConfig(insecure=True, ca_data=b"x"))


def test_rest_45_a_given_ca_is_the_only_root() -> None:
    certificate, _ = _pair()

    context = build_context(TLSConfig(ca_data=certificate))

    assert context.cert_store_stats()["x509_ca"] == 1
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_rest_45_an_empty_ca_file_trusts_nobody_and_garbage_is_refused(tmp_path: Path) -> None:
    empty, garbage = tmp_path / "empty.crt", tmp_path / "garbage.crt"
    empty.write_bytes(b"\n")
    garbage.write_bytes(b"not a certificate")

    assert build_context(TLSConfig(ca_file=str(empty))).cert_store_stats()["x509"] == 0
    with pytest.raises(ConfigError, match=r"garbage\.crt"):
        build_context(TLSConfig(ca_file=str(garbage)))
    with pytest.raises(ConfigError, match=r"ca_file.*missing\.crt"):
        build_context(TLSConfig(ca_file=str(tmp_path / "missing.crt")))


def test_rest_46_data_beats_files(tmp_path: Path) -> None:
    certificate, key = _pair()

    context = build_context(
        TLSConfig(
            ca_file=str(tmp_path / "missing"),
            ca_data=certificate,
            cert_file=str(tmp_path / "missing"),
            cert_data=certificate,
            key_file=str(tmp_path / "missing"),
            key_data=key,
        )
    )

    assert context.cert_store_stats()["x509"] == 1


def test_usr_37_a_ca_without_key_ids_is_accepted() -> None:
    context = build_context(TLSConfig(insecure=True))

    assert not context.verify_flags & getattr(ssl, "VERIFY_X509_STRICT", 0)


def test_usr_38_no_key_stays_on_disk_and_no_descriptor_leaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate, key = _pair()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    for _ in range(100):
        build_context(TLSConfig(cert_data=certificate, key_data=key))

    assert list(tmp_path.iterdir()) == []
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_usr_38_without_memfd_the_file_is_private_and_gone_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = _pair()
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    build_context(TLSConfig(cert_data=certificate, key_data=key))

    assert list(tmp_path.iterdir()) == []


def test_a_certificate_needs_its_key_and_both_must_fit() -> None:
    certificate, _ = _pair()
    _, other = _pair()

    with pytest.raises(ConfigError, match="without its key"):
        build_context(TLSConfig(cert_data=certificate))
    with pytest.raises(ConfigError, match="cert_data"):
        build_context(TLSConfig(cert_data=certificate, key_data=other))


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_a_password() -> None:
    from cryptography.hazmat.primitives import serialization

    certificate, key = _pair()
    loaded = serialization.load_pem_private_key(key, None)
    locked = loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )

    with pytest.raises(ConfigError, match="encrypted"):
        build_context(TLSConfig(cert_data=certificate, key_data=locked))


def test_rest_05_repr_shows_no_key() -> None:
    text = repr(TLSConfig(ca_data=b"CA PEM", cert_data=b"CERT PEM", key_data=b"KEY PEM", server_name="x"))

    assert "PEM" not in text
    assert "REDACTED" in text
    assert "server_name='x'" in text
