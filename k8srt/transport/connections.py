"""urllib3 connection pools made for many threads and long watches.

A pool here is never full: it hands out an idle connection or opens another, and keeps what comes back. So 100
watches and 50 workers neither wait for each other nor churn connections (USR-15). Idle connections age out.

Nothing of the environment leaks in: no proxies, no `.netrc`, no cookies, no redirects.

Contract: REST-49, USR-15, USR-39.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from k8srt.transport.head import StrictResponse

if TYPE_CHECKING:
    import ssl

IDLE_SECONDS = 90.0
"""A connection unused for longer is closed instead of used: whatever sits in between may have forgotten it."""

_REPLAYABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOST = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


def socket_options() -> list[tuple[int, int, int]]:
    """No delay for small requests; probes after 30 s of silence, so that a dead peer is noticed in about a minute."""
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if (option := getattr(socket, name, None)) is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options


class IdleConnections:
    """The idle connections of one pool, newest first; stands in for the queue urllib3 would use.

    It has no lock: `deque` promises that its ends can be used by threads freely, and a lock held by another
    thread at the moment of a fork would never be released in the child.
    """

    def __init__(self, maxsize: int = 0, *, now: Callable[[], float] = time.monotonic) -> None:
        self._idle: deque[tuple[float, Any]] = deque()
        self._now = now

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Return the connection used last. Raises `queue.Empty` when there is none: urllib3 then opens one."""
        self._drop_stale()
        try:
            return self._idle.pop()[1]
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: Any, block: bool = True, timeout: float | None = None) -> None:
        if connection is not None:  # urllib3 fills a queue with None, to count; this one does not count
            self._idle.append((self._now(), connection))

    def qsize(self) -> int:
        return len(self._idle)

    def _drop_stale(self) -> None:
        oldest_allowed = self._now() - IDLE_SECONDS
        while True:
            try:
                if self._idle[0][0] >= oldest_allowed:
                    return
                entry = self._idle.popleft()
            except IndexError:  # empty, or another thread took the last one
                return
            if entry[0] >= oldest_allowed:  # another thread took the stale one between looking and taking
                self._idle.appendleft(entry)
                return
            entry[1].close()


class Interrupt:
    """Ends one request from another thread, at whatever point it is.

    Looking up a name and connecting cannot be ended; they have a timeout, and the request ends right after.
    """

    def __init__(self) -> None:
        self.fired = False
        self._connection: Any = None
        self._wake: Callable[[], object] | None = None

    @contextlib.contextmanager
    def heard_by(self, wake: Callable[[], object]) -> Iterator[None]:
        """While inside, `wake` is called when this is fired, at once if it was before. By the thread that sends.

        `wake` runs in the thread that fires, perhaps twice; it must not block.
        """
        self._wake = wake
        try:
            if self.fired:
                wake()
            yield
        finally:
            self._wake = None

    def attach(self, connection: Any) -> None:
        """Say which connection the request uses. By the thread that sends it."""
        self._connection = connection
        self.check()

    def fire(self) -> None:
        """End the request: a thread blocked in it gets an error at once. From any thread, any number of times."""
        self.fired = True  # before looking at the connection: whoever connects looks here afterwards
        self.check()
        if (wake := self._wake) is not None:
            wake()

    def check(self) -> None:
        connection = self._connection
        if self.fired and connection is not None and connection.sock is not None:
            shut_down(connection.sock)


def shut_down(sock: socket.socket) -> None:
    """Wake whoever is blocked in a read or write of `sock`, plain or TLS. From any thread."""
    with contextlib.suppress(OSError):  # not connected any more
        # The plain method also for TLS: SSLSocket.shutdown would pull the TLS object from under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _ConnectionMixin:
    """Remembers the socket under a response: http.client forgets it when the server says `Connection: close`."""

    response_class: Any = StrictResponse
    live_socket: socket.socket | None = None
    interrupt: Interrupt | None = None
    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        if self.interrupt is not None:
            self.interrupt.check()

    def getresponse(self) -> Any:
        self.live_socket = self.sock
        return super().getresponse()  # type: ignore[misc]


class PlainConnection(_ConnectionMixin, HTTPConnection):
    pass


class TLSConnection(_ConnectionMixin, HTTPSConnection):
    pass


class _PoolMixin:
    """Sends a request that changes nothing once more when the server had just closed the idle connection.

    A server may close a kept-alive connection at the very moment it is used again. That is no failure of the
    request, so it is not left to the caller's retries; Go's transport does the same.
    """

    QueueCls: Any = IdleConnections

    def _make_request(
        self, conn: Any, method: str, url: str, *args: Any, interrupt: Interrupt | None = None, **kwargs: Any
    ) -> Any:
        reused = conn.sock is not None
        conn.interrupt = interrupt
        if interrupt is not None:
            interrupt.attach(conn)
        try:
            return super()._make_request(conn, method, url, *args, **kwargs)  # type: ignore[misc]
        except _LOST:
            if not reused or method not in _REPLAYABLE or (interrupt is not None and interrupt.fired):
                raise
            conn.close()
            return super()._make_request(conn, method, url, *args, **kwargs)  # type: ignore[misc]


class PlainPool(_PoolMixin, HTTPConnectionPool):
    ConnectionCls = PlainConnection


class TLSPool(_PoolMixin, HTTPSConnectionPool):
    ConnectionCls = TLSConnection

    def _validate_conn(self, conn: Any) -> None:
        # As upstream, without the warning for an unverified connection: `insecure` was asked for.
        if conn.is_closed:
            conn.connect()


def make_pool(
    host: str, port: int | None, *, context: ssl.SSLContext | None, server_name: str = ""
) -> HTTPConnectionPool:
    """Return a pool for one host; `context` None means plain HTTP. Opens no connection yet."""
    options: dict[str, Any] = {"maxsize": 0, "block": False, "retries": False, "socket_options": socket_options()}
    if context is None:
        return PlainPool(host, port, **options)
    if server_name:
        options["server_hostname"] = server_name
    return TLSPool(host, port, ssl_context=context, **options)
