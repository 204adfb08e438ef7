"""Single requests to servers that are no Kubernetes API: where tokens are given. Contract: REST-54, REST-62."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from k8srt.errors import ConfigError, TransportError
from k8srt.transport.client import Transport
from k8srt.transport.connections import Interrupt
from k8srt.transport.proxy import proxy_for
from k8srt.transport.tls import TLSConfig
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop

LIMIT = 30.0
"""Seconds that a request may take."""

_CONNECT_LIMIT = 10.0
_BODY_AT_MOST = 1 << 20
_REDIRECTS = 5


class Page(NamedTuple):
    """What came: header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    method: str,
    url: str,
    *,
    stop: Stop,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    ca_file: str = "",
    ca_data: bytes = b"",
    clock: Clock = SYSTEM,
) -> Page:
    """Send a request over a connection of its own, and read the answer, of any status. A GET follows redirects.

    Raises TransportError when no whole answer came in time, ConfigError for an odd URL or CA.
    """
    deadline = clock.now() + LIMIT
    tls = TLSConfig(ca_file=ca_file, ca_data=ca_data)
    for _ in range(_REDIRECTS):
        page = _once(method, url, dict(headers or {}), body, tls, stop, deadline, clock)
        if method != "GET" or page.status not in (301, 302, 303, 307, 308) or "location" not in page.headers:
            return page
        url = urljoin(url, page.headers["location"])
        if page.url.startswith("https:") and not url.startswith("https:"):
            raise TransportError(f"{page.url}: redirects from https to something else", url=page.url)
    raise TransportError(f"{url}: redirects more than {_REDIRECTS} times", url=url)


def _once(
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    tls: TLSConfig,
    stop: Stop,
    deadline: float,
    clock: Clock,
) -> Page:
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc:
        raise ConfigError("expected a URL with a host and without a password")
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"  # a query may hold a secret
    interrupt = Interrupt()
    transport = Transport(
        f"{parts.scheme}://{parts.netloc}",
        tls=tls,
        connect_timeout=_CONNECT_LIMIT,
        read_timeout=LIMIT,
        clock=clock,
        proxy=proxy_for(url),
    )
    forget = stop.on_set(interrupt.fire)
    try:
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        headers = {"Accept-Encoding": "identity", **headers}
        reply = transport.send(method, target, headers=headers, body=body, deadline=deadline, interrupt=interrupt)
        pieces, size = [], 0
        while piece := reply.read_some(1 << 16):
            pieces.append(piece)
            size += len(piece)
            if size > _BODY_AT_MOST:
                reply.close()
                raise TransportError(f"{method} {shown}: the answer is too big", url=shown)
        reply.close()
        return Page(
            shown, reply.status, {name.lower(): value for name, value in reply.headers.items()}, b"".join(pieces)
        )
    finally:
        forget()
        transport.close()
