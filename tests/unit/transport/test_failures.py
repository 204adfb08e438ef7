"""Which failure an exception is, and how it is told."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest
import urllib3.exceptions as u3

from k8srt.errors import ConnectionRefused, TimeoutExpired, TransportError
from k8srt.transport.failures import Failure, failure_of, is_connection_lost, is_timeout, transport_error

POOL: u3.HTTPError = u3.HTTPError()


def _caused(err: Exception, cause: Exception) -> Exception:
    err.__cause__ = cause
    return err


@pytest.mark.parametrize(
    ("err", "failure"),
    [
        (_caused(u3.HTTPError("x"), ConnectionRefusedError()), Failure.REFUSED),
        (u3.ProtocolError("aborted", http.client.RemoteDisconnected("x")), Failure.EOF),
        (u3.ProtocolError("broken", http.client.IncompleteRead(b"")), Failure.EOF),
        (u3.ProtocolError("aborted", ConnectionResetError()), Failure.RESET),
        (TimeoutError("read"), Failure.TIMEOUT),
        (u3.SSLError(ssl.SSLCertVerificationError("bad")), Failure.TLS),
        (ssl.SSLError("bad"), Failure.TLS),
        (socket.gaierror("no such host"), Failure.RESOLVE),
        (http.client.BadStatusLine("x"), Failure.PROTOCOL),
        (OSError("something"), Failure.OTHER),
        (None, Failure.OTHER),
    ],
)
def test_every_failure_has_a_kind(err: Exception | None, failure: Failure) -> None:
    assert failure_of(err) is failure


def test_rest_23_what_counts_as_lost_and_as_timeout() -> None:
    assert is_connection_lost(ConnectionResetError())
    assert not is_connection_lost(ConnectionRefusedError())
    assert is_timeout(TimeoutExpired("x"))


def test_the_error_names_the_request_and_keeps_its_kind() -> None:
    refused = transport_error(ConnectionRefusedError(), "GET", "http://x/y")
    silent = transport_error(TimeoutError(), "GET", "http://x/y")

    assert isinstance(refused, ConnectionRefused)
    assert isinstance(silent, TimeoutExpired)
    assert str(refused) == "GET http://x/y: connection refused"
    assert refused.url == "http://x/y"
    assert type(transport_error(OSError("odd"), "GET", "u")) is TransportError
