"""A small HTTP server on loopback that does exactly what a test says, down to the byte."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from k8srt.rest import Config, TLSConfig


class Exchange:
    """One request, and the connection it came on."""

    def __init__(self, sock: socket.socket, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.sock, self.method, self.path, self.headers, self.body = sock, method, path, headers, body
        self.header_lines: list[str] = []

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, status: int = 200, body: bytes | dict[str, object] = b"{}", **headers: str) -> None:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        lines = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        lines.update({name.replace("_", "-"): value for name, value in headers.items()})
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.raw(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data)

    def stream(self) -> None:
        """Begin a chunked answer."""
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        self.raw(b"0\r\n\r\n")

    def hang_up(self) -> None:
        """Close the connection in good order."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close the connection with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.sock.detach())  # at once, whoever else holds the socket

    def wait_for_hang_up(self) -> bytes:
        """Block until the client goes away; returns what it still said."""
        with contextlib.suppress(OSError):
            return self.sock.recv(65536)
        return b""


class WireServer:
    """Accepts connections and hands each request to `respond`. A context manager."""

    def __init__(self, respond: Callable[[Exchange], object], tls: ssl.SSLContext | None = None) -> None:
        self._respond = respond
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[Exchange] = []
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, name="wire-accept", daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def config(self, **more: object) -> Config:
        return Config(host=self.url, qps=-1.0, **more)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in [self._accepting, *self._threads]:
            thread.join(5.0)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), name="wire", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: what came is no HTTP
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with self._lock:
                self._open.add(sock)
            with contextlib.closing(sock), sock.makefile("rb") as file:
                while (exchange := _read_request(sock, file)) is not None:
                    self.requests.append(exchange)
                    self._respond(exchange)
                    if sock.fileno() < 0:  # reset; its number may be that of another socket by now
                        return


def _read_request(sock: socket.socket, file: object) -> Exchange | None:
    line = file.readline()  # type: ignore[attr-defined]
    if not line:
        return None
    method, path, _ = line.decode().split(" ", 2)
    lines = []
    while line := file.readline().strip():  # type: ignore[attr-defined]
        lines.append(line.decode("latin-1"))
    headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
    body = file.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]
    exchange = Exchange(sock, method, path, headers, body)
    exchange.header_lines = lines
    return exchange


class Pair(NamedTuple):
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes

    def server_context(self, folder: Path, client_ca: bytes = b"") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        file = folder / f"{abs(hash(self.key))}.pem"
        file.write_bytes(self.certificate + self.key)
        context.load_cert_chain(file)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=client_ca.decode())
        return context


class Authority:
    """A certificate authority made for one test run, without key ids, as many clusters have it."""

    def __init__(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test-ca")])
        self.certificate = self._sign(self._name, self._key.public_key(), ca=True, names=(), days=1)

    def issue(self, *names: str, common_name: str = "server", days: int = 1) -> Pair:
        """A certificate for host names and addresses; negative `days` makes one that has expired."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(self._sign(subject, key.public_key(), ca=False, names=names, days=days), pem)

    def _sign(self, subject: object, key: object, *, ca: bool, names: tuple[str, ...], days: int) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)  # type: ignore[arg-type]
            .issuer_name(self._name)
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _general_name(name: str) -> object:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def tls_config(authority: Authority, **more: object) -> TLSConfig:
    return TLSConfig(ca_data=authority.certificate, **more)  # type: ignore[arg-type]


def event(name: str, kind: str = "ADDED", version: int = 1, padding: int = 0) -> bytes:
    """One line of a watch."""
    obj: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "d", "resourceVersion": str(version)},
    }
    if padding:
        obj["status"] = {"message": "x" * padding}
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def numbered(count: int) -> Iterator[bytes]:
    return (event(f"p{n}", version=n) for n in range(count))
