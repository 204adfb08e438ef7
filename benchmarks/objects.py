"""Decoding a big list: into records, into plain values, into the models of peers.

    python -m benchmarks objects [--count 10000] [--json FILE]

Reports CPU per pod, memory kept per pod against its JSON, and the pause of a garbage collection afterwards, each in a
process of its own with the collector on. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.measure import collection_pause, cpu, in_own_process, installed, keep_best, resident_bytes, table

PEERS = {"k8srt records": "k8srt", "json.loads": "json", "official client": "kubernetes", "lightkube": "lightkube"}
SLOW = {"official client": 10}
"""Contenders so slow that they get a tenth of the list; the figures are per pod."""


def decoder(contender: str) -> Callable[[bytes], Any]:
    """What turns a response into what the contender keeps."""
    if contender == "k8srt records":
        from k8srt.apimachinery.record import decode_record_list

        return decode_record_list
    if contender == "json.loads":
        return json.loads
    if contender == "official client":
        from kubernetes import client

        api = client.ApiClient()

        return lambda text: api.deserialize(text.decode(), "V1PodList", "application/json")
    from lightkube.resources.core_v1 import Pod

    return lambda text: [Pod.from_dict(item) for item in json.loads(text)["items"]]


def contend(contender: str, path: Path, count: int) -> dict[str, float]:
    """Measure one contender; runs in its own process."""
    decode = decoder(contender)
    decode(data.pod_list(3))  # imports and caches are not what is measured
    text = path.read_bytes()
    gc.collect()
    before = resident_bytes()
    seconds, kept = cpu(lambda: decode(text))
    gc.collect()
    memory = resident_bytes() - before
    pause = collection_pause()
    del kept
    return {
        "us": seconds / count * 1e6,
        "kb": memory / count / 1000,
        "json_kb": len(text) / count / 1000,
        "pause_ms": pause * 1e3,
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks objects", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.contender:
        print(json.dumps(contend(args.contender, args.path, args.count)))
        return 0
    results = measure(args.count, args.rounds)
    print(f"{args.count} pods\n" + table([_row(name, found, results) for name, found in results.items()]))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def measure(count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Run every contender that is installed on the same bytes, in turns; of each figure the best counts."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for contender in [name for name, package in PEERS.items() if installed(package)] * rounds:
            share = count // SLOW.get(contender, 1)
            path = Path(folder, f"{share}.json")
            if not path.exists():
                path.write_bytes(data.pod_list(share))
            arguments = ("--path", str(path), "--count", str(share))
            found = in_own_process("benchmarks.objects", contender, *arguments)
            keep_best(results.setdefault(contender, {}), found)
    return results


def _row(name: str, found: dict[str, float], results: dict[str, dict[str, float]]) -> dict[str, str]:
    ours = results["k8srt records"]
    return {
        "": name,
        "µs/pod": f"{found['us']:.1f}",
        "× k8srt": f"{found['us'] / ours['us']:.1f}",
        "KB kept/pod": f"{found['kb']:.1f}",
        "× its JSON": f"{found['kb'] / found['json_kb']:.2f}",
        "pause ms": f"{found['pause_ms']:.1f}",
    }


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
