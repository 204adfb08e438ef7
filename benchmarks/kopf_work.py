"""The same work in kopf, in its own way of writing it: `python kopf_work.py work|latency --url … --token …`.

It runs in an interpreter that has kopf, which need not have k8srt. Prints what it found as JSON.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from typing import Any

import kopf  # type: ignore[import-not-found]

PAUSE = 0.005


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=("work", "latency"))
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()
    stop, lock = threading.Event(), threading.Lock()
    times: list[float] = []
    late: dict[str, float] = {}
    begun = time.monotonic()

    @kopf.on.startup()  # type: ignore[untyped-decorator]
    def configure(settings: Any, **_: Any) -> None:
        settings.execution.max_workers = args.workers
        settings.posting.enabled = False
        settings.scanning.disabled = True

    @kopf.on.login()  # type: ignore[untyped-decorator]
    def login(**_: Any) -> Any:
        return kopf.ConnectionInfo(server=args.url, token=args.token)

    @kopf.on.event("configmaps", labels={"bench": "yes"})  # type: ignore[untyped-decorator]
    def look(body: Any, **_: Any) -> None:
        now = time.monotonic()
        sent = body["data"].get("sent")
        if args.work == "work":
            time.sleep(PAUSE)
        with lock:
            times.append(time.monotonic())
            if sent is not None and sent not in late and float(sent) > begun:
                late[sent] = now - float(sent)
            done = len(times) if args.work == "work" else len(late)
            if done >= args.count:
                stop.set()

    if args.work == "latency":
        print("ready", flush=True)
    kopf.run(clusterwide=True, stop_flag=stop, standalone=True)
    found = {"per_s": (len(times) - 1) / max(times[-1] - times[0], 1e-9), "first_s": times[0] - begun}
    print(json.dumps({**found, "late": sorted(late.values())}))


if __name__ == "__main__":
    main()
