"""The connections to one server, shared by all clients that reach it in the same way.

Ten clients of equal configurations are ten sets of headers and limits over one pool, as they are over one transport in
client-go. Connections are shared when server, proxy, trust, client certificate and connect timeout are equal; nothing
else of a configuration concerns them. They are closed when the last of their clients is closed or forgotten.

A forked child has pools of its own, made when first needed: those of its parent are left alone.

Contract: REST-48, REST-50, CLI-59, USR-15, USR-39.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from urllib3.exceptions import ClosedPoolError
from urllib3.util import Timeout

from k8srt.tools import metrics
from k8srt.transport.connections import Interrupt, Pool, Way
from k8srt.transport.dial import refused_by_proxy
from k8srt.transport.failures import CAUGHT, NotConnected, transport_error
from k8srt.transport.headers import masked
from k8srt.transport.proxy import Proxy, bracketed
from k8srt.transport.reply import Reply
from k8srt.transport.tls import CertificateSource, Contexts, TLSConfig, proxy_context
from k8srt.util.clock import Clock

if TYPE_CHECKING:
    import ssl

    from urllib3.response import HTTPResponse

log = logging.getLogger(__name__)

_RENEWALS = 5


class Route(NamedTuple):
    """What clients that share connections have in common. Hashable; never shown as a whole, for the key in it."""

    secure: bool
    host: str
    port: int
    proxy: Proxy | None
    tls: TLSConfig
    client_certificate: CertificateSource | None
    connect_timeout: float
    clock: Clock

    def __repr__(self) -> str:
        through = f" through {self.proxy}" if self.proxy else ""
        return f"<Route to {'https' if self.secure else 'http'}://{bracketed(self.host)}:{self.port}{through}>"


class Connections:
    """Sends complete requests to one server. Thread-safe, and never closed for good.

    Made by `connections_to`, used between `join` and `leave`.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._now = route.clock.now
        self._users: weakref.WeakSet[Any] = weakref.WeakSet()
        self._processes: dict[int, _Process] = {}  # a child never touches its parent's, nor waits for its locks

    def join(self, user: object) -> None:
        """Keep connections for `user`, until it leaves or is no more."""
        self._users.add(user)

    def leave(self, user: object) -> None:
        """The last one to leave closes the idle connections; those in use close when their reply ends."""
        self._users.discard(user)
        if not self._users:
            self.close_idle()

    def close_idle(self) -> None:
        """Close what is not in use; what is will not be used again. New requests open new connections."""
        mine = self._processes.get(os.getpid())
        if mine is not None:
            mine.close()

    def send(
        self,
        method: str,
        url: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: Any,
        read_timeout: float,
        deadline: float | None,
        what: str,
        interrupt: Interrupt | None,
    ) -> Reply:
        """As `Transport.send`; `url` is that of `target`, for messages."""
        connect_timeout = self._route.connect_timeout
        if deadline is not None:
            remaining = max(deadline - self._now(), 0.001)
            connect_timeout, read_timeout = min(connect_timeout, remaining), min(read_timeout, remaining)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s %s %s", method, url, masked(headers))
        for renewal in range(_RENEWALS):
            pool = self._pool(deadline, interrupt)
            try:
                response = pool.urlopen(
                    method,
                    target,
                    body=body,
                    headers=headers,
                    timeout=Timeout(connect=connect_timeout, read=read_timeout),
                    retries=False,
                    redirect=False,
                    assert_same_host=False,
                    preload_content=False,
                    decode_content=False,
                    interrupt=interrupt,
                )
                break
            except ClosedPoolError as err:  # another thread renewed it after it was looked up; nothing was sent
                if renewal == _RENEWALS - 1:
                    raise transport_error(err, what, url) from err
            except (*CAUGHT, NotConnected) as err:
                raise transport_error(err, what, url) from err
        log.debug("%s %s: %d", method, url, response.status)
        reply = Reply(cast("HTTPResponse", response), what, url, self._now)
        proxy = self._route.proxy
        if response.status == 407 and proxy is not None:  # from one that passes requests on, in the server's place
            reply.close()
            raise transport_error(
                refused_by_proxy(proxy, "407 Proxy Authentication Required", "the request"), what, url
            )
        return reply

    def _pool(self, deadline: float | None, interrupt: Interrupt | None) -> Pool:
        mine = self._processes.get(os.getpid())
        if mine is None:
            # No lock, which a fork could leave held for ever: of two threads that come first, one sees the other's.
            mine = self._processes.setdefault(os.getpid(), _Process(self._route))
        return mine.pool(deadline, interrupt)

    def __repr__(self) -> str:
        return f"<Connections {self._route!r}, {len(self._users)} clients>"


class _Process:
    """The connections that one process has by a route."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._contexts = Contexts(route.tls, route.client_certificate, route.clock.now) if route.secure else None
        self._lock = threading.Lock()  # guards _kept, but for reading
        self._kept: Pool | None = None

    def pool(self, deadline: float | None, interrupt: Interrupt | None) -> Pool:
        """The pool of now: another one once there are other certificates. Raises ConfigError."""
        context = self._contexts.current(deadline, interrupt) if self._contexts is not None else None
        kept = self._kept
        if kept is not None and kept.way.context is context:
            return kept
        return self._renew(context)

    def _renew(self, context: ssl.SSLContext | None) -> Pool:
        route, proxy = self._route, self._route.proxy
        over_tls = proxy is not None and proxy.scheme == "https"
        way = Way(context, route.tls.server_name, proxy, proxy_context(route.tls) if over_tls else None)
        with self._lock:
            old = self._kept
            if old is not None and old.way.context is context:
                return old
            made = self._kept = Pool(route.host, route.port, way)
        if old is not None:
            old.close()
        return made

    def close(self) -> None:
        with self._lock:
            pool, self._kept = self._kept, None
        if pool is not None:
            pool.close()


_shared: weakref.WeakValueDictionary[Route, Connections] = weakref.WeakValueDictionary()
"""Without a lock, for the sake of forks: threads that come at the same moment may get two that are not shared."""


def connections_to(route: Route) -> Connections:
    """The connections of a route, made when nobody has them yet. Opens nothing. Thread-safe."""
    found = _shared.get(route)
    if found is None:
        found = _shared.setdefault(route, Connections(route))
        if metrics.is_set():
            metrics.report("transport_cache", len(_shared))
    return found
