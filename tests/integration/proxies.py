"""Small proxies on loopback, threaded: HTTP, with CONNECT and without, and SOCKS5."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit


class _Server:
    """Accepts connections and serves each in a thread. A context manager.

    `names` are what the proxy alone can resolve. `asked` are the targets it was asked for, as `host:port`.
    """

    scheme = ""

    def __init__(
        self, *, user: str = "", password: str = "", names: Mapping[str, str] | None = None, tls: Any = None
    ) -> None:
        self.user, self.password, self.names = user, password, dict(names or {})
        self.tls: ssl.SSLContext | None = tls
        self.asked: list[str] = []
        self.lines: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def url(self) -> str:
        user = f"{self.user}:{self.password}@" if self.user else ""
        return f"{self.scheme}{'s' if self.tls else ''}://{user}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(5.0)

    def hang_up(self) -> None:
        """Close every connection."""
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def serve(self, sock: Any) -> None:
        raise AssertionError("to be said by the kind of proxy")

    def reach(self, host: str, port: int) -> socket.socket:
        """A connection to a target. Raises OSError."""
        self.asked.append(f"{host}:{port}")
        sock = socket.create_connection((self.names.get(host, host), port), timeout=10.0)
        sock.settimeout(None)
        with self._lock:
            self._open.add(sock)
        return sock

    def relay(self, one: Any, other: Any) -> None:
        """Pass bytes in both directions until both are over."""
        back = self._start(_pump, other, one)
        _pump(one, other)
        back.join()
        for sock in (one, other):
            with contextlib.suppress(OSError):
                sock.close()

    def _start(self, target: Any, *args: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, name="proxy", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, sock)

    def _serve(self, sock: Any) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with self._lock:
                self._open.add(sock)
            with contextlib.closing(sock):
                self.serve(sock)


def _pump(source: Any, target: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := source.recv(65536):
            target.sendall(data)
    for sock in (target, source):
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class HTTPProxy(_Server):
    """`answer` is a status line to give in the place of any other; `lines` are the heads of the requests it got."""

    scheme = "http"

    def __init__(self, *, answer: str = "", **more: Any) -> None:
        self.answer = answer
        super().__init__(**more)

    def serve(self, sock: Any) -> None:
        while (head := _head(sock)) is not None:
            lines = head.split("\r\n")
            self.lines += lines
            wanted = f"Proxy-Authorization: Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"
            if self.answer or (self.user and wanted not in lines):
                answer = self.answer or "407 Proxy Authentication Required"
                sock.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
                continue
            method, target, _ = lines[0].split(" ", 2)
            if method == "CONNECT":
                host, _, port = target.rpartition(":")
                try:
                    other = self.reach(host.strip("[]"), int(port))
                except OSError as err:
                    sock.sendall(f"HTTP/1.1 502 Bad Gateway\r\nX-Why: {err}\r\n\r\n".encode())
                    return
                sock.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
                self.relay(sock, other)
                return
            self._pass_on(sock, method, target, lines)

    def _pass_on(self, sock: Any, method: str, target: str, lines: list[str]) -> None:
        """One request in absolute form; its answer ends the connection to the server."""
        parts = urlsplit(target)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        kept = [line for line in lines[1:] if line and not line.lower().startswith("proxy-")]
        length = next((int(line[15:]) for line in kept if line.lower().startswith("content-length:")), 0)
        body = b""
        while len(body) < length:
            body += sock.recv(65536)
        with contextlib.closing(self.reach(parts.hostname or "", parts.port or 80)) as other:
            other.sendall("\r\n".join([f"{method} {path} HTTP/1.1", *kept, "", ""]).encode() + body)
            head = _head(other) or ""
            sock.sendall(head.encode("latin-1"))
            left = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), None
            )
            while left is None or left > 0:
                data = other.recv(65536)
                if not data:
                    raise EOFError
                sock.sendall(data)
                left = None if left is None else left - len(data)


def _head(sock: Any) -> str | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            return None
        head += byte
    return head.decode("latin-1")


class SocksProxy(_Server):
    """SOCKS5 with names, IPv4 and IPv6 addresses, and users with passwords. `refuse` is a code it always answers."""

    scheme = "socks5"

    def __init__(self, *, refuse: int = 0, **more: Any) -> None:
        self.refuse = refuse
        super().__init__(**more)

    def serve(self, sock: Any) -> None:
        _, count = _exactly(sock, 2)
        offered = _exactly(sock, count)
        method = 2 if self.user else 0
        if method not in offered:
            sock.sendall(b"\x05\xff")
            return
        sock.sendall(bytes([5, method]))
        if method == 2:
            _, length = _exactly(sock, 2)
            user = _exactly(sock, length)
            password = _exactly(sock, _exactly(sock, 1)[0])
            good = (user, password) == (self.user.encode(), self.password.encode())
            sock.sendall(bytes([1, 0 if good else 1]))
            if not good:
                return
        _, _, _, kind = _exactly(sock, 4)
        if kind == 3:
            host = _exactly(sock, _exactly(sock, 1)[0]).decode()
        else:
            size, family = (4, socket.AF_INET) if kind == 1 else (16, socket.AF_INET6)
            host = socket.inet_ntop(family, _exactly(sock, size))
        port = struct.unpack("!H", _exactly(sock, 2))[0]
        code, other = self.refuse, None
        if not code:
            try:
                other = self.reach(host, port)
            except OSError:
                code = 5
        sock.sendall(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
        if other is not None:
            self.relay(sock, other)


def _exactly(sock: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        got = sock.recv(size - len(data))
        if not got:
            raise EOFError
        data += got
    return data
