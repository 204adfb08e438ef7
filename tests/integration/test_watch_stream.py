"""Watches over real sockets, plain and TLS: events arrive, and a close from another thread ends a blocked read."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.gentype import ResourceClient
from k8srt.rest import Config, End, RESTClient, WatchStream
from tests.integration.wire import Authority, Exchange, WireServer, event, numbered, tls_config

pytestmark = pytest.mark.embedded

BOTH = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


@pytest.fixture(scope="module")
def authority() -> Authority:
    pytest.importorskip("cryptography", reason="certificates are made with cryptography")
    return Authority()


class Watcher:
    """Serves watches as `respond` says, and opens them."""

    def __init__(self, server: WireServer, config: Config) -> None:
        self.server = server
        self.client = RESTClient(config, "v1")

    def watch(self, **more: float) -> WatchStream:
        return self.client.get().resource("pods").param("watch", "true").watch(**more)


@pytest.fixture
def serve(authority: Authority, tmp_path: Path) -> Iterator[object]:
    """Start a server, plain or TLS, and a client of it."""
    started: list[Watcher] = []

    def start(respond: object, secure: bool = False) -> Watcher:
        context = authority.issue("127.0.0.1").server_context(tmp_path) if secure else None
        server = WireServer(respond, context)  # type: ignore[arg-type]
        config = server.config(tls=tls_config(authority)) if secure else server.config()
        started.append(Watcher(server, config))
        return started[-1]

    yield start
    for watcher in started:
        watcher.client.close()
        watcher.server.__exit__()


def trickle(exchange: Exchange) -> None:
    """Two events, and then nothing for as long as the client stays."""
    exchange.stream()
    exchange.chunk(event("a") + event("b"))
    exchange.wait_for_hang_up()


@BOTH
def test_rest_39_a_close_wakes_a_blocked_reader_at_once(serve, pool, secure: bool) -> None:
    stream = serve(trickle, secure).watch()
    assert [record.name for _, record in stream.read_batch()] == ["a", "b"]
    blocked = pool.submit(stream.read_batch)
    time.sleep(0.1)  # let it block; if it has not yet, the close must work all the same
    assert not blocked.done()

    stream.close()

    assert blocked.result(timeout=5.0) == []
    assert stream.ended is End.CLOSED


@BOTH
def test_rest_39_closing_races_with_reading(serve, pool, secure: bool) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        try:
            while True:
                exchange.chunk(event("a"))
        except OSError:
            pass

    watcher = serve(respond, secure)
    for _ in range(10):
        stream = watcher.watch()
        reading = pool.submit(lambda stream=stream: sum(1 for _ in stream))
        time.sleep(0.01)
        stream.close()
        assert reading.result(timeout=5.0) >= 0
        assert stream.ended is not None


@BOTH
def test_rest_40_many_and_big_events_arrive_in_order(serve, secure: bool) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        for line in numbered(500):
            exchange.chunk(line)
        exchange.chunk(event("big", padding=3_000_000))
        whole = event("cut", padding=10_000)
        for at in range(0, len(whole), 997):
            exchange.chunk(whole[at : at + 997])
        exchange.end()

    stream = serve(respond, secure).watch()

    names = [record.name for _, record in stream]

    assert names == [*(f"p{n}" for n in range(500)), "big", "cut"]
    assert stream.ended is End.FINISHED


def test_a_watch_that_ended_as_it_should_gives_its_connection_back(serve) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("a"))
        exchange.end()

    watcher = serve(respond)

    for _ in range(20):
        assert [record.name for _, record in watcher.watch()] == ["a"]

    assert watcher.server.connections == 1


def test_a_watch_without_chunks_works_too(serve) -> None:
    def respond(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + event("a") + event("b"))
        exchange.hang_up()

    stream = serve(respond).watch()

    assert [record.name for _, record in stream] == ["a", "b"]
    assert stream.ended is End.FINISHED


@BOTH
def test_usr_01_a_server_that_falls_silent_is_given_up(serve, secure: bool) -> None:
    stream = serve(trickle, secure).watch(idle_timeout=1.0)
    started = time.monotonic()

    assert [record.name for _, record in stream] == ["a", "b"]

    assert stream.ended is End.IDLE
    assert time.monotonic() - started < 10.0


def test_usr_01_a_server_that_never_answers_is_given_up(serve) -> None:
    watcher = serve(lambda exchange: exchange.wait_for_hang_up())
    request = watcher.client.get().resource("pods").param("watch", "true").max_retries(0)

    stream = request.watch(idle_timeout=0.3)

    assert stream.read_batch() == []


def test_usr_02_cuts_and_resets_are_no_errors(serve) -> None:
    ways = iter([Exchange.hang_up, Exchange.reset, Exchange.end] * 10)

    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("a"))
        next(ways)(exchange)

    watcher = serve(respond)

    # A reset may overtake data that lies in buffers, so what arrived before it is not counted.
    for _ in range(30):
        assert {record.name for _, record in watcher.watch()} <= {"a"}


def test_a_stop_ends_the_opening_of_a_watch(serve, pool) -> None:
    from k8srt.errors import Stopped
    from k8srt.util.threads import Stop

    asked = threading.Event()

    def respond(exchange: Exchange) -> None:
        asked.set()
        exchange.wait_for_hang_up()

    watcher, stop = serve(respond), Stop()
    opening = pool.submit(watcher.client.get().resource("pods").watch, stop)
    assert asked.wait(5.0)

    stop.set()

    with pytest.raises(Stopped):
        opening.result(timeout=5.0)


def test_events_come_as_objects_and_a_context_ends_the_watch(serve) -> None:
    watcher = serve(trickle)
    pods = ResourceClient(watcher.client, Pod)

    with pods.watch(resource_version="0", allow_watch_bookmarks=True) as events:
        first = next(events)

    assert (first.type, first.object.metadata.name) == ("ADDED", "a")
    assert list(events) == []
    (request,) = watcher.server.requests
    assert request.path == "/api/v1/pods?allowWatchBookmarks=true&resourceVersion=0&watch=true"
    assert request.headers["accept-encoding"] == "identity"


def test_a_forgotten_watch_leaves_no_socket_behind(serve) -> None:
    import gc

    gone = threading.Event()

    def respond(exchange: Exchange) -> None:
        exchange.stream()
        exchange.chunk(event("a"))
        exchange.wait_for_hang_up()
        gone.set()

    stream = serve(respond).watch()
    assert next(stream)[1].name == "a"

    del stream
    gc.collect()

    assert gone.wait(5.0)


def test_the_socket_of_a_watch_asks_for_keepalive(serve) -> None:
    stream = serve(trickle).watch()
    sock = stream._reply._socket  # type: ignore[union-attr]

    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    stream.close()
