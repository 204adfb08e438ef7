"""The transport: what one client adds to each request, over connections that it may share with others.

Making one opens no socket and starts no thread. It may be shared by any number of threads, and used in a child
process after `os.fork()`: connections of the parent are left alone (USR-39).

From the outside in: the headers and credentials of the client, the wrappers of its configuration, the last one given
first, and what sends: connections, or the transport that the configuration brings. Contract: REST-52.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from urllib3 import HTTPHeaderDict

from k8srt.errors import ClientClosed, ConfigError
from k8srt.transport.connections import Interrupt
from k8srt.transport.credentials import Authorizer
from k8srt.transport.custom import RoundTripper, Wrapper
from k8srt.transport.headers import check_header, mask_url
from k8srt.transport.pools import Connections, Route, connections_to
from k8srt.transport.proxy import Proxy
from k8srt.transport.reply import Reply
from k8srt.transport.tls import CertificateSource, TLSConfig
from k8srt.util.clock import SYSTEM, Clock

_PORTS = {"http": 80, "https": 443}


class Transport:
    """Sends requests to one server. Thread-safe.

    `base_url` is `http(s)://host[:port]`; a path in it is ignored here. `headers` go with every request unless the
    request has its own. Times are seconds; `read_timeout` bounds the silence between two reads, not the whole.

    `proxy` is on the way to the server, as `proxy.proxy_for` finds it. `client_certificate` is asked for the
    certificate to show, when there is a request. `inner` takes the place of connections, and is not closed.
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
        proxy: Proxy | None = None,
        client_certificate: CertificateSource | None = None,
        wrappers: Sequence[Wrapper] = (),
        inner: RoundTripper | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConfigError(f"host: {mask_url(base_url)!r} is no http or https URL")
        self.base_url = f"{parts.scheme}://{parts.netloc}"
        self._authorizer = authorizer  # its clock must be this one: it is told when a request was made
        self._headers = list(_flat(headers or {}))
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._now = clock.now
        self._closed = False
        self.connections: Connections | None = None
        if inner is None:
            secure = parts.scheme == "https"
            host, port = _host(parts.hostname), parts.port or _PORTS[parts.scheme]
            ours = tls or TLSConfig()
            # What is said of TLS is of no matter to plain connections.
            certificate = client_certificate if secure else None
            uses_tls = secure or (proxy is not None and proxy.scheme == "https")
            route = Route(
                secure, host, port, proxy, ours if uses_tls else TLSConfig(), certificate, connect_timeout, clock
            )
            self.connections = connections_to(route)
            self.connections.join(self)
            inner = _Sender(self.base_url, self.connections)
        elif wrappers:
            inner = _Lent(inner)
        self._first = inner
        for wrap in wrappers:
            inner = wrap(inner)
        self._inner = inner

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

        Raises TransportError when no answer came (ConnectionRefused, HostNotFound, TLSFailed, ProxyFailed,
        TimeoutExpired), ConfigError when the credentials cannot be had.
        """
        if self._closed:
            raise ClientClosed(f"{self.base_url}: the client is closed", url=self.base_url)
        sent = self._complete(headers or {}, deadline, interrupt)
        ours = not any(name.lower() == "authorization" for name in headers or ())
        asked_at = self._now()  # after the credentials were had, so that these count as those that were asked with
        reply = self._inner.send(
            method,
            target,
            headers=sent,
            body=body,
            read_timeout=self.read_timeout if read_timeout is None else read_timeout,
            deadline=deadline,
            what=what or method,
            interrupt=interrupt,
        )
        if reply.status == 401 and ours and self._authorizer is not None:
            self._authorizer.rejected(asked_at)
        return cast(Reply, reply)

    def close(self) -> None:
        """Close the idle connections, unless other clients have them too; those in use close when their reply ends.

        Later requests raise ClientClosed. Wrappers that have a `close` are closed, a transport that the configuration
        brought is not.
        """
        if self._closed:
            return
        self._closed = True
        if self._inner is not self._first and (close := getattr(self._inner, "close", None)) is not None:
            close()
        if self.connections is not None:
            self.connections.leave(self)

    def _complete(
        self, own: Mapping[str, str], deadline: float | None = None, interrupt: Interrupt | None = None
    ) -> dict[str, Any]:
        """The headers to send: a request's own win over the transport's. Contract: REST-52."""
        names = {name.lower() for name in own}
        headers = HTTPHeaderDict()
        for key, name, value in self._headers:
            if key not in names:
                headers.add(name, value)
        if self._authorizer is not None and "authorization" not in names:
            authorization = self._authorizer.authorization(deadline, interrupt)
            if authorization is not None:
                check_header("Authorization", authorization)
                headers.add("Authorization", authorization)
        for name, value in own.items():
            check_header(name, value)
            headers.add(name, value)
        return cast("dict[str, Any]", headers)

    def __repr__(self) -> str:
        state = " closed" if self._closed else ""
        return f"<Transport {self.base_url}{state}>"


def _host(name: str) -> str:
    """The name as it is looked up: in ASCII, and the zone of an address after a plain `%`. Raises ConfigError."""
    if ":" in name:
        return name.replace("%25", "%")
    try:
        found = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError as err:
        raise ConfigError(f"host: {name!r} is no name of a host: {err}") from None
    if not found.isprintable() or any(character in found for character in " %<>\"'`\\"):
        raise ConfigError(f"host: {name!r} is no name of a host")
    return found


def _flat(headers: Mapping[str, str | list[str]]) -> Iterator[tuple[str, str, str]]:
    """The lower-case name, the name and the value of each header. Raises ConfigError for what is none."""
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            check_header(name, value)
            yield name.lower(), name, value


class _Sender:
    """The innermost of a transport's layers: what it hands to connections."""

    def __init__(self, base_url: str, connections: Connections) -> None:
        self._base_url = base_url
        self._connections = connections

    def send(self, method: str, target: str, **options: Any) -> Reply:
        return self._connections.send(method, self._base_url + target, target, **options)

    def close(self) -> None:
        """Does nothing: the transport leaves its connections by itself."""

    def __repr__(self) -> str:
        return repr(self._connections)


class _Lent:
    """The transport of a configuration, for wrappers, which pass a `close` on."""

    def __init__(self, inner: RoundTripper) -> None:
        self._inner = inner
        self.send = inner.send

    def close(self) -> None:
        """Does nothing: whoever brought it closes it."""

    def __repr__(self) -> str:
        return repr(self._inner)
