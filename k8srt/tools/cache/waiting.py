"""Waiting until caches have been filled.

Contract: INF-44 to INF-47.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Latch, Stop, linked

log = logging.getLogger(__name__)

POLL = 0.1


class Synced(Protocol):
    """Whatever has a `synced`: an informer, a registration, a queue, a controller."""

    @property
    def synced(self) -> Latch: ...


Waitable = Synced | Latch | Callable[[], bool]


def wait_for_cache_sync(
    *things: Waitable, timeout: float | None = None, stop: threading.Event | None = None, clock: Clock = SYSTEM
) -> bool:
    """Wait until all have synced; whether that came true within `timeout` seconds and before `stop`.

    Informers, registrations and latches are waited for without polling; a function is asked every 100 ms.
    Contract: INF-44.
    """
    deadline = None if timeout is None else clock.now() + timeout
    with linked(stop if stop is not None else Stop()) as halt:
        return all(_wait_for(thing, deadline, halt, clock) for thing in things)


def _wait_for(thing: Waitable, deadline: float | None, halt: Stop, clock: Clock) -> bool:
    latch = latch_of(thing)
    if latch is None:
        return _poll(thing, deadline, halt, clock)
    wake = Stop()
    forget = [latch.on_set(wake.set), halt.on_set(wake.set)]
    clock.wait_event(wake, None if deadline is None else max(deadline - clock.now(), 0.0))
    for each in forget:
        each()
    return latch.is_set()


def _poll(ask: Any, deadline: float | None, halt: Stop, clock: Clock) -> bool:
    while not ask():
        if halt.is_set() or (deadline is not None and clock.now() >= deadline):
            return False
        clock.wait_event(halt, POLL if deadline is None else min(POLL, max(deadline - clock.now(), 0.0)))
    return True


def latch_of(thing: Any) -> Latch | None:
    """The latch of something that has one."""
    found = thing if isinstance(thing, Latch) else getattr(thing, "synced", None)
    return found if isinstance(found, Latch) else None


def wait_for_named_cache_sync(
    name: str,
    *things: Waitable,
    timeout: float | None = None,
    stop: threading.Event | None = None,
    clock: Clock = SYSTEM,
) -> bool:
    """The same with a log line before and after. Contract: INF-45."""
    log.info("waiting for caches to sync for %s", name)
    if not wait_for_cache_sync(*things, timeout=timeout, stop=stop, clock=clock):
        log.error("unable to sync caches for %s", name)
        return False
    log.info("caches are synced for %s", name)
    return True


def unsynced(things: Sequence[Waitable]) -> list[Waitable]:
    """Those that have not synced yet."""
    return [thing for thing in things if not _is_synced(thing)]


def _is_synced(thing: Any) -> bool:
    latch = latch_of(thing)
    return latch.is_set() if latch is not None else bool(thing())
