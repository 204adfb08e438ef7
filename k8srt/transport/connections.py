"""urllib3 connection pools made for many threads and long watches.

A pool here is never full: it hands out an idle connection or opens another, and keeps what comes back. So 100
watches and 50 workers neither wait for each other nor churn connections (USR-15). Idle connections age out.

Nothing of the environment leaks in: no `.netrc`, no cookies, no redirects, and proxies as `proxy` says only.

Contract: REST-49, USR-15, USR-39.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from k8srt.transport.dial import Dial
from k8srt.transport.failures import Failure, NotConnected
from k8srt.transport.head import StrictResponse
from k8srt.transport.proxy import Proxy, bracketed

if TYPE_CHECKING:
    import ssl

IDLE_SECONDS = 90.0
"""A connection unused for longer is closed instead of used: whatever sits in between may have forgotten it."""

_CONNECT_SECONDS = 30.0
_REPLAYABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOST = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


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
            self._drop_stale()
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

    Looking up a name cannot be ended; it has the timeout of the system's resolver, and the request ends right after.
    """

    def __init__(self) -> None:
        self.fired = False
        self._lock = threading.RLock()  # guards _connection; re-entrant for the sake of signal handlers
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
        with self._lock:
            self._connection = connection
        self.check()

    def detach(self) -> None:
        """Say that the request is over: its connection is for others now."""
        with self._lock:
            self._connection = None

    def fire(self) -> None:
        """End the request: a thread blocked in it gets an error at once. From any thread, any number of times."""
        self.fired = True  # before looking at the connection: whoever connects looks here afterwards
        self.check()
        if (wake := self._wake) is not None:
            wake()

    def check(self) -> None:
        with self._lock:
            connection = self._connection
            if self.fired and connection is not None and connection.sock is not None:
                shut_down(connection.sock)


def shut_down(sock: Any) -> None:
    """Wake whoever is blocked in a read or write of `sock`, plain or TLS. From any thread."""
    with contextlib.suppress(OSError):  # not connected any more
        # The plain method also for TLS: SSLSocket.shutdown would pull the TLS object from under the reader.
        socket.socket.shutdown(sock if isinstance(sock, socket.socket) else sock.socket, socket.SHUT_RDWR)


class Way(NamedTuple):
    """How a connection gets to its server: TLS with it, a proxy in between, TLS with that."""

    context: ssl.SSLContext | None = None
    server_name: str = ""
    proxy: Proxy | None = None
    proxy_context: ssl.SSLContext | None = None


class Connection(HTTPConnection):
    """A connection that comes about as `Dial` says, and can be interrupted at any point of its life.

    It remembers the socket under a response: http.client forgets it when the server says `Connection: close`.
    """

    response_class: Any = StrictResponse
    debuglevel = 0  # http.client would print headers, with what is secret in them
    live_socket: Any = None
    sending_timeout: float | None = None
    interrupt: Interrupt | None = None
    way = Way()
    sock: Any

    def connect(self) -> None:
        """Raises NotConnected."""
        way = self.way
        dial = Dial(self._dns_host, self.port, way.proxy, self.timeout or _CONNECT_SECONDS, self._show)
        sock: Any = dial.connect()
        if way.proxy_context is not None and way.proxy is not None:
            sock = dial.secure(sock, way.proxy_context, way.proxy.host, f"the proxy {way.proxy}")
        if way.context is not None:
            if way.proxy is not None and not way.proxy.is_socks:
                dial.tunnel(sock)
            sock = dial.secure(sock, way.context, way.server_name or self.host)
        self._show(sock)

    def _show(self, sock: Any) -> None:
        self.sock = sock
        if self.interrupt is not None and self.interrupt.fired:
            raise NotConnected(Failure.OTHER, "interrupted while connecting")

    def set_debuglevel(self, level: int) -> None:
        """Does nothing: see `debuglevel`."""

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        proxy = self.way.proxy
        if proxy is None or proxy.is_socks or self.way.context is not None:
            super().putrequest(method, url, *args, **kwargs)
            return
        port = "" if self.port == self.default_port else f":{self.port}"
        super().putrequest(method, f"http://{bracketed(self.host)}{port}{url}", *args, **kwargs)
        if proxy.authorization:
            self.putheader("Proxy-Authorization", proxy.authorization)

    def getresponse(self) -> Any:
        self.live_socket = self.sock
        return super().getresponse()


class Pool(HTTPConnectionPool):
    """The connections of one way to one server.

    A request that changes nothing is sent once more when the server had just closed the idle connection. A server may
    close a kept-alive connection at the very moment it is used again. That is no failure of the request, so it is not
    left to the caller's retries; Go's transport does the same.
    """

    QueueCls: Any = IdleConnections
    ConnectionCls: Any = Connection

    def __init__(self, host: str, port: int, way: Way) -> None:
        super().__init__(host.partition("%")[0], port, maxsize=0, block=False, retries=False)
        self.way = way
        self._reached_as = host  # with the zone of an IPv6 address, which urllib3 takes for an escape
        if way.context is not None:
            self.scheme = "https"  # for the log

    def _new_conn(self) -> Any:
        made: Any = super()._new_conn()
        made.way = self.way
        made.host = self._reached_as
        if self.way.context is not None:
            made.default_port = 443  # what the Host header leaves out
        return made

    def _put_conn(self, conn: Any) -> None:
        if conn is not None and conn.interrupt is not None:
            conn.interrupt.detach()
            conn.interrupt = None
        super()._put_conn(conn)

    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:
            conn.connect()
        conn.timeout = conn.sending_timeout  # from here on, it is for the request to pass

    def _make_request(
        self, conn: Any, method: str, url: str, *args: Any, interrupt: Interrupt | None = None, **kwargs: Any
    ) -> Any:
        reused = conn.sock is not None
        conn.interrupt = interrupt
        conn.sending_timeout = kwargs["timeout"].read_timeout
        if interrupt is not None:
            interrupt.attach(conn)
        try:
            return super()._make_request(conn, method, url, *args, **kwargs)
        except _LOST:
            if not reused or method not in _REPLAYABLE or (interrupt is not None and interrupt.fired):
                raise
            conn.close()
            return super()._make_request(conn, method, url, *args, **kwargs)
