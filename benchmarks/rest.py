"""One client in many threads: requests per second, CPU per request, connections opened.

    python -m benchmarks rest [--rounds 3] [--threads 1,8,32] [--json FILE]

The embedded API server runs in another process, over plain HTTP and again over TLS. All threads share one client. They
get a ConfigMap, and create and delete others. CPU is that of the client's process; the server shares the machine, so
the requests per second are mostly its own. The libraries take turns, each time in a new process, and the best of the
rounds counts. Libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.api import OURS, serving
from benchmarks.clients import LIBRARIES
from benchmarks.measure import in_own_process, installed, keep_best, table
from benchmarks.replay import certificate

GETS, CYCLES = 1600, 480
"""Calls of all threads together."""


class Connections:
    """Counts the connections this process opens, whichever library does it."""

    def __init__(self) -> None:
        self.opened = 0
        sys.addaudithook(self._see)

    def _see(self, event: str, args: tuple[object, ...]) -> None:
        if event == "socket.connect":
            self.opened += 1


def contend(library: str, url: str, token: str, ca: str, threads: int) -> dict[str, float]:
    """Measure one library with so many threads; runs in its own process."""
    client = LIBRARIES[library](url, token, ca)

    def cycle(name: str) -> None:
        client.create(name)
        client.delete(name)

    cycle(f"warm-{threads}")
    client.get("one")
    connections = Connections()
    found: dict[str, float] = {}
    for what, call, total in (("get", lambda _: client.get("one"), GETS), ("create+delete", cycle, CYCLES)):
        cpu, wall = _in_threads(call, threads, total)
        found[f"{what}: CPU"] = cpu
        found[f"{what}: per second"] = 1 / wall
    found["connections"] = 1 + connections.opened  # and the one that was open before
    return found


def _in_threads(call: Callable[[str], object], threads: int, total: int) -> tuple[float, float]:
    """CPU and wall seconds per call."""
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for step in range(total // threads):
                call(f"made-{number}-{step}")
        except BaseException as err:  # noqa: BLE001 - a measurement that lost a thread is none
            failed.append(err)

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    cpu, wall = time.process_time(), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if failed:
        raise failed[0]
    return cpu / total, wall / total


def measure(rounds: int, threads: list[int], tls: Path | None) -> dict[str, dict[str, float]]:
    """The best of the rounds, by `library, threads`."""
    results: dict[str, dict[str, float]] = {}
    libraries = [name for name in LIBRARIES if installed(name)]
    with serving(tls) as (url, token):
        common = ("--url", url, "--token", token, "--ca", str(tls / "cert.pem") if tls else "")
        for _ in range(rounds):
            for count in threads:
                for library in libraries:
                    found = in_own_process("benchmarks.rest", library, *common, "--threads", str(count))
                    best = results.setdefault(f"{library}, {count}", {})
                    keep_best(best, found, bigger=("get: per second", "create+delete: per second"))
    return results


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks rest", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,8,32")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    parser.add_argument("--ca", default="", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.contender:
        print(json.dumps(contend(args.contender, args.url, args.token, args.ca, int(args.threads))))
        return 0
    counts = [int(count) for count in args.threads.split(",")]
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, tls in (("plain HTTP", None), ("TLS", Path(folder))):
            if tls is not None:
                certificate(tls)
            results = report[title] = measure(args.rounds, counts, tls)
            print(f"\n{title}\n" + table([_row(name, results) for name in sorted(results, key=_order)]), flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _order(name: str) -> tuple[int, int]:
    library, threads = name.split(", ")
    return int(threads), list(LIBRARIES).index(library)


def _row(name: str, results: dict[str, dict[str, float]]) -> dict[str, str]:
    found, ours = results[name], results[f"{OURS}, {name.split(', ')[1]}"]
    row = {"library, threads": name}
    for what in ("get", "create+delete"):
        row[f"{what}: CPU µs"] = f"{found[f'{what}: CPU'] * 1e6:.0f}"
        row[f"{what}: × k8srt"] = f"{found[f'{what}: CPU'] / ours[f'{what}: CPU']:.1f}"
        row[f"{what}: per s"] = f"{found[f'{what}: per second']:.0f}"
    return {**row, "connections": f"{found['connections']:.0f}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
