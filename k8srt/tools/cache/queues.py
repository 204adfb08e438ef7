"""The queues an informer can run on."""

from __future__ import annotations

from typing import Any, Literal

from k8srt.tools.cache.fifo import DeltaFIFO
from k8srt.tools.cache.forms import Transform
from k8srt.tools.cache.identity import Identifier
from k8srt.tools.cache.indexer import Indexer
from k8srt.tools.cache.measured import measured
from k8srt.tools.cache.queue import Queue
from k8srt.tools.cache.real_fifo import RealFIFO
from k8srt.util.clock import Clock

QueueKind = Literal["delta", "real"]
"""`delta`: changes are collected by key, so that a consumer that falls behind catches up. `real`: every change in the
order it came, the server's order across keys, as upstream's informers have it since 1.36."""


def check_queue_kind(which: str) -> None:
    """Raises ValueError for what is no QueueKind."""
    if which not in ("delta", "real"):
        raise ValueError(f"queue must be 'delta' or 'real', not {which!r}")


def make_queue(
    which: QueueKind,
    store: Indexer[Any],
    *,
    transformer: Transform | None,
    name: str,
    clock: Clock,
    identifier: Identifier | None = None,
) -> Queue:
    """A queue in front of `store`, measured if it can be. Contract: CACHE-49, CACHE-59."""
    common: dict[str, Any] = {"transformer": transformer, "kind": store.form.kind, "name": name, "clock": clock}
    made: Queue
    if which == "real":
        made = RealFIFO(atomic=True, unlock_while_processing=True, emit_bookmarks=True, **common)
    else:
        made = DeltaFIFO(known_objects=store, emit_delta_type_replaced=True, **common)
    return measured(made, identifier, clock, store.last_store_sync_resource_version)
