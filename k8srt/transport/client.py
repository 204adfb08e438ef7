"""The transport: one server, one pool of connections, one identity.

Making one opens no socket and starts no thread. It may be shared by any number of threads, and used in a child
process after `os.fork()`: connections of the parent are left alone (USR-39).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from k8srt.errors import ClientClosed, ConfigError
from k8srt.transport.connections import Interrupt, make_pool
from k8srt.transport.credentials import Authorizer
from k8srt.transport.failures import CAUGHT, transport_error
from k8srt.transport.headers import check_header, masked
from k8srt.transport.reply import Reply
from k8srt.transport.tls import TLSConfig, build_context
from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.response import HTTPResponse

log = logging.getLogger(__name__)


class Transport:
    """Sends requests to one server. Thread-safe.

    `base_url` is `http(s)://host[:port]`; a path in it is ignored here. `headers` go with every request unless the
    request has its own. Times are seconds; `read_timeout` bounds the silence between two reads, not the whole.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tls: TLSConfig | None = None,
        authorizer: Authorizer | None = None,
        headers: Mapping[str, str | list[str]] | None = None,
        connect_timeout: float = 30.0,
        read_timeout: float = 75.0,
        clock: Clock = SYSTEM,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"host: {base_url!r} is no http or https URL")
        self.base_url = f"{parts.scheme}://{parts.netloc}"
        self._host, self._port, self._secure = parts.hostname, parts.port, parts.scheme == "https"
        self._tls = tls or TLSConfig()
        self._authorizer = authorizer  # its clock must be this one: it is told when a request was made
        self._headers = dict(headers or {})
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._now = clock.now
        self._pools: dict[int, HTTPConnectionPool] = {}  # by process: a child never touches its parent's
        self._closed = False

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        read_timeout: float | None = None,
        deadline: float | None = None,
        what: str = "",
        interrupt: Interrupt | None = None,
    ) -> Reply:
        """Send a request and return when the headers of the answer are there.

        `target` is path and query. `read_timeout` overrides the transport's; `deadline` (on its clock) shortens
        both timeouts; `interrupt` ends the request from another thread. An answer of any status is a Reply.

        Raises TransportError, ConnectionRefused or TimeoutExpired when no answer came, ConfigError when the
        credentials cannot be had.
        """
        from urllib3.util import Timeout

        url = self.base_url + target
        what = what or method
        timeouts = self._timeouts(read_timeout, deadline)
        sent = self._complete(headers or {}, deadline, interrupt)
        asked_at = self._now()  # after the credentials were had, so that these count as those that were asked with
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s %s %s", method, url, masked(sent))
        try:
            response = self._live_pool().urlopen(
                method,
                target,
                body=body,
                headers=sent,
                timeout=Timeout(connect=timeouts[0], read=timeouts[1]),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                interrupt=interrupt,
            )
        except CAUGHT as err:
            raise transport_error(err, what, url) from err
        log.debug("%s %s: %d", method, url, response.status)
        if response.status == 401 and self._authorizer is not None:
            self._authorizer.rejected(asked_at)
        return Reply(cast("HTTPResponse", response), what, url, self._now)

    def close(self) -> None:
        """Close the idle connections; those in use close when their reply ends. Later requests raise."""
        self._closed = True
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _timeouts(self, read_timeout: float | None, deadline: float | None) -> tuple[float, float]:
        connect = self.connect_timeout
        read = self.read_timeout if read_timeout is None else read_timeout
        if deadline is not None:
            remaining = max(deadline - self._now(), 0.001)
            connect, read = min(connect, remaining), min(read, remaining)
        return connect, read

    def _complete(
        self, own: Mapping[str, str], deadline: float | None = None, interrupt: Interrupt | None = None
    ) -> dict[str, Any]:
        """The headers to send: a request's own win over the transport's. Contract: REST-52."""
        from urllib3 import HTTPHeaderDict

        names = {name.lower() for name in own}
        headers = HTTPHeaderDict()
        for name, value in self._headers.items():
            if name.lower() in names:
                continue
            for single in value if isinstance(value, list) else [value]:
                headers.add(name, single)
        if self._authorizer is not None and "authorization" not in names:
            authorization = self._authorizer.authorization(deadline, interrupt)
            if authorization is not None:
                headers.add("Authorization", authorization)
        for name, single in own.items():
            headers.add(name, single)
        for name, single in headers.iteritems():
            check_header(name, single)
        return cast("dict[str, Any]", headers)

    def _live_pool(self) -> HTTPConnectionPool:
        """The pool of this process, made when first needed."""
        pool = self._pools.get(os.getpid())
        if pool is not None:
            return pool
        if self._closed:
            raise ClientClosed(f"{self.base_url}: the client is closed", url=self.base_url)
        context = build_context(self._tls) if self._secure else None
        made = make_pool(self._host, self._port, context=context, server_name=self._tls.server_name)
        # No lock, which a fork could leave held for ever: of two threads that come first, one sees the other's pool.
        return self._pools.setdefault(os.getpid(), made)
