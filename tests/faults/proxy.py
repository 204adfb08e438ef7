"""What stands between a client and a server, and does everything to the bytes that a network can do to them."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Self
from urllib.parse import urlsplit

KINDS = ("close", "reset", "stall", "garble", "refuse")


class Fate(NamedTuple):
    """What becomes of one connection: after so many bytes of answers, this. Packets are of at most `packet` bytes."""

    kind: str
    after: int
    packet: int


def fates(seed: int, young: int = 40) -> Callable[[], Fate]:
    """A schedule of them, the same for each seed: half die before four times `young` bytes, some much later."""
    rng = random.Random(seed)

    def draw() -> Fate:
        after = int(rng.paretovariate(0.5) * young) % (young * 500)
        return Fate(rng.choice(KINDS), after, rng.choice((1, 7, 100, 65536)))

    return draw


class FaultyProxy:
    """Forwards connections to a server, each until its fate. A context manager.

    After `heal()` new connections come through whole; those that are there meet their fate.
    """

    def __init__(self, target: str, draw: Callable[[], Fate]) -> None:
        """Stand in front of the server with the URL `target`."""
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._draw = draw
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"{parts.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()  # guards what follows
        self._healed = False
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.done: list[Fate] = []
        self._begin(self._accept)

    def heal(self) -> None:
        """Let everything through from now on, and end what has a worse fate."""
        with self._lock:
            self._healed = True
            doomed = list(self._open)
        for sock in doomed:
            _shut(sock)

    def did_everything(self) -> bool:
        """Whether there were a number of connections with each kind of fate."""
        with self._lock:
            counts = Counter(fate.kind for fate in self.done)
        return all(counts[kind] >= 2 for kind in KINDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        _shut(self._listener)
        self._listener.close()
        self.heal()
        for thread in self._threads:
            thread.join(5.0)

    def _begin(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="faulty-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                fate = None if self._healed else self._draw()
            if fate is not None and fate.kind == "refuse":
                self._begin(self._refuse, client, fate)
                continue
            try:
                server = socket.create_connection(self._target)
            except OSError:
                _reset(client)
                continue
            with self._lock:
                self._open |= {client, server}
            self._begin(self._forward, client, server)
            self._begin(self._back, client, server, fate)

    def _refuse(self, client: socket.socket, fate: Fate) -> None:
        """Reset it as soon as the client says a word. (Before that, Python's TLS would leave a socket open.)"""
        client.settimeout(5.0)
        with contextlib.suppress(OSError):
            client.recv(1)
        self._meet(fate)
        _reset(client)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """What the client says arrives as it is."""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        _shut(server)

    def _back(self, client: socket.socket, server: socket.socket, fate: Fate | None) -> None:
        left = fate.after if fate else 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if fate is None:
                    client.sendall(data)
                    continue
                for at in range(0, min(len(data), left), fate.packet):
                    client.sendall(data[at : min(at + fate.packet, left)])
                left -= len(data)
                if left <= 0:
                    self._meet(fate)
                    _end(client, fate)
                    break
        with self._lock:
            self._open -= {client, server}
        for sock in (client, server):
            _shut(sock)
            sock.close()

    def _meet(self, fate: Fate) -> None:
        with self._lock:
            self.done.append(fate)


def _end(client: socket.socket, fate: Fate) -> None:
    if fate.kind == "reset":
        _reset(client)
    elif fate.kind == "stall":
        client.settimeout(30.0)
        while client.recv(65536):  # until the client has had enough
            pass
    elif fate.kind == "garble":
        client.sendall(random.Random(fate.after).randbytes(200).replace(b"\x00", b"\n") + b"\n}{\n")


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(sock.detach())


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
