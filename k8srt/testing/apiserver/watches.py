"""What a watch is made of: changes, and a queue of them for each watcher.

The storage offers changes and never waits; the thread that serves a watch takes them in batches. A watcher that
does not keep up is dropped: its client notices the end of the stream and starts again from where it was.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from k8srt.util.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from k8srt.testing.apiserver.storage import Stored


@dataclass(frozen=True, slots=True)
class Change:
    """One commit. `after` is None for a removal; `shown` is the object as of this commit in either case."""

    revision: int
    key: str
    after: Stored | None
    before: Stored | None
    shown: Stored

    def as_seen_by(self, matches: Callable[[Stored], bool]) -> str | None:
        """The event a watcher with a selector sees: objects enter and leave what it selects."""
        was = self.before is not None and matches(self.before)
        now = self.after is not None and matches(self.after)
        if now:
            return "MODIFIED" if was else "ADDED"
        return "DELETED" if was else None

    def leaving(self) -> Stored:
        """The object as a watcher sees it leave its selector: as it was, under the version of this commit."""
        assert self.before is not None
        obj = self.before.decode()
        obj["metadata"]["resourceVersion"] = str(self.revision)
        return replace(self.before, revision=self.revision, body=msgspec.json.encode(obj))

    @property
    def type(self) -> str:
        if self.after is None:
            return "DELETED"
        return "ADDED" if self.before is None else "MODIFIED"


class Watcher:
    """The queue between the storage and one watch.

    `offer` is called by writers, `take` by the one thread that serves the watch, `close` by anybody.
    """

    def __init__(
        self,
        namespace: str,
        start: int,
        capacity: int,
        forget: Callable[[Watcher], None],
        clock: Clock = SYSTEM,
    ) -> None:
        self.namespace = namespace
        self.start = start
        self._capacity = capacity
        self._forget = forget
        self._clock = clock
        self._cond = threading.Condition()  # guards the queue and the flags below
        self._changes: deque[Change] = deque()
        self._closed = False
        self._dropped = False
        self._nudged = False

    def offer(self, change: Change, *, force: bool = False) -> bool:
        """Queue a change. False when this watcher is to be forgotten: closed, or too slow."""
        if self.namespace and change.shown.namespace != self.namespace:
            return True
        with self._cond:
            if self._closed:
                return False
            if len(self._changes) >= self._capacity and not force:
                self._closed = self._dropped = True
                self._changes.clear()
            else:
                self._changes.append(change)
            self._cond.notify()
            return not self._closed

    def take(self, deadline: float | None) -> list[Change] | None:
        """All queued changes; [] when the clock passes `deadline` without any, or after a `nudge`; None once closed and
        drained."""
        with self._cond:
            while not self._changes and not self._closed and not self._nudged:
                if deadline is not None and self._clock.now() >= deadline:
                    return []
                self._clock.wait(self._cond, deadline)
            if self._changes:
                batch = list(self._changes)
                self._changes.clear()
                return batch
            return None if self._closed else []

    def nudge(self) -> None:
        """Wake the thread that serves the watch, which then finds itself `nudged`."""
        with self._cond:
            self._nudged = True
            self._cond.notify()

    def nudged(self) -> bool:
        """Whether somebody has nudged since the last look."""
        with self._cond:
            nudged, self._nudged = self._nudged, False
            return nudged

    def pending(self) -> bool:
        with self._cond:
            return bool(self._changes)

    @property
    def dropped(self) -> bool:
        """Whether it was too slow."""
        with self._cond:
            return self._dropped

    def close(self) -> None:
        with self._cond:
            self._closed = True
            self._cond.notify_all()
        self._forget(self)
