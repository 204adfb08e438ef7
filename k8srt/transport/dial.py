"""Opening a connection: names, addresses, proxies, TLS. All of it within one time.

urllib3 keeps connections and speaks HTTP over them; how they come about is decided here. So a name with ten dead
addresses, a proxy that is silent and a handshake that trickles all end in time, an error names the step that failed,
and another thread can end each step but the lookup of the name.

Contract: REST-45, REST-49, REST-54, USR-16, USR-36, USR-37.
"""

from __future__ import annotations

import importlib
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8srt.tools import metrics
from k8srt.transport.failures import Failure, NotConnected, explain, failure_of
from k8srt.transport.proxy import Proxy, bracketed

if TYPE_CHECKING:
    import ssl

HANDSHAKE_SECONDS = 10.0
"""A TLS handshake takes no longer, whatever else is allowed. Contract: REST-49."""

_HANDSHAKE = "in the TLS handshake"
_LEAST_SHARE = 2.0
_LONGEST_HEAD = 1 << 16

Show = Callable[[Any], None]
"""Takes the socket as it is now; raises NotConnected when the request was ended meanwhile."""


def socket_options() -> list[tuple[int, int, int]]:
    """No delay for small requests, and a dead peer is noticed in about a minute: by probes after 30 s of silence, and
    where something was sent, by its not being acknowledged."""
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    wanted = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
    for name, value in wanted:
        if (option := getattr(socket, name, None)) is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options


class Dial:
    """One attempt to connect. `show` is given the socket at each step, so that whoever has it can close it."""

    def __init__(self, host: str, port: int, proxy: Proxy | None, seconds: float, show: Show) -> None:
        self._host, self._port, self._proxy = host, port, proxy
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._show = show

    def connect(self) -> socket.socket:
        """Return a socket that is connected to the server, or to the proxy on the way to it.

        Raises NotConnected; the socket that was shown last is then for the caller to close.
        """
        proxy = self._proxy
        if proxy is None:
            return self._reach(self._host, self._port, f"{bracketed(self._host)}:{self._port}")
        return self._reach(proxy.host, proxy.port, _named(proxy))

    def secure(self, sock: Any, context: ssl.SSLContext, name: str, whom: str = "") -> Any:
        """Speak TLS over `sock`, with the server that `name` says. Raises NotConnected."""
        name = name.strip("[]").rstrip(".").partition("%")[0]
        whom = whom or f"{bracketed(self._host)}:{self._port}"
        try:
            sock.settimeout(min(self._left(whom), HANDSHAKE_SECONDS))
            if hasattr(sock, "pending"):  # TLS within the TLS of a proxy
                from urllib3.util.ssltransport import SSLTransport

                inner = SSLTransport(sock, context, server_hostname=name)
                self._show(inner)
                return inner
            _check_connected(sock)
            secured = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
            self._show(secured)
            secured.do_handshake()
        except (OSError, ValueError) as err:
            raise self._failed(err, whom, _HANDSHAKE) from err
        return secured

    def tunnel(self, sock: Any) -> None:
        """Have the HTTP proxy at the other end lead on to the server. Raises NotConnected."""
        proxy = self._proxy
        assert proxy is not None
        target = f"{bracketed(self._host)}:{self._port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        try:
            sock.settimeout(self._left(_named(proxy)))
            sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            head = self._head(sock)
        except (OSError, ValueError) as err:
            raise self._failed(err, _named(proxy), "while it connected") from err
        version, _, rest = head.partition(" ")
        status = rest[:3]
        if not version.startswith("HTTP/1.") or not status.isdigit():
            raise NotConnected(Failure.PROXY, f"the proxy {proxy} does not speak HTTP: {head[:60]!r}")
        if not status.startswith("2"):
            raise refused_by_proxy(proxy, rest.strip()[:200], f"to connect to {target}")

    def _head(self, sock: Any) -> str:
        """The first line of the answer. What follows the head is for others, so it is read byte by byte."""
        head = bytearray()
        while not head.endswith((b"\r\n\r\n", b"\n\n")):
            sock.settimeout(self._left("the proxy"))
            byte = sock.recv(1)
            if not byte or len(head) > _LONGEST_HEAD:
                raise OSError("its answer has no end" if byte else "it closed the connection")
            head += byte
        return head.partition(b"\n")[0].decode("latin-1").strip()

    def _reach(self, host: str, port: int, whom: str) -> socket.socket:
        """Try the addresses of a name one after the other, each for its share of the time."""
        addresses = _addresses(host, port)
        for number, (family, kind, protocol, _, address) in enumerate(addresses, 1):
            left = self._left(whom)
            share = max(left / (len(addresses) - number + 1), min(left, _LEAST_SHARE))
            sock: Any = None
            try:
                sock, target = self._socket(family, kind, protocol, address)
                self._show(sock)
                sock.settimeout(share)
                sock.connect(target)
                return sock  # type: ignore[no-any-return]
            except (OSError, ValueError) as err:
                if sock is not None:
                    sock.close()
                if number == len(addresses):
                    raise self._failed(err, whom, "while connecting") from err
        raise NotConnected(Failure.RESOLVE, f"{Failure.RESOLVE.value}: {host} has no address")

    def _socket(self, family: int, kind: int, protocol: int, address: Any) -> tuple[Any, Any]:
        proxy = self._proxy
        sock: Any
        if proxy is None or not proxy.is_socks:
            sock, target = socket.socket(family, kind, protocol), address
        else:
            socks = importlib.import_module("socks")
            sock, target = socks.socksocket(family, kind, protocol), (self._host, self._port)
            user, password = proxy.username or None, proxy.password or None
            sock.set_proxy(socks.SOCKS5, address[0], address[1], True, user, password)
        for option in socket_options():
            sock.setsockopt(*option)
        return sock, target

    def _left(self, whom: str) -> float:
        left = self._until - time.monotonic()
        if left <= 0.0:
            text = f"timed out while connecting: {whom} did not answer within {self._seconds:.3g} s"
            raise NotConnected(Failure.TIMEOUT, text)
        return left

    def _failed(self, err: Exception, whom: str, doing: str) -> NotConnected:
        """What to raise for an error of one step. `whom` is who was spoken to."""
        failure = failure_of(getattr(err, "socket_err", None) or err)  # PySocks keeps the cause there
        if failure is Failure.TIMEOUT:
            seconds = min(self._seconds, HANDSHAKE_SECONDS) if doing == _HANDSHAKE else self._seconds
            return NotConnected(failure, f"{failure.value} {doing}: {whom} did not answer within {seconds:.3g} s")
        if failure is Failure.EOF and doing == _HANDSHAKE:
            text = f"TLS failure: {whom} closed the connection during the handshake (does it speak TLS at this port?)"
            return NotConnected(failure, text)
        if self._proxy is not None and whom == _named(self._proxy):
            if failure is Failure.TLS:
                return NotConnected(failure, f"{explain(err)}, with {whom}")
            return NotConnected(Failure.PROXY, f"{whom} failed: {_reason(err)}{_proxy_advice(failure)}")
        if failure is Failure.REFUSED:
            text = f"{failure.value} by {whom} (is the server running, and is this its address?)"
            return NotConnected(failure, text)
        return NotConnected(failure, explain(err))


def _check_connected(sock: Any) -> None:
    """Raises ConnectionResetError for a connection that was reset at once: `wrap_socket` would leave it open."""
    try:
        sock.getpeername()
    except OSError as err:
        raise ConnectionResetError(*err.args) from err


def _addresses(host: str, port: int) -> list[Any]:
    started = time.monotonic()
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:  # UnicodeError: a label that is empty or too long
        raise _unknown_name(host, err) from err
    if metrics.is_set():
        metrics.report("resolver_latency", f"{bracketed(host)}:{port}", time.monotonic() - started)
    return found


def _unknown_name(host: str, err: Exception) -> NotConnected:
    advice = "is the address right, and does this machine's name service know it?"
    return NotConnected(Failure.RESOLVE, f"{Failure.RESOLVE.value}: {host}: {_reason(err)} ({advice})")


def _named(proxy: Proxy) -> str:
    return f"the proxy {proxy}"


def _reason(err: Exception) -> str:
    return str(getattr(err, "strerror", None) or err) or type(err).__name__


def _proxy_advice(failure: Failure) -> str:
    if failure is Failure.REFUSED:
        return " (is it running? proxy-url names it, or HTTPS_PROXY)"
    return " (is it a proxy of this kind, and are user and password right?)"


def refused_by_proxy(proxy: Proxy, answer: str, what: str) -> NotConnected:
    """The failure when a proxy says no. `answer` begins with the status."""
    advice = {
        "407": " (it wants a user and a password: http://user:password@host:port)",
        "403": " (it does not allow this server: ask who runs it, or put the server into NO_PROXY)",
        "502": " (it cannot reach the server)",
        "504": " (it cannot reach the server)",
    }.get(answer[:3], "")
    return NotConnected(Failure.PROXY, f"{_named(proxy)} refused {what}: {answer}{advice}")
