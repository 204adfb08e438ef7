"""A server that replays a recorded list and then changes, all built beforehand, so that only the client is measured.

    python -m benchmarks.replay --count 10000 --changes 20000 [--tls FOLDER]

It prints its port and the bytes of the list, answers lists (gzip where the client takes it) and watches of pods, also
streaming lists, and sends the changes to every open watch when `/go` is asked for. It ends with its standard input.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import socket
import ssl
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks import data

END = "the-end"
BLOCK = 256 * 1024


class Recording:
    """The bytes of everything the server will say."""

    def __init__(self, count: int, changes: int, seed: int = 1) -> None:
        rng = random.Random(seed)
        pods = [data.pod(index, rng) for index in range(count)]
        version = 100_000 + count
        head = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version)}}
        self.list = _compact({**head, "items": pods})
        self.zipped = gzip.compress(self.list, 4)
        self.initial = _blocks([_event("ADDED", pod) for pod in pods] + [_initial_end(version)])
        self.changes = _blocks([*_changes(pods, changes, version, rng), _event("ADDED", _end(version + changes + 1))])


def _changes(pods: list[dict], changes: int, version: int, rng: random.Random) -> list[bytes]:
    lines = []
    for step in range(1, changes + 1):
        pod = rng.choice(pods)
        pod["metadata"]["resourceVersion"] = str(version + step)
        pod["status"]["containerStatuses"][0]["restartCount"] += 1
        lines.append(_event("MODIFIED", pod))
    return lines


def _compact(document: dict) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _event(kind: str, pod: dict) -> bytes:
    line = _compact({"type": kind, "object": {"kind": "Pod", "apiVersion": "v1", **pod}}) + b"\n"
    return b"%x\r\n%b\r\n" % (len(line), line)


def _initial_end(version: int) -> bytes:
    annotations = {"k8s.io/initial-events-end": "true"}
    return _event("BOOKMARK", {"metadata": {"resourceVersion": str(version), "annotations": annotations}})


def _end(version: int) -> dict:
    return {
        "metadata": {"name": END, "namespace": "default", "uid": END, "resourceVersion": str(version)},
        "spec": {"containers": [{"name": "x"}]},
    }


def _blocks(lines: list[bytes]) -> list[bytes]:
    blocks: list[bytes] = []
    current: list[bytes] = []
    size = 0
    for line in lines:
        current.append(line)
        size += len(line)
        if size >= BLOCK:
            blocks.append(b"".join(current))
            current, size = [], 0
    return [*blocks, b"".join(current)]


class Server:
    """Plain sockets: what it costs is not what is measured."""

    def __init__(self, recording: Recording, tls: Path | None) -> None:
        self.recording = recording
        self.go = threading.Event()
        self.context = None
        if tls is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
        self.socket = socket.create_server(("127.0.0.1", 0))

    def run(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while line := reader.readline():
                    headers = dict(_headers(reader))
                    self.answer(connection, line.split()[1].decode(), headers)
        except OSError:
            pass  # the client has gone

    def answer(self, connection: socket.socket, target: str, headers: dict[str, str]) -> None:
        url = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/go":
            self.go.set()
            self.send(connection, b"{}")
        elif not url.path.endswith("/pods"):
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif query.get("watch", "").lower() in ("true", "1"):
            self.watch(connection, query)
        elif "gzip" in headers.get("accept-encoding", ""):
            self.send(connection, self.recording.zipped, "Content-Encoding: gzip\r\n")
        else:
            self.send(connection, self.recording.list)

    def send(self, connection: socket.socket, body: bytes, more: str = "") -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    def watch(self, connection: socket.socket, query: dict[str, str]) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        if query.get("sendInitialEvents") == "true":
            for block in self.recording.initial:
                connection.sendall(block)
        self.go.wait()
        for block in self.recording.changes:
            connection.sendall(block)
        threading.Event().wait()


def _headers(reader) -> list[tuple[str, str]]:
    found = []
    while (line := reader.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        found.append((name.lower(), value.strip()))
    return found


def certificate(folder: Path) -> None:
    """Write a self-signed certificate for loopback into `folder`."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "replay")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(plain)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=20_000)
    parser.add_argument("--tls", type=Path)
    args = parser.parse_args(argv)
    server = Server(Recording(args.count, args.changes), args.tls)
    print(server.socket.getsockname()[1], len(server.recording.list), flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
