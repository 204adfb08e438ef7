"""Proxies over real sockets: CONNECT, absolute form, TLS to the proxy, SOCKS5, and every way in which they fail."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConfigError, HostNotFound, ProxyFailed, TimeoutExpired, TransportError
from k8srt.rest import Config, RESTClient, TLSConfig
from k8srt.util.threads import Stop
from tests.integration.proxies import HTTPProxy, SocksProxy
from tests.integration.wire import Authority, Exchange, WireServer, event, tls_config

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")

NAMES = {"cluster.test": "127.0.0.1"}
"""What the proxies alone can resolve."""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def context(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    return authority.issue("127.0.0.1", "cluster.test").server_context(tmp_path)


def echo(exchange: Exchange) -> None:
    exchange.reply(body={"path": exchange.path, "headers": exchange.headers})


def get(config: Config, path: str = "/version") -> bytes:
    with RESTClient(config) as client:
        return client.get().abs_path(path).max_retries(0).do_raw()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_rest_54_a_tunnel_leads_to_a_tls_server(authority: Authority, context: ssl.SSLContext) -> None:
    with WireServer(echo, context) as server, HTTPProxy(names=NAMES) as proxy:
        config = Config(host=f"https://cluster.test:{server.port}", proxy_url=proxy.url, tls=tls_config(authority))
        with RESTClient(config) as client:
            answers = [client.get().abs_path("/version").do_raw() for _ in range(5)]

        assert proxy.asked == [f"cluster.test:{server.port}"]
        assert server.connections == 1
        assert f'"host": "cluster.test:{server.port}"'.encode() in answers[-1]
        assert not any("version" in line for line in proxy.lines)  # what is asked is for the server only


def test_rest_54_plain_servers_are_asked_for_in_absolute_form() -> None:
    with WireServer(echo) as server, HTTPProxy(user="me", password="hunter2") as proxy:
        with RESTClient(server.config(proxy_url=proxy.url)) as client:
            for _ in range(3):
                answer = client.post().abs_path("/api").param("a", "b").body(b"{}").do_raw()

        assert f"POST http://127.0.0.1:{server.port}/api?a=b HTTP/1.1" in proxy.lines
        assert f'"host": "127.0.0.1:{server.port}"'.encode() in answer
        assert "proxy-authorization" not in server.requests[0].headers
        assert proxy.connections == 1


def test_rest_54_user_and_password_come_from_the_url(authority: Authority, context: ssl.SSLContext) -> None:
    with WireServer(echo, context) as server, HTTPProxy(user="me", password="p@ss/word") as proxy:
        url = f"http://me:p%40ss%2Fword@127.0.0.1:{proxy.port}"

        assert get(server.config(proxy_url=url, tls=tls_config(authority)))
        assert proxy.connections == 1


@pytest.mark.parametrize("secure", [True, False])
def test_rest_54_an_https_proxy_is_spoken_to_over_tls(
    authority: Authority, context: ssl.SSLContext, tmp_path: Path, secure: bool
) -> None:
    """Trusted because the CA of the configuration signed its certificate; the server's own name has no part in it."""
    there = authority.issue("127.0.0.1").server_context(tmp_path)
    tls = tls_config(authority, server_name="cluster.test")

    with WireServer(echo, context if secure else None) as server, HTTPProxy(tls=there) as proxy:
        with RESTClient(server.config(proxy_url=proxy.url, tls=tls)) as client:
            for _ in range(3):
                assert client.get().abs_path("/x").do_raw()
        assert proxy.connections == 1
        assert server.connections == (1 if secure else 3)  # this proxy keeps none open


def test_rest_54_an_https_proxy_is_verified_and_never_sees_the_client_certificate(
    authority: Authority, context: ssl.SSLContext, tmp_path: Path
) -> None:
    me = authority.issue(common_name="me")
    asking = authority.issue("127.0.0.1").server_context(tmp_path, client_ca=authority.certificate)
    asking.verify_mode = ssl.CERT_OPTIONAL
    seen: list[Any] = []

    class Proxy(HTTPProxy):
        def serve(self, sock: Any) -> None:
            seen.append(sock.getpeercert())
            super().serve(sock)

    mine = {"cert_data": me.certificate, "key_data": me.key}
    with WireServer(echo, context) as server, Proxy(tls=asking) as proxy:
        assert get(server.config(proxy_url=proxy.url, tls=tls_config(authority, **mine)))
        with pytest.raises(TransportError, match=r"TLS failure: .*, with the proxy https://127"):
            get(server.config(proxy_url=proxy.url, tls=tls_config(Authority())))

    assert seen == [None]


@pytest.mark.parametrize("secure", [True, False])
def test_rest_54_socks_proxies_resolve_the_name_themselves(
    authority: Authority, context: ssl.SSLContext, secure: bool
) -> None:
    pytest.importorskip("socks")
    tls = tls_config(authority) if secure else TLSConfig()
    with (
        WireServer(echo, context if secure else None) as server,
        SocksProxy(user="me", password="hunter2", names=NAMES) as proxy,
    ):
        host = f"http{'s' if secure else ''}://cluster.test:{server.port}"
        with RESTClient(Config(host=host, proxy_url=proxy.url, tls=tls)) as client:
            for _ in range(3):
                assert client.get().abs_path("/x").do_raw()

        assert proxy.asked == [f"cluster.test:{server.port}"]
        assert proxy.connections == server.connections == 1


@pytest.mark.parametrize("kind", [HTTPProxy, SocksProxy])
def test_rest_54_ipv6_servers_behind_proxies(authority: Authority, tmp_path: Path, kind: Any) -> None:
    if kind is SocksProxy:
        pytest.importorskip("socks")
    context = authority.issue("fd00::1").server_context(tmp_path)

    with WireServer(echo, context) as server, kind(names={"fd00::1": "127.0.0.1"}) as proxy:
        host = f"https://[fd00::1]:{server.port}"
        assert get(Config(host=host, proxy_url=proxy.url, tls=tls_config(authority)))
        assert proxy.asked == [f"fd00::1:{server.port}"]


def test_usr_36_one_rule_for_requests_and_watches(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, context: ssl.SSLContext
) -> None:
    def respond(exchange: Exchange) -> None:
        if "watch" in exchange.path:
            exchange.stream()
            exchange.chunk(event("p1"))
            exchange.wait_for_hang_up()
        else:
            echo(exchange)

    with WireServer(respond, context) as server, HTTPProxy(names=NAMES) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        for no_proxy, expected in (("", 2), (f"cluster.test:{server.port}", 2), ("10.0.0.0/8", 4)):
            monkeypatch.setenv("NO_PROXY", no_proxy)
            config = Config(host=f"https://cluster.test:{server.port}", tls=tls_config(authority))
            with RESTClient(config, "v1") as client:
                if "cluster" in no_proxy:
                    with pytest.raises(HostNotFound, match=r"cluster\.test"):  # only the proxy knows the name
                        client.get().resource("pods").do()
                    continue
                with client.get().resource("pods").param("watch", "true").watch() as watch:
                    assert next(watch).type == "ADDED"
                    client.get().resource("pods").do()
            assert len(proxy.asked) == expected


def test_the_environment_is_read_when_the_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://nonsense")
    with pytest.raises(ConfigError, match="environment variable HTTPS_PROXY: 'ftp://nonsense'"):
        RESTClient(Config(host="https://cluster.test"))
    assert RESTClient(Config(host="https://127.0.0.1"))


def test_rest_54_loopback_needs_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with WireServer(echo) as server:
        assert get(server.config())


FAILURES: dict[str, tuple[Callable[[], Any], type[TransportError], str]] = {
    "wants a password": (lambda: HTTPProxy(user="me", password="x"), ProxyFailed, "407 .*it wants a user"),
    "forbids": (lambda: HTTPProxy(answer="403 Forbidden"), ProxyFailed, "403 Forbidden .*NO_PROXY"),
    "cannot reach": (lambda: HTTPProxy(answer="502 Bad Gateway"), ProxyFailed, "502 Bad Gateway .*cannot reach"),
    "speaks something else": (lambda: HTTPProxy(answer="\r\nSMTP ready"), ProxyFailed, "HTTP/1.1"),
    "is no SOCKS": (lambda: SocksProxy(user="me", password="x"), ProxyFailed, "user and password"),
    "refuses": (lambda: SocksProxy(refuse=2), ProxyFailed, "not allowed"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_proxy_that_fails_is_one_error_that_names_it(
    case: str, authority: Authority, context: ssl.SSLContext
) -> None:
    make, kind, words = FAILURES[case]
    if "SOCKS" in case or case == "refuses":
        pytest.importorskip("socks")
    with make() as proxy, WireServer(echo, context) as server:
        url = f"{proxy.scheme}://127.0.0.1:{proxy.port}" if case != "refuses" else proxy.url
        with pytest.raises(kind, match=words) as caught:
            get(server.config(proxy_url=url, tls=tls_config(authority), connect_timeout=5.0))

    assert f"the proxy {proxy.scheme}://127.0.0.1:{proxy.port}" in str(caught.value)
    assert f"GET {server.url}/version: " in str(caught.value)
    assert not server.requests


def test_a_plain_request_that_the_proxy_refuses_for_want_of_a_password() -> None:
    with (
        WireServer(echo) as server,
        HTTPProxy(user="me", password="hunter2") as proxy,
        pytest.raises(ProxyFailed, match=r"407.*it wants a user") as caught,
    ):
        get(server.config(proxy_url=f"http://me:wrong@127.0.0.1:{proxy.port}"))

    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_is_not_there(scheme: str) -> None:
    if scheme == "socks5":
        pytest.importorskip("socks")
    url = f"{scheme}://127.0.0.1:{free_port()}"

    with pytest.raises(ProxyFailed, match="is it running") as caught:
        get(Config(host="https://cluster.test", proxy_url=url))

    assert url in str(caught.value)


def test_a_proxy_whose_name_nobody_knows() -> None:
    with pytest.raises(HostNotFound, match=r"proxy\.invalid"):
        get(Config(host="https://cluster.test", proxy_url="http://proxy.invalid:3128"))


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_is_silent_is_given_up_and_a_stop_ends_the_wait(scheme: str, pool: Any) -> None:
    if scheme == "socks5":
        pytest.importorskip("socks")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        config = Config(host="https://cluster.test", proxy_url=url, connect_timeout=0.3)
        with pytest.raises(TimeoutExpired, match=rf"{url} did not answer within 0\.3 s"):
            get(config)

        listener.accept()[0].close()
        config.connect_timeout = 60.0
        stop, asked = Stop(), threading.Event()
        running = pool.submit(lambda: (asked.set(), RESTClient(config).get().abs_path("/x").do(stop)))
        assert asked.wait(5.0)
        there, _ = listener.accept()
        there.recv(1)  # it has begun to speak
        stop.set()
        with there, pytest.raises(Exception, match="stopped"):
            running.result(timeout=10.0)


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
def test_a_watch_behind_a_proxy_is_closed_at_once(
    kind: str, authority: Authority, context: ssl.SSLContext, tmp_path: Path, pool: Any
) -> None:
    """Also where TLS with the server runs within TLS with the proxy."""
    if kind == "socks5":
        pytest.importorskip("socks")

    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("p1"))
        exchange.wait_for_hang_up()

    there = authority.issue("127.0.0.1").server_context(tmp_path) if kind == "https" else None
    made = SocksProxy() if kind == "socks5" else HTTPProxy(tls=there)
    with WireServer(respond, context) as server, made as proxy:
        config = server.config(proxy_url=proxy.url, tls=tls_config(authority))
        with RESTClient(config, "v1") as client:
            watch = client.get().resource("pods").param("watch", "true").watch()
            assert next(watch).type == "ADDED"
            blocked = pool.submit(lambda: list(watch))

            watch.close()

            assert blocked.result(timeout=5.0) == []


def test_many_threads_through_an_https_proxy(authority: Authority, context: ssl.SSLContext, tmp_path: Path) -> None:
    body = b'{"kind":"Pod","apiVersion":"v1","status":{"message":"' + b"x" * 300_000 + b'"}}'
    there = authority.issue("127.0.0.1").server_context(tmp_path)
    answers: list[bytes] = []

    with (
        WireServer(lambda exchange: exchange.reply(body=body), context) as server,
        HTTPProxy(tls=there) as proxy,
        RESTClient(server.config(proxy_url=proxy.url, tls=tls_config(authority))) as client,
    ):

        def work() -> None:
            for _ in range(5):
                answers.append(client.post().abs_path("/x").body(body).do_raw())

        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30.0)

        assert answers == [body] * 40
        assert all(request.body == body for request in server.requests)
        assert proxy.connections <= 8
