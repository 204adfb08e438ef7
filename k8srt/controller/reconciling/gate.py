"""What may keep a controller from some of its requests: the other shards that have them. Contract: SHD-06."""

from __future__ import annotations

from typing import Protocol

from k8srt.controller.request import Request


class Gate(Protocol):
    """Asked by any thread."""

    def may_queue(self, request: Request) -> bool:
        """Whether a request is worth queueing."""

    def seconds_until(self, request: Request) -> float | None:
        """In how many seconds it may be reconciled here: 0 for now, None for not at all."""

    def leave(self, request: Request) -> None:
        """It was handed out, and is another's."""

    def check(self, request: Request) -> None:
        """Raise KeyMoved unless no other shard can reconcile it: for just before a write."""
