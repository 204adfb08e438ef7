"""The controller runtime: throughput, latency, start, idleness; kopf on the same work.

    python -m benchmarks runtime [--count 5000] [--rate 500] [--seconds 10] [--kopf PYTHON] [--json FILE]

The server runs in another process, and so does whoever changes objects. Throughput is that of reconciles which wait for
5 ms, as a call to an API does, from the first to the last of `count` objects that are there at the start; the limit is
what workers could do that do nothing else. `calls` are reconciles with a read past the cache instead. Latency is from
just before a change is sent until its reconcile begins, so the request that makes the change is part of it; what that
takes is told beside it, since a machine that is busy with other things shows in both. Changes begin when everything has
been reconciled once. Idle CPU is of a process with 20 informers and 4 controllers where nothing changes. kopf runs in
the interpreter given.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.apiserver import Served, serving
from benchmarks.measure import in_own_process, installed, table

PAUSE = 0.005
LABELS = {"bench": "yes"}
CHANGED = 500
KOPF_COUNT = 1000
LIMIT = 120.0


def _config(url: str, token: str) -> Any:
    from k8srt.rest import Config

    return Config(host=url, bearer_token=token, qps=-1.0)


def fill(url: str, token: str, first: int, count: int) -> None:
    """Create config maps, from several threads."""
    from k8srt.api.core.v1 import ConfigMap
    from k8srt.apimachinery.meta import ObjectMeta
    from k8srt.kubernetes import Clientset

    with Clientset(_config(url, token)) as cs:
        maps = cs.core_v1.config_maps("default")

        def run(start: int) -> None:
            for number in range(first + start, first + count, 4):
                meta = ObjectMeta(name=f"map-{number:06d}", labels=dict(LABELS))
                maps.create(ConfigMap(metadata=meta, data={"number": str(number), "text": "x" * 200}))

        _in_threads(run, 4)


def _in_threads(run: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def work(args: argparse.Namespace) -> dict[str, float]:
    """Reconcile everything once, with so many workers."""
    from k8srt.api.core.v1 import ConfigMap
    from k8srt.controller import Context, Manager, Request

    times: list[float] = []
    done = threading.Event()
    mgr = Manager(_config(args.url, args.token))

    @mgr.controller(ConfigMap, labels=LABELS, workers=args.workers)
    def reconcile(request: Request, ctx: Context) -> None:
        times.append(time.perf_counter())
        if args.contender == "work":
            time.sleep(PAUSE)
        elif args.contender == "calls":
            ctx.api_reader.core_v1.config_maps(request.namespace).get(request.name)
        if len(times) >= args.count:
            done.set()

    begun, cpu = time.perf_counter(), time.process_time()
    with mgr:
        done.wait(LIMIT)
    took = times[-1] - times[0]
    cpu = time.process_time() - cpu
    return {"per_s": (len(times) - 1) / took, "first_s": times[0] - begun, "cpu_us": cpu / len(times) * 1e6}


def latency(args: argparse.Namespace) -> dict[str, Any]:
    """How long after a change its reconcile begins."""
    from k8srt.api.core.v1 import ConfigMap
    from k8srt.controller import Context, Manager

    late: dict[str, float] = {}
    at_first: set[str] = set()
    settled = threading.Event()
    begun = time.monotonic()
    mgr = Manager(_config(args.url, args.token))

    @mgr.controller(ConfigMap, labels=LABELS, workers=args.workers)
    def reconcile(obj: ConfigMap, ctx: Context) -> None:
        now = time.monotonic()
        sent = (obj.data or {}).get("sent")
        if not settled.is_set():
            at_first.add(obj.metadata.name or "")
            if len(at_first) >= args.count:
                settled.set()
        if sent is not None and float(sent) > begun:  # not from an earlier run
            late.setdefault(sent, now - float(sent))

    with mgr:
        settled.wait(LIMIT)
        changes = _changes(args)
        time.sleep(0.5)
    return {**changes, "late": sorted(late.values())}


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """Have another process make the changes; returns how many a second there were, and what each request took."""
    options = ("--url", args.url, "--token", args.token, "--rate", str(args.rate), "--seconds", str(args.seconds))
    options += ("--count", str(args.count))
    return in_own_process("benchmarks.runtime", "change", *options)


def change(args: argparse.Namespace) -> dict[str, Any]:
    """Change objects at a steady rate, and say in each when."""
    from k8srt.kubernetes import Clientset

    threads = 4
    total = int(args.rate * args.seconds)
    took: list[float] = []
    with Clientset(_config(args.url, args.token)) as cs:
        maps = cs.core_v1.config_maps("default")
        maps.get("map-000000")
        begun = time.monotonic()

        def run(thread: int) -> None:
            for number in range(thread, total, threads):
                time.sleep(max(0.0, begun + number / args.rate - time.monotonic()))
                sent = time.monotonic()
                patch = {"data": {"sent": f"{sent:.9f}"}}
                maps.patch(f"map-{number % min(CHANGED, args.count):06d}", patch, patch_type="merge")
                took.append(time.monotonic() - sent)

        _in_threads(run, threads)
        return {"rate": total / (time.monotonic() - begun), "took": sorted(took)}


def idle(args: argparse.Namespace) -> dict[str, float]:
    """CPU of doing nothing, as a part of one processor."""
    from k8srt.api.apps import v1 as apps
    from k8srt.api.batch import v1 as batch
    from k8srt.api.core import v1 as core
    from k8srt.api.networking import v1 as networking
    from k8srt.api.policy import v1 as policy
    from k8srt.api.rbac import v1 as rbac
    from k8srt.controller import Manager

    kinds: list[Any] = [apps.Deployment, apps.StatefulSet, apps.DaemonSet, apps.ReplicaSet, apps.ControllerRevision]
    kinds += [batch.Job, batch.CronJob, core.Pod, core.Service, core.Secret, core.Node, core.Namespace, core.Endpoints]
    kinds += [core.ServiceAccount, core.PersistentVolumeClaim, core.PersistentVolume, networking.Ingress]
    kinds += [networking.NetworkPolicy, policy.PodDisruptionBudget, rbac.Role]
    mgr = Manager(_config(args.url, args.token))
    for number, kind in enumerate(kinds[:4]):
        mgr.controller(kind, name=f"idle-{number}", workers=4)(lambda request, ctx: None)
    for kind in kinds:
        mgr.cache.informer(kind)
    with mgr:
        time.sleep(2.0)
        cpu, begun = time.process_time(), time.perf_counter()
        time.sleep(args.seconds)
        used = time.process_time() - cpu
        return {"idle_part": used / (time.perf_counter() - begun), "informers": float(len(kinds))}


CONTENDERS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "work": work,
    "calls": work,
    "nothing": work,
    "latency": latency,
    "change": change,
    "idle": idle,
}


def _ask(served: Served, contender: str, *options: object) -> dict[str, Any]:
    words = ("--url", served.url, "--token", served.token, *map(str, options))
    return in_own_process("benchmarks.runtime", contender, *words)


def _percentile(values: Sequence[float], part: float) -> float:
    return values[min(len(values) - 1, int(len(values) * part))]


def measure(args: argparse.Namespace) -> dict[str, float]:
    """All of it."""
    found: dict[str, float] = {}
    with serving() as served:
        fill(served.url, served.token, 0, args.count)
        for workers in (1, 4, 16):
            done = _ask(served, "work", "--workers", workers, "--count", args.count)
            found[f"part of the limit, {workers} workers"] = done["per_s"] / (workers / PAUSE)
        for workers in (1, 4):
            done = _ask(served, "calls", "--workers", workers, "--count", args.count)
            found[f"reconciles with a read per s, {workers} workers"] = done["per_s"]
        done = _ask(served, "nothing", "--workers", 1, "--count", args.count)
        found["empty reconciles per s"] = done["per_s"]
        changing = ("--rate", args.rate, "--seconds", args.seconds, "--count", args.count)
        found |= _latencies(_ask(served, "latency", *changing), "")
        if args.kopf:
            found |= _kopf(args, served)
        fill(served.url, served.token, args.count, args.count)
        done = _ask(served, "work", "--workers", 1, "--count", 1)
        found[f"start to the first reconcile with {2 * args.count}, s"] = done["first_s"]
    with serving() as served:
        found["idle CPU, % of a processor"] = 100 * _ask(served, "idle", "--seconds", args.seconds)["idle_part"]
    return found


def _latencies(done: dict[str, Any], whose: str) -> dict[str, float]:
    late = done["late"]
    return {
        f"{whose}changes per s": done["rate"],
        f"{whose}latency p50, ms": _percentile(late, 0.5) * 1e3,
        f"{whose}latency p99, ms": _percentile(late, 0.99) * 1e3,
        f"{whose}the request alone p50, ms": _percentile(done["took"], 0.5) * 1e3,
        f"{whose}the request alone p99, ms": _percentile(done["took"], 0.99) * 1e3,
        f"{whose}latencies seen": float(len(late)),
    }


def _kopf(args: argparse.Namespace, served: Served) -> dict[str, float]:
    script = str(Path(__file__).with_name("kopf_work.py"))
    common = ["--url", served.url, "--token", served.token]
    command = [args.kopf, script, "work", *common, "--workers", "4", "--count", str(min(args.count, KOPF_COUNT))]
    done = json.loads(_output(command).splitlines()[-1])
    found = {"kopf: part of the limit, 4 workers": done["per_s"] / (4 / PAUSE)}
    found[f"kopf: start to the first with {args.count}, s"] = done["first_s"]
    total = int(args.rate * args.seconds * 0.9)
    command = [args.kopf, script, "latency", *common, "--workers", "4", "--count", str(total)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(10.0 + random.random())  # until it has looked at everything once
        changes = _changes(argparse.Namespace(**{**vars(args), "url": served.url, "token": served.token}))
        try:
            out, _ = process.communicate(timeout=30.0)
        except subprocess.TimeoutExpired:
            process.kill()
            return found
    return found | _latencies({**json.loads(out.splitlines()[-1]), **changes}, "kopf: ")


def _output(command: list[str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout


LIMITS = {
    "part of the limit, 4 workers": "≥ 0.90",
    "latency p50, ms": "≤ 5",
    "latency p99, ms": "≤ 25",
    "idle CPU, % of a processor": "≤ 0.2",
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks runtime", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--kopf", default=sys.executable if installed("kopf") else "", metavar="PYTHON")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", choices=sorted(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=4, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.contender:
        print(json.dumps(CONTENDERS[args.contender](args)))
        return 0
    results = measure(args)
    print(f"{args.count} objects, reconciles of {PAUSE * 1e3:g} ms; {args.rate:g} changes a second")
    rows = [{"": name, "measured": f"{value:.3g}", "limit": LIMITS.get(name, "")} for name, value in results.items()]
    print(table(rows))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
