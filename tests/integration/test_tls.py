"""TLS over real sockets: who is trusted, by which name, and as whom."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from k8srt.errors import TransportError
from k8srt.rest import Config, RESTClient, TLSConfig
from tests.integration.wire import Authority, Exchange, WireServer, tls_config

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def whoami(exchange: Exchange) -> None:
    assert isinstance(exchange.sock, ssl.SSLSocket)
    peer = exchange.sock.getpeercert()
    subject = dict(pair for part in peer["subject"] for pair in part) if peer else {}
    exchange.reply(body={"user": subject.get("commonName", ""), "version": exchange.sock.version()})


@contextmanager
def serving(context: ssl.SSLContext, tls: TLSConfig) -> Iterator[RESTClient]:
    with WireServer(whoami, context) as server, RESTClient(server.config(tls=tls)) as client:
        yield client


@pytest.fixture
def server_context(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    return authority.issue("127.0.0.1", "localhost").server_context(tmp_path)


def test_usr_37_an_address_in_the_certificate_is_verified(authority: Authority, server_context: ssl.SSLContext) -> None:
    with serving(server_context, tls_config(authority)) as client:
        assert b"TLSv1.3" in client.get().abs_path("/").do_raw()


def test_usr_37_ipv6(authority: Authority, tmp_path: Path) -> None:
    import socket

    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    context = authority.issue("::1").server_context(tmp_path)
    server = WireServer(whoami, context)
    server.__exit__()
    try:
        server._listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as err:
        pytest.skip(f"no IPv6 loopback: {err}")
    import threading

    server._accepting = threading.Thread(target=server._accept, daemon=True)
    server._accepting.start()
    with (
        server,
        RESTClient(
            Config(host=f"https://[::1]:{server._listener.getsockname()[1]}", qps=-1, tls=tls_config(authority))
        ) as client,
    ):
        assert client.get().abs_path("/").do_raw()


def test_rest_45_the_ca_may_be_a_file(authority: Authority, server_context: ssl.SSLContext, tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_bytes(authority.certificate)

    with serving(server_context, TLSConfig(ca_file=str(file))) as client:
        assert client.get().abs_path("/").do_raw()


def test_rest_45_server_name_replaces_the_host_in_sni_and_verification(authority: Authority, tmp_path: Path) -> None:
    context = authority.issue("kubernetes.default").server_context(tmp_path)
    asked: list[str | None] = []
    context.sni_callback = lambda sock, name, _: asked.append(name)

    with serving(context, tls_config(authority, server_name="kubernetes.default")) as client:
        assert client.get().abs_path("/").do_raw()

    assert asked == ["kubernetes.default"]


@pytest.mark.parametrize("case", ["unknown authority", "other name", "expired", "system roots", "nobody trusted"])
def test_a_certificate_that_cannot_be_trusted_is_refused(case: str, authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("127.0.0.1", days=-1 if case == "expired" else 1)
    if case == "other name":
        pair = authority.issue("10.0.0.1", "example.com")
    tls = tls_config(authority)
    if case == "unknown authority":
        tls = tls_config(Authority())
    elif case == "system roots":
        tls = TLSConfig()
    elif case == "nobody trusted":
        (tmp_path / "empty").touch()
        tls = TLSConfig(ca_file=str(tmp_path / "empty"))

    with serving(pair.server_context(tmp_path), tls) as client, pytest.raises(TransportError) as caught:
        client.get().abs_path("/version").do()

    words = {"expired": "has expired", "other name": "not valid for '127.0.0.1'"}.get(case, "certificate")
    assert words in str(caught.value)
    assert "TLS failure" in str(caught.value)
    assert client.url + "/version" in str(caught.value)


def test_insecure_accepts_anything_without_a_warning(server_context: ssl.SSLContext) -> None:
    with serving(server_context, TLSConfig(insecure=True)) as client:
        assert client.get().abs_path("/").do_raw()


def test_client_certificates_from_files_and_data(authority: Authority, tmp_path: Path) -> None:
    me = authority.issue(common_name="admin")
    context = authority.issue("127.0.0.1").server_context(tmp_path, client_ca=authority.certificate)
    certificate, key = tmp_path / "me.crt", tmp_path / "me.key"
    certificate.write_bytes(me.certificate)
    key.write_bytes(me.key)

    for mine in (
        {"cert_data": me.certificate, "key_data": me.key},
        {"cert_file": str(certificate), "key_file": str(key)},
        {"cert_data": me.certificate, "key_file": str(key)},
    ):
        with serving(context, tls_config(authority, **mine)) as client:
            assert b'"user": "admin"' in client.get().abs_path("/").do_raw()


def test_a_server_that_wants_a_certificate_and_gets_none_is_one_error(authority: Authority, tmp_path: Path) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path, client_ca=authority.certificate)

    with serving(context, tls_config(authority)) as client, pytest.raises(TransportError):
        client.get().abs_path("/").max_retries(0).do()


def test_plain_http_to_a_tls_port_and_the_reverse_are_one_error(
    authority: Authority, server_context: ssl.SSLContext
) -> None:
    with WireServer(whoami, server_context) as server:
        plain = RESTClient(Config(host=f"http://127.0.0.1:{server.port}", qps=-1))
        with pytest.raises(TransportError):
            plain.get().abs_path("/").max_retries(0).do()
    with WireServer(lambda exchange: exchange.reply()) as server:
        secure = RESTClient(Config(host=f"https://127.0.0.1:{server.port}", qps=-1, tls=tls_config(authority)))
        with pytest.raises(TransportError, match="TLS"):
            secure.get().abs_path("/").max_retries(0).do()


def test_tls_connections_are_used_again(authority: Authority, server_context: ssl.SSLContext) -> None:
    with WireServer(whoami, server_context) as server:
        with RESTClient(server.config(tls=tls_config(authority))) as client:
            for _ in range(10):
                client.get().abs_path("/").do()
        assert server.connections == 1
