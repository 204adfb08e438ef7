"""Small HTTP servers that a manager runs: metrics, health, debugging, and those of users.

    server = HTTPServer("hello", ":8080")
    server.handle("/hello", lambda request: text(200, "hello"))
    mgr.add(server)                             # serves whether this process leads or not
    mgr.add(HTTPServer("admin", ":8081", only_when_leader=True))

An address is `host:port` or `:port` for all addresses of this machine; port 0 picks a free one, see `url`. "" and "0"
mean that nothing is served. A path that ends in a slash is for everything below it.

Contract: MGR-01, MGR-02, MSV-01, MSV-02, MSV-05, HLZ-01.
"""

from __future__ import annotations

import logging
import ssl
import threading
import weakref
from collections.abc import Callable

from k8srt.controller.serving.listener import HTTPServer as Listener
from k8srt.controller.serving.messages import FunctionHandler, HTTPHandler, HTTPRequest, HTTPResponse, text
from k8srt.errors import AlreadyStarted, ConfigError, K8srtError
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch

log = logging.getLogger(__name__)

GRACE = 60.0
OFF = ("", "0")

Handle = Callable[[HTTPRequest], HTTPResponse]
Guard = Callable[[HTTPRequest], HTTPResponse | None]
"""Looks at a request before its handler does: an answer refuses it."""


class PathTaken(K8srtError, ValueError):
    """Something is served under the path already."""


def parse_address(what: str, address: str) -> tuple[str, int]:
    """The host and port of `host:port`, `[v6]:port` or `:port`. Raises ConfigError naming `what` has it."""
    host, colon, port = address.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ConfigError(f'{what}: {address!r} is no address; write "host:port", ":port", or "" for none')
    return host.removeprefix("[").removesuffix("]"), int(port)


class HTTPServer:
    """See the module. A runnable. Thread-safe.

    With `context`, which gives the TLS context of each connection, it is HTTPS. `guard` may refuse requests. At the end
    `grace` seconds are left to requests in progress.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        only_when_leader: bool = False,
        context: Callable[[], ssl.SSLContext] | None = None,
        guard: Guard | None = None,
        grace: float = GRACE,
        clock: Clock = SYSTEM,
    ) -> None:
        """Raises ConfigError for what is no address. Opens nothing: see `bind`."""
        self.name = name
        self.need_leader_election = only_when_leader
        self.ready = Latch()
        self.disabled = address in OFF
        self._host, self._port = ("", 0) if self.disabled else parse_address(f"the address of {name}", address)
        self._context = context
        self._guard = guard
        self._grace = grace
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._handlers: dict[str, HTTPHandler] = {}
        self._listener: Listener | None = None
        self._close: weakref.finalize | None = None  # type: ignore[type-arg]
        self._started = False

    # ---- what is served -------------------------------------------------------------------------------------------

    def handle(self, path: str, handler: HTTPHandler | Handle) -> None:
        """Serve something under a path. Raises PathTaken the second time, ValueError for what is no path."""
        if not path.startswith("/"):
            raise ValueError(f"{path!r}: a path begins with a slash")
        served = handler if hasattr(handler, "handle") else FunctionHandler(handler)
        with self._lock:
            if path in self._handlers:
                raise PathTaken(f"{self.name}: {path} is served already, by {self._handlers[path]!r}")
            self._handlers[path] = served

    @property
    def paths(self) -> list[str]:
        """The paths served."""
        with self._lock:
            return list(self._handlers)

    @property
    def url(self) -> str:
        """Where it listens, seen from this machine; empty while it does not."""
        with self._lock:
            if self._listener is None:
                return ""
            host = "127.0.0.1" if self._host in ("", "0.0.0.0", "::") else self._host
            scheme = "http" if self._context is None else "https"
            return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._listener.port}"

    def bind(self) -> None:
        """Listen, so that a start will not fail over the address. Again is fine. Raises ListenError."""
        with self._lock:
            if self._listener is not None or self.disabled:
                return
            listener = Listener(
                _weakly(self._dispatch),
                host=self._host,
                port=self._port,
                context=self._context,
                limit_of=lambda path: 1 << 20,
                name=self.name,
                clock=self._clock,
            )
            self._listener = listener
            self._close = weakref.finalize(self, listener.stop)  # for one that is never started, nor closed
            self._close.atexit = False

    def close(self) -> None:
        """Listen no longer. Requests in progress are cut off. Again is fine."""
        with self._lock:
            listener, self._listener = self._listener, None
            close, self._close = self._close, None
        if close is not None:
            close.detach()
        if listener is not None:
            listener.stop()

    # ---- life -----------------------------------------------------------------------------------------------------

    def start(self, stop: threading.Event) -> None:
        """Serve until `stop`, and then until requests in progress have ended. Raises ListenError, AlreadyStarted."""
        with self._lock:
            if self._started:
                raise AlreadyStarted(f"{self.name}: already started; was it added twice?")
            self._started = True
        self.bind()
        with self._lock:
            listener = self._listener
        if listener is None:
            self.ready.set()
            stop.wait()
            return
        listener.start()
        log.info("serving %s on %s", self.name, self.url)
        self.ready.set()
        try:
            stop.wait()
        finally:
            listener.stop(self._grace)
            self.close()

    def _dispatch(self, request: HTTPRequest) -> HTTPResponse:
        handler = self._find(request.path)
        if handler is None:
            return text(404, "404 page not found")
        try:
            refusal = self._guard(request) if self._guard is not None else None
            return refusal if refusal is not None else handler.handle(request)
        except (Exception, SystemExit):  # a handler does not end the server
            log.exception("%s: the handler of %s failed", self.name, request.path)
            return text(500, "internal server error")

    def _find(self, path: str) -> HTTPHandler | None:
        with self._lock:
            if path in self._handlers:
                return self._handlers[path]
            above = [each for each in self._handlers if each.endswith("/") and path.startswith(each)]
            return self._handlers[max(above, key=len)] if above else None

    def __repr__(self) -> str:
        return f"<HTTPServer {self.name}: {self.url or 'listens nowhere'}>"


def _weakly(dispatch: Handle) -> Handle:
    """The method, without keeping its object."""
    method = weakref.WeakMethod(dispatch)

    def call(request: HTTPRequest) -> HTTPResponse:
        alive = method()
        return alive(request) if alive is not None else text(503, "closed")

    return call
