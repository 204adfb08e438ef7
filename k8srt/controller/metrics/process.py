"""What is worth knowing of the process itself: processor time, memory, files, threads, the garbage collector.

The names are those of Prometheus' clients. What the platform does not tell is left out. Contract: MTR-05, MTR-06.
"""

from __future__ import annotations

import gc
import os
import platform
import resource
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from k8srt.controller.metrics.instruments import Sample, Snapshot
from k8srt.util.stacks import threads

_STAT = Path("/proc/self/stat")
_FILES = Path("/proc/self/fd")
_MACHINE = Path("/proc/stat")


def process_figures() -> Iterator[Snapshot]:
    """The families, as they are now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield _counter("process_cpu_seconds_total", "Processor time used.", used.ru_utime + used.ru_stime)
    yield from _from_proc()
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield _gauge("process_max_fds", "How many files may be open.", float(soft))
    yield _python_info()
    yield from _collector_figures()
    yield threads_by_role()


def _from_proc() -> Iterator[Snapshot]:
    """What Linux tells of it."""
    try:
        fields = _STAT.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        files = len(list(_FILES.iterdir()))
        machine = _MACHINE.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return
    ticks = os.sysconf("SC_CLK_TCK")
    booted = int(machine[machine.index("btime") + 1])
    yield _gauge("process_start_time_seconds", "When the process began.", booted + int(fields[19]) / ticks)
    yield _gauge("process_virtual_memory_bytes", "Address space.", float(fields[20]))
    yield _gauge("process_resident_memory_bytes", "Memory in use.", float(fields[21]) * os.sysconf("SC_PAGE_SIZE"))
    yield _gauge("process_open_fds", "Open files.", float(files))


def _python_info() -> Snapshot:
    major, minor, patch = platform.python_version_tuple()
    labels = (
        ("implementation", platform.python_implementation()),
        *(("major", major), ("minor", minor), ("patchlevel", patch)),
        ("version", platform.python_version()),
    )
    return Snapshot("python_info", "Which Python this is.", "gauge", [Sample("", labels, 1.0)])


def _collector_figures() -> Iterator[Snapshot]:
    stats = gc.get_stats()
    told = (
        ("objects_collected", "collected", "Objects collected."),
        ("objects_uncollectable", "uncollectable", "Objects that could not be collected."),
        ("collections", "collections", "Collections."),
    )
    for name, key, about in told:
        samples = [Sample("", (("generation", str(n)),), float(each[key])) for n, each in enumerate(stats)]
        yield Snapshot(f"python_gc_{name}_total", about, "counter", samples)


def threads_by_role() -> Snapshot:
    """How many threads of the library there are of each role: the word after `k8srt-` in their names."""
    roles = Counter(each.role for each in threads())
    samples = [Sample("", (("role", role),), float(count)) for role, count in sorted(roles.items())]
    return Snapshot("k8srt_threads", "Threads of the library.", "gauge", samples)


def _gauge(name: str, about: str, value: float) -> Snapshot:
    return _plain(name, about, "gauge", value)


def _counter(name: str, about: str, value: float) -> Snapshot:
    return _plain(name, about, "counter", value)


def _plain(name: str, about: str, kind: str, value: float) -> Snapshot:
    samples: Iterable[Sample] = [Sample("", (), value)]
    return Snapshot(name, about, kind, list(samples))
