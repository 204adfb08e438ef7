"""The HTTP/1.1 server: a listening socket, a thread for each connection, and an end to all of it.

`HTTPServer(handle)` calls `handle(request)` in the connection's thread. Stopping shuts every socket down, which
wakes whoever reads or writes, and joins every thread. A connection that streams is watched for its client's
leaving, so that a quiet watch does not keep its thread for ever.
"""

from __future__ import annotations

import itertools
import logging
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from k8srt.testing.apiserver.messages import Hangup, Request, Response, parse_head
from k8srt.util.http1 import BadMessage, Reader, length_of

log = logging.getLogger(__name__)

MAX_HEAD = 1 << 17
MAX_BODY = 3 << 20
STALLED = 30.0  # seconds after which a client that does not read is given up

Handler = Callable[[Request], Response]


class HTTPServer:
    """Listens on `address`:`port` (0 picks a free one) from `start` to `stop`. Thread-safe."""

    def __init__(
        self,
        handle: Handler,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        max_body: int = MAX_BODY,
    ) -> None:
        self.handle = handle
        self.max_body = max_body
        self.tls = tls
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # guards the set of connections and the flag
        self._connections: set[_Connection] = set()
        self._stopping = False
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family, backlog=512)
        self.address: str = address
        self.port: int = self._listener.getsockname()[1]
        self.hangups = HangupMonitor()
        self._acceptor = threading.Thread(target=self._accept, name=f"k8srt-apiserver-accept-{self.port}", daemon=True)

    def start(self) -> None:
        self.hangups.start()
        self._acceptor.start()

    def stop(self) -> None:
        """End every connection and wait for every thread. Twice is fine."""
        with self._lock:
            first, self._stopping = not self._stopping, True
            connections = list(self._connections)
        if first:
            _shut(self._listener)
            self._listener.close()
        for connection in connections:
            connection.shut()
        if self._acceptor.ident is not None:
            self._acceptor.join()
        for connection in connections:
            connection.thread.join()
        self.hangups.stop()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                if self._stopping:
                    return
                continue
            connection = _Connection(self, sock, next(self._numbers))
            with self._lock:
                if self._stopping:
                    sock.close()
                    return
                self._connections.add(connection)
                connection.thread.start()

    def forget(self, connection: _Connection) -> None:
        with self._lock:
            self._connections.discard(connection)


class _Connection:
    """One client's connection, served by a thread of its own until either side ends it."""

    def __init__(self, server: HTTPServer, sock: socket.socket, number: int) -> None:
        self._server = server
        self._sock = sock
        self._reader = Reader(sock)
        self._certificate: object = None
        self.thread = threading.Thread(
            target=self._run, name=f"k8srt-apiserver-conn-{server.port}-{number}", daemon=True
        )

    def shut(self) -> None:
        _shut(self._sock)

    def _run(self) -> None:
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._server.tls is not None:
                secured = self._server.tls.wrap_socket(self._sock, server_side=True)
                self._sock, self._certificate = secured, secured.getpeercert()
                self._reader = Reader(secured)
            while self._serve_one():
                pass
        except Hangup:
            self._cut()
        except (OSError, ssl.SSLError) as err:
            log.debug("connection ended: %s", err)
        except Exception:
            log.exception("a request could not be served")
        finally:
            _shut(self._sock)
            self._sock.close()
            self._server.forget(self)

    def _cut(self) -> None:
        """Close the connection so that the other side sees a reset, and not an end."""
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self._sock.close()

    def _serve_one(self) -> bool:
        """Read a request and answer it. False when the connection is to be closed."""
        try:
            request = self._read_request()
        except BadMessage as err:
            body = f"{err.code} {err}".encode()
            self._sock.sendall(Response(err.code, body, "text/plain; charset=utf-8").head(close=True) + body)
            return False
        if request is None:
            return False
        request.certificate = self._certificate
        response = self._server.handle(request)
        close = request.wants_close
        if response.stream is not None:
            return self._stream(response, close)
        body = b"" if request.method == "HEAD" else response.body
        self._sock.sendall(response.head(close=close) + body)
        return not close

    def _stream(self, response: Response, close: bool) -> bool:
        stream = response.stream
        assert stream is not None
        self._sock.settimeout(STALLED)
        sink = _ChunkedSink(self._sock, self._server.hangups)
        try:
            self._sock.sendall(response.head(close=close))
            sink.on_hangup(stream.close)
            for piece in stream.pieces():
                sink.write(piece)
        except OSError:  # a Hangup is one
            sink.abandon()
            raise
        finally:
            stream.close()
            sink.end()
        self._sock.settimeout(None)
        return not close

    def _read_request(self) -> Request | None:
        head = self._reader.until(b"\r\n\r\n", MAX_HEAD)
        if head is None:
            return None
        request = parse_head(head)
        if request.header("expect").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = length_of(request.header("transfer-encoding"), request.header("content-length"))
        if length is None:
            request.body = self._reader.chunked(self._server.max_body, MAX_HEAD)
        elif length:
            request.body = self._reader.body(length, self._server.max_body)
        return request


class _ChunkedSink:
    """Writes a body in chunks, and tells when the client hangs up."""

    def __init__(self, sock: socket.socket, monitor: HangupMonitor) -> None:
        self._sock = sock
        self._monitor = monitor
        self._broken = False

    def write(self, data: bytes) -> None:
        try:
            self._sock.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            self._broken = True
            raise

    def abandon(self) -> None:
        """Leave the body without its end."""
        self._broken = True

    def on_hangup(self, callback: Callable[[], None]) -> None:
        self._monitor.add(self._sock, callback)

    def end(self) -> None:
        self._monitor.remove(self._sock)
        if not self._broken:
            self._sock.sendall(b"0\r\n\r\n")


class HangupMonitor:
    """Tells, from one thread for all connections, when the client of a streaming connection has gone.

    A client sends nothing while it watches; whatever can be read is its goodbye.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the selector's map and the flag
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="k8srt-apiserver-hangups", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, sock: socket.socket, callback: Callable[[], None]) -> None:
        with self._lock:
            if not self._stopping:
                self._selector.register(sock, selectors.EVENT_READ, callback)

    def remove(self, sock: socket.socket) -> None:
        with self._lock:
            if self._stopping or sock.fileno() < 0:
                return
            try:
                self._selector.unregister(sock)
            except KeyError:
                pass

    def _run(self) -> None:
        while True:
            ready = self._selector.select()
            callbacks = []
            with self._lock:
                if self._stopping:
                    return
                for key, _ in ready:
                    if key.data is not None and self._registered_locked(key):
                        self._selector.unregister(key.fd)
                        callbacks.append(key.data)
            for callback in callbacks:
                callback()

    def _registered_locked(self, key: selectors.SelectorKey) -> bool:
        # By number: a socket that was removed and closed since the selection has none any more.
        return self._selector.get_map().get(key.fd) is key

    def stop(self) -> None:
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
        self._wake.send(b"x")
        if self._thread.ident is not None:
            self._thread.join()
        self._selector.close()
        self._wake.close()
        self._woken.close()


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
