"""The embedded API server: start, lists, creates, watches, memory.

    python -m benchmarks apiserver [--count 10000] [--watchers 100] [--changes 1000] [--json FILE]

The server runs in another process, in memory, over plain HTTP. `start` is from making the server, after the import, to
its first answer. Lists are read by a plain socket, which costs next to nothing. Watches are read by one thread for all;
CPU of a delivery is that of the server for the changes, divided by changes and watchers. Creates are made by eight
threads of one client: ours, and the official one where it is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import random
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import data
from benchmarks.clients import LIBRARIES
from benchmarks.measure import in_own_process, installed, resident_bytes, table

CREATES, THREADS = 1600, 8
LISTS = 5
WARM = 100


def serve() -> int:
    """Be the server: print where it is; answer each line with CPU seconds so far and resident bytes."""
    from k8srt.testing import APIServer

    with APIServer() as server:
        print(server.url, server.token, flush=True)
        for _ in sys.stdin:
            gc.collect()
            print(time.process_time(), resident_bytes(), flush=True)
    return 0


def _pod(number: int, rng: random.Random) -> dict[str, Any]:
    pod = data.pod(number, rng)
    for name in ("uid", "resourceVersion", "ownerReferences"):
        pod["metadata"].pop(name, None)
    pod["spec"].pop("serviceAccountName", None)
    pod["spec"].pop("serviceAccount", None)
    pod["metadata"] |= {"name": f"pod-{number:06d}", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", **pod}


class Served:
    """A server in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self.url, self.token = self._stdout.readline().split()

    def cpu_and_memory(self) -> tuple[float, int]:
        """The CPU seconds it has taken, and its resident bytes."""
        self._stdin.write("\n")
        self._stdin.flush()
        cpu, memory = self._stdout.readline().split()
        return float(cpu), int(memory)

    def connect(self, target: str) -> socket.socket:
        """Ask for something; the answer is to be read."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        sock = socket.create_connection((parts.hostname, parts.port or 80))
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\nConnection: close\r\n\r\n"
        sock.sendall(head.encode())
        return sock


@contextlib.contextmanager
def serving() -> Iterator[Served]:
    command = [sys.executable, "-m", "benchmarks.apiserver", "--contender", "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        served = Served(process)
        try:
            yield served
        finally:
            assert process.stdin is not None
            process.stdin.close()


def start() -> dict[str, float]:
    """Seconds from making a server to its first answer; runs in its own process."""
    from k8srt.testing import APIServer

    begun = time.perf_counter()
    with APIServer() as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port)) as sock:
            sock.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
            sock.recv(1)
        return {"start_s": time.perf_counter() - begun}


def fill(served: Served, count: int) -> float:
    """Create pods; returns what one takes of the server's memory, as a multiple of its JSON."""
    pods = LIBRARIES["k8srt"](served.url, served.token).core.pods("default")
    rng = random.Random(1)
    for number in range(WARM):
        pods.create(_pod(count + number, rng))
    before = served.cpu_and_memory()[1]
    text = sum(len(_text(pods.create(_pod(number, rng)))) for number in range(count))
    return (served.cpu_and_memory()[1] - before) / text


def _text(pod: Any) -> str:
    return json.dumps(pod.to_dict(), separators=(",", ":"))


def lists(served: Served) -> float:
    """Bytes per second of the best of some lists of everything."""
    best = 0.0
    for _ in range(LISTS):
        begun, size = time.perf_counter(), 0
        with served.connect("/api/v1/namespaces/default/pods") as sock:
            while piece := sock.recv(1 << 20):
                size += len(piece)
        best = max(best, size / (time.perf_counter() - begun))
    return best


def deliveries(served: Served, watchers: int, changes: int) -> dict[str, float]:
    """What it costs the server to tell watchers of changes."""
    target = "/api/v1/namespaces/default/configmaps?watch=true"
    selector = selectors.DefaultSelector()
    with contextlib.ExitStack() as stack:
        for _ in range(watchers):
            sock = stack.enter_context(served.connect(target))
            head = b""
            while b"\r\n\r\n" not in head:
                head += sock.recv(1 << 16)
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ)
        stack.callback(selector.close)
        client = LIBRARIES["k8srt"](served.url, served.token)
        client.create("watched")
        seen, last = 0, watchers
        cpu, wall = served.cpu_and_memory()[0], time.perf_counter()
        writer = threading.Thread(target=_change, args=(client, changes))
        writer.start()
        while last:
            for key, _ in selector.select(timeout=60):
                piece = key.fileobj.recv(1 << 18)  # type: ignore[union-attr]
                seen += len(piece)
                last -= b'"last":"true"' in piece
        writer.join()
        cpu, wall = served.cpu_and_memory()[0] - cpu, time.perf_counter() - wall
    return {"delivery_us": cpu / changes / watchers * 1e6, "deliveries_per_s": changes * watchers / wall}


def _change(client: Any, changes: int) -> None:
    maps = client.core.config_maps("default")
    for number in range(changes):
        last = "true" if number == changes - 1 else "false"
        maps.patch("watched", {"data": {"number": str(number), "last": last}}, patch_type="merge")


def creates(library: str, url: str, token: str) -> dict[str, float]:
    """Creates per second of one client in eight threads; runs in its own process."""
    client = LIBRARIES[library](url, token)
    client.create("warm")

    def run(thread: int) -> None:
        for number in range(CREATES // THREADS):
            client.create(f"{library}-{thread}-{number}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    begun = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return {"creates_per_s": CREATES / (time.perf_counter() - begun)}


def measure(args: argparse.Namespace) -> dict[str, float]:
    """All of it."""
    found = {"start_s": min(in_own_process("benchmarks.apiserver", "start")["start_s"] for _ in range(5))}
    with serving() as served:
        found["memory_ratio"] = fill(served, args.count)
        found["list_mb_per_s"] = lists(served) / 1e6
    with serving() as served:
        found |= deliveries(served, args.watchers, args.changes)
    for library in ("k8srt", "kubernetes"):
        if installed(library):
            with serving() as served:
                options = ("--url", served.url, "--token", served.token)
                done = in_own_process("benchmarks.apiserver", library, *options)
            found[f"creates_per_s, {library}"] = done["creates_per_s"]
    return found


ROWS: dict[str, tuple[str, str, Callable[[float], str]]] = {
    "start_s": ("start to the first answer", "0.3 s", lambda value: f"{value:.3f} s"),
    "list_mb_per_s": ("list", "100 MB/s", lambda value: f"{value:.0f} MB/s"),
    "memory_ratio": ("memory of an object, × its JSON", "1.5", lambda value: f"{value:.2f}"),
    "delivery_us": ("CPU of a delivery to a watcher", "", lambda value: f"{value:.1f} µs"),
    "deliveries_per_s": ("deliveries per second", "", lambda value: f"{value:.0f}"),
    "creates_per_s, k8srt": ("creates per second, k8srt", "", lambda value: f"{value:.0f}"),
    "creates_per_s, kubernetes": ("creates per second, official client", "", lambda value: f"{value:.0f}"),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks apiserver", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.contender == "serve":
        return serve()
    if args.contender:
        found = start() if args.contender == "start" else creates(args.contender, args.url, args.token)
        print(json.dumps(found))
        return 0
    results = measure(args)
    rows = [(what, limit, show(results[name])) for name, (what, limit, show) in ROWS.items() if name in results]
    print(f"{args.count} pods; {args.watchers} watchers, {args.changes} changes")
    print(table([{"": what, "measured": shown, "limit": limit} for what, limit, shown in rows]))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
