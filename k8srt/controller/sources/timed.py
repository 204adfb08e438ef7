"""Sources that look for themselves: every so often, or at certain times.

    Poll(lambda: s3.list_buckets(), 60.0, key=lambda bucket: f"shop/{bucket['name']}")
    Schedule("0 3 * * *", lambda: [Request("shop", "nightly")])

Contract: SRC-06.
"""

from __future__ import annotations

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from k8srt.apimachinery.object import Object
from k8srt.controller.event import GenericEvent
from k8srt.controller.handler import EnqueueMapped, EventHandler, RequestQueue
from k8srt.controller.predicate import Where
from k8srt.controller.request import Request
from k8srt.controller.source import Sifting
from k8srt.controller.sources.channel import as_request
from k8srt.controller.sources.cron import Cron
from k8srt.util.clock import SYSTEM, Clock
from k8srt.util.threads import Stop, spawn

log = logging.getLogger(__name__)

JITTER = 0.1
LONGEST = 300.0


class _Timed(Sifting):
    """A source with a thread that waits and looks, until it is stopped."""

    _what = "timed"

    def __init__(self, handler: EventHandler, where: Where | Iterable[Where], clock: Clock) -> None:
        super().__init__(handler, where)
        self._clock = clock
        self._halt = Stop()
        self._thread: threading.Thread | None = None

    def start(self, queue: RequestQueue) -> None:
        """Begin to look."""
        self._thread = spawn(self._what, self._run, queue)

    def _run(self, queue: RequestQueue) -> None:
        while not self._clock.wait_event(self._halt, self.pause()):
            self.look(queue)

    def pause(self) -> float:
        """Seconds to wait before the next look."""
        return 0.0

    def look(self, queue: RequestQueue) -> None:
        """Pass on what there is."""

    def wait_for_sync(self, timeout: float, stop: Stop) -> None:
        """There is nothing to wait for."""

    def stop(self) -> None:
        """Look no more. Returns when the look that is under way has ended."""
        self._halt.set()
        if self._thread is not None:
            self._thread.join()


class Poll(_Timed):
    """Calls `look_up` every `interval` seconds, and tells of what is new, has changed, or is there no longer.

    `key` says which request a thing stands for, by default that of an object; with a `handler` the things go to that
    instead. Predicates are asked about the thing. Things are compared by a digest of their content. Each pause varies
    by a tenth; while `look_up` raises, it doubles up to five minutes.
    """

    _what = "poll"

    def __init__(
        self,
        look_up: Callable[[], Iterable[Any]],
        interval: float,
        *,
        key: Callable[[Any], Any] = as_request,
        handler: EventHandler | None = None,
        where: Where | Iterable[Where] = None,
        clock: Clock = SYSTEM,
        random: Callable[[], float] = random.random,
    ) -> None:
        if interval <= 0.0:
            raise ValueError(f"interval: more than 0 seconds, not {interval!r}")
        super().__init__(handler or EnqueueMapped(lambda thing: [as_request(key(thing))]), where, clock)
        self._look_up = look_up
        self._interval = interval
        self._key = key
        self._random = random
        self._failures = 0
        self._first = True
        self._known: dict[Request, tuple[bytes, Any]] = {}

    def pause(self) -> float:
        if self._first:
            self._first = False
            return 0.0
        longest = max(LONGEST, self._interval)
        usual = min(self._interval * 2.0 ** min(self._failures, 32), longest)
        return usual * (1.0 + JITTER * (2.0 * self._random() - 1.0))

    def look(self, queue: RequestQueue) -> None:
        try:
            found = {as_request(self._key(thing)): (digest(thing), thing) for thing in self._look_up()}
        except Exception as err:
            self._failures += 1
            if self._failures == 1:
                log.warning("%r failed, trying again: %s", self, err, exc_info=err)
            return
        if self._failures:
            log.info("%r works again, after %d failures", self, self._failures)
            self._failures = 0
        known, self._known = self._known, found
        changed = [thing for key, (seen, thing) in found.items() if key not in known or known[key][0] != seen]
        gone = [thing for key, (_, thing) in known.items() if key not in found]
        for thing in changed + gone:
            self.pass_on(GenericEvent(thing), queue)

    def __repr__(self) -> str:
        return f"<Poll {getattr(self._look_up, '__qualname__', self._look_up)} every {self._interval:g}s>"


def digest(thing: Any) -> bytes:
    """A short digest of the content of something: an object, plain data, or else what its repr tells."""
    try:
        data = msgspec.json.encode(thing.to_dict() if isinstance(thing, Object) else thing, order="sorted")
    except (TypeError, ValueError):
        data = repr(thing).encode()
    return hashlib.blake2b(data, digest_size=16).digest()


class Schedule(_Timed):
    """Has requests looked at when a cron line says so: `Schedule("*/15 * * * *", requests)`.

    `requests` are those, or keys, or a function that returns them when the time has come. The times are UTC. What was
    due while the process was suspended is done once.
    """

    _what = "schedule"

    def __init__(
        self,
        cron: str,
        requests: Sequence[Any] | Callable[[], Iterable[Any]],
        *,
        where: Where | Iterable[Where] = None,
        clock: Clock = SYSTEM,
    ) -> None:
        """Raises ValueError for a cron line that makes no sense."""
        super().__init__(EnqueueMapped(lambda thing: [as_request(thing)]), where, clock)
        self._cron = Cron(cron)
        self._requests = requests if callable(requests) else lambda: requests

    def pause(self) -> float:
        now = self._clock.time()
        return max((self._cron.after(now) - now).total_seconds(), 0.0)

    def look(self, queue: RequestQueue) -> None:
        try:
            due = list(self._requests())
        except Exception:
            log.exception("%r: saying what is due failed", self)
            return
        for thing in due:
            self.pass_on(GenericEvent(thing), queue)

    def __repr__(self) -> str:
        return f"<Schedule {str(self._cron)!r}>"
