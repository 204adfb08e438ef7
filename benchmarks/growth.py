"""Whether an informer costs the same per object however many it holds; part of `python -m benchmarks cache`.

An informer is fed the bytes of a streaming list and then of changes: decoding, reflector, queue, cache and a handler
that reads the key, without HTTP. The sizes take turns, each time in a new process, and the best of each counts.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import data
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.record import RecordList, WatchRecord, decode_event
from k8srt.tools.cache.keys import meta_namespace_key
from k8srt.tools.cache.listwatch import ListOptions
from k8srt.tools.cache.shared_informer import SharedIndexInformer

BATCH = 32
"""Events in one read: some 256 KB, what a busy socket gives."""
KINDS = 500
"""Different pods; the others differ from these in name, uid and version."""
END = "the-end"


class Made:
    """The lines of watch events for any number of pods, ready to be sent."""

    def __init__(self, count: int, seed: int = 1) -> None:
        rng = random.Random(seed)
        self._templates = [_template(index, rng) for index in range(KINDS)]
        self.added = [self._line(b"ADDED", number, 1) for number in range(count)]

    def changes(self, count: int, among: int, seed: int = 2) -> list[bytes]:
        """Modifications of pods among the first ones, and then the addition of a pod whose name is END."""
        rng = random.Random(seed)
        lines = [self._line(b"MODIFIED", rng.randrange(among), 10_000_000 + step) for step in range(count)]
        last = {"type": "ADDED", "object": {"metadata": {"name": END, "resourceVersion": "20000000"}}}
        return [*lines, json.dumps(last).encode()]

    def _line(self, kind: bytes, number: int, version: int) -> bytes:
        head, middle, tail = self._templates[number % KINDS]
        return b"".join((b'{"type":"', kind, head, b"pod-%06d" % number, middle, b"%d" % (version + number), tail))


def synced(version: int) -> bytes:
    """The bookmark that ends a streaming list."""
    metadata = {"resourceVersion": str(version), "annotations": {"k8s.io/initial-events-end": "true"}}
    object_ = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}
    return json.dumps({"type": "BOOKMARK", "object": object_}).encode()


def _template(index: int, rng: random.Random) -> tuple[bytes, bytes, bytes]:
    """A pod's event around its type, its name and its version."""
    pod = data.pod(index, rng)
    pod["metadata"] |= {"name": "@", "resourceVersion": "@"}
    text = json.dumps({"kind": "Pod", "apiVersion": "v1", **pod}, separators=(",", ":"))
    head, middle, tail = text.split('"@"')
    return f'","object":{head}"'.encode(), f'"{middle}"'.encode(), f'"{tail}}}'.encode()


class Fed:
    """A lister-watcher over lines: the first watch streams the list, and after `go` the changes."""

    def __init__(self, initial: Sequence[bytes], changes: Sequence[bytes]) -> None:
        self.go = threading.Event()
        self._initial, self._changes = initial, changes
        self._batches = self._read()

    def list(self, options: ListOptions, stop: threading.Event) -> RecordList:
        raise NotImplementedError("this source streams its list")

    def watch(self, options: ListOptions, stop: threading.Event) -> Fed:
        return self

    def read_batch(self) -> list[WatchRecord]:
        return next(self._batches, [])

    def close(self) -> None:
        self.go.set()

    def _read(self) -> Iterator[list[WatchRecord]]:
        for lines in (self._initial, self._changes):
            for start in range(0, len(lines), BATCH):
                yield [decode_event(line) for line in lines[start : start + BATCH]]
            self.go.wait()


def follow(initial: Sequence[bytes], changes: Sequence[bytes]) -> tuple[float, float]:
    """CPU seconds of an informer until it has synced and told its handler, and for the changes."""
    source = Fed(initial, changes)
    ended = threading.Event()

    def see(obj: Any) -> None:
        if meta_namespace_key(obj).endswith(END):
            ended.set()

    informer: SharedIndexInformer[Pod] = SharedIndexInformer(source, Pod)
    registration = informer.add_event_handler(on_add=lambda obj, initial: see(obj), on_update=lambda old, new: see(new))
    begun = time.process_time()
    with informer:
        registration.synced.wait(timeout=600.0)
        sync = time.process_time() - begun
        begun = time.process_time()
        source.go.set()
        ended.wait(600.0)
        return sync, time.process_time() - begun


def measure(size: int, changes: int) -> dict[str, float]:
    """CPU µs per object of the list, and per change. In a process of its own: memory is fresh, as at a real start."""
    made = Made(max(size, KINDS))
    follow([*made.added[:KINDS], synced(KINDS)], made.changes(KINDS, KINDS))  # what is set up once is not what grows
    lines, changed = [*made.added[:size], synced(size)], made.changes(changes, size)
    _touch_memory(sum(map(len, lines)) * 5 // 4)
    sync, change = follow(lines, changed)
    return {"sync_us": sync / size * 1e6, "change_us": change / changes * 1e6}


def _touch_memory(count: int) -> None:
    """Have the machine find so many bytes once: a virtual one asks its host, which takes far longer than to reuse."""
    block = bytearray(b"x") * count
    del block
