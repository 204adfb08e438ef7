"""Starting the sources of a controller before this process leads, so that its queue is full when it does.

Contract: REC-19, REC-20.
"""

from __future__ import annotations

import threading
from typing import Protocol

from k8srt.util.threads import Latch, linked


class Warm(Protocol):
    """What can be warmed up: a controller."""

    name: str

    def warm_up(self) -> None: ...
    def give_up(self, wait: bool) -> None: ...


class Warmup:
    """A runnable that warms a controller up, and ends what was begun if that is never started."""

    need_leader_election = False

    def __init__(self, controller: Warm) -> None:
        self.name = f"warmup-{controller.name}"
        self.ready = Latch()
        self._controller = controller

    def start(self, stop: threading.Event) -> None:
        """Start the sources and wait until they have synced; return when `stop` is set. Raises SourceFailed."""
        with linked(stop) as stopped:
            forget = stopped.on_set(lambda: self._controller.give_up(wait=False))
            try:
                self._controller.warm_up()
                self.ready.set()
                stopped.wait()
            finally:
                forget()
                self._controller.give_up(wait=True)

    def __repr__(self) -> str:
        return f"<warm-up of {self._controller!r}>"
