"""An informer's whole path: HTTP, decoding, queue, cache, a handler that reads the key.

    python -m benchmarks informer [--count 10000] [--changes 20000] [--rounds 3] [--json FILE]

A replay server in another process sends a list of pods and then changes, over plain HTTP and again over TLS with gzip.
Each contender runs in a process of its own; CPU is that of all its threads. They take turns, and of each figure the
best counts: what else the machine does then falls on all alike. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import collection_pause, in_own_process, installed, keep_best, resident_bytes, table
from benchmarks.replay import END, certificate

OURS = "k8srt informer"
PEERS = {OURS: "k8srt", "k8srt list+watch": "k8srt", "lightkube loop": "lightkube", "official informer": "kubernetes"}
IMPORTS = {
    "k8srt": (
        "k8srt.informers",
        "k8srt.kubernetes.clientset",
        "k8srt.api.core.v1",
        "k8srt.tools.cache.shared_informer",
    ),
    "lightkube": ("lightkube", "lightkube.resources.core_v1"),
    "kubernetes": ("kubernetes.client", "kubernetes.informer"),
}


class Contest:
    """What a contender tells the measurement: synced, and at the end of the changes."""

    def __init__(self, url: str, ca: str) -> None:
        self.url, self.ca = url, ca
        self.synced = threading.Event()
        self.done = threading.Event()

    def see(self, key: str) -> None:
        if key.endswith(END):
            self.done.set()


def k8srt_informer(contest: Contest) -> Iterator[Any]:
    from k8srt.informers import SharedInformerFactory
    from k8srt.tools.cache import meta_namespace_key

    clientset = _clientset(contest)
    factory = SharedInformerFactory(clientset, watch_list=not contest.ca)  # over TLS: the list, with gzip
    informer = factory.core_v1.pods.informer
    informer.add_event_handler(
        on_add=lambda obj, initial: contest.see(meta_namespace_key(obj)),
        on_update=lambda old, new: contest.see(meta_namespace_key(new)),
    )
    with factory:
        factory.wait_for_cache_sync(timeout=600)
        contest.synced.set()
        yield informer


def _clientset(contest: Contest) -> Any:
    from k8srt.kubernetes import Clientset
    from k8srt.rest import Config
    from k8srt.transport.tls import TLSConfig

    return Clientset(Config(host=contest.url, tls=TLSConfig(ca_file=contest.ca), qps=-1))


def k8srt_loop(contest: Contest) -> Iterator[Any]:
    """List and watch into a dict, by hand."""
    pods = _clientset(contest).core_v1.pods()
    found = pods.list_records(resource_version="0")
    store = {record.key: record for record in found.records}
    version = found.metadata.resource_version

    def watch() -> None:
        with pods.watch_records(resource_version=version) as stream:
            while batch := stream.read_batch():
                for _, record in batch:
                    store[record.key] = record
                    contest.see(record.key)

    yield from _in_thread(contest, store, watch)


def lightkube_loop(contest: Contest) -> Iterator[Any]:
    import lightkube
    from lightkube.config.kubeconfig import KubeConfig
    from lightkube.config.models import Cluster, User
    from lightkube.resources.core_v1 import Pod

    config = KubeConfig.from_one(cluster=Cluster(server=contest.url, certificate_auth=contest.ca or None), user=User())
    client = lightkube.Client(config=config)
    listed = client.list(Pod, namespace="*")
    store = {f"{pod.metadata.namespace}/{pod.metadata.name}": pod for pod in listed}
    version = listed.resourceVersion

    def watch() -> None:
        for _, pod in client.watch(Pod, namespace="*", resource_version=version):
            key = f"{pod.metadata.namespace}/{pod.metadata.name}"
            store[key] = pod
            contest.see(key)
            if contest.done.is_set():
                return

    yield from _in_thread(contest, store, watch)


def official_informer(contest: Contest) -> Iterator[Any]:
    from kubernetes import client
    from kubernetes.informer import ADDED, MODIFIED, SharedInformer

    configuration = client.Configuration(host=contest.url)
    configuration.ssl_ca_cert = contest.ca or None
    api = client.CoreV1Api(client.ApiClient(configuration))
    informer = SharedInformer(api.list_pod_for_all_namespaces)

    def see(pod: Any) -> None:
        contest.see(f"{pod.metadata.namespace}/{pod.metadata.name}")

    informer.add_event_handler(ADDED, see)
    informer.add_event_handler(MODIFIED, see)
    informer.start()
    while not (informer._resource_version and informer.cache.list()):
        time.sleep(0.05)
    contest.synced.set()
    yield informer


def _in_thread(contest: Contest, kept: Any, watch: Callable[[], None]) -> Iterator[Any]:
    threading.Thread(target=watch, daemon=True).start()
    contest.synced.set()
    yield kept


CONTENDERS = {
    OURS: k8srt_informer,
    "k8srt list+watch": k8srt_loop,
    "lightkube loop": lightkube_loop,
    "official informer": official_informer,
}


def contend(name: str, url: str, ca: str, count: int, changes: int) -> dict[str, float]:
    """Measure one contender; runs in its own process."""
    _warm_up(name)
    gc.collect()
    base = resident_bytes()
    contest = Contest(url, ca)
    begun = time.process_time()
    running = CONTENDERS[name](contest)
    kept = next(running)
    synced = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - base
    gc.collect()
    memory = resident_bytes() - base
    pause = collection_pause()
    before, wall = time.process_time(), time.perf_counter()
    context = None
    if ca:
        import ssl

        context = ssl.create_default_context(cafile=ca)
    urllib.request.urlopen(f"{url}/go", context=context).read()
    if not contest.done.wait(600):
        raise SystemExit(f"{name}: the changes did not arrive")
    cpu, wall = time.process_time() - before, time.perf_counter() - wall
    del kept
    return {
        "sync_s": synced - begun,
        "sync_us": (synced - begun) / count * 1e6,
        "event_us": cpu / changes * 1e6,
        "events_per_s": changes / wall,
        "kb": memory / count / 1000,
        "peak_ratio": peak / memory,
        "pause_ms": pause * 1e3,
    }


def _warm_up(name: str) -> None:
    """Import what the contender needs: that is measured elsewhere."""
    for module in IMPORTS[PEERS[name]]:
        importlib.import_module(module)


@contextlib.contextmanager
def replaying(count: int, changes: int, tls: Path | None) -> Iterator[tuple[str, float]]:
    """A replay server in another process; yields its URL, and the KB of JSON that a pod has."""
    command = [sys.executable, "-m", "benchmarks.replay", "--count", str(count), "--changes", str(changes)]
    if tls is not None:
        command += ["--tls", str(tls)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port, size = server.stdout.readline().split()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{port}", int(size) / count / 1000
        finally:
            server.stdin.close()


def measure(count: int, changes: int, rounds: int, tls: Path | None, only: list[str]) -> dict[str, dict[str, float]]:
    """Let those that are installed take turns; of each figure the best counts."""
    results: dict[str, dict[str, float]] = {}
    names = [name for name, package in PEERS.items() if installed(package) and (not only or name in only)]
    for name in names * rounds:
        with replaying(count, changes, tls) as (url, json_kb):
            sizes = ("--count", str(count), "--changes", str(changes))
            ca = str(tls / "cert.pem") if tls else ""
            found = in_own_process("benchmarks.informer", name, "--url", url, "--ca", ca, *sizes)
        keep_best(
            results.setdefault(name, {}), {**found, "json_ratio": found["kb"] / json_kb}, bigger=("events_per_s",)
        )
    return results


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks informer", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many turns")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this contender; repeatable")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--ca", default="", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.contender:
        print(json.dumps(contend(args.contender, args.url, args.ca, args.count, args.changes)))
        return 0
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, tls in (("plain HTTP", None), ("TLS and gzip", Path(folder))):
            if tls is not None:
                certificate(tls)
            results = report[title] = measure(args.count, args.changes, args.rounds, tls, args.only)
            print(f"\n{title}: {args.count} pods, {args.changes} changes")
            print(table([_row(name, found, results) for name, found in results.items()]), flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _row(name: str, found: dict[str, float], results: dict[str, dict[str, float]]) -> dict[str, str]:
    ours = results.get(OURS, found)
    return {
        "": name,
        "CPU to sync, µs/pod": f"{found['sync_us']:.0f}",
        "× k8srt": f"{found['sync_us'] / ours['sync_us']:.1f}",
        "CPU µs/change": f"{found['event_us']:.0f}",
        "×k8srt": f"{found['event_us'] / ours['event_us']:.1f}",
        "changes/s": f"{found['events_per_s']:.0f}",
        "KB/pod": f"{found['kb']:.1f}",
        "× its JSON": f"{found['json_ratio']:.2f}",
        "peak/kept": f"{found['peak_ratio']:.2f}",
        "pause ms": f"{found['pause_ms']:.1f}",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
