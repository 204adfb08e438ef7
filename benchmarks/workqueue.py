"""Work queues beside the standard library's queue.Queue: what one item costs on its way through.

    python -m benchmarks workqueue [--items 50000] [--rounds 7] [--json FILE]

`one thread`: each item is added, taken and done before the next one. `backlog`: all are added, then all are worked off.
`16 workers`: one thread adds, sixteen take; the workers wait most of the time, as those of a controller do. CPU of all
threads, the best of several rounds in which the contenders take turns, in one process.
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import best_in_turns, cpu, table
from k8srt.util.workqueue import DelayingQueue, PriorityQueue, Queue, RateLimitingQueue

STANDARD = "queue.Queue"
WORKERS = 16
END = object()

Make = Callable[[], Any]


def one_thread(make: Make, keys: list[str]) -> float:
    """CPU seconds to add, take and finish each item by itself."""
    items = make()
    add, get, done = items.add, items.get, items.done

    def run() -> None:
        for key in keys:
            add(key)
            done(get())

    return cpu(run)[0]


def standard_one_thread(keys: list[str]) -> float:
    items: queue.Queue[Any] = queue.Queue()
    put, get = items.put, items.get

    def run() -> None:
        for key in keys:
            put(key)
            get()

    return cpu(run)[0]


def backlog(make: Make, keys: list[str]) -> float:
    """CPU seconds to add all items, and then to take and finish all."""
    items = make()
    add, get, done = items.add, items.get, items.done

    def run() -> None:
        for key in keys:
            add(key)
        for _ in keys:
            done(get())

    return cpu(run)[0]


def standard_backlog(keys: list[str]) -> float:
    items: queue.Queue[Any] = queue.Queue()
    put, get = items.put, items.get

    def run() -> None:
        for key in keys:
            put(key)
        for _ in keys:
            get()

    return cpu(run)[0]


def workers(make: Make, keys: list[str]) -> float:
    """CPU seconds of all threads until sixteen workers have finished what one thread adds."""
    items = make()
    all_done = threading.Event()
    left = iter(range(len(keys) - 1, -1, -1))  # next() of it is atomic

    def work() -> None:
        get, done = items.get, items.done
        while (item := get()) is not None:
            done(item)
            if not next(left):
                all_done.set()

    def run() -> None:
        add = items.add
        for key in keys:
            add(key)
        all_done.wait()

    return _with_workers(work, run, items.shut_down)


def standard_workers(keys: list[str]) -> float:
    items: queue.Queue[Any] = queue.Queue()
    all_done = threading.Event()
    left = iter(range(len(keys) - 1, -1, -1))

    def work() -> None:
        get = items.get
        while get() is not END:
            if not next(left):
                all_done.set()

    def run() -> None:
        put = items.put
        for key in keys:
            put(key)
        all_done.wait()

    def end() -> None:
        for _ in range(WORKERS):
            items.put(END)

    return _with_workers(work, run, end)


def _with_workers(work: Callable[[], None], run: Callable[[], None], end: Callable[[], object]) -> float:
    threads = [threading.Thread(target=work, name=f"bench-{number}") for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        return cpu(run)[0]
    finally:
        end()
        for thread in threads:
            thread.join()


QUEUES: dict[str, Make] = {
    "Queue": Queue,
    "DelayingQueue": DelayingQueue,
    "RateLimitingQueue": RateLimitingQueue,
    "PriorityQueue": PriorityQueue,
}
WAYS: dict[str, tuple[Callable[[list[str]], float], Callable[[Make, list[str]], float]]] = {
    "one thread": (standard_one_thread, one_thread),
    "backlog": (standard_backlog, backlog),
    f"{WORKERS} workers": (standard_workers, workers),
}


def measure(count: int, rounds: int) -> dict[str, dict[str, float]]:
    """CPU µs per item: of each queue, used in each way."""
    keys = [f"team-{number % 20}/app-{number:06d}" for number in range(count)]
    found: dict[str, dict[str, float]] = {name: {} for name in (STANDARD, *QUEUES)}
    for way, (standard, ours) in WAYS.items():
        contenders = {STANDARD: partial(standard, keys)}
        contenders |= {name: partial(ours, make, keys) for name, make in QUEUES.items()}
        for name, seconds in best_in_turns(contenders, rounds).items():
            found[name][way] = seconds / count * 1e6
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks workqueue", description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    results = measure(args.items, args.rounds)
    print(f"{args.items} items, CPU µs for each, and the speed beside {STANDARD}")
    print(table([_row(name, found, results[STANDARD]) for name, found in results.items()]))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def _row(name: str, found: dict[str, float], standard: dict[str, float]) -> dict[str, str]:
    row = {"": name}
    for way, each in found.items():
        row[way] = f"{each:.2f}"
        row[f"{way}: speed"] = f"{standard[way] / each:.2f} ×"
    return row


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
