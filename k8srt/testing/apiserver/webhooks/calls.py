"""Speaking to webhooks: one pool of connections for each address, with the authority its configuration names."""

from __future__ import annotations

import base64
import ipaddress
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import cachetools
import msgspec

if TYPE_CHECKING:
    import urllib3

JSON = dict[str, Any]
_MOST_POOLS = 64
_MOST_BYTES = 16 * 1024 * 1024


class CallFailed(Exception):
    """A webhook gave no answer that can be used; the text is what a server says of it."""


class _Address(NamedTuple):
    """Where a webhook is: `name` is what its certificate is for, `shown` the URL as errors tell it."""

    host: str
    port: int
    name: str
    path: str
    shown: str


@dataclass
class WebhookCalls:
    """Calls webhooks. Thread-safe.

    `services` says where the services of the cluster are, which nothing here routes to: "namespace/name" or
    "namespace/name:port" to "host:port".
    """

    services: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # guards the pools
        self._pools: cachetools.LRUCache[Any, urllib3.HTTPSConnectionPool] = cachetools.LRUCache(_MOST_POOLS)

    def post(self, client: Mapping[str, Any], service: JSON | None, body: JSON, timeout: float) -> JSON:
        """Send a document to whom `client` (a clientConfig) names and return the answer. Raises CallFailed.

        `service` is the Service it refers to, if there is one. Waits at most `timeout` seconds.
        """
        import urllib3

        address = self._address(client, service)
        seconds = int(timeout) if float(timeout).is_integer() else timeout
        separator = "&" if "?" in address.path else "?"
        path = f"{address.path}{separator}timeout={seconds}s"
        shown = f'Post "{address.shown}{separator}timeout={seconds}s"'
        pool = self._pool(address, client.get("caBundle") or "")
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "kube-apiserver"}
        try:
            reply = pool.request(
                "POST",
                path,
                body=msgspec.json.encode(body),
                headers=headers,
                timeout=urllib3.Timeout(total=timeout),
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as err:
            late = isinstance(err, urllib3.exceptions.TimeoutError)
            refused = isinstance(err, urllib3.exceptions.NewConnectionError)  # which is a timeout, too
            why = "context deadline exceeded" if late and not refused else _reason(err, address)
            raise CallFailed(f"{shown}: {why}") from None
        return _read(reply.status, reply.data)

    def close(self) -> None:
        """Close idle connections; later calls open new ones."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    # ---- where

    def _address(self, client: Mapping[str, Any], service: JSON | None) -> _Address:
        if client.get("url"):
            parts = urlsplit(client["url"])
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return _Address(parts.hostname or "", parts.port or 443, parts.hostname or "", path, client["url"])
        ref = client.get("service") or {}
        namespace, name, port = ref.get("namespace", ""), ref.get("name", ""), ref.get("port") or 443
        path = "/" + (ref.get("path") or "").lstrip("/")
        named = f"{name}.{namespace}.svc"
        shown = f"https://{named}:{port}{path}"
        where = self.services.get(f"{namespace}/{name}:{port}") or self.services.get(f"{namespace}/{name}")
        where = where or _of_service(service, port)
        if not where:
            why = f'service "{name}" not found' if service is None else f'no endpoints available for service "{name}"'
            raise CallFailed(f'Post "{shown}": {why}')
        parts = urlsplit(where if "//" in where else f"//{where}")
        return _Address(parts.hostname or "", parts.port or port, named, path, shown)

    def _pool(self, address: _Address, authority: str) -> urllib3.HTTPSConnectionPool:
        import urllib3

        key = (address.host, address.port, address.name, authority)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                pool = self._pools[key] = urllib3.HTTPSConnectionPool(
                    address.host,
                    address.port,
                    ssl_context=_context(authority),
                    server_hostname=address.name,
                    assert_hostname=address.name,
                    maxsize=8,
                )
            return pool


def _of_service(service: JSON | None, port: int) -> str:
    """Where a service is that can be reached from here: outside of the cluster, or on loopback."""
    spec = (service or {}).get("spec") or {}
    if spec.get("type") == "ExternalName" and spec.get("externalName"):
        return f"{spec['externalName']}:{port}"
    try:
        if ipaddress.ip_address(spec.get("clusterIP") or "").is_loopback:
            return f"{spec['clusterIP']}:{port}"
    except ValueError:
        pass
    return ""


def _context(authority: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not authority:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=base64.b64decode(authority).decode())
    except (ValueError, ssl.SSLError) as err:
        raise CallFailed(f"unable to load root certificates: {err}") from None
    return context


def _reason(err: Exception, address: _Address) -> str:
    """In the words of Go's client, as far as the cause is known."""
    text = str(err)
    where = f"{address.host}:{address.port}"
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        detail = text.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return f"tls: failed to verify certificate: x509: {detail}"
    if "Connection refused" in text:
        return f"dial tcp {where}: connect: connection refused"
    if "Name or service not known" in text or "getaddrinfo" in text or "name resolution" in text:
        return f"dial tcp: lookup {address.host}: no such host"
    return text


def _read(status: int, data: bytes) -> JSON:
    if status != 200:
        shown = data[:1024].decode(errors="replace").strip()
        if status == 404:
            raise CallFailed("the server could not find the requested resource")
        if status >= 500:
            raise CallFailed(f'an error on the server ("{shown}") has prevented the request from succeeding')
        raise CallFailed(f"the server rejected our request for an unknown reason ({status}: {shown})")
    if len(data) > _MOST_BYTES:
        raise CallFailed(f"the answer is longer than {_MOST_BYTES} bytes")
    try:
        answer = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        raise CallFailed(f"the answer is no JSON: {err}") from None
    if not isinstance(answer, dict):
        raise CallFailed("the answer is no object")
    return answer
