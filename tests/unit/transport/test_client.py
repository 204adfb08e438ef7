"""What a transport is made of, before anything is sent."""

from __future__ import annotations

import pytest

from k8srt.errors import ConfigError
from k8srt.transport.client import Transport
from k8srt.transport.connections import Pool, Way
from k8srt.transport.pools import Connections, Route
from k8srt.transport.proxy import Proxy
from k8srt.transport.tls import TLSConfig


def route(transport: Transport) -> Route:
    connections = transport.connections
    assert isinstance(connections, Connections)
    return connections._route


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://a.example", "a.example", 80),
        ("https://a.example", "a.example", 443),
        ("https://a_b.Example:6443", "a_b.example", 6443),
        ("https://[::1]:6443", "::1", 6443),
        ("https://[fe80::1%25eth0]:6443", "fe80::1%eth0", 6443),
        ("https://bücher.example", "xn--bcher-kva.example", 443),
    ],
)
def test_where_a_url_leads(url: str, host: str, port: int) -> None:
    found = route(Transport(url))

    assert (found.host, found.port, found.secure) == (host, port, url.startswith("https"))


@pytest.mark.parametrize(
    "url", ["a.example", "ftp://a.example", "http://", "http://a b", "http://a%zz", "http://ü" + "x" * 80]
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="host: "):
        Transport(url)


def test_the_zone_of_an_address_is_for_connecting_and_not_for_the_pool() -> None:
    pool = Pool("fe80::1%eth0", 6443, Way())

    assert pool.host == "fe80::1"
    assert pool._new_conn().host == "fe80::1%eth0"


def test_rest_48_what_concerns_tls_separates_no_plain_connections() -> None:
    plain = [Transport("http://x", tls=TLSConfig(server_name=name), connect_timeout=9.0) for name in ("", "a")]
    secure = [Transport("https://x", tls=TLSConfig(server_name=name), connect_timeout=9.0) for name in ("", "a")]

    assert plain[0].connections is plain[1].connections
    assert secure[0].connections is not secure[1].connections


def test_rest_05_nothing_of_a_transport_shows_a_key_or_a_password() -> None:
    tls = TLSConfig(cert_data=b"CERT", key_data=b"hunter2")
    transport = Transport("https://x", tls=tls, proxy=Proxy("http", "proxy", 3128, "me", "hunter2"))

    shown = f"{transport!r} {transport.connections!r} {vars(transport)!r}"

    assert "hunter2" not in shown
    assert "<Route to https://x:443 through http://me:***@proxy:3128>" in shown


def test_headers_are_checked_when_a_transport_is_made() -> None:
    with pytest.raises(ConfigError, match="User-Agent"):
        Transport("http://x", headers={"User-Agent": "a\nb"})
