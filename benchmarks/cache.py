"""Reading from a cache of pods, what it keeps in memory, and how the costs grow with its size.

    python -m benchmarks cache [--count 10000] [--sizes 1000,10000,100000] [--changes 10000] [--rounds 5] [--json FILE]

Readings: CPU of one thread, the best of several rounds. Growth: see `benchmarks.growth`; 100,000 pods take about 2 GB.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import data, growth
from benchmarks.measure import best_in_turns, collection_pause, cpu, in_own_process, resident_bytes, table
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import decode_record_list
from k8srt.apimachinery.schema import GroupResource
from k8srt.listers import Lister
from k8srt.tools.cache.indexer import NAMESPACE_INDEX, Indexer, label_index, meta_namespace_index

READINGS = "readings"
GROWTH = "growth"
LIMITS = {
    "lister.get": "1.5 µs",
    "lister.get, one spec field": "30 µs",
    "lister.list by label (1 in 97)": "15 ms",
    "lister.list by labels (all)": "15 ms",
}
"""What was asked for."""


def readings(count: int, rounds: int) -> dict[str, float]:
    """Seconds of each way to read, and of memory and pause what they are; runs in its own process."""
    text = data.pod_list(count)
    size = len(text) / count
    gc.collect()
    before = resident_bytes()
    indexers = {NAMESPACE_INDEX: meta_namespace_index, "app": label_index("app")}
    indexer: Indexer[Pod] = Indexer(kind=Pod, indexers=indexers)
    records = decode_record_list(text).records
    indexer.replace(records, "1")
    gc.collect()
    memory = (resident_bytes() - before) / count
    names = [(record.name, record.namespace) for record in records]
    lister = Lister(indexer, GroupResource("", "pods"))
    found = best_in_turns(_readers(lister, names), rounds)
    per_name = {name: seconds / count for name, seconds in found.items() if name.startswith("lister.get")}
    return {**found, **per_name, "bytes": memory, "json_bytes": size, "pause": collection_pause()}


def _readers(lister: Lister[Pod], names: list[tuple[str, str]]) -> dict[str, Callable[[], float]]:
    indexer = lister.indexer

    def get() -> None:
        get = lister.get
        for name, namespace in names:
            get(name, namespace)

    def get_and_read() -> None:
        get = lister.get
        for name, namespace in names:
            assert get(name, namespace).spec.node_name

    actions: dict[str, Callable[[], Any]] = {
        "lister.get": get,
        "lister.get, one spec field": get_and_read,
        "lister.list by label (1 in 97)": lambda: lister.list("app=app-3"),
        "lister.list by labels (all)": lambda: lister.list("app.kubernetes.io/managed-by=deployer,tier"),
        "lister.list, everything": lambda: lister.list(),
        "lister.list, one namespace (1 in 20)": lambda: lister.list(namespace="team-3"),
        "by_index (1 in 97)": lambda: indexer.by_index("app", "app-3"),
    }
    return {name: _timed(action) for name, action in actions.items()}


def _timed(action: Callable[[], Any]) -> Callable[[], float]:
    return lambda: cpu(action)[0]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cache", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="pods to read from")
    parser.add_argument("--sizes", default="1000,10000,100000", help="pods to grow to")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.contender:
        print(json.dumps(_contend(args)))
        return 0
    options = ("--count", str(args.count), "--rounds", str(args.rounds))
    results = {READINGS: in_own_process("benchmarks.cache", READINGS, *options)}
    print(f"{args.count} pods\n" + table(_reading_rows(results[READINGS])), flush=True)
    results[GROWTH] = _grow(args.sizes.split(","), args.changes, args.rounds)
    print(f"\nCPU per pod and per change, {args.changes} changes\n" + table(_growth_rows(results[GROWTH])))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def _contend(args: argparse.Namespace) -> dict[str, float]:
    return readings(args.count, args.rounds) if args.contender == READINGS else growth.measure(args.count, args.changes)


def _grow(sizes: list[str], changes: int, rounds: int) -> dict[str, dict[str, float]]:
    """The best of the rounds for each size."""
    found: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for size in sizes:
            options = ("--count", size, "--changes", str(changes))
            now = in_own_process("benchmarks.cache", GROWTH, *options)
            best = found.setdefault(size, now)
            found[size] = {name: min(value, best[name]) for name, value in now.items()}
    return found


def _reading_rows(found: dict[str, float]) -> list[dict[str, str]]:
    rows = []
    for name, value in found.items():
        if name in ("bytes", "json_bytes", "pause"):
            continue
        shown = f"{value * 1e6:.2f} µs" if value < 1e-4 else f"{value * 1e3:.2f} ms"
        rows.append({"": name, "CPU": shown, "limit": LIMITS.get(name, "")})
    kept = f"{found['bytes'] / 1000:.2f} KB"
    rows.append({"": "kept for a pod, two indices", "CPU": kept, "limit": f"{found['json_bytes'] * 1.2 / 1000:.2f} KB"})
    rows.append({"": "pause of a collection", "CPU": f"{found['pause'] * 1e3:.2f} ms", "limit": "20 ms"})
    return rows


def _growth_rows(found: dict[str, dict[str, float]]) -> list[dict[str, str]]:
    first = next(iter(found.values()))
    return [
        {
            "pods": size,
            "sync, µs/pod": f"{each['sync_us']:.1f}",
            "× the first": f"{each['sync_us'] / first['sync_us']:.2f}",
            "µs/change": f"{each['change_us']:.1f}",
            "×the first": f"{each['change_us'] / first['change_us']:.2f}",
        }
        for size, each in found.items()
    ]


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
