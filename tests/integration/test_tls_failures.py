"""Connections that do not come about: each is one error, in time, that says what to do."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ConnectionRefused, HostNotFound, Stopped, TimeoutExpired, TLSFailed, TransportError
from k8srt.rest import Config, RESTClient, TLSConfig
from k8srt.util.threads import Stop
from tests.integration.wire import Authority, WireServer, tls_config

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def get(config: Config) -> bytes:
    with RESTClient(config) as client:
        return client.get().abs_path("/version").max_retries(0).do_raw()


def answer(exchange: Any) -> None:
    exchange.reply()


@pytest.mark.parametrize(
    ("case", "words", "advice"),
    [
        ("expired", "has expired", "needs a new certificate"),
        ("other name", "not valid for '127.0.0.1'", "tls-server-name"),
        ("name of the subject only", "not valid for '127.0.0.1'", "tls-server-name"),
        ("unknown authority", "certificate", "give the authority that signed"),
    ],
)
def test_rest_45_a_server_that_is_not_trusted(
    case: str, words: str, advice: str, authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("127.0.0.1", days=-1 if case == "expired" else 1)
    if case == "other name":
        pair = authority.issue("10.0.0.1", "example.com")
    elif case == "name of the subject only":
        pair = authority.issue(common_name="127.0.0.1")
    trusted = Authority() if case == "unknown authority" else authority

    with WireServer(answer, pair.server_context(tmp_path)) as server, pytest.raises(TLSFailed) as caught:
        get(server.config(tls=tls_config(trusted)))

    assert words in str(caught.value)
    assert advice in str(caught.value)
    assert f"GET {server.url}/version: TLS failure" in str(caught.value)
    assert isinstance(caught.value, TransportError)
    assert caught.value.__cause__ is not None


def test_rest_45_older_than_tls_1_2_is_refused(authority: Authority, tmp_path: Path) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")

    with WireServer(answer, context) as server, pytest.raises(TLSFailed, match=r"TLS 1\.2 is the oldest"):
        get(server.config(tls=tls_config(authority)))


@pytest.mark.parametrize("case", ["none", "of somebody else"])
def test_a_server_that_does_not_take_the_client_s_certificate(case: str, authority: Authority, tmp_path: Path) -> None:
    context = authority.issue("127.0.0.1").server_context(tmp_path, client_ca=authority.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # later ones tell it with the first answer, or by a reset
    other = Authority().issue(common_name="me")
    mine = {} if case == "none" else {"cert_data": other.certificate, "key_data": other.key}

    with WireServer(answer, context) as server, pytest.raises(TLSFailed, match="does not take the client certificate"):
        get(server.config(tls=tls_config(authority, **mine)))


def test_tls_to_a_server_that_speaks_plain_http() -> None:
    def begin(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with accepting(begin) as port, pytest.raises(TLSFailed, match="http://"):
        get(Config(host=f"https://127.0.0.1:{port}"))


class accepting:
    """Within the context, a port where each connection is given to a function, in a thread."""

    def __init__(self, serve: Any) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> int:
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5.0)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _one(self, sock: socket.socket) -> None:
        with sock:
            try:
                self._serve(sock)
            except OSError:
                return
            self._over.wait(10.0)


def test_rest_49_a_handshake_that_is_not_answered_is_given_up() -> None:
    with accepting(lambda sock: None) as port, pytest.raises(TimeoutExpired) as caught:
        get(Config(host=f"https://127.0.0.1:{port}", connect_timeout=0.3))

    assert f"timed out in the TLS handshake: 127.0.0.1:{port} did not answer within 0.3 s" in str(caught.value)


def test_rest_49_a_handshake_that_trickles_is_given_up() -> None:
    def trickle(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")  # the beginning of a long greeting
        while True:
            sock.sendall(b"\x03")
            time.sleep(0.02)

    started = time.monotonic()
    with accepting(trickle) as port, pytest.raises(TimeoutExpired, match="TLS handshake"):
        get(Config(host=f"https://127.0.0.1:{port}", connect_timeout=0.4))
    assert time.monotonic() - started < 30.0


def test_a_stop_ends_a_handshake(pool: Any) -> None:
    greeted, stop = threading.Event(), Stop()

    def listen(sock: socket.socket) -> None:
        sock.recv(1)
        greeted.set()

    with accepting(listen) as port, RESTClient(Config(host=f"https://127.0.0.1:{port}")) as client:
        running = pool.submit(client.get().abs_path("/").do, stop)
        assert greeted.wait(5.0)

        stop.set()

        with pytest.raises(Stopped):
            running.result(timeout=5.0)


@pytest.fixture
def full() -> Iterator[int]:
    """A port that takes no connection, and does not say so either."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
            waiting.append(sock)
        yield listener.getsockname()[1]
        for sock in waiting:
            sock.close()


def test_rest_49_a_server_that_takes_no_connection_is_given_up(full: int) -> None:
    with pytest.raises(TimeoutExpired, match=rf"while connecting: 127\.0\.0\.1:{full} did not answer within 0\.3 s"):
        get(Config(host=f"http://127.0.0.1:{full}", connect_timeout=0.3))


def test_a_stop_ends_the_wait_for_a_connection(full: int, pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connecting, stop = threading.Event(), Stop()

    class Socket(socket.socket):
        def connect(self, address: Any) -> None:
            connecting.set()
            super().connect(address)

    monkeypatch.setattr("k8srt.transport.dial.socket.socket", Socket)
    client = RESTClient(Config(host=f"http://127.0.0.1:{full}", connect_timeout=60.0))
    running = pool.submit(client.get().abs_path("/").do, stop)
    assert connecting.wait(5.0)
    time.sleep(0.1)  # let it block; where it has not yet, it is told after the attempt

    stop.set()

    with pytest.raises(Stopped):
        running.result(timeout=20.0)


def test_each_address_of_a_name_gets_its_share_of_the_time(full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(answer) as server:
        addresses = [("127.0.0.1", 1), ("127.0.0.1", full), ("127.0.0.1", server.port)]
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses],
        )
        assert get(Config(host="http://cluster.test", connect_timeout=4.2))
        assert server.requests[0].headers["host"] == "cluster.test"


def test_the_last_address_says_why_a_name_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)

    with pytest.raises(ConnectionRefused, match=r"refused by cluster\.test:80 \(is the server running"):
        get(Config(host="http://cluster.test"))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example", "a..b"])
def test_a_name_that_nobody_knows(host: str) -> None:
    with pytest.raises(HostNotFound, match="is the address right") as caught:
        get(Config(host=f"https://{host}"))

    assert f"the host name cannot be resolved: {host}" in str(caught.value)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ConnectionRefused, match=rf"refused by 127\.0\.0\.1:{port} \(is the server running"):
        get(Config(host=f"https://127.0.0.1:{port}", tls=TLSConfig(insecure=True)))


def test_usr_37_ipv6_loopback_with_a_name_and_an_address(authority: Authority, tmp_path: Path) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as err:
        pytest.skip(f"no IPv6 loopback: {err}")
    context = authority.issue("::1").server_context(tmp_path)

    def serve() -> None:
        for _ in range(2):
            with context.wrap_socket(listener.accept()[0], server_side=True) as sock:
                asked.append(sock.recv(65536))
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    asked: list[bytes] = []
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    with listener:
        for host in (f"[::1]:{port}", f"[0:0:0:0:0:0:0:1]:{port}"):
            assert get(Config(host=f"https://{host}", tls=tls_config(authority))) == b"{}"
        thread.join(5.0)
    assert f"Host: [::1]:{port}".encode() in asked[0]
