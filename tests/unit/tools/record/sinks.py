"""Sinks that remember what they are told, for the tests of both kinds of events."""

from __future__ import annotations

import threading
from typing import Any

from k8srt.apimachinery.object import Object


class Sink:
    """Keeps what is written: `calls` has "create <name>" and "patch <name> <patch>"; the server's versions count up.

    What is in `failures` is raised first, one for each call. While `gate` is cleared, calls wait for it.
    """

    def __init__(self, *failures: Exception) -> None:
        self.calls: list[str] = []
        self.created: list[Any] = []
        self.patches: list[tuple[Any, dict[str, Any]]] = []
        self.failures = list(failures)
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._version = 100

    def create(self, event: Any) -> Any:
        self._enter(f"create {event.metadata.name}")
        self.created.append(event.copy())
        return self._stored(event)

    def patch(self, event: Any, patch: dict[str, Any]) -> Any:
        self._enter(f"patch {event.metadata.name}")
        self.patches.append((event.copy(), patch))
        return self._stored(event)

    def _enter(self, call: str) -> None:
        with self._lock:
            self.calls.append(call)
        self.waiting.release()
        assert self.gate.wait(10.0)
        with self._lock:
            if self.failures:
                raise self.failures.pop(0)

    def _stored(self, event: Object) -> Object:
        with self._lock:
            self._version += 1
            stored = event.copy()
            stored.metadata.resource_version = str(self._version)
            return stored

    def verbs(self) -> list[str]:
        with self._lock:
            return [call.split()[0] for call in self.calls]
