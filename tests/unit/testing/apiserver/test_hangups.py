"""The thread of the embedded server that sees clients go."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

from k8srt.testing.apiserver.http import HangupMonitor, HTTPServer
from k8srt.testing.apiserver.messages import Request, Response


def test_a_connection_that_ends_while_its_hangup_is_noticed_is_no_error():
    monitor = HangupMonitor()
    ours, theirs = socket.socketpair()
    monitor.add(ours, lambda: None)
    theirs.close()
    [(key, _)] = monitor._selector.select(timeout=5.0)

    monitor.remove(ours)
    ours.close()

    assert not monitor._registered_locked(key)
    monitor.stop()


def test_a_client_that_goes_is_told_of_once():
    monitor, gone = HangupMonitor(), threading.Semaphore(0)
    ours, theirs = socket.socketpair()
    with ours:
        monitor.start()
        monitor.add(ours, gone.release)
        theirs.close()

        assert gone.acquire(timeout=5.0)
        monitor.stop()


class Endless:
    """A stream that says nothing until it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def pieces(self) -> Iterator[bytes]:
        self.closed.wait(10.0)
        yield b""

    def close(self) -> None:
        self.closed.set()


def test_a_stream_is_closed_though_its_client_went_before_it_began():
    stream, asked, gone = Endless(), threading.Event(), threading.Event()

    def handle(request: Request) -> Response:
        asked.set()
        assert gone.wait(10.0)
        return Response(200, stream=stream)

    server = HTTPServer(handle)
    server.start()
    client = socket.create_connection(("127.0.0.1", server.port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked.wait(10.0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # a reset
    gone.set()

    assert stream.closed.wait(10.0)
    server.stop()
