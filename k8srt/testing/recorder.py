"""Recorders that keep what they are told, for tests of code that records events. Contract: EVT-31.

    recorder = FakeRecorder(10)
    reconcile(foo, recorder)
    assert recorder.recorded() == ["Normal Synced all replicas are available"]

Either stands in for a recorder of its kind without a broadcaster, a server or a thread.
"""

from __future__ import annotations

import queue
from collections.abc import Mapping
from typing import Any

from k8srt.tools.record.naming import formatted
from k8srt.tools.record.recorder import About
from k8srt.tools.reference import get_reference

BUFFER = 1000


class _Keeps:
    """Lines in `events`, a queue with room for `buffer` of them. Thread-safe.

    As long as there is no room, recording blocks: nothing is lost unseen. Without a queue (`buffer` None) nothing is
    kept. With `include_object` a line says which kind of object it is about.
    """

    def __init__(self, buffer: int | None = BUFFER, *, include_object: bool = False) -> None:
        if buffer is not None and buffer < 1:
            raise ValueError(f"a queue of {buffer} lines would block for ever; None is for keeping nothing")
        self.events: queue.Queue[str] | None = None if buffer is None else queue.Queue(buffer)
        self.include_object = include_object

    def recorded(self) -> list[str]:
        """Take all lines so far out of the queue, the oldest first; never blocks."""
        lines: list[str] = []
        while self.events is not None:
            try:
                lines.append(self.events.get_nowait())
            except queue.Empty:
                break
        return lines

    def _keep(self, about: About, line: str, annotations: Mapping[str, str] | None = None) -> None:
        if self.events is None:
            return
        told = line
        if self.include_object:
            reference = get_reference(about)
            told += f" involvedObject{{kind={reference.kind},apiVersion={reference.api_version}}}"
        if annotations:
            told += f" map[{' '.join(f'{key}:{value}' for key, value in sorted(annotations.items()))}]"
        self.events.put(told)

    def __repr__(self) -> str:
        waiting = "nothing is kept" if self.events is None else f"{self.events.qsize()} events"
        return f"<{type(self).__name__}, {waiting}>"


class FakeRecorder(_Keeps):
    """In the place of a recorder of `k8srt.tools.record`: lines of `<type> <reason> <message>`."""

    def event(self, obj: About, event_type: str, reason: str, message: str) -> None:
        self._keep(obj, f"{event_type} {reason} {message}")

    def eventf(self, obj: About, event_type: str, reason: str, message: str, *args: Any) -> None:
        self._keep(obj, f"{event_type} {reason} {formatted(message, args)}")

    def annotated_eventf(
        self, obj: About, annotations: Mapping[str, str], event_type: str, reason: str, message: str, *args: Any
    ) -> None:
        self._keep(obj, f"{event_type} {reason} {formatted(message, args)}", annotations)


class FakeEventsRecorder(_Keeps):
    """In the place of a recorder of `k8srt.tools.events`: lines of `<type> <reason> <note>`."""

    def event(
        self,
        regarding: About,
        event_type: str,
        reason: str,
        note: str,
        *,
        action: str = "",
        related: About | None = None,
    ) -> None:
        self._keep(regarding, f"{event_type} {reason} {note}")

    def eventf(
        self, regarding: About, related: About | None, event_type: str, reason: str, action: str, note: str, *args: Any
    ) -> None:
        self._keep(regarding, f"{event_type} {reason} {formatted(note, args)}")
