"""What the stand-ins have in common: keys come in, one thread works on them, what fails is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Any, Self

from k8srt.errors import K8srtError
from k8srt.tools.cache import meta_namespace_key
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import spawn
from k8srt.util.workqueue import ItemExponentialFailureRateLimiter, RateLimitingQueue

log = logging.getLogger(__name__)

Reconcile = Callable[[str], float | None]
"""Works on the object under a key. Returns after how many seconds it wants to look again; None: when it changes."""


class Loop:
    """A queue and the one thread that works it off; a context manager.

    One thread, and every reconcile asks the server itself and not a cache: so it always sees what it did before, and
    needs none of the books ("expectations") that the real controllers keep.
    """

    def __init__(self, name: str, reconcile: Reconcile, *, clock: Clock = SYSTEM) -> None:
        self._name = name
        self._reconcile = reconcile
        limiter = ItemExponentialFailureRateLimiter[str](base_delay=0.02, max_delay=10.0)
        self.queue = RateLimitingQueue[str](name, limiter, clock=clock)
        self._thread: Thread | None = None

    def add(self, key: str) -> None:
        self.queue.add(key)

    def add_object(self, obj: Any) -> None:
        """Add an object, or the tombstone of one."""
        self.queue.add(meta_namespace_key(obj))

    def __enter__(self) -> Self:
        self._thread = spawn(self._name, self._run)
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.queue.shut_down()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (key := self.queue.get()) is not None:
            if not self.queue.shutting_down():  # nobody waits for what is still queued
                self._work(key)
            self.queue.done(key)

    def _work(self, key: str) -> None:
        try:
            again = self._reconcile(key)
        except Exception as err:
            log.log(
                logging.DEBUG if isinstance(err, K8srtError) else logging.ERROR,
                *("%s: %s: trying again: %s", self._name, key, err),
                exc_info=not isinstance(err, K8srtError),
            )
            self.queue.add_rate_limited(key)
            return
        self.queue.forget(key)
        if again is not None:
            self.queue.add_after(key, again)
