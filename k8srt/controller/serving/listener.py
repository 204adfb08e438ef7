"""An HTTP/1.1 server: a listening socket, a thread for each connection, limits, and an end in good order.

`HTTPServer(dispatch)` calls `dispatch(request)` in the thread of the connection. A connection is kept for further
requests, `idle` seconds each; a request line and headers must come within `head` seconds, and TLS be agreed on.
`stop(grace)` takes nothing new, closes what is idle, waits for requests in progress, and cuts what is left then.

Contract: WHS-05, WHS-06.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from k8srt.controller.serving.messages import (
    MAX_BODY,
    DropConnection,
    HTTPRequest,
    HTTPResponse,
    length_of,
    parse_head,
    text,
)
from k8srt.errors import K8srtError
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.http1 import BadMessage, Reader
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

MAX_HEAD = 1 << 20
IDLE = 90.0
HEAD = 32.0
STALLED = 60.0  # seconds without a byte of a body, or of an answer taken, after which a client is given up
MOST_CONNECTIONS = 1000

Dispatch = Callable[[HTTPRequest], HTTPResponse]
NewContext = Callable[[], ssl.SSLContext]


class ListenError(K8srtError):
    """The address cannot be listened on; the message says which, and why."""


class HTTPServer:
    """See the module. Listens from when it is made, serves from `start` to `stop`. Thread-safe.

    `context` gives the TLS context of each new connection; without it is plain HTTP. `limit_of` says how many bytes
    of a body a path takes; of a longer one the request has a byte more. Port 0 picks a free one: see `port`.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        *,
        host: str = "",
        port: int = 0,
        context: NewContext | None = None,
        limit_of: Callable[[str], int] = lambda path: MAX_BODY,
        name: str = "http",
        max_head: int = MAX_HEAD,
        idle: float = IDLE,
        head: float = HEAD,
        max_connections: int = MOST_CONNECTIONS,
        clock: Clock = SYSTEM,
    ) -> None:
        self.dispatch = dispatch
        self.limit_of = limit_of
        self.context = context
        self.name = name
        self.max_head, self.idle, self.head = max_head, idle, head
        self.clock = clock
        self._most = max_connections
        self._stopping = Stop()
        self._cond = threading.Condition()  # guards the set of connections; notified when one has gone
        self._connections: set[_Connection] = set()
        self._acceptor: threading.Thread | None = None
        self._listener = _listen(host, port)
        self.port: int = self._listener.getsockname()[1]

    @property
    def stopping(self) -> bool:
        """Whether nothing new is taken."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Take connections. Returns at once."""
        self._acceptor = spawn(f"{self.name}-accept", self._accept)

    def stop(self, grace: float = 0.0) -> bool:
        """End in good order; waits `grace` seconds for requests in progress, and tells whether that was enough."""
        self._stopping.set()
        _shut(self._listener)
        self._listener.close()
        with self._cond:
            self._cond.notify_all()
            connections = list(self._connections)
        for connection in connections:
            connection.end_when_idle()
        deadline = self.clock.now() + grace
        with self._cond:
            while self._connections and self.clock.now() < deadline:
                self.clock.wait(self._cond, deadline)
            left = list(self._connections)
        for connection in left:
            connection.cut()
        if self._acceptor is not None:
            self._acceptor.join()
        with self._cond:  # a handler that never ends keeps its thread, which is a daemon
            if left:
                log.warning("%s: %d requests did not end within %gs and were cut off", self.name, len(left), grace)
        return not left

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError as err:
                if not self._stopping.is_set():
                    log.warning("%s: no connection can be taken: %s", self.name, err)
                    self.clock.wait_event(self._stopping, 1.0)  # out of file descriptors, most likely
                continue
            self._admit(sock)

    def _admit(self, sock: socket.socket) -> None:
        """Serve a connection; when there are too many already, once one of them has gone."""
        with self._cond:
            while len(self._connections) >= self._most and not self._stopping.is_set():
                self._cond.wait()
            if self._stopping.is_set():
                sock.close()
                return
            connection = _Connection(self, sock)
            self._connections.add(connection)
        try:
            spawn(f"{self.name}-connection", connection.run)
        except RuntimeError as err:  # no more threads
            log.warning("%s: a connection cannot be served: %s", self.name, err)
            sock.close()
            self.forget(connection)

    def forget(self, connection: _Connection) -> None:
        with self._cond:
            self._connections.discard(connection)
            self._cond.notify_all()

    def __repr__(self) -> str:
        return f"<HTTPServer {self.name} on port {self.port}>"


class _Connection:
    """One client's connection, served by a thread of its own until either side ends it."""

    def __init__(self, server: HTTPServer, sock: socket.socket) -> None:
        self._server = server
        self._certificate: Mapping[str, Any] | None = None
        self._lock = threading.Lock()  # guards the two below
        self._sock = sock
        self._busy = False
        self._reader = Reader(sock)  # used by the thread of the connection

    def end_when_idle(self) -> None:
        """Close it unless a request is in progress; one that is has its answer, and then ends it."""
        with self._lock:
            if not self._busy:
                _shut(self._sock)

    def cut(self) -> None:
        with self._lock:
            _shut(self._sock)

    def run(self) -> None:
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._server.context is not None:
                self._secure(self._server.context())
            while self._serve_one():
                pass
        except DropConnection:
            pass
        except (OSError, K8srtError) as err:  # ssl.SSLError is an OSError, too
            log.debug("%s: connection ended: %s", self._server.name, err)
        finally:
            self.cut()
            self._sock.close()
            self._server.forget(self)

    def _secure(self, context: ssl.SSLContext) -> None:
        self._sock.settimeout(self._server.head)
        with self._lock:
            self._sock = secured = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
        self._reader = Reader(secured)
        secured.do_handshake()
        self._certificate = secured.getpeercert() or None

    def _serve_one(self) -> bool:
        """Read a request and answer it. False when the connection is to be closed."""
        try:
            request = self._read_request()
        except BadMessage as err:
            self._send(text(err.code, f"{err.code} {err}"), close=True)
            return False
        if request is None:
            return False
        response = self._server.dispatch(request)
        wanted = [word.strip() for word in request.headers.get("connection", "").lower().split(",")]
        close = self._server.stopping or "close" in wanted
        self._send(response, close=close, bodiless=request.method == "HEAD")
        return not close

    def _send(self, response: HTTPResponse, *, close: bool, bodiless: bool = False) -> None:
        self._sock.settimeout(STALLED)
        self._sock.sendall(response.head(close=close) + (b"" if bodiless else response.body))

    # ---- reading

    def _read_request(self) -> HTTPRequest | None:
        head = self._read_head()
        if head is None:
            return None
        self._sock.settimeout(STALLED)
        request = parse_head(head)
        length = length_of(request)
        if request.headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        limit = self._server.limit_of(request.path)
        reader = self._reader
        body = reader.chunked(limit, self._server.max_head) if length is None else reader.body(length, limit)
        return replace(request, body=body, certificate=self._certificate)

    def _read_head(self) -> bytes | None:
        """What stands before the empty line; None if the client has gone, or waits too long to say anything."""
        server, reader = self._server, self._reader
        self._set_busy(bool(reader.buffer))
        if not reader.buffer:
            if server.stopping:
                return None
            self._sock.settimeout(server.idle)
            if not reader.fill():
                return None
            self._set_busy(True)
        deadline = server.clock.now() + server.head

        def hurry() -> None:
            self._sock.settimeout(max(deadline - server.clock.now(), 0.001))

        return reader.until(b"\r\n\r\n", server.max_head, hurry)

    def _set_busy(self, busy: bool) -> None:
        with self._lock:
            self._busy = busy


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; on all addresses, of both families where there are two, without a host."""
    both = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both or ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512, dualstack_ipv6=both)
    except (OSError, OverflowError) as err:
        raise ListenError(f"{host or '*'}:{port} cannot be listened on: {err}") from err


def _shut(sock: socket.socket) -> None:
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not that of ssl, which pulls the rug from under a reader
    except OSError:
        pass
