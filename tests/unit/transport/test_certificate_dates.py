from __future__ import annotations

import pytest

from k8srt.transport.certificate_dates import validity
from tests.integration.wire import Authority


@pytest.mark.parametrize("days", [1, 40 * 365])  # the second needs four digits for its year
def test_the_dates_of_a_certificate_are_those_that_were_signed(days: int) -> None:
    from cryptography import x509

    pem = Authority().issue("a.example", days=days).certificate
    expected = x509.load_pem_x509_certificate(pem)

    found = validity(b"some text before\n" + pem + pem)

    assert found == (expected.not_valid_before_utc, expected.not_valid_after_utc)


@pytest.mark.parametrize("pem", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff"])
def test_what_is_no_certificate_has_none(pem: bytes) -> None:
    assert validity(pem) is None


def test_a_certificate_that_is_cut_short_has_none() -> None:
    import ssl

    der = ssl.PEM_cert_to_DER_cert(Authority().certificate.decode())

    for length in range(1, len(der)):
        validity(ssl.DER_cert_to_PEM_cert(der[:length]).encode())  # never raises
    assert validity(ssl.DER_cert_to_PEM_cert(der[: len(der) // 2]).encode()) is None
