"""Clients beside clients: the start of a program, and what a call costs.

    python -m benchmarks api [--rounds 5] [--json FILE]

The embedded API server runs in another process, over plain HTTP. `start` is the import, the connection and the first
list of pods in a fresh process, from bytecode as an installation has it. Calls are sequential, CPU is that of the
client's process, all its threads included; a value of each object that comes is read. Nobody limits the rate of
requests. The libraries take turns, each time in a new process, and the best of the rounds counts. Libraries that are
not installed are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clients import FEW, LIBRARIES, MANY, SIZE
from benchmarks.measure import installed, keep_best, table

OURS = "k8srt"
Figures = dict[str, dict[str, float]]


def serve(tls: Path | None) -> int:
    """Be the server: print where it is, end with the standard input."""
    from k8srt.api.core.v1 import ConfigMap, Namespace
    from k8srt.apimachinery.meta import ObjectMeta
    from k8srt.kubernetes import Clientset
    from k8srt.testing import APIServer

    files = {"certificate": str(tls / "cert.pem"), "private_key": str(tls / "key.pem")} if tls else {}
    with APIServer(**files) as server, Clientset(server.config) as clientset:
        core = clientset.core_v1
        core.namespaces().create(Namespace(metadata=ObjectMeta(name=MANY)))
        core.config_maps(FEW).create(_config_map(ConfigMap, ObjectMeta, "one"))
        for number in range(SIZE):
            core.config_maps(MANY).create(_config_map(ConfigMap, ObjectMeta, f"one-of-many-{number:04d}"))
        while len(core.config_maps(MANY).list()) > SIZE:  # a controller's own, of the namespace
            for each in core.config_maps(MANY).list():
                if not each.metadata.name.startswith("one-"):
                    core.config_maps(MANY).delete(each.metadata.name)
        print(server.url, server.token, flush=True)
        sys.stdin.read()
    return 0


def _config_map(kind: type, meta: type, name: str) -> object:
    labels = {"app": "bench", "part": name[-1]}
    return kind(metadata=meta(name=name, labels=labels), data={"key": name, "text": "some configuration\n" * 10})


@contextlib.contextmanager
def serving(tls: Path | None = None) -> Iterator[tuple[str, str]]:
    """An embedded server in another process; yields its URL and a token. `tls` is a folder with a certificate."""
    command = [sys.executable, "-m", "benchmarks.api", "--serve", *(["--tls", str(tls)] if tls else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            url, token = server.stdout.readline().split()
            yield url, token
        finally:
            server.stdin.close()


def measure(rounds: int) -> dict[str, Figures]:
    """The best of the rounds of each library, for the start and for the calls."""
    results: dict[str, Figures] = {"first": {}, "calls": {}}
    libraries = [name for name in LIBRARIES if installed(name)]
    with tempfile.TemporaryDirectory() as bytecode, serving() as (url, token):
        for _ in range(rounds):
            for what, figures in results.items():
                for library in libraries:
                    now = _in_new_process(what, library, url, token, bytecode)
                    keep_best(figures.setdefault(library, {}), now)
    return results


def with_bytecode(folder: str) -> dict[str, str]:
    """An environment in which a module is compiled once, the peers' and ours alike; the first round pays for it."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "PYTHONPYCACHEPREFIX": folder}


def _in_new_process(what: str, library: str, url: str, token: str, bytecode: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.clients", what, library, url, token]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=with_bytecode(bytecode))
    if done.returncode:
        raise SystemExit(f"{library} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks api", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tls", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.serve:
        return serve(args.tls)
    results = measure(args.rounds)
    started, called = results["first"], results["calls"]
    print("start\n" + table([_start_row(name, found, started[OURS]) for name, found in started.items()]))
    print("\ncalls, CPU ms\n" + table([_call_row(name, found, called[OURS]) for name, found in called.items()]))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def _start_row(name: str, found: dict[str, float], ours: dict[str, float]) -> dict[str, str]:
    return {
        "": name,
        "import, connect: CPU ms": f"{found['connect_ms']:.0f}",
        " × k8srt": f"{found['connect_ms'] / ours['connect_ms']:.1f}",
        "first list: CPU ms": f"{found['cpu_ms']:.0f}",
        "× k8srt": f"{found['cpu_ms'] / ours['cpu_ms']:.1f}",
        "time ms": f"{found['wall_ms']:.0f}",
        "×k8srt": f"{found['wall_ms'] / ours['wall_ms']:.1f}",
        "memory MB": f"{found['mb']:.1f}",
        "× k8srt ": f"{found['mb'] / ours['mb']:.1f}",
    }


def _call_row(name: str, found: dict[str, float], ours: dict[str, float]) -> dict[str, str]:
    row = {"": name}
    for what, seconds in found.items():
        row[what] = f"{seconds * 1e3:.2f}"
        row[f"{what}: × k8srt"] = f"{seconds / ours[what]:.1f}"
    return row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
