"""Each contender in a process of its own, and tables of what they report."""

from __future__ import annotations

import gc
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def in_own_process(module: str, contender: str, *args: str) -> dict[str, Any]:
    """Run `python -m module --contender NAME …` and return the JSON it prints last."""
    command = [sys.executable, "-m", module, "--contender", contender, *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def cpu(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process for one call, and what it returned."""
    begun = time.process_time()
    result = action()
    return time.process_time() - begun, result


def keep_best(best: dict[str, float], found: Mapping[str, float], *, bigger: Sequence[str] = ()) -> None:
    """Let the better of two turns count, figure by figure: the smaller one, but for those in `bigger`."""
    for figure, value in found.items():
        choose = max if figure in bigger else min
        best[figure] = choose(best.get(figure, value), value)


def best_in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Let each contender measure itself in each round; returns the best of each. Noise then falls on all alike."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contend in contenders.items():
            found[name].append(contend())
    return {name: min(times) for name, times in found.items()}


def collection_pause() -> float:
    """CPU seconds of a full garbage collection, the second of two (the first cleans up after the work)."""
    gc.collect()
    return cpu(gc.collect)[0]


def resident_bytes() -> int:
    """Memory of this process that is resident now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys as aligned text."""
    heads = list(rows[0])
    cells = [heads, *([str(row[head]) for head in heads] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    return "\n".join("  ".join(_aligned(line, widths)) for line in cells)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *rest = zip(line, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
