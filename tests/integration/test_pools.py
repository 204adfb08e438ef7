"""Who shares which connections, how many there are, and what becomes of them."""

from __future__ import annotations

import gc
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from k8srt.errors import ClientClosed
from k8srt.rest import Config, ImpersonationConfig, RESTClient, TLSConfig
from k8srt.tools import metrics
from k8srt.transport.connections import Interrupt
from tests.integration.proxies import HTTPProxy
from tests.integration.wire import Authority, Exchange, WireServer, event, tls_config

pytestmark = pytest.mark.embedded

pytest.importorskip("cryptography", reason="certificates are made with cryptography")

WATCHES, WORKERS, REQUESTS = 100, 50, 10


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def context(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    return authority.issue("127.0.0.1").server_context(tmp_path)


def answer(exchange: Exchange) -> None:
    exchange.reply()


class Mixed:
    """Answers requests, and watches with one event and then nothing until the client hangs up or `over` is set."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        if "watch" not in exchange.path:
            answer(exchange)
            return
        exchange.stream()
        exchange.chunk(event("p1"))
        self.over.wait(30.0)
        exchange.end()


@contextmanager
def reached(way: str, context: ssl.SSLContext, authority: Authority, respond: Any) -> Iterator[tuple[Any, Any, Config]]:
    """A server, what counts the connections of the client, and a configuration that leads there."""
    secure = way != "plain"
    with WireServer(respond, context if secure else None) as server, HTTPProxy() as proxy:
        config = server.config(tls=tls_config(authority) if secure else TLSConfig())
        if way == "proxy":
            config.proxy_url = proxy.url
        yield server, proxy if way == "proxy" else server, config


@pytest.mark.parametrize("way", ["plain", "tls", "proxy"])
def test_usr_15_long_watches_and_busy_workers_share_a_client(
    way: str, context: ssl.SSLContext, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """100 watches and 50 workers: nobody waits for anybody, nothing is logged, and nothing is opened twice."""
    mixed = Mixed()
    with reached(way, context, authority, mixed) as (server, counted, config), RESTClient(config, "v1") as client:
        with caplog.at_level(logging.INFO):
            watches = [client.get().resource("pods").param("watch", "true").watch() for _ in range(WATCHES)]
            for watch in watches:
                next(watch)
            start, done = threading.Barrier(WORKERS), []

            def work() -> None:
                start.wait(30.0)
                for number in range(REQUESTS):
                    call = client.post().body(b"{}") if number % 3 == 0 else client.get()
                    call.resource("pods").do()
                done.append(1)

            threads = [threading.Thread(target=work, daemon=True) for _ in range(WORKERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30.0)
            mixed.over.set()
            for watch in watches:
                assert list(watch) == []
            client.get().resource("pods").do()

        assert len(done) == WORKERS
        assert len(server.requests) == WATCHES + WORKERS * REQUESTS + 1
        assert counted.connections <= WATCHES + WORKERS
        assert caplog.records == []


def test_rest_48_equal_configs_share_connections(context: ssl.SSLContext, authority: Authority) -> None:
    """Whatever does not concern the connection may differ: tokens, users, user agents, limits."""
    with WireServer(answer, context) as server:
        tls = {"tls": tls_config(authority)}
        configs = [
            server.config(**tls),
            server.config(**tls, bearer_token="one"),
            server.config(**tls, bearer_token="two", user_agent="x"),
            server.config(**tls, username="me", password="x", impersonate=ImpersonationConfig("boss")),
            server.config(**tls, disable_compression=True, timeout=3.0),
        ]
        clients = [RESTClient(config) for config in configs]
        for client in clients:
            client.get().abs_path("/").do()

        assert server.connections == 1
        assert len({id(client.transport.connections) for client in clients}) == 1
        sent = [request.headers.get("authorization", "-") for request in server.requests]
        assert sent == ["-", "Bearer one", "Bearer two", "Basic bWU6eA==", "-"]
        for client in clients:
            client.close()


def test_rest_48_other_trust_other_certificates_and_other_ways_share_nothing(
    context: ssl.SSLContext, authority: Authority
) -> None:
    me = authority.issue(common_name="me")
    with WireServer(answer, context) as server, HTTPProxy() as proxy:
        mine = tls_config(authority, cert_data=me.certificate, key_data=me.key)
        configs = [
            server.config(tls=tls_config(authority)),
            server.config(tls=TLSConfig(insecure=True)),
            server.config(tls=tls_config(authority, server_name="127.0.0.1")),
            server.config(tls=mine),
            server.config(tls=tls_config(authority), proxy_url=proxy.url),
            server.config(tls=tls_config(authority), connect_timeout=7.0),
        ]
        clients = [RESTClient(config) for config in configs]
        for client in clients:
            client.get().abs_path("/").do()

        assert server.connections == len(configs)
        for client in clients:
            client.close()


def test_rest_48_the_last_client_to_close_closes_the_connections() -> None:
    with WireServer(answer) as server:
        first, second = RESTClient(server.config()), RESTClient(server.config())
        first.get().abs_path("/").do()
        first.close()
        first.close()
        with pytest.raises(ClientClosed):
            first.get().abs_path("/").do()

        second.get().abs_path("/").do()
        assert server.connections == 1

        second.close()
        server._threads[0].join(5.0)
        assert not server._threads[0].is_alive()

        with RESTClient(server.config()) as third:
            third.get().abs_path("/").do()
        assert server.connections == 2


def test_rest_48_connections_that_nobody_uses_are_collected() -> None:
    with WireServer(answer) as server:
        client = RESTClient(server.config())
        client.get().abs_path("/").do()

        del client
        gc.collect()

        server._threads[0].join(5.0)
        assert not server._threads[0].is_alive()


def test_a_reply_outlives_its_client_and_its_connection_is_closed_after_it() -> None:
    mixed = Mixed()
    with WireServer(mixed) as server:
        client = RESTClient(server.config(), "v1")
        watch = client.get().resource("pods").param("watch", "true").watch()
        client.close()

        assert next(watch).type == "ADDED"
        mixed.over.set()
        assert list(watch) == []
        server._threads[0].join(5.0)
        assert not server._threads[0].is_alive()


def test_cli_59_the_connections_that_are_shared_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(metrics, "is_set", lambda: True)
    monkeypatch.setattr(metrics, "report", lambda name, *values: told.append((name, values[-1])))

    with WireServer(answer) as server, RESTClient(server.config()) as one, RESTClient(server.config()):
        one.get().abs_path("/").do()

    names = [name for name, _ in told]
    assert names.count("transport_cache") == 1
    assert names.count("resolver_latency") == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_connections_that_the_server_closed_meanwhile_are_noticed_before_use(method: str) -> None:
    """All of them, for any verb, without a retry."""
    count = 20
    gate = threading.Barrier(count + 1)

    def respond(exchange: Exchange) -> None:
        if exchange.path == "/together":
            gate.wait(10.0)
        answer(exchange)

    with WireServer(respond) as server, RESTClient(server.config()) as client:
        threads = [threading.Thread(target=client.get().abs_path("/together").do) for _ in range(count)]
        for thread in threads:
            thread.start()
        gate.wait(10.0)
        for thread in threads:
            thread.join(10.0)
        for sock in list(server._open):
            sock.shutdown(2)
        for thread in server._threads:
            thread.join(5.0)

        for _ in range(count):
            getattr(client, method)().abs_path("/").max_retries(0).do()

        assert server.connections == count + 1


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
def test_usr_38_500_contexts_leave_no_descriptor(context: ssl.SSLContext, authority: Authority) -> None:
    me = authority.issue(common_name="me")
    with WireServer(answer, context) as server:
        before = _descriptors()
        for number in range(500):
            tls = tls_config(authority, cert_data=me.certificate, key_data=me.key + b"\n" * number)
            with RESTClient(server.config(tls=tls)) as client:
                if number % 10 == 0:
                    client.get().abs_path("/").do()
        for thread in server._threads:
            thread.join(5.0)

        assert server.connections == 50
        assert _descriptors() <= before


def _in_a_child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_usr_39_a_child_has_connections_of_its_own_and_waits_for_no_lock(
    context: ssl.SSLContext, authority: Authority
) -> None:
    with WireServer(answer, context) as server, RESTClient(server.config(tls=tls_config(authority))) as client:
        client.get().abs_path("/parent").do()
        mine = client.transport.connections._processes[os.getpid()]
        with mine._lock, mine._contexts._lock:  # as if another thread held them at the moment of the fork
            code = _in_a_child(lambda: (client.get().abs_path("/child").do(), client.close()))
        client.get().abs_path("/parent").do()

        assert code == 0
        assert [request.path for request in server.requests] == ["/parent", "/child", "/parent"]
        assert server.connections == 2


def test_rest_48_clients_that_come_and_go_disturb_no_other() -> None:
    """Made, used and closed by many threads at once, all with the same configuration."""
    failed: list[Exception] = []
    with WireServer(answer) as server:

        def work() -> None:
            try:
                for _ in range(20):
                    with RESTClient(server.config()) as client:
                        client.post().abs_path("/x").body(b"{}").do()
                        client.get().abs_path("/x").max_retries(0).do()
            except Exception as err:  # noqa: BLE001 - whatever it is, it should not be
                failed.append(err)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30.0)

        assert failed == []
        assert len(server.requests) == 320


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the options have other names on this system")
def test_rest_49_usr_01_a_peer_that_is_gone_is_noticed_by_the_system() -> None:
    """Probes after half a minute of silence, and the same minute for what nobody acknowledges."""
    found: dict[str, int] = {}

    def look(sock: socket.socket) -> None:
        found["SO_KEEPALIVE"] = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        for name in ("TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT"):
            found[name] = sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))

    with WireServer(answer) as server, RESTClient(server.config()) as client:
        reply = client.transport.send("GET", "/")
        look(reply._socket)  # type: ignore[arg-type]
        reply.read()

    assert found.pop("SO_KEEPALIVE")
    assert found.pop("TCP_NODELAY")
    assert found == {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}


def test_a_request_has_the_read_timeout_for_being_sent() -> None:
    """Connecting is quick, and may be asked to be; what is sent may be big, and the server slow to take it."""
    body = b"x" * (16 << 20)
    go_on = threading.Event()
    told: list[int] = []

    def serve(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            go_on.wait(10.0)
            got = 0
            while got < len(body):
                got += len(sock.recv(1 << 20))
            told.append(got)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        timer = threading.Timer(0.5, go_on.set)
        timer.start()
        config = Config(host=f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=0.1)
        with RESTClient(config) as client:
            assert client.post().abs_path("/").body(body).do_raw() == b"{}"
        timer.join()
        thread.join(5.0)
    assert told


def test_usr_13_who_ends_a_request_that_is_over_harms_no_other() -> None:
    """The connection that the request had may be in use by somebody else by then."""
    with WireServer(answer) as server, RESTClient(server.config()) as client:
        for _ in range(3):
            interrupt = Interrupt()
            client.transport.send("POST", "/", body=b"{}", interrupt=interrupt).read()
            interrupt.fire()

        assert server.connections == 1
